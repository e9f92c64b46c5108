"""Part `snowplow`: enriched Snowplow events of the shop's pages, page views and the e-commerce plugin's actions.

One row an event with the atomic fields that a web tracker, the collector and the enrichments fill from what is
modelled; the others of the atomic schema are null in every row and left out. `unstruct_event` and `contexts` are
self-describing JSON, as they stand in the enriched event (TSV): the action `snowplow_ecommerce_action` 1-0-2 and its
entities `product`, `cart`, `transaction`, `transaction_error`, `checkout_step`, `user`, `page`, with `web_page`,
`client_session` and, from Chromium, `http_client_hints`. No IP address is modelled, so nothing is looked up from one.

The tracker's identifiers (`name_tracker`, `v_*`) say that Footfall made the event: nobody should take it for traffic.

*Consent*: see `simulator.export.vendors.feed`; Snowplow's anonymous tracking, which a site may use instead, is not.

Shape: snowplow/iglu-central, schemas/com.snowplowanalytics.snowplow{,.ecommerce}/ and org.ietf/http_client_hints as of
2026-04; docs.snowplow.io, "atomic event properties" and "ecommerce events".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator import __version__
from simulator.export.columns import places
from simulator.export.source import Part
from simulator.export.vendors.columns import ids_from, iso_text, labelled, named, spread, struct, where
from simulator.export.vendors.contents import LISTS
from simulator.export.vendors.feed import PAGES, Call, Feed, blocks, feed_of
from simulator.export.vendors.pages import Pages
from simulator.export.vendors.phones import phones
from simulator.export.vendors.snowplow_entities import contexts, described
from simulator.export.vendors.tracked import tracked
from simulator.export.vendors.vocabulary import CHANNELS, HOST
from simulator.model.states import STATE_NAMES
from simulator.runfolder.jsontext import json_text

if TYPE_CHECKING:
    from simulator.export.source import Source

CALLS = (
    Call("list_click", ("product",), "tapped", "chosen"),
    Call("page_view", PAGES, "painted"),
    Call("list_view", tuple(STATE_NAMES[state] for state in LISTS)),
    Call("product_view", ("product",)),
    Call("add_to_cart", ("add_to_cart",), only="added"),
    Call("checkout_step", ("checkout",), checkout=1),
    Call("checkout_step", ("payment",), checkout=2),
    Call("transaction", ("purchase",), only="bought"),
    Call("trns_error", ("purchase",), "came", "failed"),
)
"""Which states make which events; all but `page_view` are values of the action's `type`."""
ACTION = "snowplow_ecommerce_action"
ECOMMERCE = "com.snowplowanalytics.snowplow.ecommerce"
ROOT = "com.snowplowanalytics.snowplow"
APP = "shop"
MADE_BY = f"footfall-{__version__}"
MEANINGS = {
    "app_id": "the shop",
    "platform": "web",
    "collector_tstamp": "when it arrived, by the collector's clock",
    "dvce_created_tstamp": "when it was made, by the device's clock",
    "event": "page_view, or unstruct for an e-commerce action",
    "event_id": "id of the event; equal where the same event was delivered twice",
    "name_tracker": "footfall",
    "v_tracker": "Footfall and its version",
    "v_collector": "Footfall and its version",
    "v_etl": "Footfall and its version",
    "user_id": "the shop's number of the customer; absent until the shop knows who it is",
    "domain_userid": "the browser's id, the same in all visits of a shopper",
    "domain_sessionidx": "number of the visit, from 1",
    "geo_country": "ISO 3166 code of the home country",
    "page_url": "address of the page that is open",
    "page_title": "its title",
    "page_referrer": "the page before, or the site the visit came from",
    "page_urlscheme": "https",
    "page_urlhost": "the shop's reserved domain",
    "page_urlport": "443",
    "page_urlpath": "path of the address",
    "page_urlquery": "query of the address, campaign words included",
    "refr_medium": "kind of the referrer: internal, search or social",
    "mkt_medium": "utm_medium of the landing page",
    "mkt_source": "utm_source of the landing page",
    "mkt_campaign": "utm_campaign of the landing page",
    "useragent": "the browser's user agent",
    "br_lang": "the browser's language",
    "os_timezone": "IANA time zone of the device",
    "dvce_screenwidth": "CSS pixels",
    "dvce_screenheight": "CSS pixels",
    "dvce_sent_tstamp": "when it was sent, by the device's clock",
    "domain_sessionid": "id of the visit",
    "derived_tstamp": "collector − (sent − created): when it was made, with the device's clock set right",
    "event_vendor": "of the event's schema",
    "event_name": "of the event's schema",
    "event_format": "of the event's schema",
    "event_version": "of the event's schema",
    "unstruct_event": "the e-commerce action as self-describing JSON; absent from page views",
    "contexts": "the entities as self-describing JSON",
}
LIST_NAMES = tuple(
    {"search": "search results", "recommend": "recommendations", "category": "product list"}.get(name, name)
    for name in STATE_NAMES
)


def snowplow(source: Source) -> dict[str, pa.Table]:
    """Return the table `snowplow`: one row an event, in the order of delivery."""
    feed = feed_of(tracked(source, "snowplow"), CALLS)
    return {"snowplow": pa.concat_tables([_table(block) for block in blocks(feed)])}


def _table(feed: Feed) -> pa.Table:
    views = feed.of("page_view")
    event_id = ids_from(feed.tracked.source.seed, "snowplow", feed.event_id, feed.code)
    created, sent, received = (at_us // 1_000 * 1_000 for at_us in (feed.device_us, feed.sent_us, feed.received_us))
    steps, row = feed.tracked.steps, feed.row
    columns: dict[str, Any] = {
        **_same({"app_id": APP, "platform": "web"}, len(row)),
        "collector_tstamp": iso_text(received),
        "dvce_created_tstamp": iso_text(created),
        "event": _either(views, "page_view", "unstruct"),
        "event_id": event_id,
        **_same({"name_tracker": "footfall", "v_tracker": MADE_BY, "v_collector": MADE_BY, "v_etl": MADE_BY}, len(row)),
        "user_id": where(feed.known, feed.tracked.customers(row)),
        "domain_userid": feed.tracked.visitors(row),
        "domain_sessionidx": pa.array((steps.visit[row] + 1).astype(np.int32)),
        "geo_country": _of_shopper(feed, "country"),
        **_page(feed),
        **_device(feed),
        "dvce_sent_tstamp": iso_text(sent),
        "domain_sessionid": feed.tracked.sessions(row),
        "derived_tstamp": iso_text(received - (sent - created)),
        "event_vendor": _either(views, ROOT, ECOMMERCE),
        "event_name": _either(views, "page_view", ACTION),
        "event_format": pa.repeat("jsonschema", len(row)),
        "event_version": _either(views, "1-0-0", "1-0-2"),
        "unstruct_event": _action(feed, ~views),
        "contexts": contexts(feed),
    }
    return labelled(columns, MEANINGS)


def _same(words: dict[str, str], rows: int) -> dict[str, pa.Array]:
    return {name: pa.repeat(word, rows) for name, word in words.items()}


def _either(mask: Any, yes: str, no: str) -> pa.Array:  # noqa: ANN401 - a numpy mask
    return named(mask, (no, yes))


def _of_shopper(feed: Feed, name: str) -> pa.Array:
    column = feed.tracked.source.shoppers[name].combine_chunks()
    return column.take(pa.array(feed.shopper))


def _page(feed: Feed) -> dict[str, Any]:
    """Return where the event happened, and how the visitor came there."""
    pages = Pages(feed.tracked, feed.open_at)
    rows = len(feed.row)
    query = pc.utf8_slice_codeunits(pages.search, 1)
    referred = pages.referrer
    return {
        "page_url": pages.url,
        "page_title": pages.title,
        "page_referrer": pc.if_else(pc.equal(referred, ""), None, referred),
        **_same({"page_urlscheme": "https", "page_urlhost": HOST}, rows),
        "page_urlport": pa.repeat(pa.scalar(443, pa.int32()), rows),
        "page_urlpath": pages.path,
        "page_urlquery": pc.if_else(pc.equal(query, ""), None, query),
        "refr_medium": pc.coalesce(where(pages.inside, pa.repeat("internal", rows)), named(pages.channel, _REFERRED)),
        **{f"mkt_{name}": named(pages.channel, words) for name, words in _MARKETING.items()},
    }


_MARKETING = {
    name: [str(getattr(channel, name)) if channel.tagged else None for channel in CHANNELS.values()]
    for name in ("medium", "source", "campaign")
}
_REFERRED = tuple({"organic": "search", "paid_search": "search", "social": "social"}.get(name) for name in CHANNELS)
"""Channel → medium that the referrer parser finds for its referrer; unknown ones are null here."""


def _device(feed: Feed) -> dict[str, Any]:
    known = phones()
    device = places(feed.tracked.source.shoppers["device"], list(known))[feed.shopper]
    screens = np.array([phone.device.screen for phone in known.values()], np.int32)[device]
    return {
        "useragent": named(device, [phone.device.user_agent for phone in known.values()]),
        "br_lang": _of_shopper(feed, "language"),
        "os_timezone": _of_shopper(feed, "timezone"),
        "dvce_screenwidth": pa.array(screens[:, 0]),
        "dvce_screenheight": pa.array(screens[:, 1]),
    }


def _action(feed: Feed, mask: Any) -> pa.Array:  # noqa: ANN401 - a numpy mask
    """Return the action as a self-describing event, where there is one."""
    row, code = feed.row[mask], feed.code[mask]
    lists = feed.of("list_view")[mask]
    state = np.where(lists, feed.tracked.steps.state[row], feed.tracked.before[row])
    name = where(feed.of("list_view", "list_click")[mask], named(state, LIST_NAMES))
    data = struct({"type": named(code, [call.event for call in feed.calls]), "name": name})
    inner = described(f"{ECOMMERCE}/{ACTION}/jsonschema/1-0-2", json_text(data, omit_null=True))
    return spread(mask, described(f"{ROOT}/unstruct_event/jsonschema/1-0-0", inner))


PART = Part(
    "snowplow",
    "Snowplow: enriched page views and e-commerce actions with their entities, of shoppers who allow analytics",
    snowplow,
    ("parquet", "csv", "jsonl"),
)
