"""Experiments whose truth is a formula: a curve with a knee, a curve that only falls, and groups that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import chdtrc

from simulator.analysis.estimates import Z95
from simulator.analysis.forest import cochran, partial_pooling
from simulator.analysis.plateau import isotonic, knee
from simulator.study.score import Said, said

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SHOPPERS, VISITS = 400, 4
"""Of a drawn experiment on curves."""
KNEE_S, BEFORE, START = 4.0, -0.5, 8.0
"""Pages fall by half a page a second up to 4 s, and no further."""
MOOD, CHANCE = 1.0, 1.5
"""Standard deviations of pages between shoppers, and between visits of one."""
GROUPS, EFFECT, BETWEEN = 40, -0.10, 0.03
"""Groups, the mean of their effects, and the standard deviation between them."""


class Drawn(NamedTuple):
    """What was said in one experiment, and the truth of each."""

    said: dict[str, Said]
    truth: dict[str, float]


def drawn(seed: int, run: int, *, null: bool) -> Drawn:
    """Return what the plateau finder and the forest say of one experiment.

    In a `null` one the curve is straight (there is no knee to find), or flat for the isotonic one, and groups have one
    effect.
    """
    rng = np.random.default_rng((seed, run, int(null)))
    parts = [_knee(rng, null=null), _isotonic(rng, null=null), _forest(rng, null=null)]
    return Drawn(
        {k: v for part in parts for k, v in part.said.items()}, {k: v for p in parts for k, v in p.truth.items()}
    )


def _visits(rng: np.random.Generator) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Return shoppers, load times, and what pages differ by for other reasons."""
    who = np.repeat(np.arange(SHOPPERS), VISITS)
    load = rng.lognormal(1.0, 0.6, len(who))
    return who, load, MOOD * rng.standard_normal(SHOPPERS)[who] + CHANCE * rng.standard_normal(len(who))


def _knee(rng: np.random.Generator, *, null: bool) -> Drawn:
    who, load, other = _visits(rng)
    found = knee(load, START + BEFORE * (load if null else np.minimum(load, KNEE_S)) + other, who)
    test = Said(np.nan, np.nan, np.nan, found.p)
    if null:
        return Drawn({"bend": test}, {})
    return Drawn(
        {"knee": said(found.knee_s), "before": said(found.before), "after": said(found.after), "bend": test},
        {"knee": KNEE_S, "before": BEFORE, "after": 0.0},
    )


def _isotonic(rng: np.random.Generator, *, null: bool) -> Drawn:
    """Return the curve's height at its middle bin, where the truth is the mean of the straight line in that bin."""
    who, load, other = _visits(rng)
    slope = 0.0 if null else BEFORE
    curve = isotonic(load, START + slope * load + other, who, "falling")
    middle = len(curve.load_s) // 2
    found = Said(*(float(part[middle]) for part in (curve.value, curve.low, curve.high)))
    name = "flat" if null else "falling"
    return Drawn({name: found}, {name: START + slope * float(curve.load_s[middle])})


def _forest(rng: np.random.Generator, *, null: bool) -> Drawn:
    """Return one group's effect after pooling, another in every experiment, and the test that all are one."""
    errors = rng.uniform(0.01, 0.08, GROUPS)
    effects = EFFECT + (0.0 if null else BETWEEN) * rng.standard_normal(GROUPS)
    seen = effects + errors * rng.standard_normal(GROUPS)
    test = Said(np.nan, np.nan, np.nan, float(chdtrc(GROUPS - 1, cochran(seen, errors**2))))
    if null:
        return Drawn({"differ": test}, {})
    overall, shrunk = partial_pooling(seen, errors**2)
    alone = Said(float(seen[0]), float(seen[0] - Z95 * errors[0]), float(seen[0] + Z95 * errors[0]))
    return Drawn(
        {"group": said(shrunk[0]), "alone": alone, "overall": said(overall), "differ": test},
        {"group": float(effects[0]), "alone": float(effects[0]), "overall": EFFECT},
    )
