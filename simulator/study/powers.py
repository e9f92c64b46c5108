"""Whether the sample sizes that a pilot asks for see what they were meant to see, as often as they were meant to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.analysis.cuped import Arm, cuped
from simulator.analysis.influence import difference, mean_of
from simulator.analysis.sample_size import need_of
from simulator.study.trials import KNOWN_EFFECT, trial

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from simulator.analysis.estimates import Estimate
    from simulator.analysis.influence import Influenced
    from simulator.study.trials import Trial

METRIC = "pages"
DELAYS_S = (0.0, 0.2, 0.5, 2.0)
SMALL, LARGE = 2, 3
PILOTS = (1, 3)
"""The arms: pairs are to see the small delay, arms of other shoppers the large one. What pairs take is told from the
pilot's two other delays."""
PILOT = 20_000
PILOT_FIRST, FIRST = 1 << 41, 1 << 42
"""Shoppers of the pilot, and of what is then tried."""
ROOM = 1 << 20
"""Numbers kept for the shoppers of one try."""
UNPAIRED, CUPED, PAIRED = "shoppers in two arms", "the same, with CUPED", "same visits in both arms"


@dataclass(frozen=True, slots=True)
class Plan:
    """The sizes that a pilot asked for: (design, shoppers, delay in seconds)."""

    sizes: tuple[tuple[str, int, float], ...]


@dataclass(frozen=True, slots=True)
class Power:
    """How often an effect was seen with the shoppers asked for; `asked` is how often it was to be."""

    design: str
    metric: str
    delay_s: float
    shoppers: int
    asked: float
    got: Estimate


def plan_of(seed: int, shoppers: int = PILOT) -> Plan:
    """Return what a pilot asks for to see what the delays truly do, with a power of 80 %."""
    pilot = trial(KNOWN_EFFECT, seed, PILOT_FIRST, PILOT_FIRST + shoppers, DELAYS_S)
    values = [pilot.values[METRIC][pilot.arm == arm] for arm in range(len(DELAYS_S))]
    sizes = []
    others = [_mean(pilot, pilot.arm == arm) for arm in PILOTS]
    for arm in (LARGE, SMALL):
        change = float(values[arm].mean() / values[0].mean() - 1.0)
        found = need_of(METRIC, arm_in(pilot, pilot.arm == 0), others, change)
        assert found is not None
        assert found.paired is not None
        designs = {UNPAIRED: found.unpaired, CUPED: found.cuped} if arm == LARGE else {PAIRED: found.paired}
        sizes += [(design, size.shoppers, DELAYS_S[arm]) for design, size in designs.items()]
    return Plan(tuple(sizes))


def tried(seed: int, run: int, plan: Plan) -> list[bool]:
    """Return whether each design of the plan saw its effect in one try of its own shoppers."""
    found = []
    for place, (design, shoppers, _) in enumerate(plan.sizes):
        first = FIRST + (run * len(plan.sizes) + place) * ROOM
        one = trial(KNOWN_EFFECT, seed, first, first + shoppers, DELAYS_S)
        p = _seen(one, design, first + shoppers // 2)
        found.append(p is not None and p < 1 - 0.95)
    return found


def _seen(one: Trial, design: str, middle: int) -> float | None:
    if design == PAIRED:
        return difference(_mean(one, one.arm == SMALL), _mean(one, one.arm == 0)).p()
    treated = (one.arm == LARGE) & (one.shoppers >= middle)
    control = (one.arm == 0) & (one.shoppers < middle)
    if design == CUPED:
        return cuped(arm_in(one, treated), arm_in(one, control)).difference.p()
    return difference(_mean(one, treated), _mean(one, control)).p()


def _mean(one: Trial, rows: NDArray[np.bool_]) -> Influenced:
    return mean_of(one.values[METRIC][rows], one.shoppers[rows])


def arm_in(one: Trial, rows: NDArray[np.bool_], metric: str = METRIC) -> Arm:
    """Return some visits with what was known of them before."""
    return Arm(one.values[metric][rows], one.before[rows], one.shoppers[rows])
