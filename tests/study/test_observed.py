"""What a dashboard would show, what is true, and why they differ."""

from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from simulator.journey.arms import control_arm
from simulator.model.faults import FileFaults
from simulator.scenario.load import load_scenario
from simulator.study.decomposition import MEANING, PARTS, parts_of
from simulator.study.dose import constant_hazard
from simulator.study.observed import (
    AXES,
    METRICS,
    NOTHING_LOST,
    Confounding,
    Telemetry,
    exact,
    observed_view,
)
from simulator.study.observed_scene import Scene, binned, phone_scores
from simulator.worlds.confounded import VIEW
from simulator.worlds.crowd import World, play
from tests.conftest import PLAIN

SHOPPERS = 40 if PLAIN else 4_000
ALIKE = Confounding(network=0.0, device=0.0, strength=0.0)
compiled_only = pytest.mark.skipif(PLAIN, reason="needs many shoppers")


@pytest.fixture(scope="module", autouse=True)
def calibrated():
    """Calibrate on few shoppers where nothing is compiled."""
    with pytest.MonkeyPatch.context() as patch:
        if PLAIN:
            patch.setattr("simulator.study.observed_scene.CALIBRATION", 40)
        yield


@pytest.fixture(scope="module")
def scenario():
    """Return the demo's shoppers."""
    return load_scenario("demo")


@pytest.fixture(scope="module")
def view(scenario):
    """Return what is observed of them, with everything that real charts have."""
    return observed_view(scenario, shoppers=SHOPPERS)


@cache
def _toy(hazard_per_s, correlation, sessions=400_000):
    """Return sessions of a toy shop: intent, log-normal landing load, warm pages half as slow, a constant hazard."""
    draws = np.random.default_rng(7)
    slowness = draws.standard_normal(sessions)
    intent = -correlation * slowness + np.sqrt(1 - correlation**2) * draws.standard_normal(sessions)
    exit_p = 1 / (1 + np.exp(0.4 + 0.9 * intent))
    rows, here, cold = np.zeros(sessions, VIEW), np.arange(sessions), 1.0
    rows["shopper"] = here
    while len(here):
        load_s = cold * 3 * np.exp(0.6 * (0.8 * slowness[here] + 0.6 * draws.standard_normal(len(here))))
        rows["loads_us"][here] += (1e6 * load_s).astype(np.int64)
        rows["pages"][here] += 1
        if cold == 1.0:
            rows["landing_us"], cold = rows["loads_us"], 0.5
        stays = draws.random(len(here)) < np.exp(-hazard_per_s * load_s)
        here = here[stays & (draws.random(len(here)) >= exit_p[here])]
    return rows


def _at(rows, axis, *seconds):
    """Return the rows of the toy's quarter-second bins round some load times."""
    edges = tuple(edge for second in seconds for edge in (second - 0.25, second + 0.25))
    return binned(rows, axis, edges)[::2]


def test_averages_make_an_effect_of_nothing():
    """With no effect at all, bounce by a session's average load doubles from 1 to 3 s and rises 2.8-fold to 5 s."""
    rows = _toy(hazard_per_s=0.0, correlation=0.0)
    first, third, fifth = (exact(part, "bounce") for part in _at(rows, "average", 1, 3, 5))
    assert third / first == pytest.approx(2.0, abs=0.06)
    assert fifth / first == pytest.approx(2.8, abs=0.08)
    pages = [float(exact(part, "pages")) for part in _at(rows, "average", 1, 5)]
    assert pages == pytest.approx([4.6, 1.9], abs=0.1)


def test_by_landing_nothing_stays_nothing():
    """The same sessions by landing load show no effect: 40,000 sessions a bin leave a standard error of 0.4 %."""
    rows = _toy(hazard_per_s=0.0, correlation=0.0)
    first, *others = (float(exact(part, "bounce")) for part in _at(rows, "landing", 1, 3, 5))
    assert others == pytest.approx([first, first], rel=0.03)


def test_confounding_builds_the_famous_curve():
    """A hazard of 0.025/s and intent that goes with slowness at −0.5 give bounce 1.5 to 2.2 times as high by 10 s."""
    rows = _toy(hazard_per_s=0.025, correlation=0.5)
    first, *others = (float(exact(part, "bounce")) for part in _at(rows, "landing", 1, 3, 5, 10))
    assert [one / first for one in others] == pytest.approx([1.50, 1.78, 2.21], abs=0.06)


def test_without_the_layer_visits_are_the_crowd_worlds(scenario):
    """With no confounding every visit is the crowd world's own, number by number."""
    scene = Scene.of(scenario, min(SHOPPERS, 500))
    rows = scene.play(ALIKE)
    visits = play(World(scenario.population, scenario.pages, control_arm(), scenario.spec.seed), scene.plan).visits
    renamed = {"wall_us": "elapsed_us", "landing_us": "landing_load_us"}
    for name in ("pages", "wall_us", "engaged_us", "ga_us", "orders", "cause", "landing_us"):
        assert np.array_equal(rows[name], visits[renamed.get(name, name)]), name


def test_fewer_shoppers_are_the_same_people(scenario):
    """A shopper's intent, load and visits do not depend on how many others there are."""
    few, many = (Scene.of(scenario, count).play(Confounding()) for count in (20, 40))
    assert few.tobytes() == many[: len(few)].tobytes()


@compiled_only
def test_intent_goes_with_speed_as_said(scenario):
    """Intent is standard normal and correlates with link and phone as it was told to, within 0.05."""
    scene = Scene.of(scenario, SHOPPERS)
    rows = scene.play(Confounding(network=0.4, device=0.3))
    assert rows["intent"].mean() == pytest.approx(0, abs=0.05)
    assert rows["intent"].std() == pytest.approx(1, abs=0.07)
    phones = scene.phones[scene.shoppers["device"][scene.who]]
    partial = [np.corrcoef(rows["intent"], score)[0, 1] for score in (-np.argsort(np.argsort(rows["link_us"])), phones)]
    assert partial == pytest.approx([0.4, 0.3], abs=0.07)
    assert np.corrcoef(scene.play(Confounding(0.0, 0.0))["intent"], phones)[0, 1] == pytest.approx(0, abs=0.05)


def test_speed_that_is_given_goes_with_nothing(scenario):
    """For the causal curve every landing takes just the given time, whoever lands."""
    rows = Scene.of(scenario, 40).play(Confounding(), landing_us=2_500_000.0)
    assert np.abs(rows["landing_us"] - 2_500_000).max() <= 2


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("metric", METRICS)
def test_the_parts_sum_to_the_gap(view, metric, axis):
    """In every bin the named parts, in their order, sum to what is observed less what is true, to the last bits."""
    found = view.decomposition(metric, axis)
    assert tuple(found.parts) == PARTS == tuple(MEANING)
    changes = found.changes()
    for causal, observed, parts in ((found.causal, found.observed, found.parts), changes):
        for place, (true, seen) in enumerate(zip(causal, observed, strict=True)):
            if seen is not None and parts["mix"][place] is not None:
                assert sum(curve[place] for curve in parts.values()) == pytest.approx(seen - true, abs=1e-9)
    assert observed[found.reference] == 0


def test_parts_sum_exactly():
    """Before rounding the sum is exact: parts are differences of neighbours, in fractions."""
    stages = [Fraction(1, 3), Fraction(2, 7), Fraction(5, 11), Fraction(1, 13)]
    assert sum(parts_of(stages)) == stages[-1] - stages[0]
    assert parts_of([*stages, None]) == [None] * 4


def test_what_is_shown_is_what_is_decomposed(view):
    """The observed end of each decomposition is the chart, and its causal end the causal curve."""
    for found in view.decompositions:
        shown = [one.metrics[found.metric].value for one in view.charts[found.axis].bins]
        true = [one.value for one in view.causal[found.metric]]
        for ours, theirs in ((found.observed, shown), (found.causal, true)):
            for one, other in zip(ours, theirs, strict=True):
                assert one == pytest.approx(other) if one is not None else other is None


def test_what_is_off_has_no_part(scenario):
    """A mechanism that is off has a part of exactly zero in every bin; the landing chart has no averaging."""
    found = observed_view(
        scenario, confounding=Confounding(network=0.0), telemetry=NOTHING_LOST, shoppers=min(SHOPPERS, 500)
    )
    for one in found.decompositions:
        off = ("network", "bots", "beacon_loss", *(["averaging"] if one.axis == "landing" else []))
        for name in off:
            assert set(one.parts[name]) <= {0.0, None}
    assert (found.bots, found.lost) == (0, 0)


@compiled_only
def test_each_part_has_its_sign(view):
    """Confounding makes slow bins bounce more, bots fast ones; lost beacons and survivors flatter the slow ones."""
    _, _, parts = view.decomposition("bounce").changes()
    slow = slice(2, 6)
    assert min(parts["network"][slow]) > 0.03
    assert min(parts["device"][slow]) > 0
    assert max(parts["bots"][slow]) < 0
    assert max(parts["beacon_loss"][slow]) < 0
    assert max(parts["survivorship"][slow]) < 0
    _, _, parts = view.decomposition("bounce", "average").changes()
    assert min(parts["averaging"][slow]) > 0.2


@compiled_only
def test_a_null_effect_is_seen_as_one_on_averages_alone(scenario):
    """Where waiting does nothing, the causal curve is flat, and the biased chart at least doubles all the same."""
    unmoved = replace(scenario, population=constant_hazard(scenario.population, 0.0))
    found = observed_view(unmoved, confounding=ALIKE, telemetry=NOTHING_LOST, shoppers=SHOPPERS)
    true, seen, _ = found.decomposition("bounce", "average").changes()
    base = found.decomposition("bounce", "average").observed[0]
    assert max(map(abs, true[:6])) < 0.01
    assert seen[3] > base
    assert found.charts["average"].biased
    assert not found.charts["landing"].biased


def test_counts_add_up(view):
    """Every visit is in the chart, or lost, or without a load time; bots are in the chart and counted apart."""
    for chart in view.charts.values():
        assert sum(one.visits for one in chart.bins) == view.visits + view.bots - view.lost - view.unseen


def test_scores_of_phones():
    """Scores have mean 0 and variance 1 over the shoppers; ties share one; a phone that nobody has is interpolated."""
    slowdowns = np.array([2.0, 4.0, 6.0, 4.0])
    scores = phone_scores(np.repeat([0, 2, 3], [30, 50, 20]), slowdowns)
    over = scores[np.repeat([0, 2, 3], [30, 50, 20])]
    assert (over.mean(), over.std()) == pytest.approx((0, 1))
    assert scores[0] > scores[1] == scores[3] > scores[2]


def test_what_cannot_be_is_refused(scenario):
    """Shares and correlations that cannot be are refused, all at once."""
    with pytest.raises(FileFaults) as raised:
        observed_view(scenario, confounding=Confounding(0.9, 0.9), telemetry=Telemetry(1.5, -0.1, 0.0, 1.0))
    told = str(raised.value)
    for expected in ("lost_early is 1.5", "bots is -0.1", "bot_load_s is 0", "their squares must sum to 1 at most"):
        assert expected in told
