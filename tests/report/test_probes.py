"""What probes found, in the verdict and in every form of the report."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from junitparser import Failure, JUnitXml, Skipped
from selectolax.lexbor import LexborHTMLParser

import simulator.report.write as write_module
from simulator.analysis.runs import read_run
from simulator.report import write_reports
from simulator.report.annotations import of_verdict

SCHEMA = json.loads((Path(write_module.__file__).with_name("summary.schema.json")).read_text(encoding="utf-8"))
NASTY = "<script>alert(1)</script> \u202eabc | `x`"


def finding(code, name, state, **more):
    """Return a finding as a manifest has it."""
    checks = {"checked": 40, "violated": 0, "visits": 20, "visits_violated": 0, "low": 0.0, "high": 0.09}
    base = {"code": code, "name": name, "kind": "echo", "says": "it must hold", "state": state, "operations": ["home"]}
    return base | {"alone": checks, "among": checks} | more


VIOLATED = {"checked": 40, "violated": 4, "visits": 20, "visits_violated": 3, "low": 0.04, "high": 0.23}
SAMPLE = {
    "says": f"home answered {NASTY}",
    "operation": "home",
    "when": "among",
    "first": "curl -sS 'http://127.0.0.1/home?a=1&b=2'",
    "second": "curl -sS http://127.0.0.1/session",
    "differs": [["subject", NASTY, "ff-7-2"]],
}
SHOWN = [
    {"operation": "recommend", "when": when, "answers": 90, "eligible": 80, "known": 80, "share": share, "ndcg": 0.8}
    for when, share in (("alone", 1.0), ("among", 0.5))
]
PROBES = {
    "share": 0.05,
    "requests": 321,
    "alone_requests": 120,
    "findings": [
        finding("H1", "leak", "violated", among=VIOLATED, samples=[SAMPLE], blamed=True),
        finding("H10", "flicker", "violated", among=VIOLATED, explained_by="H1"),
        finding("H12", "stale_price", "held"),
        finding("H22", "learned_from", "not observable", missing=["readings.popularity"], operations=[]),
    ],
    "operations": SHOWN,
    "over_time": [{**SHOWN[1], "from_s": 5 * n} for n in range(4)],
    "offers": [
        {"operation": "o", "country": "GB", "at": [51.5, -0.1], "held": n > 0, "fences": [[51.5, -0.1, 900.0, n > 0]]}
        for n in range(3)
    ],
    "pushes_by_hour": [0] * 9 + [3] * 13 + [1, 0],
}  # fmt: skip


@pytest.fixture(scope="module")
def probed(playing, tmp_path_factory):
    """Return the folder of a live run in which one hazard was found, rendered, and its verdict."""
    folder = playing.write_run(tmp_path_factory.mktemp("probed") / "run", world="live", probes=PROBES)
    return folder, write_reports(folder)


def test_a_found_hazard_fails_the_run(probed):
    """Exit code 1, the hazard by name and count; what another hazard explains decides nothing."""
    _, verdict = probed
    assert (verdict.state, verdict.exit_code) == ("failed", 1)
    assert verdict.headline == "Personalization went wrong in 1 way."
    (reason,) = verdict.reasons
    assert reason == "H1 leak: 4 of 80 checks violated, in home; due is that it must hold"


def test_hazards_that_held_pass(playing, tmp_path):
    """A run whose probes found nothing passes, and what could not be judged is no failure."""
    fine = {**PROBES, "findings": PROBES["findings"][2:]}
    folder = playing.write_run(tmp_path / "run", world="live", probes=fine)
    assert write_reports(folder).exit_code == 0


def test_junit_has_a_case_for_each_hazard(probed):
    """Found fails with the requests that show it, not observable is skipped with what is missing, held passes."""
    folder, _ = probed
    (suite,) = JUnitXml.fromfile(str(folder / "junit.xml"))
    cases = {case.name: case for case in suite if case.classname == "probes"}
    assert set(cases) == {"H1 leak", "H10 flicker", "H12 stale_price", "H22 learned_from"}
    (failure,) = cases["H1 leak"].result
    assert isinstance(failure, Failure)
    assert SAMPLE["first"] in failure.text
    (skipped,) = cases["H22 learned_from"].result
    assert isinstance(skipped, Skipped)
    assert skipped.message == "readings.popularity"
    assert cases["H10 flicker"].result == cases["H12 stale_price"].result == []


def test_markdown_names_what_was_found(probed):
    """The step summary has a row for each hazard found, and says in a line what became of the others."""
    text = (probed[0] / "report.md").read_text(encoding="utf-8")
    assert "| ❌ | H1 leak | it must hold | 4 of 80 | home |" in text
    assert "Probes: 1 hazards held, 1 found, 1 not observable; 321 requests of their own." in text


def test_annotations_name_the_hazard(probed):
    """GitHub shows the hazard beside the change."""
    assert any("H1 leak" in line for line in of_verdict(probed[1]))


def test_summary_keeps_to_its_schema(probed):
    """Programs get all findings, with the shares and the places."""
    told = json.loads((probed[0] / "summary.json").read_text(encoding="utf-8"))
    jsonschema.validate(told, SCHEMA)
    assert [one["code"] for one in told["probes"]["findings"]] == ["H1", "H10", "H12", "H22"]


def test_the_page_shows_hazards_shares_offers_and_pushes(probed):
    """All parts of the section are there; whatever a target answered stays text."""
    page = LexborHTMLParser((probed[0] / "report.html").read_text(encoding="utf-8"))
    words = " ".join(page.body.text(separator=" ").split())
    for part in (
        "H1 leak",
        "see H1",
        "personal alone",
        "Messages by local hour",
        "Offers, where",
        "readings.popularity",
    ):
        assert part in words, part
    assert page.css("script") == []
    assert "alert(1)" in words


def test_a_run_without_probes_has_no_section(live_folder):
    """Runs of older versions, and of other worlds, are read as before."""
    assert read_run(live_folder).manifest.probes is None
    write_reports(live_folder)
    assert 'id="personalization"' not in (live_folder / "report.html").read_text(encoding="utf-8")
