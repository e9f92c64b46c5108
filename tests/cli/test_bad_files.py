"""Faulty files on the command line: all faults at once, each with its place, and nothing is written."""

from __future__ import annotations

import pytest

from simulator.model.states import STATE_NAMES
from simulator.model.yamlfile import known_keys
from simulator.scenario.schema import ScenarioFile

SCENARIO = """scenario: mine
describe: A run.
population: everyday
target: storefront
"""
STATES = ", ".join(STATE_NAMES)
KEYS = ", ".join(known_keys(ScenarioFile, ()))
FAULTS = {
    "an unknown key, with the nearest": (
        "durations: 5s",
        f"mine.yaml:5: durations is not a known key, allowed are {KEYS}. Hint: did you mean duration?",
    ),
    "a duration without its unit": (
        "duration: 30",
        "mine.yaml:5: duration is 30, must be a duration with its unit: us, ms, s, min, h, d or w, as 400ms",
    ),
    "a rate without its unit": (
        "arrivals: {kind: constant, rate: 10}",
        "mine.yaml:5: arrivals.rate is 10, must be a rate with its unit: /s, /min, /h or /d, as 10/s",
    ),
    "steps without steps": (
        "arrivals: {kind: steps}",
        "mine.yaml:5: arrivals is {'kind': 'steps'}, steps needs a list `steps` of {rate, duration}",
    ),
    "a ramp that begins nowhere": (
        "arrivals: {kind: ramp, rate: 10/s}",
        "mine.yaml:5: arrivals is {'kind': 'ramp', 'rate': '10/s'}, ramp needs `from`, the rate it starts with",
    ),
    "a threshold on nothing": (
        "thresholds:\n  - errors < 1%\n  - p95 of load_tim < 2s",
        "mine.yaml:7: thresholds.1 load_tim is not a metric, allowed are",
    ),
    "a threshold without an operator": (
        "thresholds: [errors = 1%]",
        (
            "mine.yaml:5: thresholds.0 `errors = 1%` does not read as a threshold (column 8: `=` where of or vs or { "
            "or an operator was expected), allowed is `[aggregate of] metric[{label:value}] < value`, "
            "as p95 of load_time{page:product} < 2.5s. "
            "Hint: operators are <, <=, >, >="
        ),
    ),
    "an arm for a page there is not": (
        "arms: [{name: slower, delay: {hoem: 1s}}]",
        (
            "mine.yaml:5: arms.0 is {'name': 'slower', 'delay': {'hoem': '1s'}}, "
            f"delay: hoem is not a state; allowed are all, {STATES}"
        ),
    ),
    "a control that changes something": (
        "arms: [{name: control, delay: {all: 1s}}]",
        "mine.yaml:5: arms.0 is {'name': 'control', 'delay': {'all': '1s'}}, control changes nothing",
    ),
    "a host that is none": (
        "host: shop.example",
        "mine.yaml:5: host is 'shop.example', must be a base URL, as https://shop.example",
    ),
    "a key that stands twice": (
        "describe: Again.",
        (
            'mine.yaml:5: is not valid YAML: found duplicate key "describe" with value "Again." '
            '(original value: "A run."). Hint: each key may stand once'
        ),
    ),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_of_a_scenario(footfall, file, tmp_path, what):
    """A fault has file, line, path, what was found and what is allowed; exit code 2 and nothing is written."""
    text, said = FAULTS[what]
    code, out, err = footfall("generate", file("mine.yaml", f"{SCENARIO}{text}\n"), "--out", "data")
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {said}")
    assert len(err.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.yaml"]


MANY = """scenario: Bad Name
descripe: x
population: nosuch
target: storefrond
duration: 3
thresholds: [errors = 1%]
"""
MANY_SAID = [
    "mine.yaml:1: describe is missing, this key is required",
    "mine.yaml:1: scenario is 'Bad Name', String should match pattern '^[a-z0-9][a-z0-9_-]*$'",
    f"mine.yaml:2: descripe is not a known key, allowed are {KEYS}. Hint: did you mean describe?",
    "mine.yaml:3: population nosuch is not a shipped population, shipped are campaign_day, everyday, global",
    (
        "mine.yaml:4: target storefrond is not a shipped target, shipped are json_server, storefront. "
        "Hint: did you mean storefront?"
    ),
    "mine.yaml:5: duration is 3, must be a duration with its unit: us, ms, s, min, h, d or w, as 400ms",
    (
        "mine.yaml:6: thresholds.0 `errors = 1%` does not read as a threshold (column 8: `=` where of or vs or { or "
        "an operator was expected), allowed is `[aggregate of] metric[{label:value}] < value`, "
        "as p95 of load_time{page:product} < 2.5s. Hint: operators are <, <=, >, >="
    ),
]


@pytest.mark.parametrize(
    "words",
    [
        ("generate", "mine.yaml", "--out", "x"),
        ("load", "mine.yaml", "--host", "http://127.0.0.1:1", "--out", "x"),
        ("capacity", "mine.yaml", "--backend", "small_shop", "--out", "x"),
    ],
    ids=lambda words: words[0],
)
def test_all_faults_come_at_once_whichever_command_reads_the_file(footfall, file, tmp_path, words):
    """Faults of shape, of meaning and of what the file names are told together, in the order of the lines."""
    file("mine.yaml", MANY)
    said = footfall(*words)
    assert said == (2, "", "".join(f"error: {line}\n" for line in MANY_SAID))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.yaml"]


def test_faults_of_all_files_come_at_once(footfall, file):
    """A scenario, the target and the population that it names, and a backend: one list of faults."""
    file("shop.yaml", "target: t\noperations:\n  hoem: {path: /}\n")
    file("people.yaml", "population: people\ndescribe: x\npersonas: {commuter_browser: -1}\n")
    file("backend.yaml", "backend: b\ndescribe: x\nstations: {app: {servers: 0}}\n")
    file("mine.yaml", "scenario: mine\ndescribe: x\npopulation: people\ntarget: shop\nseed: -1\n")
    said = footfall("capacity", "mine.yaml", "--backend", "backend.yaml", "--out", "x")
    assert (said.code, said.out) == (2, "")
    found = [line.removeprefix("error: ").split(" ")[:2] for line in said.err.splitlines()]
    assert [place for place, _ in found] == sorted(place for place, _ in found)
    assert {place.partition(":")[0] for place, _ in found} == {"backend.yaml", "mine.yaml", "people.yaml", "shop.yaml"}
    assert ["mine.yaml:5:", "seed"] in found
    assert ["shop.yaml:3:", "operations.hoem"] in found


OPTIONS = {
    ("--rate", "ten"): "arrivals.rate is 'ten', must be a rate with its unit: /s, /min, /h or /d, as 10/s",
    ("--rate", "0/s"): "arrivals.rate is '0/s', must be above zero",
    ("--duration", "5"): "duration is '5', must be a duration with its unit: us, ms, s, min, h, d or w, as 400ms",
    ("--duration", "-5s"): "duration is '-5s', must not be negative",
    ("--host", "ftp://shop.example"): "host is 'ftp://shop.example', must be a base URL, as https://shop.example",
    ("--host", "http://shop.example:99999"): (
        "host is 'http://shop.example:99999', must be a base URL, as https://shop.example"
    ),
    ("--target", "nosuch"): "target nosuch is not a shipped target, shipped are json_server, storefront",
}


@pytest.mark.parametrize("option", OPTIONS, ids=" ".join)
def test_a_fault_of_an_option_is_not_the_files(footfall, tmp_path, option):
    """A value that came on the command line is said to be there, not in a line of the file that it overrides."""
    said = footfall("load", "smoke", *option, "--out", tmp_path / "run")
    assert said == (2, "", f"error: command line: {OPTIONS[option]}\n")
    assert not (tmp_path / "run").exists()


NAMES = {
    ("generate", "smok"): (
        "smok: is not a shipped scenario, shipped are black_friday, demo, ordinary_week, smoke. "
        "Hint: did you mean smoke?"
    ),
    ("generate", "no.yaml"): "no.yaml: does not exist, shipped are black_friday, demo, ordinary_week, smoke",
    (
        "capacity",
        "--backend",
        "small",
    ): "small: is not a shipped backend, shipped are small_shop, uncontended. Hint: did you mean small_shop?",
    ("target", "check", "storefrnt"): (
        "storefrnt: is not a shipped target, shipped are json_server, storefront. Hint: did you mean storefront?"
    ),
}


@pytest.mark.parametrize("words", NAMES, ids=" ".join)
def test_a_name_that_leads_nowhere(footfall, tmp_path, monkeypatch, words):
    """A name that is neither shipped nor a file is told with those that are, and the nearest."""
    monkeypatch.chdir(tmp_path)
    assert footfall(*words) == (2, "", f"error: {NAMES[words]}\n")
    assert list(tmp_path.iterdir()) == []


FILES = {
    "nothing": ("", "holds nothing, must hold a mapping of keys to values"),
    "a list": ("- a\n- b\n", "holds a list, must hold a mapping of keys to values"),
    "one word": ("hello\n", "holds one value, 'hello', must hold a mapping of keys to values"),
}


@pytest.mark.parametrize("what", FILES)
def test_a_file_that_is_no_mapping(footfall, file, what):
    """A file that holds something else entirely is told as that."""
    text, said = FILES[what]
    assert footfall("generate", file("mine.yaml", text)) == (2, "", f"error: mine.yaml: {said}\n")


def test_a_file_that_is_not_text(footfall, file, tmp_path):
    """A file that is no UTF-8 text is told as that, without a traceback."""
    file("mine.yaml", "")
    (tmp_path / "mine.yaml").write_bytes(b"\xff\xfe\x00binary")
    said = footfall("generate", "mine.yaml")
    assert said.code == 2
    assert said.err.startswith("error: mine.yaml: cannot be read (")
    assert said.err.endswith("a UTF-8 text file is needed\n")


def test_yaml_that_cannot_be_read(footfall, file):
    """A syntax error has its line and a hint."""
    said = footfall("generate", file("mine.yaml", "scenario: mine\ndescribe: [open\nseed: 1\n"))
    assert said.code == 2
    assert said.err.startswith("error: mine.yaml:3: is not valid YAML: ")
    assert said.err.endswith("Hint: check indentation, colons and quotes\n")


def test_a_persona_file_with_faults(footfall, file):
    """`persona check` prints every fault of every file given, and exits with 2."""
    file("a.yaml", "extends: base_mobile\ndescribe: x\npersona: a\npatiance: {}\n")
    file("b.yaml", "extends: nobody\ndescribe: x\npersona: b\n")
    said = footfall("persona", "check", "a.yaml", "b.yaml")
    assert (said.code, said.out) == (2, "")
    lines = said.err.splitlines()
    assert lines[0].startswith("error: a.yaml:4: patiance is not a known key, allowed are ")
    assert lines[0].endswith("Hint: did you mean patience?")
    assert any(line.startswith("error: b.yaml:1: extends") for line in lines)


def test_a_persona_that_is_not_there(footfall):
    """`persona show` of an unknown name lists those there are, with the nearest."""
    said = footfall("persona", "show", "commuter")
    assert said.code == 2
    assert said.err.startswith("error: commuter: is not a shipped persona, shipped are ar_previewer, ")


def test_a_mixin_is_no_persona(footfall):
    """`persona show` of a mixin says what it is instead of showing half a shopper."""
    said = footfall("persona", "show", "with_commute")
    assert said.code == 2
    assert "with_commute.yaml:1: is a mixin, a part of personas, a persona has a name or extends another" in said.err


def test_a_target_file_with_faults(footfall, file):
    """`target check` reads the whole file before it asks anybody anything."""
    file("shop.yaml", "target: t\ntimeout: 3\noperations:\n  home: {path: nowhere}\n  hoem: {path: /}\n")
    said = footfall("target", "check", "shop.yaml", "--host", "http://127.0.0.1:1")
    assert (said.code, said.out) == (2, "")
    places = [line.split(" ")[1] for line in said.err.splitlines()]
    assert places == ["shop.yaml:2:", "shop.yaml:4:", "shop.yaml:5:"]
