"""The hazard model: digit by digit against statsmodels, and honest where it cannot fit."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.analysis.hazard_model import fit_hazard
from simulator.analysis.page_design import band_names, page_design

RNG = np.random.default_rng(12)


def pages(visits=1_500, groups=400, slope=0.06, seed=4):
    """Return page numbers, load times, endings and shoppers of visits whose hazard rises with load time."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, groups, visits)
    mood = rng.normal(0, 0.4, groups)
    number, load, ended, shopper = [], [], [], []
    for one in who:
        for page in range(1, 30):
            wait = rng.lognormal(0.7, 0.7)
            out = rng.random() < 1 / (1 + np.exp(1.6 + 0.3 * (page > 1) - slope * wait - mood[one]))
            number.append(page), load.append(wait), ended.append(out), shopper.append(one)
            if out:
                break
    return np.array(number), np.array(load), np.array(ended), np.array(shopper)


@pytest.mark.parametrize("knots", [0, 4])
@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_the_fit_is_statsmodels(link, knots):
    """Coefficients, likelihood and covariance by shopper are those of statsmodels on a row a page."""
    api = pytest.importorskip("statsmodels.api")
    number, load, ended, who = pages()
    design = page_design(number, load, knots=knots)
    found = fit_hazard(design, ended, who, link)
    family = api.families.Binomial(api.families.links.Logit() if link == "logit" else api.families.links.CLogLog())
    model = api.GLM(ended.astype(float), design.matrix[design.cells], family=family)
    known = model.fit(cov_type="cluster", cov_kwds={"groups": who}, tol=1e-12)
    assert np.allclose(found.coefficients, known.params, rtol=1e-6, atol=1e-9)
    assert found.log_likelihood == pytest.approx(known.llf, rel=1e-10)
    # Of a link that is not the canonical one statsmodels takes the observed information, ours the expected one.
    errors = np.sqrt(np.diag(found.covariance))
    assert np.allclose(errors, known.bse, rtol=1e-6 if link == "logit" else 0.02)


def test_equal_rows_are_counted_not_repeated():
    """Cells stand for their pages: the matrix of each page is that of its own rounded load time and band."""
    number, load, _, _ = pages(200)
    design = page_design(number, load, knots=4)
    assert len(design.matrix) < len(load) / 2
    for row in RNG.integers(0, len(load), 40):
        known = design.row(np.rint(load[row] / 0.1) * 0.1, number[row])
        assert np.allclose(design.matrix[design.cells[row]], known)
    assert band_names() == ["page_1", "page_2", "page_3", "page_4_to_5", "page_6_to_9", "page_10_on"]


def test_the_spline_is_straight_outside_its_knots():
    """Between knots it bends; beyond the outer ones its second differences vanish."""
    number, load, _, _ = pages()
    design = page_design(number, load, knots=5)
    low, high = design.knots_s[0], design.knots_s[-1]

    def bend(at):
        rows = np.array([design.row(x) for x in (at - 0.05, at, at + 0.05)])[:, -3:]
        return np.abs(rows[0] - 2 * rows[1] + rows[2]).max()

    assert bend(low - 0.1) < 1e-12
    assert bend(high + 0.1) < 1e-9
    assert bend((low + high) / 2) > 1e-5


def test_order_does_not_matter():
    """Rows in any order give the same fit."""
    number, load, ended, who = pages(400)
    order = RNG.permutation(len(load))
    one = fit_hazard(page_design(number, load), ended, who)
    other = fit_hazard(page_design(number[order], load[order]), ended[order], who[order])
    assert np.allclose(one.covariance, other.covariance, rtol=1e-9)
    assert np.allclose(one.coefficients, other.coefficients, rtol=1e-9)


def test_it_says_when_it_cannot_tell():
    """Nobody leaves, everybody does, one load time for all, a page that always ends visits: errors that say so."""
    number, load, ended, who = pages(300)
    design = page_design(number, load)
    for none in (np.zeros_like(ended), np.ones_like(ended)):
        with pytest.raises(ArithmeticError, match="ended a visit"):
            fit_hazard(design, none, who)
    with pytest.raises(ArithmeticError, match="cannot be told apart"):
        fit_hazard(page_design(number, np.full(len(load), 2.0)), ended, who)
    with pytest.raises(ArithmeticError, match="always or never"):
        fit_hazard(design, np.where(number == 3, True, ended), who)
    with pytest.raises(ArithmeticError, match="one shopper"):
        fit_hazard(design, ended, np.zeros(len(who), int))


def test_a_curve_of_chances():
    """The chance of leaving rises with load time, within its interval, and is the share that left where one cell is."""
    number, load, ended, who = pages()
    design = page_design(number, load, knots=3)
    fit = fit_hazard(design, ended, who)
    chances = [fit.chance(design.row(x)) for x in (0.5, 2.0, 6.0)]
    assert all(one.low < one.value < one.high for one in chances)
    assert chances[0].value < chances[1].value < chances[2].value
    assert 0 < fit.p("load_s") < 1
    assert fit.coefficient("intercept").low < fit.coefficient("intercept").high
