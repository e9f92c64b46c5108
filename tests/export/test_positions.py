"""Part `positions`: nothing is told without permission, what is told is late and blurred as it says."""

import numpy as np
import pyarrow.compute as pc
import pytest

from simulator.export.dataset import Shard, play_shard, source_of
from simulator.export.parts import part
from simulator.export.positions import ALWAYS_SHARE, APPROXIMATE_DEG, APPROXIMATE_SHARE
from simulator.journey.mobility import distance_km
from simulator.model.stores import store_table
from simulator.scenario.load import load_scenario

SHOPPERS = 3_000


@pytest.fixture(scope="module")
def source():
    """Return a shard of shoppers as parts read it."""
    scenario = load_scenario("demo", {"shoppers": SHOPPERS})
    return source_of(scenario, play_shard(scenario, Shard(0, 0, SHOPPERS)))


@pytest.fixture(scope="module")
def tables(source):
    """Return the part's tables."""
    return part("positions").make(source)


@pytest.fixture(scope="module")
def rows(tables):
    """Return the positions as plain rows."""
    return tables["positions"].to_pylist()


def test_every_visit_has_one_foreground_row(source, rows):
    """Each visit stands once as `foreground`; only those who allow it always have background fixes."""
    keys = [(row["shopper"], row["visit"]) for row in rows if row["kind"] == "foreground"]
    assert keys == sorted(zip(*(source.visits[n].to_pylist() for n in ("shopper", "visit")), strict=True))
    assert {row["permission"] for row in rows if row["kind"] == "background"} == {"always"}


def test_who_denies_location_tells_nothing(source, rows):
    """Without consent there is a row that says denied, and no time, place or fence in it."""
    allowed = dict(zip(*(source.shoppers[n].to_pylist() for n in ("shopper", "location")), strict=True))
    for row in rows:
        assert (row["permission"] == "denied") == (not allowed[row["shopper"]])
        if row["permission"] == "denied":
            assert all(row[name] is None for name in ("fixed_at_us", "sent_at_us", "latitude_deg", "fence"))


def test_permissions_have_their_shares(rows):
    """Of those who share their location, the shares of permissions are the stated ones (4.5 standard errors)."""
    state = {row["shopper"]: row["permission"] for row in rows if row["permission"] != "denied"}
    for name, share in (("approximate", APPROXIMATE_SHARE), ("always", ALWAYS_SHARE)):
        found = np.mean([value == name for value in state.values()])
        assert abs(found - share) < 4.5 * np.sqrt(share * (1 - share) / len(state))


def test_fixes_are_older_than_their_sending(rows):
    """A fix is taken before it is sent: seconds before in a visit, minutes before in the background."""
    ages = {kind: [] for kind in ("foreground", "background")}
    for row in rows:
        if row["fixed_at_us"] is not None:
            ages[row["kind"]].append(row["sent_at_us"] - row["fixed_at_us"])
    assert min(map(min, ages.values())) > 0
    assert np.median(ages["foreground"]) == pytest.approx(4e6, rel=0.15)
    assert np.median(ages["background"]) == pytest.approx(480e6, rel=0.15)


def test_an_approximate_position_is_the_middle_of_a_cell(rows):
    """Approximate positions stand on a grid, and say that they are kilometres wide."""
    coarse = [row for row in rows if row["permission"] == "approximate"]
    assert coarse
    for row in coarse:
        assert (row["latitude_deg"] / APPROXIMATE_DEG) % 1 == pytest.approx(0.5, abs=1e-6)
        assert row["accuracy_m"] > 1_000


def test_a_fence_holds_the_point_that_was_told(rows):
    """The fence named is one whose radius reaches the told point."""
    stores = {store.name: store for store in store_table()}
    inside = [row for row in rows if row["fence"]]
    assert len(inside) > 100
    for row in inside:
        store = stores[row["fence"]]
        away_km = distance_km(row["latitude_deg"], row["longitude_deg"], store.latitude_deg, store.longitude_deg)
        assert 1e3 * away_km <= store.fence_m


def test_who_is_in_a_store_is_mostly_inside_its_fence(rows):
    """A precise position told from inside a store lies in that store's fence nearly always."""
    there = [r for r in rows if r["situation"] == "store" and r["permission"] in ("while_using", "always")]
    assert np.mean([row["fence"] == row["place"] for row in there]) > 0.98


def test_stores_stand_once_in_a_data_set(source, tables):
    """The first shard holds the stores, the others none."""
    assert tables["stores"].num_rows == len(store_table())
    later = source.shoppers.filter(pc.field("shopper") >= SHOPPERS // 2)
    visits, events = (t.filter(pc.field("shopper") >= SHOPPERS // 2) for t in (source.visits, source.events))
    other = type(source)(source.seed, source.reference, later, visits, events)
    made = part("positions").make(other)
    assert "stores" not in made
    mine = [row for row in tables["positions"].to_pylist() if row["shopper"] >= SHOPPERS // 2]
    assert made["positions"].to_pylist() == mine
