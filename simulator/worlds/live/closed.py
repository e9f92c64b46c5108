"""The closed model: in each place the next visit begins when one has ended, so that a slow target is asked less."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gevent

from simulator.journey.arms import choose_arm
from simulator.journey.returners import comes_again
from simulator.worlds.live.visit import Arrival

if TYPE_CHECKING:
    from simulator.worlds.live.run import LiveRun


def next_after(run: LiveRun, arrival: Arrival) -> Arrival | None:
    """Wait for the pause after a visit and return the next one of its place; none in the open model.

    It is due when it begins: nothing says when it should have, which is why closed loops hide waiting.
    """
    scenario, spec = run.scenario, run.scenario.spec
    if not scenario.closed:
        return None
    # Even without a pause: a visit that found nothing to wait for must not keep the others from theirs.
    gevent.sleep(spec.arrivals.pause or 0.0)
    assert spec.arrivals.shoppers is not None
    share = spec.returning.share if spec.returning else 0.0
    shopper, visit = comes_again(spec.seed, spec.arrivals.shoppers, arrival.shopper, arrival.visit, share)
    run.planned += 1
    return Arrival(shopper, visit, choose_arm(scenario.arms, spec.seed, shopper), run.now_us())
