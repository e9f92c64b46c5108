"""The part `people`: complete, unique, of the shopper's own country, and the same people that live load sends."""

from __future__ import annotations

import time

import pytest

from simulator.export.dataset import Shard, play_shard
from simulator.export.people import PART
from simulator.export.source import Source
from simulator.scenario.load import load_scenario
from simulator.target.identity import identity_of

SHOPPERS = 3_000


@pytest.fixture(scope="module")
def scenario():
    """Return the demo's scenario."""
    return load_scenario("demo", {"shoppers": SHOPPERS})


@pytest.fixture(scope="module")
def source(scenario):
    """Return all of its shoppers as one source."""
    tables = play_shard(scenario, Shard(0, 0, SHOPPERS))
    return Source(scenario.spec.seed, scenario.spec.reference, **tables)


@pytest.fixture(scope="module")
def people(source):
    """Return the part's table."""
    return PART.make(source)["people"]


def test_everybody_is_there_once(source, people):
    """One row a shopper, in their order, and no two with one e-mail or customer id; nothing is missing."""
    assert people["shopper"].to_pylist() == source.shoppers["shopper"].to_pylist()
    assert len(set(people["email"].to_pylist())) == len(set(people["customer_id"].to_pylist())) == SHOPPERS
    assert all(people[name].null_count == 0 for name in people.column_names)


def test_they_are_the_people_of_live_load(source, people):
    """Each field is what `identity_of` gives a load test of the same seed."""
    for row in people.slice(0, 400).to_pylist():
        somebody = identity_of(source.seed, row["shopper"], row["country"], row["city"])
        known = somebody._asdict() | {"customer_id": somebody.id}
        assert all(row[name] == known[name] for name in row if name not in {"shopper", "country", "birth_year"})


def test_they_live_where_the_shopper_does(source, people):
    """City and country are those of the table of shoppers."""
    for name in ("city", "country"):
        assert people[name].to_pylist() == source.shoppers[name].to_pylist()


def test_they_are_grown_up(source, people):
    """At the reference instant everybody is at least 18 and at most 81, and ages vary."""
    born = people["birth_year"].to_numpy()
    year = source.reference.year
    assert year - 81 <= born.min()
    assert born.max() <= year - 18 - 1
    assert born.std() > 10


def test_names_vary(people):
    """At least nine in ten shoppers share their name with nobody."""
    names = people["name"].to_pylist()
    assert len(set(names)) > 0.9 * SHOPPERS


def test_a_shopper_is_the_same_in_any_shard(scenario, source, people):
    """Shoppers 1,000 to 1,099 alone are who they were among all."""
    tables = play_shard(scenario, Shard(7, 1_000, 1_100))
    alone = PART.make(Source(source.seed, source.reference, **tables))["people"]
    assert alone.to_pylist() == people.slice(1_000, 100).to_pylist()


def test_ten_thousand_a_second(source):
    """The pools once made, one core names at least 10,000 shoppers a second."""
    PART.make(source)
    begin = time.perf_counter()
    PART.make(source)
    assert SHOPPERS / (time.perf_counter() - begin) > 10_000
