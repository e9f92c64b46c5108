"""Effects in every group of visits: each group's rows are put side by side once, however many groups there are."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from simulator.analysis.influence import Influenced, mean_of, relative
from simulator.analysis.metrics import METRICS, matching, sample
from simulator.journey.arms import CONTROL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulator.analysis.runs import Run

FEWEST = 30
"""Shoppers of an arm below which a group's spread cannot be told, so that it stays out."""

Side = dict[int, Influenced]


def group_effects(
    run: Run, metric: str, arm: str, factors: Sequence[str]
) -> tuple[list[dict[str, str]], list[Influenced], int]:
    """Return the labels of each group, an arm's effect in it in parts of control, and how many groups were too small.

    A group of fewer than FEWEST shoppers in either arm is too small, and one in which control's mean is 0.
    """
    treated, control = (_means(run, metric, name, factors) for name in (arm, CONTROL))
    groups = sorted(treated.keys() | control.keys())
    effects = {group: _effect(treated.get(group), control.get(group)) for group in groups}
    known = {group: effect for group, effect in effects.items() if effect is not None}
    return [_labels(run, factors, group) for group in known], list(known.values()), len(groups) - len(known)


def _effect(treated: Influenced | None, control: Influenced | None) -> Influenced | None:
    if treated is None or control is None or control.value == 0:
        return None
    return None if min(len(treated.clusters), len(control.clusters)) < FEWEST else relative(treated, control)


def _means(run: Run, metric: str, arm: str, factors: Sequence[str]) -> Side:
    rows = matching(run, "visits", {"arm": arm}) & run.counted
    if metric == "cart_abandonment":
        rows &= run.visits.flags("carted")
    found = sample(run, METRICS[metric], {"arm": arm})
    codes = _codes(run, factors)[rows]
    order = np.lexsort((found.clusters, codes))
    starts = np.flatnonzero(np.append(len(codes) > 0, np.diff(codes[order]) != 0))
    pieces = [order[a:b] for a, b in zip(starts, [*starts[1:], len(order)], strict=True)]
    return {int(codes[piece[0]]): _mean(found.values, found.clusters, found.weights, piece) for piece in pieces}


def _mean(
    values: NDArray[np.float64],
    clusters: NDArray[np.int64],
    weights: NDArray[np.float64] | None,
    piece: NDArray[np.int64],
) -> Influenced:
    return mean_of(values[piece], clusters[piece], None if weights is None else weights[piece])


def _codes(run: Run, factors: Sequence[str]) -> NDArray[np.int64]:
    """Return each visit's group as one number."""
    labels = [run.visits.labels(factor) for factor in factors]
    return reduce(lambda code, one: code * len(one.names) + one.codes, labels, np.zeros(len(run.visits), np.int64))


def _labels(run: Run, factors: Sequence[str], group: int) -> dict[str, str]:
    """Return what a group's number stands for."""
    found = {}
    for factor in reversed(factors):
        names = run.visits.labels(factor).names
        group, code = divmod(group, len(names))
        found[factor] = names[code]
    return {factor: found[factor] for factor in factors}
