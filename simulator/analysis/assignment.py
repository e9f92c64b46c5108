"""How a run assigned its arms: the delay of each, whether shoppers fell as meant, and whether equal arms look equal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import chisquare

from simulator.analysis.metrics import matching
from simulator.journey.arms import CONTROL
from simulator.model.units import parse_duration_s

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.analysis.runs import Run

ALARM = 0.001
"""p below which a sample ratio is a mismatch (Fabijan et al., KDD 2019)."""


@dataclass(frozen=True, slots=True)
class Balance:
    """Whether arms have the shoppers they should: counts by arm, the shares meant, and p by chi-square.

    `mismatch` where p < ALARM: the run's effects are then not to be believed. `paired` runs have everybody in every
    arm, and nothing to test.
    """

    shoppers: dict[str, int]
    meant: dict[str, float]
    p: float | None
    mismatch: bool
    paired: bool


def delays_of(run: Run) -> dict[str, float | None]:
    """Return the seconds that each arm adds to every page, from the run's scenario; None where pages differ."""
    written = _written(run)
    return {arm: 0.0 if arm == CONTROL else _delay(written.get(arm, {})) for arm in run.manifest.arms}


def shares_of(run: Run) -> dict[str, float]:
    """Return the share of shoppers meant for each arm; control gets what the others leave."""
    written = _written(run)
    shares = {arm: float(written.get(arm, {}).get("share", 0.5)) for arm in run.manifest.arms if arm != CONTROL}
    return {CONTROL: max(0.0, 1.0 - sum(shares.values())), **shares}


def _written(run: Run) -> dict[str, dict[str, Any]]:
    arms = run.manifest.scenario.get("arms") or []
    return {str(arm.get("name")): arm for arm in arms if isinstance(arm, dict)}


def _delay(arm: dict[str, Any]) -> float | None:
    """Return an arm's delay; none where pages differ, where it changes more than delays, or where it says neither."""
    delay = arm.get("delay")
    if not isinstance(delay, dict) or arm.get("pull") or set(delay) - {"all"}:
        return None
    try:
        return parse_duration_s(delay.get("all", 0.0))
    except ValueError:
        return None


def balance(run: Run) -> Balance:
    """Return whether the run's arms have the shoppers that their shares promise (sample ratio mismatch)."""
    arms = {arm: np.unique(_shoppers(run, arm)) for arm in run.manifest.arms}
    counts = {arm: len(found) for arm, found in arms.items()}
    meant = shares_of(run)
    everybody = np.concatenate(list(arms.values()))
    paired = len(arms) > 1 and len(np.unique(everybody)) < len(everybody)
    tested = [arm for arm in arms if meant[arm] > 0]
    if paired or len(tested) < 2 or not len(everybody):
        return Balance(counts, meant, None, mismatch=False, paired=paired)
    seen = np.array([counts[arm] for arm in tested], np.float64)
    shares = np.array([meant[arm] for arm in tested])
    p = float(chisquare(seen, seen.sum() * shares / shares.sum()).pvalue)
    return Balance(counts, meant, p, mismatch=p < ALARM, paired=False)


def _shoppers(run: Run, arm: str) -> NDArray[np.int64]:
    rows = matching(run, "visits", {"arm": arm}) if run.base_arm is not None else np.ones(len(run.visits), np.bool_)
    return run.visits.integers("shopper")[rows]


def halves(shoppers: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return a fixed half of shoppers, by a multiplicative hash of their numbers (Knuth, volume 3, section 6.4)."""
    mixed: NDArray[np.bool_] = (shoppers.astype(np.uint64) * np.uint64(2_654_435_761)) >> np.uint64(16) & np.uint64(
        1
    ) > 0
    return mixed
