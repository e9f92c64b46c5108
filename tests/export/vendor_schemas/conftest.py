"""Sources that vendors' schemas are made from: shoppers of the demo, and a walk through every state by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from simulator.export.dataset import Shard, play_shard
from simulator.export.products import product_facts
from simulator.export.source import Source
from simulator.journey.tables import SCHEMAS
from simulator.scenario.load import load_scenario

S = 1_000_000
START_US = 3_600 * S
WALK = (
    ("home", None), ("search", None), ("product", 7), ("share", 7), ("ar_preview", 7), ("add_to_cart", 7),
    ("add_to_cart", 7), ("category", 7), ("product", 250), ("add_to_cart", 250), ("cart", 250), ("login", 250),
    ("checkout", 250), ("payment", 250), ("purchase", 250), ("rewards", 250), ("plan", 250), ("support", 250),
    ("notifications", 250), ("content", 250), ("store", 250), ("recommend", 250), ("product", 990),
    ("add_to_cart", 990), ("offers", 990), ("product", 1_101), ("biometric_login", 1_101),
)  # fmt: skip
"""State and product in view of each step, tapped 20 s after the one before, seen after 1 s, usable after 2 s."""


def _source(shoppers):
    loaded = load_scenario("demo", {"shoppers": shoppers})
    tables = play_shard(loaded, Shard(0, 0, shoppers))
    return Source(loaded.spec.seed, loaded.spec.reference, **tables)


@pytest.fixture(scope="session")
def shard(few):
    """Return 300 shoppers of the demo."""
    return _source(few(300))


@pytest.fixture(scope="session")
def published():
    """Return a function that reads a vendor's published shape, as it was written down."""
    folder = Path(__file__).parents[1] / "schemas"
    return lambda name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def shopper_row(**changed):
    """Return a shopper who allows everything and is not logged in."""
    row = dict.fromkeys(SCHEMAS["shoppers"].names)
    row |= {"shopper": 0, "persona": "walker", "country": "DE", "city": "Hamburg", "device": "Pixel 9", "os": "android"}
    row |= {"browser": "chrome", "language": "de-DE", "currency": "EUR", "analytics": True, "personalization": True}
    return row | {"member": True, "logged_in": False, "visits_per_week": 2.0} | changed


def event_rows(shopper=0, visit=0, walk=WALK, arm="control"):
    """Return the steps of one visit."""
    prices, cart, rows = product_facts()["price_cents"].to_pylist(), 0, []
    for step, (page, product) in enumerate(walk):
        cart = 0 if page == "purchase" else cart + (page == "add_to_cart")
        row = dict.fromkeys(SCHEMAS["events"].names)
        row |= {"shopper": shopper, "visit": visit, "step": step, "arm": arm, "page": page, "ok": True}
        row |= {"at_us": START_US + visit * 86_400 * S + step * 20 * S, "fcp_us": S, "load_us": 2 * S}
        row |= {"waited_us": 2 * S, "think_us": 18 * S, "situation": "home", "network": "wifi", "rtt_ms": 40.0}
        row |= {"product": product, "price_cents": prices[product] if product else 0, "cart_items": cart}
        rows.append(row)
    return rows


def source_of(shoppers, events, visits=None, seed=7):
    """Return a source of hand-made rows."""
    return Source(
        seed,
        datetime(2026, 1, 5, tzinfo=UTC),
        pa.Table.from_pylist(shoppers, SCHEMAS["shoppers"]),
        pa.table({}) if visits is None else visits,
        pa.Table.from_pylist(events, SCHEMAS["events"]),
    )


def put(table, name, values):
    """Return a table with a column, in place of the one of that name if there is one."""
    rest = table.drop_columns([name]) if name in table.column_names else table
    return rest.append_column(name, pa.array(values))


@pytest.fixture(scope="session")
def make():
    """Return the makers of rows and sources."""

    class Make:
        shopper, events, source, put = map(staticmethod, (shopper_row, event_rows, source_of, put))
        walk = staticmethod(lambda: WALK)
        with_tables = staticmethod(replace)

    return Make


@pytest.fixture(scope="session")
def walked():
    """Return one shopper's walk through every state."""
    return source_of([shopper_row()], event_rows())
