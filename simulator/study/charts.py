"""Charts of what was observed, drawn from simulated shoppers as their makers drew them from real ones.

Between shoppers and chart stands an observation layer, of assumed strength and the same for every chart. Who wants
something most has the better line or phone (a latent intent, correlated with it, moves the odds of going on after each
page), and half of those who leave before the landing page has loaded send no beacon.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ndtri

from simulator.journey.arms import CONTROL, compile_arms
from simulator.journey.draws import uniforms
from simulator.journey.keys import purpose
from simulator.model.states import EXIT
from simulator.page.card import compile_pages, page_file
from simulator.study.designs import measured, one_visit_each, share_change
from simulator.worlds.crowd import World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulator.analysis.estimates import Estimate
    from simulator.model.population import Population
    from simulator.study.studies import Figure, Study

    Values = NDArray[np.float64]

INTENT = purpose("study.intent")
BEACON = purpose("study.beacon")


class Layer(NamedTuple):
    """How what is seen differs from what is: all three assumed."""

    correlation: float = 0.5
    """Of intent with the quality of line or phone; strong, not absurd."""
    pull: float = 0.9
    """How much one standard deviation of intent lowers the logarithm of the odds of leaving after a page."""
    beacon_loss: float = 0.5
    """Share of visits that left before the landing page had loaded and are not in the data."""


CLASSES = 15
"""Classes of equal size into which intent is cut."""
NEEDED = (
    "bounce", "conversion", "wait_a_page", "unseen_landing", "good_left", "good_pages", "slow_left", "slow_pages",
)  # fmt: skip
"""What charts are drawn from, besides what intent is tied to."""
HALF_BIN = 0.2
"""A point of a chart stands for load times within this share of it."""


class Charts:
    """Charts of one population; what several are drawn from is played once."""

    def __init__(self, population: Population, seed: int, visits: int, layer: Layer | None = None) -> None:
        self.population, self.seed, self.visits, self.layer = population, seed, visits, layer or Layer()
        self._seen: dict[str, dict[str, Values]] = {}

    def figures(self, study: Study, figures: Sequence[Figure]) -> list[Estimate]:
        """Return each figure of an observational study as its chart would show it."""
        if study.design == "phones":
            return [_phones(self.seen("cpu"))] * len(figures)
        draw = {"session-average": _session_average, "landing": _landing, "pages": _abandonment}[study.design]
        return [draw(self.seen("landing_s"), figure) for figure in figures]

    def seen(self, by: str) -> dict[str, Values]:
        """Return what beacons say of visits whose intent is tied to `by`, of which more is worse."""
        if by not in self._seen:
            self._seen[by] = self._play(by)
        return self._seen[by]

    def _play(self, by: str) -> dict[str, Values]:
        seed, plan, layer = self.seed, one_visit_each(self.visits, 1), self.layer
        quality = -_scores(measured(self._world(_one_page()), plan, [by])[by])
        own = ndtri(uniforms(seed, plan.shopper, 0, INTENT))
        intent = layer.correlation * quality + np.sqrt(1 - layer.correlation**2) * own
        arms = (_ranks(intent) * CLASSES).astype(np.int64)
        values = measured(self._world(_arms_of_intent(layer.pull)), plan._replace(arm=arms), {by, *NEEDED})
        lost = (values["unseen_landing"] > 0) & (uniforms(seed, plan.shopper, 0, BEACON) < layer.beacon_loss)
        return {name: column[~lost] for name, column in values.items()}

    def _world(self, arms: NDArray[np.void]) -> World:
        """Return the shop as it is: its pages on the shoppers' own networks and phones."""
        return World(self.population, compile_pages(page_file()), arms, self.seed)


def _one_page() -> NDArray[np.void]:
    """Return an arm in which everybody leaves after the landing page: what it took depends on nothing that follows."""
    return compile_arms([(CONTROL, 1.0, {}, {EXIT: 1e12})])


def _arms_of_intent(pull: float) -> NDArray[np.void]:
    """Return an arm for each class of intent, which changes the weight of leaving after a page."""
    middles = ndtri((np.arange(CLASSES) + 0.5) / CLASSES)
    factors = np.exp(-pull * middles)
    return compile_arms([(f"intent{place}", 1.0, {}, {EXIT: float(f)}) for place, f in enumerate(factors)])


def _ranks(values: Values) -> Values:
    """Return each value's rank in (0, 1)."""
    ranks = np.empty(len(values))
    ranks[np.argsort(values, kind="stable")] = (np.arange(len(values)) + 0.5) / len(values)
    return ranks


def _scores(values: Values) -> Values:
    """Return the normal scores of values: what they would be if they were normal with the same ranks."""
    return np.asarray(ndtri(_ranks(values)))


def _session_average(seen: dict[str, Values], figure: Figure) -> Estimate:
    """Return the bounce at one load time against another, as the neural network of 2017 was shown it.

    A session's load time is the mean over its pages, and bounces are weighed until they are half of all.
    """
    assert figure.at is not None
    assert figure.against is not None
    wait_s, bounced = seen["wait_a_page"], seen["bounce"] > 0
    share = float(bounced.mean())
    weights = np.where(bounced, 0.5 / share, 0.5 / (1 - share))
    here, there = (np.abs(wait_s / at - 1) <= HALF_BIN for at in (figure.at, figure.against))
    return _weighted_change(bounced, weights, here, there)


def _landing(seen: dict[str, Values], figure: Figure) -> Estimate:
    """Return the bounce of visits whose landing page took about one load time, against another."""
    assert figure.at is not None
    assert figure.against is not None
    here, there = (np.abs(seen["landing_s"] / at - 1) <= HALF_BIN for at in (figure.at, figure.against))
    return _weighted_change(seen["bounce"] > 0, np.ones(len(here)), here, there)


def _weighted_change(
    hits: NDArray[np.bool_], weights: Values, here: NDArray[np.bool_], there: NDArray[np.bool_]
) -> Estimate:
    """Return a weighted share over another − 1; weights count towards the interval by Kish's effective size."""
    parts = []
    for group in (here, there):
        own = weights[group]
        effective = float(own.sum() ** 2 / (own**2).sum()) if len(own) else 1.0
        share = float(own[hits[group]].sum() / own.sum()) if len(own) else 0.0
        parts += [share * effective, effective]
    return share_change(*parts)


def _phones(seen: dict[str, Values]) -> Estimate:
    """Return the conversion of the faster quarter of phones over that of the slowest quarter − 1."""
    low, high = np.quantile(seen["cpu"], [0.25, 0.75])
    fast, slow = seen["conversion"][seen["cpu"] <= low], seen["conversion"][seen["cpu"] >= high]
    return share_change(float(fast.sum()), len(fast), float(slow.sum()), len(slow))


def _abandonment(seen: dict[str, Values], figure: Figure) -> Estimate:
    """Return the share of pages left while loading of those that load within 2.5 s, over that of the others − 1."""
    del figure
    return share_change(*(float(seen[name].sum()) for name in ("good_left", "good_pages", "slow_left", "slow_pages")))
