"""The scorecard: published figures are data, the fit uses three studies alone, and predictions stand as they come."""

import json

import numpy as np
import pytest

from simulator.analysis.estimates import Estimate
from simulator.model.behaviour import CONSENSUS, base_shopper, load_behaviour
from simulator.model.faults import FileFaults
from simulator.study import consensus
from simulator.study.consensus import fit_consensus
from simulator.study.designs import (
    delayed_world,
    measured,
    one_visit_each,
    paired_change,
    population_under,
    share_change,
)
from simulator.study.scorecard import scorecard
from simulator.study.studies import Study, studies


@pytest.fixture(scope="module")
def rows(few):
    """Return the scorecard of the consensus, on few visits."""
    return {row.id: row for row in scorecard(7, few(4_000), CONSENSUS)}


def test_every_figure_stands_on_the_card_once(rows):
    """Fitted figures come first, then predictions, then what is left out, each with a grade and a reason."""
    assert list(rows) == [
        figure.id for role in ("fitted", "predicted", "excluded")
        for study in studies() for figure in study.figures if figure.role == role
    ]  # fmt: skip
    assert all(row.note for row in rows.values() if row.role == "excluded")
    assert all((row.inside is None) == (row.role == "excluded") for row in rows.values())


def test_only_the_randomised_rows_are_fitted():
    """Figures of A1 to A3 made the consensus, and no others."""
    fitted = {study.id for study in studies() for figure in study.figures if figure.role == "fitted"}
    assert fitted == {"A1", "A2", "A3"}


def test_fitted_rows_lie_inside_and_google_and_bing_are_predicted(rows):
    """All fitted figures but one, and all losses of Google and Bing that the fit never saw, are inside."""
    outside = [row.id for row in rows.values() if row.role == "fitted" and not row.inside]
    assert outside in ([], ["A3-20s"])
    assert all(rows[name].inside for name in ("A4-100ms", "A4-400ms", "A5-1s", "A5-2s"))


def test_observational_charts_are_not_predicted_by_patience(rows):
    """What fails is shown to fail: the +70 % of DoubleClick, and clicks that come twice as late as the delay."""
    assert not rows["O1-sessions"].inside
    assert not rows["A5-click"].inside
    assert rows["A5-click"].simulated.value == pytest.approx(1.0, abs=1e-6)


def test_under_null_nothing_is_lost(few):
    """Under `null` every randomised loss is exactly zero, and no interval is wider than chance."""
    for row in scorecard(7, few(2_000), "null"):
        if row.design == "slow-down" and row.role != "excluded" and row.measure != "time_to_click":
            assert row.simulated.value == 0.0, row.id


def test_the_same_seed_is_the_same_card(few):
    """A scorecard is a function of seed, visits and preset."""
    first, again = (scorecard(3, few(1_000), "h0.025") for _ in range(2))
    assert first == again


def test_the_levels_are_those_of_the_fit():
    """The preset's levels are the fit's to a tenth, its intervals' ends to a quarter; the base persona has them."""
    fitted, spec = fit_consensus(7, 20_000), load_behaviour(CONSENSUS).spec
    for name, level in fitted.levels.items():
        value, low, high = fitted.value(name)
        assert level == pytest.approx(value, rel=0.1)
        assert spec.intervals[name] == pytest.approx([low, high], rel=0.25)
    assert base_shopper().patience.hazard_per_s == spec.patience.hazard_per_s
    assert base_shopper().put_off.per_log_load == spec.put_off.per_log_load
    assert base_shopper().put_off.memory == spec.put_off.memory
    assert min(fitted.by_study.values()) < fitted.factor < max(fitted.by_study.values())


def test_the_fit_finds_a_planted_level(monkeypatch, few):
    """Studies whose figures are simulated at three times the level are fitted at three times the level."""
    planted = consensus.scaled(3.0)
    made = []
    for study in [study for study in studies() if study.id in ("A1", "A2", "A3")]:
        figures = consensus.fitted_figures(study)
        found = consensus.slow_down(planted, study, figures, 11, few(20_000))
        told = [f.model_copy(update={"change": e.value}) for f, e in zip(figures, found, strict=True)]
        made.append(study.model_copy(update={"figures": told}))
    monkeypatch.setattr(consensus, "studies", lambda: tuple(made))
    fitted = fit_consensus(7, few(10_000))
    assert fitted.factor == pytest.approx(3.0, rel=0.2)
    assert fitted.low <= 3.0 <= fitted.high


def test_ratios_have_the_intervals_of_theory():
    """Paired ratios and risk ratios: their 95 % intervals hold the truth in 93 to 97 % of 2,000 runs."""
    dice, paired, risks = np.random.default_rng(5), 0, 0
    for _ in range(2_000):
        control = dice.gamma(2.0, 1.0, 200)
        one = paired_change(0.8 * control + dice.normal(0, 0.5, 200), control)
        paired += one.low <= -0.2 <= one.high
        hits, base = dice.binomial(400, 0.3), dice.binomial(500, 0.2)
        other = share_change(hits, 400, base, 500)
        risks += other.low <= 0.5 <= other.high
    assert 0.93 <= paired / 2_000 <= 0.97
    assert 0.93 <= risks / 2_000 <= 0.975
    assert share_change(0, 10, 3, 10) == Estimate(None, 10)
    assert paired_change(np.ones(3), np.zeros(3)).value is None


def test_delays_reach_the_pages_that_were_delayed(few):
    """A study of search results delays search alone: visits that never search wait no longer."""
    world = delayed_world(population_under(load_behaviour("null")), 1.0, [2.0], 7, ["search"])
    values = measured(world, one_visit_each(few(2_000), 2), ["wait_a_page", "searches"])
    waits, searches = (values[name].reshape(-1, 2) for name in ("wait_a_page", "searches"))
    never = searches[:, 0] == 0
    assert (waits[never, 1] == waits[never, 0]).all()
    assert (waits[~never, 1] > waits[~never, 0]).all()


def test_studies_that_make_no_sense_are_refused():
    """A slow-down without a base, a chart without its points, or a page faster than nothing are faults."""
    figure = {"id": "x", "role": "predicted", "measure": "pages", "change": -0.1}
    about = {"id": "X", "study": "x", "conditions": "", "grade": "C", "source": "x"}
    with pytest.raises(ValueError, match="needs a base load"):
        Study.model_validate(about | {"design": "slow-down", "figures": [figure | {"delay": "1s"}]})
    with pytest.raises(ValueError, match="need `at` and `against`"):
        Study.model_validate(about | {"design": "landing", "figures": [figure]})
    with pytest.raises(ValueError, match="less than no time"):
        Study.model_validate(about | {"design": "sites", "base": "1s", "figures": [figure | {"delay": "-2s"}]})


def test_the_command_prints_the_card(footfall):
    """`footfall speed scorecard` prints every row, or JSON; an observational preset needs its flag."""
    said = footfall("speed", "scorecard", "--visits", "1000", "--json", "--behaviour", "h0.01")
    card = json.loads(said.out)
    assert (card["behaviour"], len(card["rows"])) == ("h0.01", sum(len(study.figures) for study in studies()))
    refused = footfall("speed", "scorecard", "--behaviour", "doubleclick-2016")
    assert refused.code == 2
    assert "give --observational" in refused.err
    shown = footfall("speed", "scorecard", "--visits", "1000", "--behaviour", "null")
    assert shown.code == 0
    assert "predictions are inside" in " ".join(shown.out.split())
    with pytest.raises(FileFaults):
        scorecard(7, 1_000, "no-such-preset")
