"""Return gaps: a law of mean 1 with the tail that is asked for, its equilibrium law, and what a persona may say."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate

from simulator.model.faults import FileFaults
from simulator.model.gaps import FIRST_GAPS, first_gap_quantiles, first_gap_share, gap_survival
from simulator.model.persona import PopulationSpec, load_persona
from simulator.model.population import compile_population

LAWS = [(0.2, 10.0), (0.6, 3.0), (0.6, 20.0), (1.0, 20.0), (1.5, 500.0), (5.0, 1e6)]


@pytest.mark.parametrize(("exponent", "longest"), LAWS)
def test_the_mean_gap_is_one(exponent, longest):
    """The law is scaled so that its mean, the area under the share of longer gaps, is 1; none is above the longest."""
    edges = np.r_[0, np.geomspace(1e-6, longest, 60)]
    area = sum(
        integrate.quad(lambda y: float(gap_survival(exponent, longest, np.array(y))), a, b)[0]
        for a, b in pairwise(edges)
    )
    assert area == pytest.approx(1, rel=1e-6)
    assert gap_survival(exponent, longest, np.array([0.0, longest, 2 * longest])).tolist() == [1, 0, 0]


@pytest.mark.parametrize(("exponent", "longest"), LAWS)
def test_a_first_gap_is_the_time_to_the_next_visit_from_any_moment(exponent, longest):
    """The equilibrium law is the area under the share of longer gaps, up to each time."""
    for y in (0.01, 0.5, 2.0, longest):
        points = np.geomspace(1e-6, y, 20)[:-1]
        area = integrate.quad(
            lambda t: float(gap_survival(exponent, longest, np.array(t))), 0, y, points=points, limit=400
        )[0]
        assert first_gap_share(exponent, longest, np.array([y]))[0] == pytest.approx(area, rel=1e-6)


@pytest.mark.parametrize(("exponent", "longest"), LAWS)
def test_the_table_of_first_gaps_inverts_its_law(exponent, longest):
    """Quantiles stand at even probabilities, from 0 to the longest gap, and grow."""
    table = first_gap_quantiles(exponent, longest)
    assert first_gap_share(exponent, longest, table) == pytest.approx(np.linspace(0, 1, FIRST_GAPS), abs=1e-6)
    assert (np.diff(table) > 0).all()


def test_the_slope_is_the_exponent():
    """Far below the longest gap, the share of longer gaps falls by a factor of 10^a where the gap grows tenfold."""
    share = gap_survival(0.6, 1e6, np.array([10.0, 100.0]))
    assert np.log10(share[0] / share[1]) == pytest.approx(0.6, abs=0.01)


PERSONA = "persona: mine\ndescribe: x\nextends: commuter_browser\nevidence: none\narrivals: {arrivals}\n"


@pytest.fixture
def persona(tmp_path):
    """Return a function that loads a persona with a section of arrivals."""

    def load(arrivals):
        path = tmp_path / "mine.yaml"
        path.write_text(PERSONA.replace("{arrivals}", arrivals))
        return load_persona(path)

    return load


def test_a_persona_may_change_or_drop_its_gaps(persona):
    """A persona changes one number of what it inherits; `null` leaves visits without memory."""
    changed = persona("{return_gap: {exponent: 1.1}, holiday: 0}").spec.arrivals
    assert (changed.return_gap.exponent, changed.return_gap.longest, changed.holiday) == (1.1, 20, 0)
    forgetful = persona("{return_gap: null}")
    assert forgetful.spec.arrivals.return_gap is None
    population, _ = compile_population(PopulationSpec("one", (forgetful,), (1.0,)))
    assert population.personas["gap_exponent"].tolist() == [0]


WRONG = {
    "a longest gap that leaves no tail": (
        "{return_gap: {longest: 2}}",
        "return_gap.longest",
        "than or equal to 3",
    ),
    "no slope": ("{return_gap: {exponent: 0}}", "return_gap.exponent", "greater than 0"),
    "a negative holiday": ("{holiday: -1}", "holiday", "greater than or equal to 0"),
    "a word for a number": ("{return_gap: {longest: 60d}}", "return_gap.longest", "should be a valid number"),
    "a misspelt key": ("{return_gap: {exponents: 1}}", "return_gap.exponents", "allowed are"),
}


@pytest.mark.parametrize("what", WRONG)
def test_gaps_that_make_no_sense(what, persona):
    """A gap without a tail, a slope of nothing or a negative factor is refused with its line and what is allowed."""
    arrivals, path, allowed = WRONG[what]
    with pytest.raises(FileFaults) as refused:
        persona(arrivals)
    assert [(f.line, f.path) for f in refused.value.faults] == [(5, f"arrivals.{path}")]
    assert allowed in refused.value.faults[0].allowed
