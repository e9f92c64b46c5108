"""Shoppers who come again find what they left: their cookies; nobody else's; and nothing is kept for who is gone."""

from __future__ import annotations

import gevent
import pytest

from simulator.journey.plan import in_order
from simulator.worlds.live.closed import next_after
from simulator.worlds.live.returning import Returning, comes_back_in
from simulator.worlds.live.run import LiveRun
from simulator.worlds.live.visit import Arrival

OFTEN = {"share": 0.6, "after": "100ms"}


@pytest.fixture
def ready(scenario):
    """Return a function that gives a run of these tests, ready to play visits."""

    def made(url, **overrides):
        run = LiveRun(scenario("hurried", **overrides), url, "run-1")
        run.set_up()
        return run, run.warm_up()

    return made


def played(run, arrivals):
    """Play visits one after another."""
    for arrival in arrivals:
        gevent.spawn(run.visit, arrival).join(timeout=20)
    return run


def test_cookies_come_back_with_their_shopper(shop, ready):
    """The first call of a later visit sends what the shop set in an earlier one of this shopper, and of no other."""
    run, plan = ready(shop.url, returning=OFTEN, duration="2s")
    rows = [Arrival(*map(int, row[:3]), 0) for row in zip(*in_order(plan), strict=True)][:14]
    again = [row for row in rows if row.visit > 0]
    assert again
    opened, set_by = {}, {}
    for row in rows:
        before = len(shop.of("session"))
        played(run, [row])
        asked = shop.of("session")[before]
        opened[row.shopper, row.visit] = asked.headers.get("cookie")
        set_by[row.shopper, row.visit] = f"sid=s{asked.connection}"
    for row in rows:
        expected = set_by[row.shopper, row.visit - 1] if row.visit else None
        assert opened[row.shopper, row.visit] == expected


def test_nothing_is_kept_when_nobody_returns(shop, ready):
    """In a run without returning shoppers no jar outlives its visit."""
    run, plan = ready(shop.url)
    played(run, [Arrival(int(number), 0, 0, 0) for number in plan.shopper[:4]])
    assert len(run.returning) == 0


def test_what_is_kept_is_dropped_after_the_last_visit(ready):
    """After every shopper's last visit nothing is left, whatever the order of the visits."""
    run, plan = ready("http://127.0.0.1:1", returning=OFTEN, duration="2s")
    comes_back = comes_back_in(run.scenario, plan)
    kept = Returning(dict, comes_back)
    most = 0
    for shopper, visit, _, _ in zip(*in_order(plan), strict=True):
        jar = kept.take(int(shopper), int(visit))
        assert jar.get("of", int(shopper)) == shopper
        jar["of"] = int(shopper)
        most = max(most, len(kept))
        kept.leave(int(shopper), int(visit))
    assert most > 0
    assert (len(kept), kept.forgotten) == (0, 0)


def test_two_visits_at_once_share_a_jar():
    """Who comes again while their earlier visit goes on has two tabs of one browser."""
    kept = Returning(dict, lambda _, visit: visit < 2)
    first, second = kept.take(7, 0), kept.take(7, 1)
    assert first is second
    kept.leave(7, 0)
    assert kept.take(7, 2) is first


def test_memory_is_bounded_and_forgetting_is_counted():
    """Beyond the bound, who has not come for longest is forgotten, which is counted."""
    kept = Returning(dict, lambda *_: True, most=3)
    for shopper in (1, 2, 3):
        kept.take(shopper, 0)["of"] = shopper
    kept.take(1, 1)
    kept.take(4, 0)
    assert len(kept) == 3
    assert kept.forgotten == 1
    assert kept.take(1, 2) == {"of": 1}
    assert kept.take(2, 1) == {}


def test_a_closed_run_begins_the_next_visit_when_one_ends(shop, ready):
    """Each place goes from visit to visit; with a share of returning shoppers some are the same one's, with a jar."""
    run, plan = ready(shop.url, arrivals={"kind": "closed", "shoppers": 2}, returning={"share": 0.5})
    assert plan.shopper.tolist() == [0, 1]
    arrival, met = Arrival(0, 0, 0, 0), []
    for _ in range(8):
        met.append((arrival.shopper, arrival.visit))
        played(run, [arrival])
        arrival = next_after(run, arrival)
    assert len(set(met)) == 8
    assert {shopper % 2 for shopper, _ in met} == {0}
    assert any(visit > 0 for _, visit in met)
    assert run.planned == 8
    assert arrival.due_us <= run.now_us()


def test_the_open_model_has_no_next_visit(ready):
    """A visit of a plan is followed by none."""
    run, _ = ready("http://127.0.0.1:1")
    assert next_after(run, Arrival(0, 0, 0, 0)) is None
