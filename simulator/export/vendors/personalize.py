"""Amazon Personalize, domain e-commerce: the interactions, users and items of a dataset group, and their Avro schemas.

Only shoppers who allow personalization are in it. One row an interaction; of an order one for each of its lines.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.export.ids import uuids
from simulator.export.products import product_facts
from simulator.export.source import Part
from simulator.export.vendors.contents import SHOWN, Contents, ragged
from simulator.export.vendors.nested import taken
from simulator.export.vendors.people import account_ids, account_of, plain_text, yes_no
from simulator.export.vendors.steps import BUY, arrived, flags, numbers, steps_of
from simulator.export.vendors.vocabulary import SYSTEMS, WORDS
from simulator.model.states import STATE_INDEX

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.source import Source
    from simulator.export.vendors.steps import Steps

NAMESPACE = "com.amazonaws.personalize.schema"
_TYPES = np.array([bool(word.personalize) for word in WORDS.values()])
_WORDS = pa.array([word.personalize or None for word in WORDS.values()], pa.string())
RECOMMEND = STATE_INDEX["recommend"]

_ID, _CATEGORICAL = "key", "categorical"
FIELDS: dict[str, tuple[tuple[str, pa.DataType, str, str], ...]] = {
    "interactions": (
        ("USER_ID", pa.string(), _ID, "the shopper's account"),
        ("ITEM_ID", pa.string(), _ID, "SKU"),
        ("EVENT_TYPE", pa.string(), _ID, "View, AddToCart, Purchase, Share or ViewInAR"),
        ("EVENT_VALUE", pa.float64(), "null", "price times quantity of a purchase, else null"),
        ("TIMESTAMP", pa.int64(), _ID, "seconds since 1970"),
        ("IMPRESSION", pa.string(), _ID, "SKUs of the list the item was chosen from, else the item alone"),
        ("RECOMMENDATION_ID", pa.string(), "null", "the recommendations the item was chosen from, else null"),
        ("SITUATION", pa.string(), _CATEGORICAL, "home, commute, work or store"),
        ("NETWORK", pa.string(), _CATEGORICAL, "technology at that moment"),
    ),
    "users": (
        ("USER_ID", pa.string(), _ID, "the shopper's account"),
        ("COUNTRY", pa.string(), _CATEGORICAL, "ISO 3166 code"),
        ("LANGUAGE", pa.string(), _CATEGORICAL, "first preferred language"),
        ("OS", pa.string(), _CATEGORICAL, "iOS or Android"),
        ("MEMBERSHIP_STATUS", pa.string(), _CATEGORICAL, "member or guest"),
    ),
    "items": (
        ("ITEM_ID", pa.string(), _ID, "SKU"),
        ("PRICE", pa.float64(), _ID, "in the shop's currency"),
        ("CATEGORY_L1", pa.string(), _CATEGORICAL, "category"),
        ("BRAND", pa.string(), _CATEGORICAL, "brand"),
        ("PRODUCT_DESCRIPTION", pa.string(), "textual", "name"),
    ),
}
"""Dataset → column, arrow type, what Personalize makes of it (`null`: may be null), and what it holds."""
AVRO = {pa.string(): "string", pa.int64(): "long", pa.float64(): "float"}


def avro_schema(dataset: str) -> dict[str, Any]:
    """Return the Avro schema to give to Personalize's CreateSchema for `interactions`, `users` or `items`."""
    fields = []
    for name, kind, use, _ in FIELDS[dataset]:
        field: dict[str, Any] = {"name": name, "type": [AVRO[kind], "null"] if use == "null" else AVRO[kind]}
        if use in {"categorical", "textual"}:
            field[use] = True
        fields.append(field)
    record = {"type": "record", "name": dataset.capitalize(), "namespace": NAMESPACE}
    return {**record, "fields": fields, "version": "1.0"}


def json_schema(dataset: str) -> str:
    """Return the Avro schema as the text of a file."""
    return json.dumps(avro_schema(dataset), indent=2)


def _schema(dataset: str) -> pa.Schema:
    return pa.schema([pa.field(n, t, metadata={"meaning": meaning}) for n, t, _, meaning in FIELDS[dataset]])


def interactions(source: Source) -> pa.Table:
    """Return a shard's interactions in order of arrival. Raises `FileFaults` where a column is missing."""
    steps = steps_of(source, "personalize")
    contents = Contents(steps)
    row, skew, _ = arrived(steps)
    allowed = flags(source.shoppers["personalization"])[steps.who]
    counts = steps.done & _TYPES[steps.state] & allowed & (steps.product >= 0)
    bought = steps.state == BUY
    counts &= ~bought | steps.bought
    skew, row = skew[counts[row]], row[counts[row]]
    lines = np.where(bought[row], contents.cart.count[row], 1)
    event, entry = ragged(np.where(bought[row], contents.cart.first[row], 0), lines)
    at, is_order = row[event], bought[row][event]
    product, quantity = steps.product[at], np.ones(len(at), np.int64)
    product[is_order] = contents.cart.product[entry[is_order]]
    quantity[is_order] = contents.cart.quantity[entry[is_order]]
    facts = product_facts()
    value = facts["price_cents"].to_numpy()[product] * quantity / 100.0
    origin = _list_before(steps, contents)
    chosen = np.where(steps.state[at] == STATE_INDEX["product"], origin[at], -1)
    columns = {
        "USER_ID": account_ids(steps).take(pa.array(account_of(steps, at))),
        "ITEM_ID": facts["sku"].combine_chunks().take(pa.array(product)),
        "EVENT_TYPE": _WORDS.take(pa.array(steps.state[at])),
        "EVENT_VALUE": pa.array(value, pa.float64(), mask=~is_order),
        "TIMESTAMP": pa.array((steps.loaded_us[at] + skew[event]) // 1_000_000),
        "IMPRESSION": _impressions(contents, product, chosen),
        "RECOMMENDATION_ID": _recommendations(steps, chosen),
        "SITUATION": _context(steps, "situation", at),
        "NETWORK": _context(steps, "network", at),
    }
    return pa.table(columns, schema=_schema("interactions"))


def _list_before(steps: Steps, contents: Contents) -> NDArray[np.int64]:
    """Return for each step the step before it, where that showed the list from which its product was tapped."""
    rows = np.arange(len(steps.state))
    shown = np.append(np.zeros(min(1, len(rows)), np.bool_), (contents.lists & steps.clicked & steps.done)[:-1])
    return np.where(shown, rows - 1, -1)


def _impressions(contents: Contents, product: NDArray[np.int64], chosen: NDArray[np.int64]) -> pa.Array:
    """Return the SKUs of the chosen list, joined by bars; the product alone where there was none."""
    sku = product_facts()["sku"].combine_chunks()
    shown = sku.take(pa.array(contents.shown.product))
    count = len(shown) // SHOWN
    each = pa.ListArray.from_arrays(pa.array(np.arange(count + 1, dtype=np.int32) * SHOWN), shown)
    joined = pc.binary_join(each, "|")
    place = np.where(chosen >= 0, contents.shown.first[chosen] // SHOWN, count + product)
    return pa.concat_arrays([joined, sku]).take(pa.array(place))


def _recommendations(steps: Steps, chosen: NDArray[np.int64]) -> pa.Array:
    """Return the id of the recommendations that a product was chosen from; null for other lists."""
    here = (chosen >= 0) & (steps.state[chosen] == RECOMMEND)
    at = chosen[here]
    place = np.full(len(chosen), -1)
    place[here] = np.arange(len(at))
    return taken(uuids(steps.source.seed, "recommendation", steps.shopper[at], steps.visit[at], steps.step[at]), place)


def _context(steps: Steps, name: str, at: NDArray[np.int64]) -> pa.Array:
    if name not in steps.events.column_names:
        return pa.repeat("unknown", len(at))
    return pc.fill_null(plain_text(steps.events[name]).take(pa.array(at)), "unknown")


def users(source: Source) -> pa.Table:
    """Return the shoppers who allow personalization, in each arm."""
    steps = steps_of(source, "personalize")
    allowed = np.flatnonzero(flags(source.shoppers["personalization"]))
    arms, shoppers = max(1, len(steps.arms)), len(source.shoppers)
    place = (np.arange(arms)[:, None] * shoppers + allowed).ravel()
    row, table = pa.array(place % shoppers), source.shoppers
    columns = {
        "USER_ID": account_ids(steps).take(pa.array(place)),
        "COUNTRY": plain_text(table["country"]).take(row),
        "LANGUAGE": plain_text(table["language"]).take(row),
        "OS": _systems(table).take(row),
        "MEMBERSHIP_STATUS": pc.cast(yes_no(table["member"], "member", "guest"), pa.string()).take(row),
    }
    return pa.table(columns, schema=_schema("users"))


def _systems(shoppers: pa.Table) -> pa.Array:
    system = plain_text(shoppers["os"])
    for ours, theirs in SYSTEMS.items():
        system = pc.if_else(pc.equal(system, ours), theirs, system)
    return system


def items() -> pa.Table:
    """Return all products, the same for every data set."""
    facts = product_facts()
    price = facts["price_cents"].to_numpy() / 100.0
    columns = [facts["sku"], pa.array(price, pa.float64()), facts["category"], facts["brand"], facts["name"]]
    return pa.table(dict(zip(_schema("items").names, columns, strict=True)), schema=_schema("items"))


def _make(source: Source) -> dict[str, pa.Table]:
    made = {"personalize_interactions": interactions(source), "personalize_users": users(source)}
    # The items are those of the whole data set; they go with the shard that holds the first shopper.
    if (numbers(source.shoppers["shopper"]) == 0).any():
        made["personalize_items"] = items()
    return made


PART = Part("personalize", "Amazon Personalize's interactions, users and items, of the domain e-commerce.", _make)
