"""`footfall persona`: what it prints, where, and how it ends."""

import json
import os
import signal
import subprocess
import sys

import pytest

from simulator.cli import main
from simulator.journey.closed_form import expectations, still_waiting
from simulator.model.library import shipped
from simulator.model.merge import FOLDER
from simulator.model.persona import POPULATIONS, complete_personas, load_persona
from simulator.model.population import compile_population
from simulator.model.states import STAGES, STATE_NAMES

GOOD = "persona: mine\ndescribe: for a test\nextends: base_mobile\nconsent: {push: 0.5}\n"


@pytest.fixture
def footfall(monkeypatch, capsys):
    """Return a function that runs the command and gives (exit code, stdout, stderr)."""
    handler = signal.getsignal(signal.SIGTERM)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["footfall", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    yield run
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture(scope="module")
def theory(everybody):
    """Return the closed form of every shipped persona by name."""
    population, roster = compile_population(everybody)
    return {name: expectations(population, index) for index, name in enumerate(roster.personas)}


@pytest.mark.skipif(len(os.sched_getaffinity(0)) == 1, reason="needs two processors")
def test_the_number_of_processors_does_not_show():
    """A closed form is the same to its last digit on one processor and on all: more threads sum in other order."""
    script = "import os, sys; os.sched_setaffinity(0, eval(sys.argv.pop(1)))\nfrom simulator.cli import main; main()"
    unset = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    everyone = os.sched_getaffinity(0)
    one, other = (
        subprocess.run(
            [sys.executable, "-c", script, repr(processors), "persona", "show", "support_seeker", "--json"],
            env=unset, check=True, capture_output=True, timeout=60,
        ).stdout
        for processors in ({min(everyone)}, everyone)
    )  # fmt: skip
    assert one == other
    assert json.loads(one)["expectations"]["pages"] > 1


def test_list_names_every_persona_with_its_figures(footfall, everybody, theory):
    """Every complete shipped persona has one line with pages, bounce, conversion and abandonment, and its story."""
    code, out, err = footfall("persona", "list")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["persona", "pages", "bounce", "conversion", "abandonment"]
    for persona in everybody.personas:
        expected = theory[persona.name]
        line = next(line for line in lines if line.startswith(persona.name + " "))
        assert line.split()[1:] == [
            f"{expected.pages:.2f}",
            *f"{100 * expected.bounce:.1f} %".split(),
            *f"{100 * expected.conversion:.1f} %".split(),
            *f"{100 * expected.abandonment:.1f} %".split(),
        ]
        assert " ".join(persona.spec.describe.split()) in " ".join(out.split())


def test_list_as_json(footfall, theory):
    """The same list is there for programs, with every figure of the closed form."""
    code, out, err = footfall("persona", "list", "--json")
    rows = json.loads(out)
    assert (code, err) == (0, "")
    assert [row["persona"] for row in rows] == list(complete_personas())
    for row in rows:
        assert row["expectations"]["pages"] == pytest.approx(theory[row["persona"]].pages)
        assert set(row["expectations"]["visits"]) == set(STATE_NAMES)


@pytest.mark.parametrize("name", [*complete_personas(), "base_mobile"])
def test_show_is_readable_at_80_columns(footfall, name):
    """No line of any shipped persona is wider than 80 columns, and no control codes reach a pipe."""
    code, out, err = footfall("persona", "show", name)
    assert (code, err) == (0, "")
    assert max(len(line.rstrip()) for line in out.splitlines()) <= 80
    assert "\x1b" not in out
    assert "…" not in out


def test_show_says_where_each_field_comes_from(footfall):
    """Beside each field stands the file and line that gave it: its own, its parent's or a mixin's."""
    _, out, _ = footfall("persona", "show", "tourist")
    lines = [line.split() for line in out.splitlines()]

    def origin(key):
        return next(line[-1] for line in lines if line[:1] == [f"{key}:"])

    assert origin("persona") == "tourist.yaml:1"
    for key, file in (("hazard_per_s", "tourist"), ("shape", "base_mobile"), ("location", "with_location_offers")):
        name, line = origin(key).split(":")
        assert name == f"{file}.yaml"
        assert f"{key}: " in shipped(FOLDER)[file].read_text().splitlines()[int(line) - 1]


def test_show_gives_evidence_and_published_ranges(footfall, theory):
    """Evidence texts stand beside the numbers, and the closed form beside published ranges with their sources."""
    _, out, _ = footfall("persona", "show", "loyal_member")
    told = " ".join(out.split())
    assert "evidence: assumed; coffee hours" in told
    assert f"bounce {100 * theory['loyal_member'].bounce:.1f} % ↓ 40-58 % 49 % of 20 bn visits" in told
    assert f"conversion {100 * theory['loyal_member'].conversion:.1f} % ↑ 1-3 %" in told
    assert "pages a visit 4.29 ± 4.1 2-6" in told
    assert "Baymard" in told


def test_show_as_json(footfall, theory, everybody):
    """For programs: the resolved file, an origin for every field, expectations, quantiles and patience."""
    code, out, _ = footfall("persona", "show", "tourist", "--json")
    facts = json.loads(out)
    persona = next(p for p in everybody.personas if p.name == "tourist")
    assert code == 0
    assert facts["resolved"] == json.loads(json.dumps(persona.merged.data))
    origin = facts["origins"]["patience.shape"]
    lines = shipped("personas/shoppers")["base_mobile"].read_text().splitlines()
    assert origin.endswith(f"personas/shoppers/base_mobile.yaml:{lines.index('patience:') + 3}")
    assert "shape" in lines[lines.index("patience:") + 2]
    assert facts["expectations"]["conversion"] == pytest.approx(theory["tourist"].conversion)
    assert set(facts["published"]) == {"pages", "bounce", "conversion", "abandonment"}
    assert set(facts["still_waiting"]) == set(STAGES)


def test_every_field_has_an_origin(footfall):
    """No field of the resolved file is without the file and line that gave it."""
    facts = json.loads(footfall("persona", "show", "commuter_browser", "--json")[1])

    def paths(value, path=()):
        if isinstance(value, dict):
            for key, inner in value.items():
                yield ".".join((*path, key))
                yield from paths(inner, (*path, key))

    assert set(facts["origins"]) == set(paths(facts["resolved"]))
    for origin in facts["origins"].values():
        file, _, line = origin.rpartition(":")
        assert file.endswith(".yaml")
        assert int(line) > 0


def test_quantiles_are_those_of_the_distributions(footfall, everybody):
    """Each distribution has its unit and the quantiles and mean that its own theory gives."""
    facts = json.loads(footfall("persona", "show", "tourist", "--json")[1])
    spec = next(p.spec for p in everybody.personas if p.name == "tourist")
    shown = {one["name"]: one for one in facts["distributions"]}
    expected = {f"think time: {state}": ("s", think) for state, think in spec.tempo.items()} | {
        "time budget": ("s", spec.budget.time),
        "visits": ("per week", spec.arrivals.visits_per_week),
        "price sensitivity": ("0 to 1", spec.affinity.price_sensitivity),
    }
    assert set(shown) == {*expected, "impatience"}
    for name, (unit, distribution) in expected.items():
        assert shown[name]["unit"] == unit
        for share in (10, 50, 90, 99):
            assert shown[name][f"p{share}"] == pytest.approx(distribution.quantile(share / 100), rel=2e-4)
        assert shown[name]["mean"] == pytest.approx(distribution.mean(), rel=2e-4)
    assert shown["impatience"]["mean"] == pytest.approx(1.0, rel=1e-3)


def test_the_patience_curve(footfall, everybody):
    """The share still waiting after 1, 2, 5, 10 and 20 seconds falls, and is (1 + θΛ)^(−1/θ)."""
    facts = json.loads(footfall("persona", "show", "tourist", "--json")[1])
    patience = next(p.spec for p in everybody.personas if p.name == "tourist").patience
    for stage, shares in facts["still_waiting"].items():
        assert list(shares) == ["1s", "2s", "5s", "10s", "20s"]
        assert list(shares.values()) == sorted(shares.values(), reverse=True)
        hazard, variance = patience.hazard_per_s * patience.by_stage[stage] * 10, patience.frailty_variance
        assert shares["10s"] == pytest.approx((1 + variance * hazard) ** (-1 / variance))
        assert shares["10s"] == pytest.approx(still_waiting(patience, stage, 10.0))


def test_show_a_file_of_ones_own(footfall, persona_file):
    """A path is shown like a shipped name, with origins in both files."""
    path = persona_file(GOOD)
    code, out, _ = footfall("persona", "show", path)
    assert code == 0
    assert "mine.yaml:4" in out
    assert "base_mobile.yaml:" in out


def test_a_persona_without_carts_has_no_abandonment(footfall, persona_file):
    """Where nobody reaches the cart, abandonment is a dash for people and null for programs."""
    path = persona_file(
        "persona: mine\ndescribe: x\nextends: base_mobile\nbudget: {time: null}\npatience: {frailty_variance: 0}\n"
        "journey: {buys: never, entry: {home: 1.0}, rows: {home: {exit: 1.0}}}\n"
    )
    facts = json.loads(footfall("persona", "show", path, "--json")[1])
    assert facts["expectations"]["abandonment"] is None
    assert {one["name"] for one in facts["distributions"]}.isdisjoint({"time budget", "impatience"})
    _, out, _ = footfall("persona", "show", path)
    assert "cart abandonment –" in " ".join(out.split())


def test_show_an_unknown_name(footfall):
    """A name that is not shipped ends with 2 and the nearest one that is; stdout stays empty."""
    code, out, err = footfall("persona", "show", "turist")
    assert (code, out) == (2, "")
    assert err.startswith("error: turist: is not a shipped persona, shipped are ar_previewer, ")
    assert err.endswith("Hint: did you mean tourist?\n")


def test_show_a_mixin(footfall):
    """A mixin is a part of personas and is not shown as one."""
    code, out, err = footfall("persona", "show", "with_commute")
    assert (code, out) == (2, "")
    assert err.endswith(
        "with_commute.yaml:1: is a mixin, a part of personas, a persona has a name or extends another\n"
    )


def test_check_all_shipped(footfall):
    """Every shipped persona, mixin and population is fine, and the number of files is said on stderr."""
    files = len(shipped(FOLDER)) + len(shipped(POPULATIONS))
    assert footfall("persona", "check") == (0, "", f"{files} files are fine\n")


def test_check_ones_own_files(footfall, persona_file):
    """Personas, mixins and populations are told apart by their keys; names of shipped ones do too."""
    files = [
        persona_file(GOOD),
        persona_file("consent: {push: 0.1}\n", "with_less.yaml"),
        persona_file("population: p\ndescribe: x\npersonas: {mine: 1, tourist: 2}\n", "people.yaml"),
    ]
    assert footfall("persona", "check", *files, "tourist") == (0, "", "4 files are fine\n")
    assert footfall("persona", "check", files[0]) == (0, "", "1 file is fine\n")


def test_check_tells_every_fault_of_every_file(footfall, persona_file, monkeypatch, tmp_path):
    """All faults of all files are printed at once, each with file and line, and the command ends with 2."""
    monkeypatch.chdir(tmp_path)
    persona_file(GOOD + "patience: {shape: 0}\nput_off: {tau: 3}\n", "a.yaml")
    persona_file("consent:\n  push: 7\n", "b.yaml")
    persona_file("population: p\ndescribe: x\npersonas: {a.yaml: 1, nobody: 1}\n", "c.yaml")
    persona_file(GOOD, "fine.yaml")
    code, out, err = footfall("persona", "check", "a.yaml", "b.yaml", "c.yaml", "fine.yaml", "gone.yaml")
    assert (code, out) == (2, "")
    assert [line.split(", shipped")[0] for line in err.splitlines()] == [
        "error: a.yaml:5: patience.shape is 0, Input should be greater than 0",
        "error: a.yaml:6: put_off.tau is 3, must be a duration with its unit: us, ms, s, min, h, d or w, as 400ms",
        "error: b.yaml:2: consent.push is 7, must be a share from 0 to 1, or 0% to 100%",
        "error: c.yaml:3: personas.nobody is not a shipped persona",
        "error: gone.yaml: does not exist",
    ]


def test_help_imports_nothing_heavy():
    """Help is there at once: neither numba nor scipy, pydantic or rich is imported to show it."""
    code = (
        "import sys; from simulator.cli.persona import command; from click.testing import CliRunner; "
        "print(CliRunner().invoke(command, ['--help']).output); "
        "print(sorted({'numba', 'scipy', 'pydantic', 'rich', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for name in ("list", "show", "check"):
        assert f"  {name} " in done.stdout


def test_personas_load_as_they_are_checked(everybody):
    """What `check` calls fine is what runs load."""
    assert [persona.name for persona in everybody.personas] == list(complete_personas())
    assert all(load_persona(path).name == name for name, path in complete_personas().items())
