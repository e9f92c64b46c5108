"""Figures, and thresholds on them: what the grammar reads and everything else judges."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from simulator.analysis.metrics import Metric
    from simulator.analysis.words import Kind

Operator = Literal["<", "<=", ">", ">="]
OPERATORS: tuple[str, ...] = get_args(Operator)
Reference = Literal["baseline", "control"]
REFERENCES: tuple[str, ...] = get_args(Reference)
_QUANTILE = re.compile(r"p(\d{1,2}(?:\.\d)?)")


def is_quantile(aggregate: str) -> bool:
    """Return whether an aggregate is one of `p1` to `p99.9`."""
    match = _QUANTILE.fullmatch(aggregate)
    return match is not None and float(match[1]) >= 1


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric, how its values are put together, and which of them: what a threshold limits and a comparison compares.

    `aggregate` is None for shares and totals, else `mean`, `min`, `max` or a quantile such as `p95`; `median` is `p50`.
    """

    metric: Metric
    aggregate: str | None = None
    where: tuple[tuple[str, str], ...] = ()

    @property
    def q(self) -> float | None:
        """The quantile in (0, 1) that the aggregate asks for, or None."""
        match = _QUANTILE.fullmatch(self.aggregate or "")
        return float(match[1]) / 100 if match else None

    def __str__(self) -> str:
        labels = ", ".join(f"{label}:{value}" for label, value in self.where)
        head = f"{self.aggregate} of " if self.aggregate else ""
        return f"{head}{self.metric.name}{f'{{{labels}}}' if labels else ''}"


@dataclass(frozen=True, slots=True)
class Versus:
    """What a figure is compared with: the saved runs of a baseline (of this `name`; empty: the scenario's), or control.

    `points` says that a share's change counts in percentage points, otherwise in parts of the reference's figure.
    """

    reference: Reference
    name: str = ""
    points: bool = False

    def __str__(self) -> str:
        return f"vs {self.reference}{f':{self.name}' if self.name else ''}"


@dataclass(frozen=True, slots=True)
class Threshold:
    """One parsed threshold.

    `text` is its one spelling. `limit` is in the metric's own unit (seconds, a share of 1, a count), or the change
    where it is `versus` something; `written` as it was written. `window_s`: judged over every stretch of so many
    seconds. `min_samples`: fewer values are not judged; None leaves it to the run. `abort` ends a live run early.
    """

    text: str
    figure: Figure
    operator: Operator
    limit: float
    written: str
    versus: Versus | None = None
    window_s: float | None = None
    min_samples: int | None = None
    abort: bool = False

    @property
    def metric(self) -> Metric:
        """The metric."""
        return self.figure.metric

    @property
    def kind(self) -> Kind:
        """What its value and limit are: the metric's kind, or a change."""
        if self.versus is None:
            return self.metric.kind
        return "points" if self.versus.points else "change"

    def holds(self, value: float) -> bool:
        """Return whether a value keeps the limit."""
        return {"<": value < self.limit, "<=": value <= self.limit, ">": value > self.limit}.get(
            self.operator, value >= self.limit
        )
