"""`footfall speed estimators` and `footfall speed sample-size`, as people run them."""

from __future__ import annotations

import json

import pytest

from simulator.study import scoreboard as boards


@pytest.fixture
def quick(monkeypatch):
    """Let a truth of few shoppers and a small pilot do: the commands are looked at, not their figures."""
    whole = boards.plan_of
    monkeypatch.setattr(boards, "plan_of", lambda seed: whole(seed, 1_500))
    monkeypatch.setattr(boards, "BLOCK", 2)


@pytest.mark.usefixtures("quick")
def test_the_scoreboard_is_printed_and_written(footfall, tmp_path):
    """The page and the JSON are of one scoreboard; the exit code says whether all hold."""
    page = tmp_path / "estimators.md"
    said = footfall(
        "speed", "estimators", "--runs", 2, "--workers", 1, "--truth-shoppers", 10_000, "--json", "--markdown", page
    )
    found = json.loads(said.out)
    assert said.code == (1 if found["wrong"] else 0)
    assert found["runs"] == 2
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# How good the estimators are\n")
    for line in found["lines"]:
        assert f"| {line['name']} | {line['how']} |" in text
    assert "null" in said.out  # what has no truth, as a test, is null and not NaN
    assert "NaN" not in said.out


@pytest.mark.usefixtures("quick")
def test_the_scoreboard_fits_a_terminal(footfall, monkeypatch):
    """At 80 columns each estimator has its name, figures and verdict, and nothing is cut off."""
    monkeypatch.setenv("COLUMNS", "80")
    said = footfall("speed", "estimators", "--runs", 2, "--workers", 1, "--truth-shoppers", 10_000)
    assert "mean of finished visits" in said.out
    assert "naive" in said.out
    assert "…" not in said.out


def test_sizes_of_a_scenario(footfall):
    """A scenario is its own pilot: every metric has its sizes, in pairs by far the fewest."""
    said = footfall("speed", "sample-size", "smoke", "--change", "5%", "--shoppers", 1_000, "--json")
    assert said.code == 0
    found = {one["metric"]: one for one in json.loads(said.out)["needs"]}
    pages = found["pages"]
    assert pages["paired"]["shoppers"] < pages["cuped"]["shoppers"] <= 1.05 * pages["unpaired"]["shoppers"]
    text = footfall("speed", "sample-size", "smoke", "--change", "5%", "--shoppers", 1_000).out
    assert f"{pages['unpaired']['shoppers']:,}" in text
    assert "…" not in text


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("nosuch",), "is not a shipped scenario"),
        (("smoke", "--change", "0"), "not between 0 and 100%"),
        (("smoke", "--change", "-1%"), "must be a share"),
        (("smoke", "--change", "soon"), "must be a share"),
        (("smoke", "--power", "100%"), "not between 0 and 100%"),
    ],
)
def test_what_makes_no_sense_is_refused(footfall, arguments, complaint):
    """A scenario that is not there and shares that are none end with 2 and a reason."""
    said = footfall("speed", "sample-size", *arguments)
    assert said.code == 2
    assert complaint in said.err


def test_a_folder_that_is_no_run_is_refused(footfall, tmp_path):
    """A folder without a manifest ends with 2; options of a scenario do not go with a run."""
    assert "has no manifest.json" in footfall("speed", "sample-size", tmp_path).err
    said = footfall("speed", "sample-size", tmp_path, "--seed", 3)
    assert said.code == 2
    assert "a run has its own" in said.err
