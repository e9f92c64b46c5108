"""What tests of data sets share: shards of journeys, journeys made by hand, the command run in this process."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from jsonschema import Draft202012Validator

from simulator.export import dataset
from simulator.export.dataset import Shard, play_shard
from simulator.export.parts import part
from simulator.export.source import Source
from simulator.journey.tables import SCHEMAS
from simulator.runfolder.tables import write_table
from simulator.scenario.load import load_scenario

SCHEMA_FOLDER = Path(__file__).parent / "schemas"


@pytest.fixture(scope="session")
def shard_of(few):
    """Return a function that gives the demo's source of so many shoppers; further arguments override its scenario."""

    def make(shoppers, **overrides):
        scenario = load_scenario("demo", {"shoppers": few(shoppers), **overrides})
        tables = play_shard(scenario, Shard(0, 0, scenario.spec.shoppers))
        return Source(scenario.spec.seed, scenario.spec.reference, **tables)

    return make


@pytest.fixture(scope="session")
def shard(shard_of):
    """Return the source of 300 shoppers."""
    return shard_of(300)


@pytest.fixture(scope="session")
def part_of_shard(shard):
    """Return the source of the first 80 of them: as many rows as can be held against a JSON Schema in good time."""
    return replace(shard, events=shard.events.filter(pc.less(shard.events["shopper"], 80)))


@pytest.fixture(scope="session")
def rows_of(tmp_path_factory):
    """Return a function that writes a source's part as JSON Lines and reads it again; decimals stay exact."""
    folder = tmp_path_factory.mktemp("parts")

    def rows(source, name):
        write_table(part(name).make(source)[name], folder / name, "jsonl")
        return [json.loads(line, parse_float=Decimal) for line in (folder / name).read_text().splitlines()]

    return rows


@pytest.fixture(scope="session")
def validator_of():
    """Return a function that gives the validator of a schema of ours, or of one of its definitions."""

    @cache
    def validator(name, definition=None):
        schema = json.loads((SCHEMA_FOLDER / f"{name}.json").read_text(), parse_float=Decimal)
        Draft202012Validator.check_schema(schema)
        return Draft202012Validator(schema["$defs"][definition] if definition else schema)

    return validator


@pytest.fixture(scope="session")
def by_hand(shard):
    """Return a function that gives the source of one visit of these pages.

    A page is a state, or (state, columns of the events table); pages come in 1 s, the first paint in 0.5 s, the next
    tap 10 s later. `shopper` sets columns of the shoppers table; `channel` is how they came. The cart is
    what the pages make of it.
    """

    def make(*pages, channel="direct", **shopper):
        events, items, product = [], 0, None
        for step, page in enumerate(pages):
            state, given = (page, {}) if isinstance(page, str) else page
            product = given.get("product", product)
            ok = given.get("ok", True)
            items = 0 if state == "purchase" and ok else items + (state == "add_to_cart" and ok)
            row = {
                "shopper": 0, "visit": 0, "step": step, "arm": "control", "page": state, "at_us": step * 11_000_000,
                "fcp_us": 500_000, "load_us": 1_000_000, "waited_us": 1_000_000, "think_us": 10_000_000, "ok": ok,
                "network": "lte", "rtt_ms": 80.0, "product": product, "cart_items": items, "price_cents": 0,
                "cause": "done" if step == len(pages) - 1 else None,
            }  # fmt: skip
            events.append(row | {name: value for name, value in given.items() if name != "ok"})
        table = pa.Table.from_pylist(events, pa.schema([SCHEMAS["events"].field(name) for name in events[0]]))
        given = {"analytics": True, "logged_in": False, "channel": channel} | shopper
        visit = {"shopper": 0, "visit": max(event["visit"] for event in events), "arm": "control", "channel": channel}
        mine = pc.equal(shard.shoppers["shopper"], 0)
        return replace(
            shard,
            shoppers=_with(shard.shoppers.filter(mine), given),
            visits=_with(shard.visits.slice(0, 1), visit),
            events=table,
        )

    return make


def _with(table, values):
    """Return a table of one row with some of its columns set; those it does not have are added if they have a value."""
    (row,) = table.to_pylist()
    missing = [name for name in values if name not in row and values[name] is not None]
    schema = pa.schema([*table.schema, *(pa.field(name, pa.string()) for name in missing)])
    return pa.Table.from_pylist([{name: (row | values)[name] for name in schema.names}], schema)


@pytest.fixture(scope="session")
def scaling():
    """Return the module of helpers for data sets of many small shards."""
    name = "footfall_scaling"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("scaling.py"))
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def whole(scaling, tmp_path_factory):
    """Return the folder of the data set that one uninterrupted run wrote, in nine shards."""
    folder = tmp_path_factory.mktemp("whole") / "data"
    scaling.make_all(scaling.job(folder))
    return folder


@pytest.fixture
def footfall(footfall, monkeypatch, scaling):
    """Return a function that runs `footfall` with small shards and returns (exit code, what it said on stderr)."""
    monkeypatch.setattr(dataset, "SHARD_SHOPPERS", scaling.SHARD)

    def run(*arguments):
        said = footfall(*arguments)
        return said.code, said.err

    return run
