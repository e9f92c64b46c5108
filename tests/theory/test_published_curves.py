"""What was published on load time, in closed form and in small independent models, against the product."""

import math

import numpy as np
import pytest
from scipy import stats

from simulator.journey.kernel import S
from simulator.model.behaviour import apply, load_behaviour
from simulator.model.distributions import Constant, TableBook
from simulator.model.persona import PopulationSpec, find_persona, load_persona
from simulator.model.population import compile_population, set_journey
from simulator.model.states import STATE_INDEX
from simulator.study.charts import Charts, Layer
from simulator.study.designs import population_under
from simulator.study.slowdowns import slow_down
from simulator.study.studies import studies

HOME = STATE_INDEX["home"]
DOUBLECLICK = next(study for study in studies() if study.id == "O1")
GOOGLE = next(study for study in studies() if study.id == "O3")
LANDING = next(study for study in studies() if study.id == "O3-landing")
PUBLISHED = {figure.at: 1 + figure.change for figure in GOOGLE.figures}


def memoryless(h, on, dwell_s, load_s):
    """Return (bounce, GA duration) of visits that go on with probability `on` after each page that they waited for."""
    further = on * math.exp(-h * load_s)
    return 1 - further, (dwell_s + load_s) * further / (1 - further)


def test_three_numbers_give_both_of_doubleclicks():
    """At 5 s against 19 s: 34 % fewer bounces and 76 % longer GA sessions, by h = 0.03/s, 0.70 and 40 s."""
    fast, slow = memoryless(0.03, 0.70, 40, 5), memoryless(0.03, 0.70, 40, 19)
    assert fast[0] / slow[0] - 1 == pytest.approx(-0.34, abs=0.005)
    assert fast[1] / slow[1] - 1 == pytest.approx(0.76, abs=0.005)


def test_the_product_gives_them_too(few):
    """The study's design, played by shoppers of the preset `doubleclick-2016` on a one-page shop, gives the same."""
    base = load_persona(find_persona("base_mobile"))
    spec = apply(load_behaviour("doubleclick-2016"), PopulationSpec("one", (base,), (1.0,)))
    population, _ = compile_population(spec)
    row, book = population.personas[0], TableBook()
    transition = np.zeros((S, S + 1))
    transition[:, S], transition[HOME, HOME], transition[HOME, S] = 1.0, 0.7, 0.3
    set_journey(row, np.eye(S)[HOME], transition)
    row["think"], row["budget"] = book.row(Constant(dist="constant", value=40.0)), book.row(None)
    changes = slow_down(population, DOUBLECLICK, DOUBLECLICK.figures, 7, few(20_000))
    fast, slow = memoryless(0.03, 0.70, 40, 5), memoryless(0.03, 0.70, 40, 19)
    for change, place in zip(changes, (1, 0), strict=True):
        assert change.low - 0.01 <= fast[place] / slow[place] - 1 <= change.high + 0.01


@pytest.mark.parametrize("slow", [0.3, 0.5, 0.65])
def test_the_identity_of_ga(slow):
    """35 % fewer bounces are 54 % more pages, whatever the level; +70 % then fixes the dwell: 58 s at a bounce of ½."""
    fast = 0.65 * slow
    assert (1 / fast) / (1 / slow) - 1 == pytest.approx(0.54, abs=0.005)
    # (D + 5) a = 1.7 (D + 19) b with a, b the odds of going on.
    a, b = (1 - fast) / fast, (1 - slow) / slow
    dwell_s = (1.7 * 19 * b - 5 * a) / (a - 1.7 * b)
    expected = {0.5: 58, 0.65: 23}.get(slow)
    assert expected is None or dwell_s == pytest.approx(expected, abs=1)


def test_googles_chart_has_a_closed_form():
    """b(t)/b(1) = (1 + A F(t))/(1 + A F(1)), F log-logistic, A = 1.275, misses no figure by more than 0.008."""
    share = stats.fisk(3.88, scale=3.94).cdf
    ratios = {t: (1 + 1.275 * share(t)) / (1 + 1.275 * share(1)) for t in PUBLISHED}
    assert max(abs(ratios[t] - PUBLISHED[t]) for t in PUBLISHED) <= 0.0085


def toy(h, correlation, visits=400_000):
    """Return landing load, mean load and pages of visits: exit logit −0.4 − 0.9 u, warm pages half as slow."""
    dice = np.random.default_rng(7)
    slowness, own, intent = dice.standard_normal((3, visits))
    intent = correlation * slowness + math.sqrt(1 - correlation**2) * intent
    landing_s = 3 * np.exp(0.6 * (0.8 * slowness + 0.6 * own))
    leave = 1 / (1 + np.exp(0.4 + 0.9 * intent))
    there, pages, waited = np.ones(visits, bool), np.zeros(visits), np.zeros(visits)
    for page in range(60):
        load_s = landing_s if page == 0 else 0.5 * landing_s
        pages += there
        waited += there * load_s
        there &= (dice.random(visits) < np.exp(-h * load_s)) & (dice.random(visits) > leave)
    return landing_s, waited / pages, pages


def ratios(load_s, pages, times):
    """Return bounce at some load times over that at 1 s, bins being 10 % wide on each side."""
    bounce = {t: (pages[np.abs(load_s / t - 1) < 0.1] == 1).mean() for t in (1, *times)}
    return [bounce[t] / bounce[1] for t in times]


def test_a_small_effect_and_confounding_build_googles_chart():
    """H = 0.025/s and intent correlated −0.5 with slowness give bounce ratios like those published, by landing page."""
    landing_s, _, pages = toy(0.025, -0.5)
    assert ratios(landing_s, pages, (3, 5, 6, 7, 10)) == pytest.approx([1.50, 1.78, 1.88, 1.99, 2.21], abs=0.05)


def test_session_averages_bend_where_nothing_acts():
    """Without any effect, bounce by the session's mean load doubles by 3 s, and by the landing page's stays flat."""
    landing_s, mean_s, pages = toy(0.0, 0.0)
    assert ratios(landing_s, pages, (3, 5)) == pytest.approx([1, 1], abs=0.05)
    by_mean = ratios(mean_s, pages, (3, 5))
    assert 1.8 < by_mean[0] < 2.6
    assert 2.5 < by_mean[1] < 3.3


def test_the_products_charts_bend_alike(few):
    """The same in the product: under `null` and without confounding, only the chart of session averages rises."""
    population = population_under(load_behaviour("null"))
    plain = Charts(population, 7, few(60_000), Layer(correlation=0.0, pull=0.9, beacon_loss=0.0))
    by_landing, by_mean = plain.figures(LANDING, LANDING.figures), plain.figures(GOOGLE, GOOGLE.figures)
    assert all(abs(one.value) < 0.12 for one in by_landing)
    assert all(one.value > 0.5 for one in by_mean)
    confounded = Charts(population, 7, few(60_000), Layer()).figures(LANDING, LANDING.figures)
    assert all(one.low > 0.25 for one in confounded)
