"""For whom slowness costs more: effects by group, drawn together by how little each alone can tell.

A group of few shoppers has a wild effect by chance alone. Partial pooling (empirical Bayes; Efron & Morris 1975) moves
each towards the mean of all, the further the noisier it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.analysis.estimates import Estimate
    from simulator.analysis.influence import Influenced
    from simulator.analysis.runs import Run

FACTORS = ("persona", "tier", "network", "country")
"""The labels of visits that groups are made of."""
FEWEST = 30
"""Shoppers below which a group's spread cannot be told, so that it stays out."""


@dataclass(frozen=True, slots=True)
class Row:
    """One group: its labels by factor, its own effect, and the effect drawn towards that of all."""

    labels: dict[str, str]
    shoppers: int
    effect: Estimate
    shrunk: Estimate


@dataclass(frozen=True, slots=True)
class Forest:
    """Groups, largest first, and how much they differ beyond chance.

    `overall` is the mean over groups that the rows are drawn to, `tau2` the variance of true effects between them, `q`
    Cochran's statistic, `p` its chance if all groups had one effect, `i2` the share of the spread that is not chance.
    `left_out` counts the groups of fewer than FEWEST shoppers.
    """

    metric: str
    rows: tuple[Row, ...]
    overall: Estimate
    tau2: float
    q: float
    p: float | None
    i2: float
    left_out: int


def forest(run: Run, metric: str, arm: str, factors: Sequence[str] = FACTORS) -> Forest:
    """Return an arm's relative effect on a metric of visits in every group of `factors` that occurs."""
    raise NotImplementedError


def pooled(labels: Sequence[dict[str, str]], effects: Sequence[Influenced], metric: str, left_out: int = 0) -> Forest:
    """Return the forest of effects that are known already."""
    raise NotImplementedError
