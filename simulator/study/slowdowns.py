"""Randomised slow-downs, simulated: the same shoppers at a base load and with each delay added to its pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.study.designs import delayed_world, measured, one_visit_each, paired_change, paired_slope

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from simulator.analysis.estimates import Estimate
    from simulator.model.population import Population
    from simulator.study.studies import Figure, Study


def slow_down(
    population: Population, study: Study, figures: Sequence[Figure], seed: int, visits: int
) -> list[Estimate]:
    """Return the simulated change of each of a study's figures, with `visits` in each arm."""
    assert study.base is not None
    delays_s = sorted({figure.delay_s for figure in figures})
    world = delayed_world(population, study.base, delays_s, seed, study.delayed)
    arms = 1 + len(delays_s)
    values = measured(world, one_visit_each(visits, arms), {figure.measure for figure in figures})
    by_arm = {name: column.reshape(-1, arms).T for name, column in values.items()}
    return [_change(figure, by_arm[figure.measure], 1 + delays_s.index(figure.delay_s)) for figure in figures]


def _change(figure: Figure, values: NDArray[np.float64], arm: int) -> Estimate:
    """Return the change of one arm of `values` (arms, visits) against control."""
    if figure.unit == "relative":
        return paired_change(values[arm], values[0])
    return paired_slope(values[arm], values[0], figure.delay_s)
