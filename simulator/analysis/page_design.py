"""What the chance of leaving on a page may depend on: its number in the visit, in bands, and a spline of load time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BANDS = (1, 2, 3, 4, 6, 10)
"""Page numbers at which bands begin; the first is what the others are told against."""
QUANTILES = {
    3: (0.1, 0.5, 0.9),
    4: (0.05, 0.35, 0.65, 0.95),
    5: (0.05, 0.275, 0.5, 0.725, 0.95),
}
"""Where knots stand, by their number (Harrell 2015, table 2.3)."""
STEP_S = 0.1
LONGEST_S = 30.0
"""Load times count as this at most: what is slower has lost everybody who would leave."""


@dataclass(frozen=True, slots=True)
class Design:
    """Distinct rows, and which of them each page is.

    `matrix` is (cells, terms) with a term a name in `names`, the first being `intercept`; `cells` (pages,) the row of
    each page. `knots_s` are those of the spline of load time, none where it is straight.
    """

    names: tuple[str, ...]
    matrix: NDArray[np.float64]
    cells: NDArray[np.int64]
    knots_s: tuple[float, ...] = ()

    def row(self, load_s: float, page_number: int = 1) -> NDArray[np.float64]:
        """Return the row (terms,) of one page."""
        row: Floats = _matrix(np.array([page_number]), np.array([load_s]), self.knots_s, self.names)[0]
        return row


def page_design(
    page_number: NDArray[np.int64], load_s: NDArray[np.float64], *, knots: int = 0, step_s: float = STEP_S
) -> Design:
    """Return the design of page number (from 1) and load time in seconds, both (pages,).

    Without `knots` load time is one straight term, `load_s`; with 3, 4 or 5 it is a restricted cubic spline (Harrell
    2015, section 2.4) whose further terms are `load_s_2` and so on. Load times are rounded to `step_s` and end at
    LONGEST_S, so that rows are few; bands of pages that do not occur have no term.
    """
    steps = np.rint(np.minimum(load_s, LONGEST_S) / step_s).astype(np.int64)
    band = np.searchsorted(BANDS, page_number, side="right") - 1
    width = round(LONGEST_S / step_s) + 1
    key = band * width + steps
    here = np.bincount(key, minlength=width * len(BANDS)) > 0
    place = np.cumsum(here) - 1
    distinct = np.flatnonzero(here)
    numbers, loads = np.array(BANDS)[distinct // width], (distinct % width).astype(np.float64) * step_s
    knots_s = _knots(steps, step_s, knots)
    present = [name for name, first in zip(band_names(), BANDS, strict=True) if first > 1 and first in numbers]
    names = ("intercept", *present, "load_s", *(f"load_s_{k + 2}" for k in range(max(0, len(knots_s) - 2))))
    return Design(names, _matrix(numbers, loads, knots_s, names), place[key], knots_s)


def band_names() -> list[str]:
    """Return the names of the bands of page numbers, as page_1, page_4_to_5, page_10_on."""
    ends = [following - 1 for following in BANDS[1:]]
    names = [f"page_{a}" if a == b else f"page_{a}_to_{b}" for a, b in zip(BANDS, ends, strict=False)]
    return [*names, f"page_{BANDS[-1]}_on"]


def _matrix(numbers: NDArray[np.int64], loads: Floats, knots_s: Sequence[float], names: Sequence[str]) -> Floats:
    band = np.searchsorted(BANDS, numbers, side="right") - 1
    of_name = dict(zip(band_names(), range(len(BANDS)), strict=True))
    bands = [(band == of_name[name]).astype(np.float64) for name in names if name in of_name]
    return np.column_stack([np.ones(len(loads)), *bands, loads, *_spline(loads, knots_s)])


def _knots(steps: NDArray[np.int64], step_s: float, count: int) -> tuple[float, ...]:
    """Return the knots at fixed quantiles of the rounded load times; none where they would not be three apart."""
    if not count:
        return ()
    counts = np.cumsum(np.bincount(steps))
    ranks = [int(np.searchsorted(counts, share * counts[-1])) for share in QUANTILES[count]]
    knots = tuple(sorted({round(rank * step_s, 6) for rank in ranks}))
    return knots if len(knots) >= 3 else ()


def _spline(loads: Floats, knots: Sequence[float]) -> list[Floats]:
    """Return the terms that bend: cubic between the knots, straight beyond them."""
    if not knots:
        return []
    *inner, before, last = knots

    def cube(knot: float) -> Floats:
        cubed: Floats = np.maximum(loads - knot, 0.0) ** 3 / (last - knots[0]) ** 2
        return cubed

    return [
        cube(knot) - cube(before) * (last - knot) / (last - before) + cube(last) * (before - knot) / (last - before)
        for knot in inner
    ]
