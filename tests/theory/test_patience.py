"""Waiting: the kernel's patience against the survival it stands for."""

import math

import numpy as np
import pytest
from scipy import integrate

from simulator.journey import keys
from simulator.journey.closed_form import still_waiting, survival, values_at
from simulator.journey.kernel import hazard_sum, patience_s, patience_us, put_off_probability
from simulator.journey.keys import NOWHERE, uniform
from simulator.journey.lanes import draw_page
from simulator.journey.records import LONGEST_WAIT_US, SHOPPER, WALK
from simulator.model.distributions import DIST, TableBook
from simulator.model.population import frailty
from simulator.model.states import STATE_INDEX, STATES

N = 40_000
CURVES = {
    "constant hazard, everybody alike": (0.05, 1.0, 1.0, math.inf, 0.0),
    "constant hazard, gamma frailty": (0.05, 1.0, 1.0, math.inf, 0.5),
    "rising hazard": (0.01, 2.0, 1.0, math.inf, 0.5),
    "falling hazard, strong frailty": (0.2, 0.7, 1.0, math.inf, 2.0),
    "feedback after two seconds": (0.08, 1.0, 0.4, 2.0, 0.5),
    "rising hazard and feedback": (0.02, 1.6, 0.6, 3.0, 1.0),
}
"""Rate, shape, feedback, first paint in seconds, variance of the frailty."""
WAITS_S = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)


def of_everybody(rate, shape, feedback, fcp_s, variance):
    """Return how long N shoppers would wait, each with a frailty of their own, in seconds."""
    book = TableBook()
    row = np.array([book.row(frailty(variance))], DIST)[0]
    draws = [
        np.array([uniform(3, who, 0, NOWHERE, 0, purpose) for who in range(N)])
        for purpose in (keys.FRAILTY, keys.PATIENCE)
    ]
    impatience = values_at(row, book.tables(), draws[0])
    pairs = zip(draws[1], impatience, strict=True)
    return np.array([patience_s(u, z, rate, shape, feedback, fcp_s) for u, z in pairs])


@pytest.mark.parametrize("name", CURVES)
def test_the_share_still_waiting_is_the_mixed_survival(name):
    """After any wait (1 + θΛ)^(−1/θ) of the shoppers are still there, within 4 standard errors."""
    rate, shape, feedback, fcp_s, variance = CURVES[name]
    waits = of_everybody(rate, shape, feedback, fcp_s, variance)
    for wait_s in WAITS_S:
        expected = survival(hazard_sum(rate, shape, feedback, fcp_s, wait_s), variance)
        assert abs((waits > wait_s).mean() - expected) < 4 * math.sqrt(expected * (1 - expected) / N) + 1e-9


@pytest.mark.parametrize("name", CURVES)
def test_patience_inverts_the_hazard(name):
    """Λ at the drawn patience is −ln(1−u)/z, to rounding: the draw and the curve are one definition."""
    rate, shape, feedback, fcp_s, _ = CURVES[name]
    for u in (1e-9, 0.1, 0.5, 0.9, 0.999):
        for z in (0.2, 1.0, 3.0):
            wait_s = patience_s(u, z, rate, shape, feedback, fcp_s)
            assert hazard_sum(rate, shape, feedback, fcp_s, wait_s) == pytest.approx(-math.log1p(-u) / z, rel=1e-9)


def test_the_hazard_sums_what_the_docstring_says():
    """Λ is the integral of shape · rate · w^(shape−1), times `feedback` once something shows."""
    rate, shape, feedback, fcp_s = 0.03, 1.7, 0.4, 2.5
    summed, _ = integrate.quad(
        lambda w: rate * shape * w ** (shape - 1) * (1.0 if w < fcp_s else feedback), 0, 9, points=[fcp_s]
    )
    assert hazard_sum(rate, shape, feedback, fcp_s, 9.0) == pytest.approx(summed, rel=1e-9)


def test_what_is_visible_earlier_is_waited_for_longer():
    """Feedback below 1 prolongs patience, the more the earlier something shows; feedback 1 changes nothing."""
    softened = [patience_s(0.3, 1.0, 0.1, 1.0, 0.5, fcp_s) for fcp_s in (0.0, 0.5, 1.0, 2.0, 3.0, math.inf)]
    assert softened == sorted(softened, reverse=True)
    assert softened[0] == pytest.approx(2 * softened[-1])
    assert len({patience_s(0.3, 1.0, 0.1, 1.0, 1.0, fcp_s) for fcp_s in (0.0, 1.0, 9.0)}) == 1


@pytest.mark.parametrize(
    ("rate", "z", "feedback"), [(0.0, 1.0, 1.0), (0.1, 0.0, 1.0), (1e-6, 1.0, 0.0)], ids=["rate", "frailty", "feedback"]
)
def test_without_hazard_nobody_leaves(rate, z, feedback):
    """No rate, no frailty, or no hazard left after first paint: patience has no end, and no division fails."""
    assert patience_s(0.9, z, rate, 1.0, feedback, 1.0) == math.inf


def test_a_session_ends_before_patience_does(everyday):
    """Patience is at most the 30 minutes after which a session is over, however small the hazard."""
    persona, shopper, visit = everyday[0].personas[:1].copy()[0], np.zeros(1, SHOPPER)[0], np.zeros(1, WALK)[0]
    shopper.frailty = 1.0
    draw_page(1, visit)
    for rate in (0.0, 1e-12):
        persona.hazard_per_s[:] = rate
        assert patience_us(persona, shopper, visit, math.inf) == LONGEST_WAIT_US == 30 * 60 * 1_000_000


@pytest.mark.parametrize("stage", ["browse", "consider", "cart", "pay", "account"])
def test_the_curve_that_is_shown_is_the_one_that_is_drawn(stage, everybody, everyday, few):
    """`still_waiting`, which `footfall persona show` prints, is what shoppers of that persona do at that stage."""
    population, roster = everyday
    index = roster.personas.index("rural_low_end")
    spec = next(persona.spec for persona in everybody.personas if persona.name == "rural_low_end")
    state = next(STATE_INDEX[state.name] for state in STATES if state.stage == stage)
    persona, shopper, visit = population.personas[index], np.zeros(1, SHOPPER)[0], np.zeros(1, WALK)[0]
    count, waits_us = few(10_000), []
    visit.state = state
    draws = np.array([uniform(1, who, 0, NOWHERE, 0, keys.FRAILTY) for who in range(count)])
    for who, impatience in enumerate(values_at(persona.frailty, population.tables, draws)):
        visit.shopper, shopper.frailty = who, impatience
        draw_page(1, visit)
        waits_us.append(patience_us(persona, shopper, visit, 1.5e6))
    for wait_s in (1.0, 5.0, 20.0):
        expected = still_waiting(spec.patience, stage, wait_s, 1.5)
        left = (np.array(waits_us) > wait_s * 1e6).mean()
        assert abs(left - expected) < 4 * math.sqrt(expected * (1 - expected) / count)


def test_survival_meets_its_limits():
    """No hazard leaves everybody, no variance leaves exp(−Λ), and a tiny variance nearly so."""
    assert survival(0.0, 0.7) == 1.0
    assert survival(2.0, 0.0) == math.exp(-2.0)
    assert survival(2.0, 1e-9) == pytest.approx(math.exp(-2.0), rel=1e-6)
    assert survival(2.0, 1.0) == pytest.approx(1 / 3)


def test_put_off_is_a_discrete_hazard():
    """With no memory and felt = ln(1 + load/τ), the chance to stay is (1 + load/τ)^−weight."""
    for weight, load_s in ((0.01, 3.0), (0.5, 8.0), (2.0, 0.1)):
        stay = 1 - put_off_probability(weight, 0.0, math.log1p(load_s), 0.0)
        assert stay == pytest.approx((1 + load_s) ** -weight)


def test_put_off_adds_what_is_remembered():
    """Two reasons to leave multiply the chances to stay."""
    both = put_off_probability(0.3, 0.1, 1.2, 4.0)
    assert 1 - both == pytest.approx(
        (1 - put_off_probability(0.3, 0.0, 1.2, 0.0)) * (1 - put_off_probability(0.0, 0.1, 0.0, 4.0))
    )
