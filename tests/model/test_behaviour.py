"""Behaviour presets: what they change of personas, what they leave, and what is refused."""

import math

import numpy as np
import pytest
from scipy import stats

from simulator.journey.closed_form import survival
from simulator.journey.kernel import hazard_sum
from simulator.model.behaviour import (
    BASE,
    CONSENSUS,
    apply,
    base_shopper,
    load_behaviour,
    shipped_behaviours,
)
from simulator.model.faults import FileFaults
from simulator.model.persona import PopulationSpec, find_persona, load_persona
from simulator.model.population import compile_population
from simulator.scenario.load import load_scenario

LEVELS = ("hazard_per_s", "put_off", "memory")


@pytest.fixture(scope="module")
def preset(everybody):
    """Return a function that compiles all shipped personas under a preset."""
    return lambda name: compile_population(apply(load_behaviour(name), everybody))[0].personas


def test_the_default_is_the_personas_as_they_stand(everybody, preset):
    """Under the consensus, every number of every persona is its file's, to the last bit."""
    assert preset(CONSENSUS).tobytes() == compile_population(everybody)[0].personas.tobytes()


@pytest.mark.parametrize("name", ["h0.01", "h0.05", "google-2017-observed"])
def test_personas_keep_their_differences(preset, name):
    """A preset multiplies all levels of patience by one factor; its forms hold for everybody."""
    before, after, given = preset(CONSENSUS), preset(name), load_behaviour(name).spec
    factor = given.patience.hazard_per_s / base_shopper().patience.hazard_per_s
    assert after["hazard_per_s"] == pytest.approx(before["hazard_per_s"] * factor)
    assert set(after["patience_shape"]) == {given.patience.shape}
    # What is no plain number points into tables whose places a preset may move.
    untouched = [field for field in before.dtype.names if field not in CHANGED and before.dtype[field].base.kind != "V"]
    assert len(untouched) > 30
    assert all(before[field].tobytes() == after[field].tobytes() for field in untouched)


CHANGED = {
    "hazard_per_s", "patience_shape", "frailty", "feedback", "put_off", "memory", "memory_decay", "tau_s", "dwell",
    "budget_waiting",
}  # fmt: skip


def test_under_null_nothing_reacts(preset):
    """Under `null` every level is zero and waiting is charged to no time budget."""
    personas = preset("null")
    assert not any(personas[level].any() for level in (*LEVELS, "dwell", "budget_waiting"))


def test_a_preset_names_the_levels_of_the_base(preset):
    """The numbers of a preset are those of `base_mobile` on browsing pages."""
    base = load_persona(find_persona(BASE))
    for name in shipped_behaviours():
        given = load_behaviour(name).spec
        one = apply(load_behaviour(name), PopulationSpec("one", (base,), (1.0,))).personas[0].spec
        assert one.patience.hazard_per_s == pytest.approx(given.patience.hazard_per_s)
        assert (one.put_off.per_log_load, one.put_off.memory) == pytest.approx(
            (given.put_off.per_log_load, given.put_off.memory)
        )
    assert len(preset(CONSENSUS)) > 10


def test_google_2017_is_log_logistic():
    """The share that has left by t under `google-2017-observed` is log-logistic, median 3.94 s, shape 3.88."""
    patience = load_behaviour("google-2017-observed").spec.patience
    for wait_s in (0.5, 1.0, 3.0, 3.94, 7.0, 10.0):
        hazard = hazard_sum(patience.hazard_per_s, patience.shape, patience.feedback, 0.0, wait_s)
        expected = stats.fisk.sf(wait_s, 3.88, scale=3.94)
        assert survival(hazard, patience.frailty_variance) == pytest.approx(expected, abs=1e-4)


def test_the_threshold_stands_where_it_says():
    """Under `threshold-7s` a tenth has left by 7 s and half by 10 s."""
    patience = load_behaviour("threshold-7s").spec.patience
    left = [1 - math.exp(-patience.hazard_per_s * wait_s**patience.shape) for wait_s in (7, 10)]
    assert left == pytest.approx([0.1, 0.5], abs=0.01)


def test_observed_curves_must_be_meant():
    """An observational preset is refused unless the scenario says that it is meant."""
    with pytest.raises(FileFaults, match=r"doubleclick-2016 takes an observed curve .* give --observational"):
        load_scenario("demo", {"behaviour": "doubleclick-2016"})
    scenario = load_scenario("demo", {"behaviour": "doubleclick-2016", "observational": True})
    assert scenario.behaviour.observational
    assert "doubleclick-2016" in scenario.behaviour.assumed()


def test_null_may_stand_without_quotes(tmp_path):
    """`behaviour: null` in a scenario file means the preset of that name."""
    file = tmp_path / "mine.yaml"
    file.write_text("scenario: mine\ndescribe: nothing reacts\nbehaviour: null\n")
    assert load_scenario(str(file)).behaviour.name == "null"


def test_bad_presets_are_refused_with_their_lines(tmp_path):
    """Every fault of a preset file is named at its line, and a name that leads nowhere gets a suggestion."""
    file = tmp_path / "mine.yaml"
    file.write_text(
        "behaviour: mine\ndescribe: x\nkind: causal\npatience: {hazard_per_s: -1, shap: 2}\n"
        "put_off: {per_log_load: 0}\nintervals: {patience.level: [0, 1]}\n"
    )
    with pytest.raises(FileFaults) as told:
        load_behaviour(str(file))
    text = str(told.value)
    assert all(part in text for part in ("mine.yaml:4", "hazard_per_s", "shap", "did you mean shape?", "memory"))
    with pytest.raises(FileFaults, match=r"did you mean h0\.025\?"):
        load_scenario("demo", {"behaviour": "h0.02"})
    file.write_text(
        "behaviour: mine\ndescribe: x\nkind: causal\npatience: {hazard_per_s: 1}\n"
        "put_off: {per_log_load: 0, memory: 0}\nintervals: {patience.shape: [0, 1]}\n"
    )
    with pytest.raises(FileFaults, match=r"patience\.shape is not a number of this preset"):
        load_behaviour(str(file))


def test_levels_change_the_digest():
    """Scenarios that differ in their preset alone have other digests; intervals and words do not count."""
    plain, null = (load_scenario("demo", {"behaviour": name}) for name in (CONSENSUS, "null"))
    assert plain.settings()["behaviour"] != null.settings()["behaviour"]
    assert plain.digest() != null.digest()
    same = load_behaviour(CONSENSUS).at(patience__hazard_per_s=load_behaviour(CONSENSUS).spec.patience.hazard_per_s)
    assert same.digest == load_behaviour(CONSENSUS).digest
    assert np.isfinite(same.spec.patience.hazard_per_s)
