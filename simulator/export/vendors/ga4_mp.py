"""Bodies of requests to GA4's Measurement Protocol, one JSON object a line, for a web stream.

What a server sends for shoppers who allow analytics: the page views and the shop's own events, a visit's in requests of
at most 25. The tag's own events are reserved there, so the time they would have taken goes to the event that follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.export.products import product_facts
from simulator.export.source import Part
from simulator.export.vendors.contents import LISTS, ragged
from simulator.export.vendors.ga4_hits import NAMES, PAGE_VIEW, Hits
from simulator.export.vendors.ga4_params import LIST_NAMES, action_params, page_params
from simulator.export.vendors.jsontext import array, cents, joined, number, text, texts, where
from simulator.export.vendors.nested import taken
from simulator.export.vendors.people import Phones, account_ids, account_of, brand, model_told
from simulator.export.vendors.steps import flags, steps_of, words_of
from simulator.export.vendors.vocabulary import BROWSERS, PLACES, SYSTEMS
from simulator.model.states import STATE_NAMES
from simulator.runfolder.tables import LINE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.source import Source
    from simulator.export.vendors.nested import Param
    from simulator.model.devices import DeviceRow

MOST_EVENTS = 25
"""Of one request; developers.google.com/analytics/devguides/collection/protocol/ga4/reference."""
RESERVED = ("first_visit", "session_start", "user_engagement")
"""Names that only the tag may send, of those that it does."""
THEIRS = {"view_search_results": "search"}
"""Names of automatic events that have a recommended one for whoever sends them himself."""
OWN = ("firebase_conversion",)
"""Parameters that only the export has."""
SCHEMA = pa.schema(
    [
        pa.field("client_id", pa.string(), metadata={"meaning": "the browser's client id"}),
        pa.field("session_id", pa.int64(), metadata={"meaning": "the session, seconds since 1970 when it began"}),
        pa.field("events", pa.int32(), metadata={"meaning": "how many events the request holds, 25 at most"}),
        pa.field("request", pa.string(), metadata={"meaning": "the body as JSON; a JSON Lines file holds it alone"}),
    ],
    metadata={LINE: b"request"},
)


def requests(source: Source) -> pa.Table:
    """Return a shard's requests in order of arrival. Raises `FileFaults` where a column is missing."""
    hits = Hits(steps_of(source, "ga4_mp"))
    reserved = np.array([name in RESERVED for name in NAMES])
    kept = np.flatnonzero(
        hits.sessions.analytics[hits.visit] & ~reserved[hits.name] & (hits.sessions.number > 0)[hits.visit]
    )
    first, count = _batches(hits.visit[kept])
    head, tail = kept[first], kept[first + count - 1]
    visit, who = hits.visit[head], hits.sessions.who[hits.visit[head]]
    sessions, shoppers = hits.sessions, hits.steps.source.shoppers
    client = joined(number(sessions.client[visit]), ".", number(sessions.first_touch_us[visit] // 1_000_000))
    account = taken(account_ids(hits.steps), account_of(hits.steps, hits.row[tail]), hits.logged_in[tail])
    body = joined(
        '{"client_id":"', client, '"', pc.fill_null(joined(',"user_id":"', account, '"'), ""),
        ',"timestamp_micros":', number(hits.at_us[head]), _of_shopper(shoppers).take(pa.array(who)),
        ',"events":', array(count, _events(hits, kept)), "}",
    )  # fmt: skip
    session = pa.array(sessions.begin_us[visit] // 1_000_000)
    return pa.Table.from_arrays([client, session, pa.array(count, pa.int32()), body], schema=SCHEMA)


def _batches(visit: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each request begins and how many events it has: neighbours of one visit, 25 at most."""
    rows = np.arange(len(visit))
    changes = np.append(np.ones(min(1, len(rows)), np.bool_), visit[1:] != visit[:-1])
    run = np.maximum.accumulate(np.where(changes, rows, 0))
    first = np.flatnonzero((rows - run) % MOST_EVENTS == 0)
    return first, np.diff(np.append(first, len(rows)))


def _events(hits: Hits, kept: NDArray[np.int64]) -> pa.Array:
    """Return the `kept` events as JSON."""
    names = texts(THEIRS.get(name, name) for name in NAMES)
    params = [param for param in (*page_params(hits), *action_params(hits)) if param.key not in OWN]
    session = hits.sessions.begin_us[hits.visit[kept]] // 1_000_000
    count = hits.items.count[kept]
    return joined(
        '{"name":', names.take(pa.array(hits.name[kept])), ',"params":{"session_id":"', number(session),
        '","engagement_time_msec":', number(np.maximum(1, _engagement_ms(hits)[kept])),
        ',"timestamp_micros":', number(hits.at_us[kept]), *(_param(param, kept) for param in params),
        where(count > 0, ',"items":', array(count, _items(hits, kept))), "}}",
    )  # fmt: skip


def _engagement_ms(hits: Hits) -> NDArray[np.int64]:
    """Return the visible time since the event before; a page view takes what the page before has left."""
    steps, row = hits.steps, hits.row
    before = np.where(steps.first | _shifted(hits.step_selects), 0, _shifted(hits.rest_us))
    return np.where(hits.kind == PAGE_VIEW, before[row] // 1_000, hits.engagement_ms)


def _shifted(column: NDArray[Any]) -> NDArray[Any]:
    """Return the column of the step before."""
    return np.append(np.zeros(min(1, len(column)), column.dtype), column[:-1])


def _param(param: Param, kept: NDArray[np.int64]) -> pa.Array:
    """Return a parameter with the comma before it, empty where an event does not have it."""
    present = param.present[kept]
    value = param.value[kept[present]]
    if param.words is not None:
        told = texts(param.words.to_pylist()).take(pa.array(value))
    elif param.kind == "double":
        told = cents(np.rint(value * 100).astype(np.int64))
    else:
        told = number(value)
    place = np.where(present, np.cumsum(present) - 1, -1)
    return pc.fill_null(taken(joined(f',"{param.key}":', told), place), "")


def _items(hits: Hits, kept: NDArray[np.int64]) -> pa.Array:
    """Return every item of the `kept` events as JSON."""
    items = hits.items
    event, line = ragged(items.first[kept], items.count[kept])
    state = hits.state[kept][event]
    products = texts(
        {
            "item_id": fact["sku"], "item_name": fact["name"], "item_brand": fact["brand"],
            "item_category": fact["category"], "price": fact["price_cents"] / 100,
        }
        for fact in product_facts().to_pylist()
    )  # fmt: skip
    opened = pc.utf8_slice_codeunits(products, 0, -1).take(pa.array(items.product[line]))
    listed = np.isin(state, LISTS)
    names = pa.array(
        f',"item_list_id":{text(STATE_NAMES[state])},"item_list_name":{text(name)},"index":'
        for state, name in zip(LISTS, LIST_NAMES, strict=True)
    )
    of_list = names.take(pa.array(np.where(listed, np.searchsorted(LISTS, state) % len(LISTS), 0)))
    return joined(
        opened, ',"quantity":', number(items.quantity[line]), where(listed, of_list, number(items.place[line])), "}"
    )


def _of_shopper(shoppers: pa.Table) -> pa.Array:
    """Return membership, consent, place and phone of each shopper, with the comma before them."""
    granted = flags(shoppers["personalization"])
    consent = pa.array(
        f',"consent":{{"ad_user_data":"{word}","ad_personalization":"{word}"}}' for word in ("DENIED", "GRANTED")
    ).take(pa.array(granted.astype(np.int64)))
    member = pa.array(f',"user_properties":{{"member":{{"value":"{word}"}}}}' for word in ("no", "yes"))
    phones = Phones(shoppers)
    language = _words(shoppers["language"], lambda word: f',"language":{text(word)}}}')
    device = phones.of_device([f',"device":{text(_device(row))[:-1]}' for row in phones.table])
    return joined(
        member.take(pa.array(flags(shoppers["member"]).astype(np.int64))),
        consent,
        _words(shoppers["city"], lambda word: f',"user_location":{{"city":{text(word)}'),
        _words(shoppers["country"], _country),
        pc.fill_null(joined(device, language), ""),
    )


def _words(column: pa.ChunkedArray, told: Any) -> pa.Array:  # noqa: ANN401 - a function of a word
    """Return what `told` makes of each word of a column of names."""
    words = words_of(column)
    places = pc.index_in(pc.cast(column.combine_chunks(), pa.string()), pa.array(words, pa.string()))
    return pa.array([told(word) for word in words], pa.string()).take(places)


def _country(word: str) -> str:
    areas = dict(zip(("continent_id", "subcontinent_id"), PLACES.get(word, ()), strict=False))
    return f",{text({'country_id': word, **areas})[1:]}"


def _device(row: DeviceRow) -> dict[str, str]:
    told = {
        "category": "mobile",
        "brand": brand(row.model),
        "model": model_told(row),
        "screen_resolution": "x".join(map(str, row.screen)),
        "operating_system": SYSTEMS[row.os],
        "operating_system_version": row.os_version,
        "browser": BROWSERS[row.browser],
        "browser_version": row.browser_version,
    }
    return {name: value for name, value in told.items() if value is not None}


def _make(source: Source) -> dict[str, pa.Table]:
    return {"ga4_mp": requests(source)}


PART = Part(
    "ga4_mp", "Requests to GA4's Measurement Protocol, 25 events at most in each.", _make, ("jsonl", "parquet", "csv")
)
