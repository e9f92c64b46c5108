"""The gap between what is observed and what speed does, taken apart: one mechanism after another is let in.

Every stage is a chart of the same shoppers, visits and draws; it differs from the stage before by one mechanism, and
the part of that mechanism is the difference. The order is fixed (a part may depend on what stands before it), and the
parts sum to the gap: they are differences of neighbours, taken in fractions and rounded last.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

PARTS = ("mix", "network", "device", "averaging", "bots", "beacon_loss", "survivorship")
"""What stands between the causal curve and the observed one, in the order in which it is let in."""
MEANING = {
    "mix": "who is slow: personas, places and landing pages differ in speed and in how long they stay",
    "network": "confounding by network: on bad links people want less of a visit",
    "device": "confounding by device: on slow phones people want less of a visit",
    "averaging": "the axis: a session's average load holds cheap warm pages, which only long sessions have",
    "bots": "bots load fast and see one page",
    "beacon_loss": "who leaves before the landing page is usable often sends nothing",
    "survivorship": "who leaves before the landing page is usable has no load time, and is in no bin",
}
Curve = tuple[float | None, ...]
"""A figure by bin; None where a bin is empty."""


@dataclass(frozen=True, slots=True)
class Decomposition:
    """The gap of one metric on one axis (`landing` or `average`), bin by bin, in the metric's unit.

    `causal` is what the figure would be were everybody as fast as this bin's landings; `observed` is what the chart
    shows. `parts`, in the order of `PARTS`, sum to `observed` less `causal`. The `changes` are the same since the
    bin `reference`, the fastest with enough visits: what a reader of the chart takes for the effect of speed.
    """

    axis: str
    metric: str
    reference: int
    causal: Curve
    observed: Curve
    parts: dict[str, Curve]

    def changes(self) -> tuple[Curve, Curve, dict[str, Curve]]:
        """Return (causal, observed, parts) less those of the reference bin."""
        parts = {name: self._since(curve) for name, curve in self.parts.items()}
        return self._since(self.causal), self._since(self.observed), parts

    def _since(self, curve: Curve) -> Curve:
        base = curve[self.reference] if self.reference < len(curve) else None
        return tuple(None if value is None or base is None else value - base for value in curve)


def parts_of(stages: Sequence[Fraction | None]) -> list[Fraction | None]:
    """Return the difference that each stage makes; all are None where any stage has no figure."""
    known = [stage for stage in stages if stage is not None]
    if len(known) < len(stages):
        return [None] * (len(stages) - 1)
    return [after - before for before, after in pairwise(known)]


def decompose(axis: str, metric: str, reference: int, stages: Sequence[Sequence[Fraction | None]]) -> Decomposition:
    """Return the decomposition of a metric from its stages: one more than `PARTS`, each with a figure a bin."""
    assert len(stages) == len(PARTS) + 1, "a stage before and after each part"
    bins = [parts_of(one) for one in zip(*stages, strict=True)]
    parts = {name: _rounded([one[place] for one in bins]) for place, name in enumerate(PARTS)}
    return Decomposition(axis, metric, reference, _rounded(stages[0]), _rounded(stages[-1]), parts)


def _rounded(values: Sequence[Fraction | None]) -> Curve:
    return tuple(None if value is None else float(value) for value in values)
