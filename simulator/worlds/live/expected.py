"""How many requests a run will make: a sample of its plan, played offline, as far as the run goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.journey.plan import Plan
from simulator.page.card import DEFERRED
from simulator.worlds.crowd import play

if TYPE_CHECKING:
    from simulator.worlds.live.run import LiveRun

SAMPLE = 256
US = 1e6


def expected_requests(run: LiveRun, plan: Plan) -> float:
    """Return about how many requests the load of a plan will make: pages that come before the end, times their calls.

    Shoppers of the sample meet an unloaded shop's pages; what they skip for want of a consent is not taken off.
    """
    visits = len(plan.shopper)
    if not visits:
        return 0.0
    some = np.unique(np.linspace(0, visits - 1, min(SAMPLE, visits)).astype(np.int64))
    # In the order of shoppers, whose visits the crowd plays one after another.
    some = some[np.argsort(plan.shopper[some], kind="stable")]
    part = Plan(plan.shopper[some], plan.visit[some], plan.arm[some], plan.start_us[some])
    rows = play(run.world, part)
    calls = np.array([_calls(run, state) for state in range(len(run.calls))])
    ends_us = run.scenario.spec.duration * US
    events, pages = rows.events, rows.visits["pages"]
    of = np.repeat(np.arange(len(rows.visits)), pages)
    waited, thought = events["waited_us"].astype(np.float64), events["think_us"] / run.pace
    passed = np.cumsum(waited + thought)
    first = np.concatenate([[0.0], passed])[np.cumsum(pages) - pages]
    tapped = rows.visits["start_us"][of] + passed - waited - thought - first[of]
    return float(calls[events["state"]][tapped < ends_us].sum() + len(run.opening) * len(some)) * visits / len(some)


def _calls(run: LiveRun, state: int) -> float:
    """Return how many calls a page makes, those counted in part that it makes sometimes."""
    holding = sum(len(run.calls[state][placement]) for placement in range(DEFERRED))
    card = run.scenario.pages.cards[state]
    return float(holding + sum(card["share"][place] for place in run.places[state]))
