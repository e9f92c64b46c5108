"""The tables every world writes, and nothing but which every report reads.

Times are integer microseconds: `*_at_us` from the run's reference instant, the others durations. A column's `meaning`
says which figures are truth (known only because the shopper is simulated) rather than anything a shop could observe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa

from simulator.journey.columns import columns_of
from simulator.journey.history import RFM, RFM_CLASSES, rfm_classes, rfm_codes, rfm_scores
from simulator.journey.records import CAUSES, NEVER_US, NOT_SEEN, ONGOING
from simulator.model.devices import device_table
from simulator.model.places import city_table, country_table
from simulator.model.schema import CATEGORIES, CHANNELS, SITUATIONS, TECHNOLOGIES
from simulator.model.states import STATE_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulator.journey.columns import Rows
    from simulator.model.population import Roster

TableName = Literal["shoppers", "visits", "events"]
TABLES: tuple[TableName, ...] = ("shoppers", "visits", "events")
NAME = pa.dictionary(pa.int16(), pa.string())
CODE = pa.dictionary(pa.int8(), pa.string())
"""Names of which there are never more than 127."""
RFM_WORDS, RFM_CLASS_WORDS = pa.array(RFM), pa.array(RFM_CLASSES)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, arrow type, what it means, and whether it may be empty."""

    name: str
    type: pa.DataType
    meaning: str
    nullable: bool = False


COLUMNS: dict[TableName, tuple[Column, ...]] = {
    "shoppers": (
        Column("shopper", pa.int64(), "number of the shopper; everything else follows from it and the seed"),
        Column("persona", NAME, "kind of shopper"),
        Column("country", CODE, "ISO 3166 code"),
        Column("city", NAME, "home city"),
        Column("latitude_deg", pa.float64(), "home, WGS 84"),
        Column("longitude_deg", pa.float64(), "home, WGS 84"),
        Column("timezone", NAME, "IANA time zone of the home city"),
        Column("device", NAME, "model"),
        Column("os", CODE, "operating system"),
        Column("browser", CODE, "browser"),
        Column("tier", CODE, "low, mid or high end"),
        Column("language", NAME, "first preferred language"),
        Column("currency", NAME, "ISO 4217 code"),
        Column("analytics", pa.bool_(), "allows analytics"),
        Column("personalization", pa.bool_(), "allows personalization"),
        Column("location", pa.bool_(), "shares location"),
        Column("push", pa.bool_(), "allows push messages"),
        Column("member", pa.bool_(), "member of the rewards programme"),
        Column("logged_in", pa.bool_(), "arrives logged in"),
        Column("favourite", CODE, "truth: favourite category"),
        Column("price_sensitivity", pa.float64(), "truth: 0 does not mind the price, 1 minds nothing else"),
        Column("frailty", pa.float64(), "truth: factor on this shopper's impatience, mean 1"),
        Column("visits_per_week", pa.float64(), "truth: mean rate of visits"),
        Column("email", pa.bool_(), "allows e-mails"),
        Column("channel", CODE, "how they came to the shop for the first time"),
        Column("biometric", pa.bool_(), "has enrolled a fingerprint or face for logging in"),
        Column("ar", pa.bool_(), "looks at products in augmented reality"),
        Column(
            "tenure_days", pa.float64(), "days since their first visit, at the reference instant; 0 if still to come"
        ),
        Column("past_orders", pa.int32(), "orders before the reference instant"),
        Column("past_spend_cents", pa.int64(), "value of these orders"),
        Column("last_order_days", pa.float64(), "days since the latest of them; null if there is none", nullable=True),
        Column(
            "rfm",
            NAME,
            "recency, frequency and value of these orders, 1 to 5 each; null if there is none",
            nullable=True,
        ),
        Column(
            "rfm_class", CODE, "champion, loyal, new, promising, at_risk or lost; none without an order", nullable=True
        ),
        Column("campaign_response", pa.float64(), "truth: 0 no campaign moves them, 1 each does"),
        Column("basket_cents", pa.float64(), "truth: mean value of their orders"),
        Column("orders_per_year", pa.float64(), "truth: mean rate of their orders"),
        Column("lifetime_value_cents", pa.int64(), "truth: past spend and orders_per_year × basket_cents, a year more"),
    ),
    "visits": (
        Column("shopper", pa.int64(), "who"),
        Column("visit", pa.int32(), "which of their visits, from 0"),
        Column("arm", CODE, "treatment; control is always there"),
        Column("persona", NAME, "kind of shopper"),
        Column("country", CODE, "ISO 3166 code"),
        Column("os", CODE, "operating system"),
        Column("tier", CODE, "low, mid or high end"),
        Column("situation", CODE, "home, commute, work, store or travel"),
        Column("network", CODE, "technology of the landing page"),
        Column("channel", CODE, "how the shopper came to this visit"),
        Column("returning", pa.bool_(), "the shopper was here before, in this run or before it"),
        Column("start_at_us", pa.int64(), "when the visit was meant to start"),
        Column("lag_us", pa.int64(), "how much later than meant it started; 0 where nothing is live"),
        Column("wall_us", pa.int64(), "from the first tap to leaving, waiting included"),
        Column("engaged_us", pa.int64(), "looking at pages, waiting excluded"),
        Column("waited_us", pa.int64(), "waiting for pages"),
        Column("ga_us", pa.int64(), "GA-compatible duration: first hit to last hit, 0 for a bounce"),
        Column("pages", pa.int32(), "pages asked for"),
        Column("bounced", pa.bool_(), "left after one page"),
        Column(
            "landing_load_us", pa.int64(), "load time of the first page; null when it was never seen", nullable=True
        ),
        Column("entry", CODE, "first state"),
        Column("last", CODE, "last state"),
        Column("cause", CODE, "why the visit ended; ongoing: the run ended first"),
        Column("carted", pa.bool_(), "put something into the cart"),
        Column("orders", pa.int32(), "orders placed"),
        Column("revenue_cents", pa.int64(), "value of the orders at offline prices"),
    ),
    "events": (
        Column("shopper", pa.int64(), "who"),
        Column("visit", pa.int32(), "which of their visits"),
        Column("step", pa.int32(), "which page of the visit, from 0"),
        Column("arm", CODE, "treatment"),
        Column("persona", NAME, "kind of shopper"),
        Column("page", CODE, "state: the action and the page it opens"),
        Column("nth", pa.int16(), "how often this state was entered before in the visit"),
        Column("at_us", pa.int64(), "when it was tapped"),
        Column("fcp_us", pa.int32(), "tap to first paint; null when never seen", nullable=True),
        Column("load_us", pa.int32(), "tap to usable page; null when never seen", nullable=True),
        Column("server_us", pa.int32(), "part of the load time that the server took"),
        Column("measured_us", pa.int32(), "part of the load time that was measured, 0 where all is modelled"),
        Column("ok", pa.bool_(), "the page came without error"),
        Column(
            "relevance",
            pa.float32(),
            "how well the answer fits this shopper, 0 to 1; null when not observable",
            nullable=True,
        ),
        Column("waited_us", pa.int32(), "how long the shopper waited for it"),
        Column("think_us", pa.int32(), "usable page to next tap or leaving; 0 when it ended the visit before"),
        Column("situation", CODE, "home, commute, work, store or travel"),
        Column("network", CODE, "technology at that moment"),
        Column("rtt_ms", pa.float32(), "round trip at that moment"),
        Column("down_kbps", pa.float32(), "downlink at that moment"),
        Column("loss", pa.float32(), "share of packets lost at that moment"),
        Column("stalled_us", pa.int32(), "part of the load time that outages, stalls and handovers took"),
        Column("country", CODE, "ISO 3166 code"),
        Column("city", NAME, "home city"),
        Column("device", NAME, "model"),
        Column("product", pa.int32(), "product in view; null before the first", nullable=True),
        Column("category", CODE, "category of that product", nullable=True),
        Column("price_cents", pa.int32(), "its offline price"),
        Column("cart_items", pa.int16(), "items in the cart after this page"),
        Column("cause", CODE, "why the visit ended here; null while it goes on", nullable=True),
        Column("patience_us", pa.int32(), "truth: how long the shopper would have waited"),
        Column("put_off_p", pa.float32(), "truth: chance of leaving because of this and earlier waits"),
    ),
}


def schema(table: TableName) -> pa.Schema:
    """Return a table's arrow schema; each field's metadata holds its meaning."""
    return pa.schema([pa.field(c.name, c.type, c.nullable, {"meaning": c.meaning}) for c in COLUMNS[table]])


SCHEMAS = {table: schema(table) for table in TABLES}


class Names:
    """Turns codes into dictionary columns: the dictionaries of one run."""

    def __init__(self, roster: Roster, arms: Sequence[str]) -> None:
        devices = device_table().devices
        cities, countries = city_table(), country_table()
        self.persona = pa.array(roster.personas)
        self.arm = pa.array(list(arms))
        self.country = pa.array(roster.countries)
        self.city = pa.array(roster.cities)
        self.device = pa.array(roster.devices)
        self.state = pa.array(STATE_NAMES)
        self.cause = pa.array(CAUSES)
        self.category = pa.array(CATEGORIES)
        self.channel = pa.array(CHANNELS)
        self.situation = pa.array(SITUATIONS)
        self.network = pa.array(TECHNOLOGIES)
        self.of_device = {
            name: Lookup([str(getattr(device, name)) for device in devices]) for name in ("os", "browser", "tier")
        }
        self.timezone = Lookup([city.timezone for city in cities])
        self.language = Lookup([countries[c].accept_language.split(",")[0] for c in roster.countries])
        self.currency = Lookup([countries[c].currency for c in roster.countries])


class Coded(NamedTuple):
    """A dictionary column: codes, negative for null, and what they stand for."""

    codes: NDArray[Any]
    words: pa.Array


class Lookup:
    """A column that follows from another code: code → name, with each name once in the dictionary."""

    def __init__(self, names: list[str]) -> None:
        words = sorted(set(names))
        self._words = pa.array(words)
        self._code = np.array([words.index(name) for name in names], np.int16)

    def column(self, codes: NDArray[Any]) -> Coded:
        """Return the names for codes."""
        return Coded(self._code[codes], self._words)


def shoppers_table(rows: Rows, names: Names) -> pa.Table:
    """Return the shoppers table of SHOPPER rows."""
    columns = columns_of(rows)
    scores = rfm_scores(columns["last_order_days"], columns["past_orders"], columns["past_spend_cents"])
    codes, classes = rfm_codes(*scores), rfm_classes(*scores[:2])
    made = {
        "persona": Coded(columns["persona"], names.persona),
        "country": Coded(columns["country"], names.country),
        "city": Coded(columns["city"], names.city),
        "timezone": names.timezone.column(columns["city"]),
        "device": Coded(columns["device"], names.device),
        **{name: lookup.column(columns["device"]) for name, lookup in names.of_device.items()},
        "language": names.language.column(columns["country"]),
        "currency": names.currency.column(columns["country"]),
        "favourite": Coded(columns["favourite"], names.category),
        "channel": Coded(columns["channel"], names.channel),
        "last_order_days": _where(columns["last_order_days"], columns["past_orders"] > 0),
        "rfm": Coded(codes, RFM_WORDS),
        "rfm_class": Coded(classes, RFM_CLASS_WORDS),
    }
    return _table("shoppers", columns | made)


def visits_table(rows: Rows, shoppers: Rows, events: Rows, names: Names) -> pa.Table:
    """Return the visits table of VISIT rows, with the SHOPPER and EVENT rows that belong to them.

    Visits and events stand in the same order; every visit has at least one event. Shoppers stand by number.
    """
    columns = columns_of(rows)
    at = np.searchsorted(shoppers["shopper"], columns["shopper"])
    persona, country, device = (shoppers[name][at] for name in ("persona", "country", "device"))
    known = shoppers["tenure_days"][at] > 0
    last = np.cumsum(columns["pages"]) - 1
    first = last - columns["pages"] + 1
    landing = columns["landing_load_us"]
    made = {
        "arm": Coded(columns["arm"], names.arm),
        "persona": Coded(persona, names.persona),
        "country": Coded(country, names.country),
        **{name: names.of_device[name].column(device) for name in ("os", "tier")},
        "situation": Coded(columns["situation"], names.situation),
        "network": Coded(events["network"][first], names.network),
        "channel": Coded(columns["channel"], names.channel),
        "returning": known | (columns["visit"] > 0),
        "start_at_us": columns["start_us"],
        "wall_us": columns["elapsed_us"],
        "bounced": columns["pages"] == 1,
        "landing_load_us": _where(landing, landing < NEVER_US),
        "entry": Coded(columns["entry"], names.state),
        "last": Coded(events["state"][last], names.state),
        "cause": Coded(columns["cause"], names.cause),
        "carted": columns["added_to_cart"] > 0,
    }
    return _table("visits", columns | made)


def events_table(rows: Rows, names: Names) -> pa.Table:
    """Return the events table of EVENT rows."""
    columns = columns_of(rows)
    cause = columns["cause"]
    made = {
        "arm": Coded(columns["arm"], names.arm),
        "persona": Coded(columns["persona"], names.persona),
        "page": Coded(columns["state"], names.state),
        "fcp_us": _where(columns["fcp_us"], columns["fcp_us"] < NEVER_US),
        "load_us": _where(columns["load_us"], columns["load_us"] < NEVER_US),
        "relevance": _where(columns["relevance"], columns["relevance"] != NOT_SEEN),
        "situation": Coded(columns["situation"], names.situation),
        "network": Coded(columns["network"], names.network),
        "country": Coded(columns["country"], names.country),
        "city": Coded(columns["city"], names.city),
        "device": Coded(columns["device"], names.device),
        "product": _where(columns["product"], columns["product"] >= 0),
        "category": Coded(columns["category"], names.category),
        "cause": Coded(np.where(cause == ONGOING, np.int8(-1), cause), names.cause),
    }
    return _table("events", columns | made)


def _where(values: NDArray[Any], valid: NDArray[np.bool_]) -> pa.Array | NDArray[Any]:
    """Return the values, null where not valid."""
    return values if valid.all() else pa.array(values, mask=~valid)


def _table(table: TableName, columns: dict[str, Any]) -> pa.Table:
    arrays = [_arrow(columns[field.name], field.type) for field in SCHEMAS[table]]
    # arrow believes the schema, and would write what lies beneath a null.
    for field, array in zip(SCHEMAS[table], arrays, strict=True):
        assert field.nullable or not array.null_count, f"{field.name} of {table} is never empty"
    return pa.Table.from_arrays(arrays, schema=SCHEMAS[table])


def _arrow(values: Any, kind: pa.DataType) -> pa.Array:  # noqa: ANN401 - numpy, arrow or coded
    if isinstance(values, Coded):
        codes = values.codes.astype(kind.index_type.to_pandas_dtype(), copy=False)
        missing = codes < 0
        indices = pa.array(codes, mask=missing if missing.any() else None)
        return pa.DictionaryArray.from_arrays(indices, values.words)
    if isinstance(values, np.ndarray):
        return pa.array(values.astype(kind.to_pandas_dtype(), copy=False))
    return values
