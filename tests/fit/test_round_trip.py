"""A data set sent out in a vendor's shape and read back is the same journeys, but for what that shape cannot carry."""

from collections import Counter
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
import pytest

from simulator.export import dataset
from simulator.fit.clean import hits_of
from simulator.fit.hits import Findings
from simulator.fit.logs_ga4 import read_ga4
from simulator.fit.logs_segment import read_segment
from simulator.fit.names import GA4, SEGMENT
from simulator.fit.sessions import CUT_OFF_US, cut
from simulator.model.states import EXIT, STATE_NAMES
from simulator.scenario.load import load_scenario

SHOPPERS = 300


class Shape(NamedTuple):
    """How a vendor's shape is read, and what it cannot carry."""

    read: object
    events: dict
    told_by_page: frozenset = frozenset()
    """States that are told by the page's own call, at first paint; the others are told once they came whole."""
    called: tuple = ()
    """(state, what the shape calls it)."""
    unsaid: frozenset = frozenset()
    """States that the shape has no word for."""
    empty_carts: bool = False
    """Whether a look at an empty cart is told."""
    sessions: bool = False
    """Whether the shape says which session an event is of."""


SHAPES = {
    "ga4": Shape(
        read_ga4,
        GA4,
        told_by_page=frozenset({"home"}),
        called=(("biometric_login", "login"),),
        sessions=True,
    ),
    "segment": Shape(
        read_segment,
        SEGMENT,
        told_by_page=frozenset(
            {
                "home",
                "login",
                "biometric_login",
                "rewards",
                "plan",
                "support",
                "notifications",
                "content",
                "store",
                "offers",
                "recommend",
            }
        ),
        called=(("biometric_login", "login"),),
        unsaid=frozenset({"ar_preview"}),
        empty_carts=True,
    ),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return the folder of a data set with both shapes, pages as slow as they are."""
    folder = tmp_path_factory.mktemp("data")
    scenario = load_scenario("demo", {"population": "everyday", "shoppers": SHOPPERS, "horizon": "7d", "seed": 11})
    dataset.write_dataset(scenario, folder, "parquet", also=("ga4", "segment"))
    return folder


def carried(data, shape):
    """Return (shopper, visit, at_us, state) of those clean events that the shape can carry, in their order.

    Nobody without consent to analytics is in any feed. A page that was left before it came whole tells nothing, except
    where its own call at first paint does.
    """
    shoppers = pq.read_table(data / "shoppers").to_pylist()
    allowed = {row["shopper"] for row in shoppers if row["analytics"]}
    names = ["shopper", "visit", "at_us", "page", "fcp_us", "load_us", "waited_us", "ok", "cart_items"]
    for event in pq.read_table(data / "events", columns=names).to_pylist():
        state = event["page"]
        painted = event["fcp_us"] <= event["waited_us"]
        whole = event["ok"] and event["load_us"] <= event["waited_us"]
        told = painted if state in shape.told_by_page else whole
        empty = state == "cart" and not event["cart_items"] and not shape.empty_carts
        if event["shopper"] in allowed and told and state not in shape.unsaid and not empty:
            yield event["shopper"], event["visit"], event["at_us"], dict(shape.called).get(state, state)


def journeys(data, shape):
    """Return the states of each visit that the shape can carry, as its readers can tell visits apart."""
    made, before = [], (None, None, 0)
    for shopper, visit, at_us, state in carried(data, shape):
        paused = at_us - before[2] > CUT_OFF_US
        if shopper != before[0] or paused or (shape.sessions and visit != before[1]):
            made.append([])
        made[-1].append(state)
        before = shopper, visit, at_us
    return made


def moves(visits):
    """Return how often each state follows each other, entries and exits included."""
    return Counter(pair for visit in visits for pair in zip(["entry", *visit], [*visit, EXIT], strict=True))


@pytest.mark.parametrize("name", SHAPES)
def test_what_went_out_comes_back(data, name):
    """Users, visits and every transition count are those of the clean events that the shape can carry."""
    shape, findings = SHAPES[name], Findings()
    hits = hits_of(shape.read(data / name, findings), shape.events, None, findings)
    visits = cut(hits)
    states = np.array(STATE_NAMES, dtype=object)[hits.state]
    read = [list(part) for part in np.split(states, visits.first[1:])]
    planted = journeys(data, shape)
    assert len(hits.users) == len({shopper for shopper, *_ in carried(data, shape)})
    assert len(visits) == len(planted)
    assert moves(read) == moves(planted)
    assert sum(map(len, read)) > 1_000
    assert not findings.unmapped


@pytest.mark.parametrize("name", SHAPES)
def test_what_is_not_carried_is_little(data, name):
    """Of those who allow analytics, at least 95 in 100 events are carried: the equality above is one of nearly all."""
    allowed = {row["shopper"] for row in pq.read_table(data / "shoppers").to_pylist() if row["analytics"]}
    whole = sum(shopper in allowed for shopper in pq.read_table(data / "events")["shopper"].to_pylist())
    assert 0.95 * whole < sum(1 for _ in carried(data, SHAPES[name])) < whole
