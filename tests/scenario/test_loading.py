"""A scenario with everything it names: overrides, digest, and a resolved form that can be read back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from simulator.journey.arms import choose_arm
from simulator.model.faults import FileFaults
from simulator.model.library import shipped
from simulator.scenario.load import FOLDER, load_scenario
from simulator.scenario.schema import ScenarioFile

SHIPPED = sorted(shipped(FOLDER))
PERSONA = "persona: mine\ndescribe: x\nextends: commuter_browser\nevidence: none\n"
POPULATION = "population: people\ndescribe: x\npersonas: {mine: 1}\n"
TARGET = "target: shop\noperations: {home: {path: /}}\n"
SCENARIO = "scenario: mine\ndescribe: x\npopulation: people\ntarget: shop\n"


@pytest.fixture
def mine(tmp_path):
    """Return a function that writes a scenario with all it names, parts of which may be changed, and loads it."""

    def loaded(overrides=None, **texts):
        files = {"mine": PERSONA, "people": POPULATION, "shop": TARGET, "scenario": SCENARIO} | texts
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text)
        return load_scenario(str(tmp_path / "scenario.yaml"), overrides)

    return loaded


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_scenario_loads(name):
    """The shipped scenarios are whole: people, pages, target and thresholds all exist."""
    scenario = load_scenario(name)
    assert scenario.spec.scenario == name
    assert len(scenario.personas.personas) >= 5
    assert scenario.thresholds


@pytest.mark.parametrize("name", SHIPPED)
def test_the_resolved_scenario_can_be_read_back(name):
    """What the manifest stores says everything, and is itself a valid scenario: the same one."""
    scenario = load_scenario(name)
    assert ScenarioFile.model_validate(scenario.resolved()) == scenario.spec


def test_demo_smoke_and_black_friday_are_shipped():
    """The three scenarios of the documentation exist under their names."""
    assert {"demo", "smoke", "black_friday"} <= set(SHIPPED)


OVERRIDES = {
    "seed": (99, 99),
    "duration": ("5s", 5.0),
    "shoppers": (17, 17),
    "host": ("http://127.0.0.1:9/", "http://127.0.0.1:9"),
    "target": ("json_server", "json_server"),
    "population": ("campaign_day", "campaign_day"),
    "pages": ("instant", "instant"),
}


@pytest.mark.parametrize("field", OVERRIDES)
def test_an_override_replaces_its_field_and_no_other(field):
    """A field that is given beside the file wins; all others stay as the file has them."""
    given, expected = OVERRIDES[field]
    plain, changed = load_scenario("demo"), load_scenario("demo", {field: given})
    assert getattr(changed.spec, field) == expected
    assert changed.spec.model_copy(update={field: getattr(plain.spec, field)}) == plain.spec


def test_an_override_reaches_what_it_names():
    """Another population, target and kind of pages are loaded, not only named."""
    changed = load_scenario("demo", {"population": "campaign_day", "target": "json_server", "pages": "instant"})
    assert changed.personas.name == "campaign_day"
    assert changed.target.name == "json_server"
    assert changed.pages.cards.tobytes() != load_scenario("demo").pages.cards.tobytes()


def test_a_wrong_value_can_be_overridden(mine):
    """A file whose field is wrong loads where the field is given anew."""
    with pytest.raises(FileFaults):
        mine(scenario=SCENARIO + "duration: 3\n")
    assert mine({"duration": "3s"}, scenario=SCENARIO + "duration: 3\n").spec.duration == 3.0


def test_what_it_names_is_looked_for_beside_it(mine):
    """Population, persona and target files stand beside the scenario and need no path."""
    scenario = mine()
    assert list(scenario.roster.personas) == ["mine"]
    assert scenario.target.name == "shop"


def test_the_digest_is_the_same_wherever_and_however_it_is_made(tmp_path):
    """The digest follows from the content: not from the folder, the hash seed, the time zone or the name by which."""
    path = shipped(FOLDER)["smoke"]
    script = "import sys; from simulator.scenario.load import load_scenario; print(load_scenario(sys.argv[1]).digest())"
    made = {load_scenario("smoke").digest(), load_scenario("smoke").digest()}
    environment = os.environ | {"PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo"}
    ended = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=tmp_path,
        env=environment,
    )
    assert made == {ended.stdout.strip()}


def test_the_digest_is_that_of_the_overridden_scenario(mine):
    """A value says the same in the file and on the command line, and has the same digest."""
    assert mine({"seed": 5}).digest() == mine(scenario=SCENARIO + "seed: 5\n").digest()


CHANGES = {
    "the seed": {"scenario": SCENARIO + "seed: 8\n"},
    "the duration": {"scenario": SCENARIO + "duration: 31s\n"},
    "the arrivals": {"scenario": SCENARIO + "arrivals: {rate: 6/s}\n"},
    "their spacing": {"scenario": SCENARIO + "arrivals: {rate: 5/s, spacing: even}\n"},
    "an arm": {"scenario": SCENARIO + "arms: [{name: slower, delay: {all: 1s}}]\n"},
    "a threshold": {"scenario": SCENARIO + "thresholds: [errors < 1%]\n"},
    "the kind of pages": {"scenario": SCENARIO + "pages: instant\n"},
    "the reference": {"scenario": SCENARIO + "reference: 2026-01-06T00:00:00Z\n"},
    "one number of a persona": {"mine": PERSONA + "patience: {hazard_per_s: 0.025}\n"},
    "what a persona inherits": {"mine": PERSONA.replace("commuter_browser", "bargain_hunter")},
    "a weight": {"people": POPULATION.replace("{mine: 1}", "{mine: 1, tourist: 1}")},
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_digest_changes_with_everything_that_matters(mine, what):
    """Whatever decides the plan or the behaviour changes the digest."""
    assert mine(**CHANGES[what]).digest() != mine().digest()


def test_a_comment_changes_no_digest(mine):
    """The digest is of what a file says, not of how it is written."""
    assert mine(scenario="# the best run\n" + SCENARIO, mine="\n\n" + PERSONA).digest() == mine().digest()


def test_shoppers_are_in_arms_by_their_shares():
    """Of 20,000 shoppers each arm gets its share to within four standard errors, control the rest."""
    scenario = load_scenario("demo", {"arms": [{"name": "a", "share": 0.2}, {"name": "b", "share": "30%"}]})
    assert scenario.arm_names == ("control", "a", "b")
    chosen = np.array([choose_arm(scenario.arms, scenario.spec.seed, shopper) for shopper in range(20_000)])
    for arm, share in enumerate((0.5, 0.2, 0.3)):
        assert abs(np.mean(chosen == arm) - share) < 4 * np.sqrt(share * (1 - share) / len(chosen))


def test_all_faults_of_all_files_come_at_once(mine):
    """Scenario, population, persona and target are all read before anything is refused, each fault with its file."""
    with pytest.raises(FileFaults) as refused:
        mine(
            scenario=SCENARIO + "duration: 3\nthresholds: [speed > 1]\n",
            mine=PERSONA + "patiance: {}\n",
            shop="target: shop\noperations: {hoem: {path: /}}\n",
        )
    found = [(Path(fault.file).name, fault.line, fault.path) for fault in refused.value.faults]
    assert found == [
        ("mine.yaml", 5, "patiance"),
        ("scenario.yaml", 5, "duration"),
        ("scenario.yaml", 6, "thresholds.0"),
        ("shop.yaml", 2, "operations.hoem"),
    ]


def test_a_fault_of_an_override_is_the_command_lines():
    """What was given beside the file is said to have been given there."""
    with pytest.raises(FileFaults) as refused:
        load_scenario("demo", {"duration": "3", "target": "nosuch"})
    assert [(fault.file, fault.line, fault.path) for fault in refused.value.faults] == [
        ("command line", 0, "duration"),
        ("command line", 0, "target"),
    ]
