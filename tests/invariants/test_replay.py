"""Law 5: what was seen and the seed replay the same journeys, row for row."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from simulator.journey.arms import compile_arms, control_arm
from simulator.journey.plan import DAY_US, calendar_plan
from simulator.journey.records import CAUSES, IMPATIENT, NEVER_US, NOT_SEEN, ONGOING
from simulator.journey.tables import TABLES, Names, events_table, shoppers_table, visits_table
from simulator.runfolder.tables import write_table
from simulator.worlds.crowd import Rows, World
from simulator.worlds.live.walk import Seen, Walk
from simulator.worlds.replay import SEEN, replay, rows_from_tables

SEED = 20_260_105
ARMS = [("control", 0.5, {}, {}), ("slower", 0.5, {"product": 2.0}, {"exit": 1.3})]


@pytest.fixture(scope="module")
def world(everyday, cards):
    """Return a world of two arms."""
    return World(everyday[0], cards, compile_arms(ARMS), SEED)


@pytest.fixture(scope="module")
def recorded(world, few):
    """Return what a world wrote whose load times, errors and relevance follow from nothing in the model.

    It plays a step at a time, as the live world does, with times that no model would give.
    """
    dice = np.random.default_rng(99)
    plan = calendar_plan(world.population, SEED, 0, few(120), 7 * DAY_US, 0, 2)
    shoppers, visits, events = {}, [], []
    for who, number, arm, start_us in zip(*(column.tolist() for column in plan), strict=True):
        walk = Walk(world, who, number, arm, start_us)
        walk.visit["lag_us"] = dice.integers(0, 90_000)
        while walk.visit["cause"][0] == ONGOING:
            walk.tap()
            walk.decide(measured(dice))
            events.append(walk.event.copy())
        shoppers[who] = walk.shopper
        visits.append(walk.visit)
    return Rows(*map(np.concatenate, (list(shoppers.values()), visits, events)))


def measured(dice):
    """Return what a shopper saw of a page: any time, sometimes never, sometimes an error, relevance now and then."""
    fcp_us = int(dice.exponential(1e6))
    load_us = NEVER_US if dice.random() < 0.03 else fcp_us + int(dice.exponential(12e6))
    relevance = dice.random() if dice.random() < 0.5 else NOT_SEEN
    return Seen(fcp_us, load_us, *dice.integers(0, 1_000_000, 2).tolist(), bool(dice.random() < 0.9), relevance)


def tables_of(rows, roster):
    """Return the three tables of rows."""
    names = Names(roster, [name for name, *_ in ARMS])
    return {
        "shoppers": shoppers_table(rows.shoppers, names),
        "visits": visits_table(rows.visits, rows.shoppers, rows.events, names),
        "events": events_table(rows.events, names),
    }


def test_a_measured_run_replays_row_for_row(world, recorded):
    """Every field of every row comes out again, those of the walk's own state included."""
    assert len(set(recorded.visits["cause"])) >= len(CAUSES) - 1, "the record should hold every way to end"
    for played, record in zip(replay(world, *recorded), recorded, strict=True):
        assert played.tobytes() == record.tobytes()


def test_the_record_is_all_that_is_needed(world, recorded):
    """Nothing but who, which, arm, start, lag and what was seen is read: all else may be missing."""
    shoppers, visits, events = (np.zeros_like(table) for table in recorded)
    shoppers["shopper"] = recorded.shoppers["shopper"]
    for name in ("shopper", "visit", "arm", "start_us", "lag_us", "pages"):
        visits[name] = recorded.visits[name]
    for name in SEEN:
        events[name] = recorded.events[name]
    for played, record in zip(replay(world, shoppers, visits, events), recorded, strict=True):
        assert played.tobytes() == record.tobytes()


def test_a_run_replays_from_its_parquet_tables(world, recorded, everyday, tmp_path):
    """Written to Parquet, read back in another order and replayed, a run gives the same three tables."""
    written = tables_of(recorded, everyday[1])
    for name, table in written.items():
        write_table(table, tmp_path / f"{name}.parquet", "parquet")
    read = {name: pq.read_table(tmp_path / f"{name}.parquet") for name in TABLES}
    assert read["events"]["load_us"].null_count
    assert read["events"]["relevance"].null_count
    dice = np.random.default_rng(2)
    mixed = {name: table.take(dice.permutation(table.num_rows)) for name, table in read.items()}
    names = Names(everyday[1], [name for name, *_ in ARMS])
    again = tables_of(replay(world, *rows_from_tables(mixed, names)), everyday[1])
    for name in TABLES:
        assert again[name].equals(written[name]), name


def test_tables_of_another_order_of_arms_keep_their_arms(recorded, everyday):
    """Words, not codes, say which arm and network a row had: dictionaries may differ between files of a run."""
    names = Names(everyday[1], [name for name, *_ in ARMS])
    turned = Names(everyday[1], [name for name, *_ in reversed(ARMS)])
    rows = rows_from_tables(tables_of(recorded, everyday[1]), turned)
    assert (rows.visits["arm"] == 0).sum() == (recorded.visits["arm"] == 1).sum()
    same = rows_from_tables(tables_of(recorded, everyday[1]), names)
    assert (same.events["network"] == recorded.events["network"]).all()


def test_crowd_runs_replay_too(week, everyday, cards):
    """The crowd world's own tables are a record like any other."""
    rows = week(400)
    world = World(everyday[0], cards, control_arm(), SEED)
    for played, record in zip(replay(world, *rows), rows, strict=True):
        assert played.tobytes() == record.tobytes()


def test_another_page_changes_only_its_own_visit(world, recorded):
    """Where one recorded page had never come, its visit ends there and no other visit changes."""
    ends = np.cumsum(recorded.visits["pages"])
    row = int(np.flatnonzero(recorded.visits["pages"] >= 3)[0])
    second = ends[row] - recorded.visits["pages"][row] + 1
    events = recorded.events.copy()
    events["fcp_us"][second] = events["load_us"][second] = NEVER_US
    played = replay(world, recorded.shoppers, recorded.visits, events)
    assert played.visits["pages"][row] == 2
    assert played.visits["cause"][row] == IMPATIENT
    others = np.arange(len(ends)) != row
    assert played.visits[others].tobytes() == recorded.visits[others].tobytes()
    assert len(played.events) == len(recorded.events) - (recorded.visits["pages"][row] - 2)


def test_an_interrupted_visit_stays_open(world, recorded):
    """A visit whose record breaks off is played as far as it goes and stays ongoing."""
    row = int(np.flatnonzero(recorded.visits["pages"] >= 4)[0])
    last = np.cumsum(recorded.visits["pages"])[row]
    visits = recorded.visits.copy()
    visits["pages"][row] -= 2
    events = np.delete(recorded.events, [last - 1, last - 2])
    played = replay(world, recorded.shoppers, visits, events)
    assert played.visits["cause"][row] == ONGOING
    assert played.visits["pages"][row] == visits["pages"][row]
    assert played.events.tobytes() == events.tobytes()


def test_another_seed_does_not_replay(world, recorded):
    """It is the seed that knows the shoppers: with another one the same record gives other journeys."""
    played = replay(world._replace(seed=SEED + 1), *recorded)
    assert played.shoppers.tobytes() != recorded.shoppers.tobytes()
    assert played.events["state"].tobytes() != recorded.events["state"][: len(played.events)].tobytes()


def test_pages_without_events_are_refused(world, recorded):
    """A record whose events do not belong to its visits is refused, not misread."""
    with pytest.raises(AssertionError, match="every visit's pages, and nothing else"):
        replay(world, recorded.shoppers, recorded.visits, recorded.events[:-1])
