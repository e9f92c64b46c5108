"""What CI systems read: JUnit cases with figures, annotations, and a step summary that never fails a job by itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from junitparser import Failure, JUnitXml

from simulator.analysis.runs import read_run
from simulator.analysis.thresholds import judge, parse_thresholds
from simulator.analysis.verdict import decide
from simulator.cli import ci
from simulator.report import write_reports
from simulator.report.annotations import command, of_verdict

READ = re.compile(r"::(?P<kind>\w+) title=(?P<title>[^:,]*)::(?P<message>[^\r\n]*)")
"""A workflow command as GitHub's runner reads it (actions/runner, ActionCommand.TryParseV2)."""


def read_back(line):
    """Return a workflow command as the runner understands it."""
    match = READ.fullmatch(line)
    assert match, line

    def plain(text):
        return (
            text.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",").replace("%25", "%")
        )

    return match["kind"], plain(match["title"]), plain(match["message"])


def verdict_of(folder, *texts, **changes):
    """Return the verdict of thresholds against a run whose manifest is changed."""
    run = read_run(folder)
    return decide(run.manifest.model_copy(update=changes), judge(run, parse_thresholds(texts)))


@pytest.mark.parametrize("message", ["100 % of 3,000: all\nlost\r", "::error::x", "a%0Ab", ""])
def test_a_command_is_read_back_as_it_was_meant(message):
    """Percent signs, line ends, colons and commas reach the page unchanged, and nobody can smuggle in a command."""
    assert read_back(command("error", message or "t", message)) == ("error", message or "t", message)


def test_a_broken_threshold_is_an_error_with_its_value(live_folder):
    """Each reason of a failed verdict is one error, with value, size and interval."""
    lines = [read_back(line) for line in of_verdict(verdict_of(live_folder, "pages > 100", "bounce < 99%"))]
    assert [(kind, title) for kind, title, _ in lines] == [("error", "Footfall: failed")]
    assert lines[0][2].startswith("mean of pages is ")
    assert lines[0][2].endswith("breaks > 100")


def test_a_close_call_is_a_warning(live_folder):
    """A threshold that held, with the limit inside its interval, warns beside the notice that all held."""
    (plain,) = judge(read_run(live_folder), parse_thresholds(["bounce < 99%"]))
    limit = (plain.estimate.value + plain.estimate.high) / 2
    kinds = [read_back(line)[0] for line in of_verdict(verdict_of(live_folder, f"bounce < {limit:.4f}"))]
    assert kinds == ["warning", "notice"]


def test_no_more_errors_than_are_shown(live_folder):
    """GitHub shows ten errors of a step: the tenth says how many there are besides."""
    lines = of_verdict(verdict_of(live_folder, *(f"pages > {100 + i}" for i in range(14))))
    assert len(lines) == 10
    assert read_back(lines[-1])[2] == "and 5 more; see the step summary"


def test_a_run_that_was_ended_early_failed(live_folder):
    """A run that a threshold ended is failed, not interrupted, and says when and why."""
    aborted = {"threshold": "errors < 1% for 10s abort", "at_s": 23.0, "text": "errors from 13 s to 23 s was 12 %"}
    manifest = read_run(live_folder).manifest.model_copy(update={"aborted": None})
    manifest = type(manifest).model_validate({**manifest.model_dump(), "aborted": aborted})
    found = decide(manifest, [])
    assert (found.state, found.exit_code) == ("failed", 1)
    assert (
        found.headline.replace("\u202f", " ")
        == "The run was ended after 23.0 s: errors < 1% for 10s abort did not hold."
    )
    assert found.reasons == (aborted["text"],)


def test_a_summary_that_cannot_be_written_changes_no_verdict(tmp_path, monkeypatch, capsys):
    """A step summary on a full or missing disk is said, and raises nothing."""
    monkeypatch.setenv(ci.SUMMARY, str(tmp_path / "nowhere" / "summary.md"))
    ci.tell("# words", ["::error::x"])
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("warning: cannot write the step summary")
    assert "::error" not in said.err


def cases(folder, group):
    """Return the JUnit cases of a class by name."""
    (suite,) = JUnitXml.fromfile(str(folder / "junit.xml"))
    return {case.name: case for case in suite if case.classname == group}


def told(case):
    """Return the properties of a case."""
    found = {one.get("name"): float(one.get("value")) for one in case._elem.iter("property")}  # noqa: SLF001 - no getter
    assert case._elem[0].tag == "properties"  # noqa: SLF001 - their place is part of the format
    return found


def test_each_page_has_a_case_with_its_figures(playing, tmp_path):
    """Every page that was asked for is a case: time is its p75, properties and text hold the figures."""
    folder = playing.write_run(tmp_path / "run", world="live")
    write_reports(folder)
    run = read_run(folder)
    found = cases(folder, "pages")
    assert set(found) == set(run.event_labels("page").counts())
    (result,) = judge(run, parse_thresholds(["p75 of load_time{page:product} < 1h"]))
    assert found["product"].time == pytest.approx(result.estimate.value, rel=1e-5)
    assert told(found["product"])["load_time_p75_s"] == pytest.approx(result.estimate.value)
    assert told(found["product"])["n"] == result.estimate.n
    assert "errors 0.0" in found["product"].system_out


def test_a_page_that_never_came_fails(playing, tmp_path):
    """A page of which every request ended in an error is a failed case, whatever thresholds say."""
    tables, names = playing.played()
    events = tables["events"]
    ok = [
        good and page != "cart" for good, page in zip(events["ok"].to_pylist(), events["page"].to_pylist(), strict=True)
    ]
    place = events.schema.get_field_index("ok")
    tables = {**tables, "events": events.set_column(place, events.schema.field(place), playing.pa.array(ok))}
    folder = playing.write_run(tmp_path / "run", tables=tables, names=names)
    write_reports(folder)
    found = cases(folder, "pages")
    (failure,) = found["cart"].result
    assert isinstance(failure, Failure)
    assert failure.type == "never came"
    assert not found["product"].result


def test_thresholds_have_their_figures_as_properties(playing, tmp_path):
    """Value, size, interval and limit stand beside the sentence, for whoever draws them over time."""
    folder = playing.write_run(tmp_path / "run", thresholds=("bounce < 99%",))
    write_reports(folder)
    (case,) = cases(folder, "thresholds").values()
    (result,) = judge(read_run(folder), parse_thresholds(["bounce < 99%"]))
    estimate = result.estimate
    expected = {"value": estimate.value, "n": estimate.n, "low": estimate.low, "high": estimate.high, "limit": 0.99}
    assert told(case) == pytest.approx(expected)
    assert Path(folder / "junit.xml").read_text(encoding="utf-8").count("<testsuite ") == 1
