"""Part `otel`: OpenTelemetry events of the shop's pages as OTLP log records, in the JSON of OTLP files.

One row is one export, `{"resourceLogs": [...]}`, as the OTLP file exporter writes one a line: what a page of a visit
reported. Events, by the semantic conventions 1.44 (all of them in development, so the names may change with them):

- `session.start` and `session.end` around a visit, with `session.previous_id` where there was one before;
- `app.widget.click` for the tap that led to a page, on the page where the widget was. Not `app.screen.click`, which
  needs coordinates that nothing here models;
- `browser.web_vital` with `fcp` (first paint) and `lcp` (here: tap to usable page, the model's load time), value and
  delta in milliseconds, rated by the thresholds of web.dev. No `ttfb`: the tables hold the server's share of a load
  but not the connection's, and the first byte needs both. No `inp` and `cls`: nothing models them.

The network's kind is on every record, since it changes during a visit; its `subtype` is what a native SDK would tell,
no browser does. `user_agent.synthetic.type` is `test` on every resource: nobody should take this for people.

*Consent*: performance records of the site itself, of everybody, but what only a stored identifier makes possible
(`session.previous_id`, `user.id`) only from those who allow analytics.

Shape: open-telemetry/semantic-conventions v1.44.0, model/{session,browser,app,network,user-agent}; opentelemetry-proto
1.x, logs/v1 with the JSON encoding of the OTLP specification (64-bit integers as decimal strings).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from simulator import __version__
from simulator.export.columns import places
from simulator.export.source import Part
from simulator.export.vendors.columns import ids_from, labelled, lists, named, struct
from simulator.export.vendors.feed import ANY, PAGES, Call, Feed, blocks, feed_of
from simulator.export.vendors.phones import Phone, phones
from simulator.export.vendors.steps import numbers
from simulator.export.vendors.tracked import tracked
from simulator.model.states import STATE_NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.source import Source

CALLS = (
    Call("app.widget.click", ANY, "tapped", "follows"),
    Call("session.start", ANY, "painted", "begins"),
    Call("fcp", PAGES, "painted"),
    Call("lcp", PAGES, "came"),
    Call("session.end", ANY, "left", "ends"),
)
VITALS = {"fcp": (1_800.0, 3_000.0), "lcp": (2_500.0, 4_000.0)}
"""Web vital → the most milliseconds that are good, and that need improvement (web.dev/articles/{fcp,lcp})."""
RATINGS = ("good", "needs-improvement", "poor")
SCHEMA_URL = "https://opentelemetry.io/schemas/1.44.0"
INFO = 9
"""Severity number of INFO (opentelemetry-proto, logs.proto)."""
CONNECTIONS = ("wifi", "cell", "cell", "cell", "unavailable")
SUBTYPES = (None, "nrnsa", "lte", "hspap", None)
"""By technology (`tracked.NETWORKS`, then none): our 5G is measured on non-standalone networks, our HSPA on HSPA+."""

VALUE = pa.struct(
    [
        ("stringValue", pa.string()),
        ("boolValue", pa.bool_()),
        ("doubleValue", pa.float64()),
        ("arrayValue", pa.struct([("values", pa.list_(pa.struct([("stringValue", pa.string())])))])),
    ]
)
"""AnyValue of OTLP as far as it is used; one field of it is set."""
ATTRIBUTE = pa.struct([("key", pa.string()), ("value", VALUE)])
RESOURCE = pa.struct([("attributes", pa.list_(ATTRIBUTE))])


class Column(NamedTuple):
    """An attribute of some records: its key, the records (in order) that have it, and its values."""

    key: str
    at: NDArray[np.int64]
    values: pa.Array


def otel(source: Source) -> dict[str, pa.Table]:
    """Return the table `otel`: one row for what a page of a visit exported, in the order of delivery."""
    feed = feed_of(tracked(source, "otel"), CALLS, consent=False)
    return {"otel": pa.concat_tables([_table(block) for block in blocks(feed)])}


def _table(feed: Feed) -> pa.Table:
    records = _records(feed)
    fresh = np.append(np.ones(min(1, len(feed.parcel)), np.bool_), np.diff(feed.parcel) != 0)
    row = np.cumsum(fresh) - 1
    total = int(fresh.sum())
    scope = struct({"name": pa.repeat("footfall", total), "version": pa.repeat(__version__, total)})
    logs = {"scope": scope, "logRecords": lists(row, total, records), "schemaUrl": pa.repeat(SCHEMA_URL, total)}
    each = np.arange(total)
    resource = {
        "resource": _resources(feed, np.flatnonzero(fresh)),
        "scopeLogs": lists(each, total, struct(logs)),
        "schemaUrl": pa.repeat(SCHEMA_URL, total),
    }
    meaning = "one resource, a browser, with one scope and the records of one page; the row is LogsData of OTLP"
    return labelled({"resourceLogs": lists(each, total, struct(resource))}, {"resourceLogs": meaning})


def _records(feed: Feed) -> pa.StructArray:
    """Return one log record a call; an event's time is when the page observed it."""
    names = ["browser.web_vital" if call.event in VITALS else call.event for call in feed.calls]
    nanos = (pa.array(feed.device_us * 1_000)).cast(pa.string())
    rows = len(feed.row)
    return struct(
        {
            "timeUnixNano": nanos,
            "observedTimeUnixNano": nanos,
            "severityNumber": pa.repeat(pa.scalar(INFO, pa.int32()), rows),
            "severityText": pa.repeat("INFO", rows),
            "eventName": named(feed.code, names),
            "attributes": _attributes(_columns(feed), rows),
        }
    )


def _columns(feed: Feed) -> list[Column]:
    """Return the attributes of the records, in the order in which they stand in a record."""
    seen, row = feed.tracked, feed.row
    every = np.arange(len(row))
    states = pa.array(STATE_NAMES)
    returns = np.flatnonzero(feed.of("session.start") & (seen.steps.visit[row] > 0) & seen.allows[row])
    known = np.flatnonzero(feed.known & seen.allows[row])
    click = np.flatnonzero(feed.of("app.widget.click"))
    technology = seen.network[row]
    cellular = np.flatnonzero(np.isin(technology, [i for i, word in enumerate(SUBTYPES) if word]))
    return [
        Column("session.id", every, seen.sessions(row)),
        Column("session.previous_id", returns, seen.sessions(row[returns], ago=1)),
        Column("user.id", known, seen.customers(row[known])),
        Column("app.widget.id", click, states.take(pa.array(seen.steps.state[row[click]]))),
        Column("app.screen.id", every, states.take(pa.array(seen.steps.state[seen.steps.page[feed.open_at]]))),
        *_vitals(feed),
        Column("network.connection.type", every, pa.array(CONNECTIONS).take(pa.array(technology % len(CONNECTIONS)))),
        Column("network.connection.subtype", cellular, pa.array(SUBTYPES).take(pa.array(technology[cellular]))),
    ]


def _vitals(feed: Feed) -> list[Column]:
    """Return name, value, change, id and rating of the web vitals; each is reported once, so all of it is change."""
    at = np.flatnonzero(feed.of(*VITALS))
    lcp = feed.of("lcp")[at]
    steps, row = feed.tracked.steps, feed.row[at]
    took_ms = np.where(lcp, feed.tracked.load_us[row], numbers(steps.events["fcp_us"])[row]) / 1e3
    bounds = np.array(list(VITALS.values()))[lcp.astype(np.int64)]
    rating = (took_ms[:, None] > bounds).sum(axis=1)
    ids = ids_from(feed.tracked.source.seed, "otel.web_vital", feed.event_id.take(pa.array(at)), lcp)
    value = pa.array(took_ms)
    columns = {"name": named(lcp, tuple(VITALS)), "value": value, "delta": value, "id": ids}
    columns |= {"rating": named(rating, RATINGS), "navigation_type": pa.repeat("navigate", len(at))}
    return [Column(f"browser.web_vital.{name}", at, column) for name, column in columns.items()]


def _attributes(columns: list[Column], records: int) -> pa.ListArray:
    """Return the attributes of every record as one list a record."""
    at = np.concatenate([column.at for column in columns])
    order = np.argsort(at, kind="stable")
    key = np.repeat(np.arange(len(columns)), [len(column.at) for column in columns])
    kinds = {"stringValue": pa.string(), "doubleValue": pa.float64()}
    values = {
        name: pa.concat_arrays(
            [column.values if column.values.type == kind else pa.nulls(len(column.at), kind) for column in columns]
        ).take(pa.array(order))
        for name, kind in kinds.items()
    }
    pairs = struct({"key": named(key[order], [column.key for column in columns]), "value": struct(values)})
    return lists(at[order], records, pairs)


def _resources(feed: Feed, at: NDArray[np.int64]) -> pa.StructArray:
    """Return the resource of each of these calls: the site in a browser of this phone and language."""
    shoppers, who = feed.tracked.source.shoppers, feed.shopper[at]
    language = shoppers["language"].combine_chunks()
    words = language.dictionary.to_pylist()
    known = list(phones().values())
    pairs = language.indices.to_numpy().astype(np.int64) * len(known) + places(shoppers["device"], list(phones()))
    here, place = np.unique(pairs[who], return_inverse=True)
    rows = [_resource(known[pair % len(known)], words[pair // len(known)]) for pair in here.tolist()]
    return pa.array(rows, RESOURCE).take(pa.array(place))


def _resource(phone: Phone, language: str) -> dict[str, Any]:
    """Return the attributes of a resource; brands, platform and mobile only where the browser has client hints."""
    attributes: dict[str, Any] = {
        "service.name": "shop",
        "telemetry.sdk.name": "footfall",
        "telemetry.sdk.language": "webjs",
        "telemetry.sdk.version": __version__,
        "user_agent.original": phone.device.user_agent,
        "user_agent.synthetic.type": "test",
        "browser.language": language,
    }
    if phone.hints:
        brands = [{"stringValue": f"{brand} {version}"} for brand, version in phone.brands]
        attributes |= {"browser.brands": brands, "browser.mobile": True, "browser.platform": phone.system}
    return {"attributes": [{"key": key, "value": _any_value(value)} for key, value in attributes.items()]}


def _any_value(value: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever an attribute holds
    if isinstance(value, list):
        return {"arrayValue": {"values": value}}
    return {"boolValue" if isinstance(value, bool) else "stringValue": value}


PART = Part(
    "otel",
    "OpenTelemetry: session, tap and web-vital events as OTLP log records, of every shopper",
    otel,
    ("parquet", "jsonl"),
)
