"""The speed report: every picture is there and can be read, nothing is claimed that is not so, machines can read it."""

from __future__ import annotations

import csv
import importlib.util
import json
import re
from html import escape
from pathlib import Path

import jsonschema
import pytest

from simulator.analysis.baselines import Store
from simulator.analysis.estimates import Estimate
from simulator.cli import cli
from simulator.cli.exits import failing
from simulator.report.speed_json import SCHEMA_FILE, schema, speed_json
from simulator.report.speed_page import speed_html
from simulator.report.speed_write import write_speed
from simulator.scenario.load import load_scenario
from simulator.study.speed_findings import Swept
from simulator.study.speed_play import played as played_again
from simulator.study.speed_report import Asked, of_run, of_scenario, verdict_of

_spec = importlib.util.spec_from_file_location("footfall_reading", Path(__file__).with_name("reading.py"))
_reading = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_reading)
Page = _reading.Page

PICTURES = {
    "dose", "gap", "bridge-landing", "bridge-average", "sensitivity-engaged_time", "sensitivity-conversion",
    "landing-bounce", "landing-pages", "average-bounce", "average-pages", "plateau", "published-dealt",
    "published-seen", "survival-pages", "survival-engaged_time", "ends", "hazard-wait", "hazard-page", "budget",
    "funnel", "forest", "lcp-network", "lcp-tier", "lcp-page", "spread", "chain", "journey-0",
}  # fmt: skip
"""What a scenario's report draws, with a sweep beside it."""
OF_ANY_RUN = {"landing-bounce", "average-bounce", "hazard-wait", "hazard-page", "spread", "lcp-network"}


def swept(rate, slow):
    """Return a row of a sweep."""

    def one(value):
        return Estimate(value, 500, 0.9 * value, 1.1 * value)

    server, lcp = {"p50": one(0.05 * slow), "p95": one(0.2 * slow)}, {"p50": one(1 + 0.1 * slow), "p75": one(2 + slow)}
    return Swept(rate, 500, server, lcp, {"engaged_time": one(60 / slow), "pages": one(3 / slow)})


@pytest.fixture(scope="module")
def played(few):
    """Return the findings of a small scenario with a sweep beside it, and its verdict."""
    scenario = load_scenario("smoke", {"shoppers": few(400), "thresholds": ["bounce < 99%", "engaged_time > 1h"]})
    return of_scenario(scenario, Asked(few(400), sweep=(swept(5.0, 1.0), swept(10.0, 1.4), swept(20.0, 3.0))))


@pytest.fixture(scope="module")
def page(played):
    """Return the parsed page."""
    return Page(speed_html(played))


@pytest.fixture(scope="module")
def of_arms(playing, tmp_path_factory):
    """Return the findings of a live run with arms."""
    tables, names = playing.played(rate=(10.0, 30.0), delays=(1.5,))
    folder = tmp_path_factory.mktemp("speed") / "run"
    playing.write_run(
        folder, world="live", tables=playing.live_tables(tables), names=names, thresholds=("errors < 5%",)
    )
    return of_run(folder, Asked(100))


def drawn(page):
    """Return the names of the drawings of a page, without their width."""
    titles = {attributes.get("id", "") for tag, attributes in page.elements if tag == "title"}
    return {title.removesuffix("-wide-title") for title in titles if title.endswith("-wide-title")}


def test_every_picture_is_there_for_both_widths(page):
    """The page of a scenario draws everything that it promises, once for a desktop and once for a phone."""
    titles = {attributes.get("id") for tag, attributes in page.elements if tag == "title"}
    assert drawn(page) >= PICTURES
    assert {f"{name}-narrow-title" for name in PICTURES} <= titles


def test_every_picture_is_told_in_words(page):
    """Each drawing has a title and a description that is not empty, and says that it is a picture."""
    charts = [attributes for tag, attributes in page.elements if tag == "svg" and attributes.get("class") == "chart"]
    assert charts
    assert all(attributes["role"] == "img" and attributes["aria-labelledby"].count("-") >= 2 for attributes in charts)


def test_every_figure_is_marked(played):
    """Each picture's card carries a mark: measured, part measured or assumed; behaviour is never called measured."""
    figures = speed_html(played).split("<figure")[1:]
    bare = [one for one in figures if 'class="badge' not in one.split("</figure>")[0]]
    assert all("<h3>Shopper" in one for one in bare)  # single visits stand under their section's mark
    assert played.findings.basis["behaviour"] == "assumed"


def test_page_needs_nothing_from_anywhere(page, played):
    """No script, no element and no style refers to anything outside the page."""
    assert {tag for tag, _ in page.elements} & {"script", "link", "iframe", "object", "embed", "img", "base"} == set()
    text = speed_html(played)
    assert "http://" not in text
    assert "https://" not in text
    assert "url(" not in text


@pytest.mark.parametrize("found", ["played", "of_arms"])
def test_nothing_unknown_is_shown(found, request):
    """Neither page nor tables hold a figure that is no number."""
    judged = request.getfixturevalue(found)
    text = re.sub(r"<style>.*?</style>", "", speed_html(judged), flags=re.DOTALL)
    assert not re.search(r"\bnan\b|\binf\b|\bNone\b|Infinity", text)
    assert "NaN" not in speed_json(judged)


@pytest.mark.parametrize("found", ["played", "of_arms"])
def test_json_is_as_published(found, request):
    """The JSON follows its schema, which is the checked-in one."""
    written = json.loads((Path("simulator/report") / SCHEMA_FILE).read_text("utf-8"))
    assert written == json.loads(json.dumps(schema()))
    jsonschema.validate(json.loads(speed_json(request.getfixturevalue(found))), written)


def test_parts_of_lcp_have_the_names_of_web_vitals(played):
    """JSON and table name the parts of LCP as the web-vitals library does, and they sum to it."""
    cohorts = [one for one in json.loads(speed_json(played))["cohorts"] if not one["reference"]]
    names = {"timeToFirstByte", "resourceLoadDelay", "resourceLoadDuration", "elementRenderDelay"}
    assert all(set(one["seconds"]) == names for one in cohorts)
    assert all(sum(one["seconds"].values()) > 0 for one in cohorts)


def test_tables_are_written_whole(played, tmp_path):
    """Page, Markdown, JSON and a CSV file a table are written; every CSV row has as many cells as its head."""
    written = write_speed(tmp_path / "new" / "folder", played)
    names = {path.name for path in written}
    assert {
        "speed.html",
        "speed.md",
        "speed.json",
        "speed-answer.csv",
        "speed-arms.csv",
        "speed-sensitivity.csv",
    } <= names
    for path in written:
        if path.suffix == ".csv":
            head, *rows = csv.reader(path.read_text("utf-8").splitlines())
            assert rows
            assert all(len(row) == len(head) for row in rows)


def test_the_same_findings_give_the_same_bytes(played, tmp_path):
    """Writing twice gives the same files."""
    first, second = write_speed(tmp_path / "one", played), write_speed(tmp_path / "two", played)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_the_famous_figure_stands_with_its_conditions(played):
    """Seventy percent is only ever told of sites at 5 s and at 19 s, and never as a result."""
    text = re.sub(r"<[^>]*>", "", speed_html(played)).replace("\u202f", " ").replace("\xa0", " ")
    assert "5 s or less" not in text
    told = [text[max(0, m.start() - 200) : m.end() + 200] for m in re.finditer(r"70 % longer", text)]
    assert told
    assert all("5 s" in one and "19 s" in one and "no result" in one for one in told)


def test_sensitivity_is_always_shown(played, page):
    """Results stand for h of 0, 0.01, 0.025 and 0.05, and at 0 a second costs no engaged time."""
    found = played.findings
    assert [one.hazard_per_s for one in found.sensitivity] == [0.0, 0.01, 0.025, 0.05]
    zero = found.sensitivity[0].relative["engaged_time"]
    assert all(one.value == 0 for one in zero)
    assert {"sensitivity-engaged_time"} <= drawn(page)


def test_a_conclusion_that_flips_is_told(played):
    """What one second does to engaged time is told with the assumption under which it does not."""
    engaged = next(one for one in played.findings.conclusions if one.metric == "engaged_time")
    assert engaged.says == "falls"
    assert [turned.hazard_per_s for turned in engaged.flips] == [0.0]
    assert "Engaged time: down, but no change shown at h = 0" in speed_html(played)


def test_small_samples_are_grey(played):
    """Bins of fewer than 200 visits are drawn hollow."""
    assert any(one.visits < 200 for one in played.findings.landing.bins)
    assert "hollow-faint" in speed_html(played)


def test_a_run_with_arms_is_compared_as_dealt(of_arms):
    """A live run's arms are its experiment; what was not measured there is said to be missing or assumed."""
    found = of_arms.findings
    assert found.source == "run"
    assert found.arms.design in ("randomised", "paired")
    assert len(found.arms.arms) == 2
    assert found.arms.arms[1].relative["engaged_time"].high is not None
    assert found.measured_share > 0
    assert found.basis["experiment"] == "part measured"
    assert drawn(Page(speed_html(of_arms))) >= OF_ANY_RUN


def test_a_run_without_arms_says_so(playing, tmp_path):
    """A run that cannot be played again and has no arms still shows what was seen, and claims no cause."""
    folder = playing.write_run(tmp_path / "run")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["scenario"]["population"] = "nobody-knows"
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    judged = of_run(folder, Asked(100))
    text = speed_html(judged)
    assert judged.findings.arms is None
    assert judged.findings.conclusions == ()
    assert "Without arms there is no cause to be told" in text
    assert any("cannot be played again" in line for line in judged.findings.missing)


def test_a_broken_threshold_is_the_exit_code(played):
    """The verdict is on the scenario's own thresholds: one broken of two gives exit code 1, and the page shows both."""
    assert played.verdict.exit_code == 1
    assert [result.ok for result in played.verdict.results] == [True, False]
    text = speed_html(played)
    assert all(f"<code>{escape(result.threshold.text)}</code>" in text for result in played.verdict.results)


def test_engaged_time_is_held_against_a_baseline(tmp_path, few):
    """What `generate` wrote and `baseline save` kept is what a scenario's `vs baseline` is judged against."""
    threshold = "mean of engaged_time vs baseline:main > {}"
    file = tmp_path / "gate.yaml"
    text = "scenario: gate\ndescribe: A gate.\nshoppers: {}\nthresholds: ['{}']\n"
    file.write_text(text.format(few(200), threshold.format("-2%")), "utf-8")
    calls = (
        ["generate", str(file), "--out", str(tmp_path / "run")],
        ["baseline", "save", str(tmp_path / "run"), "--name", "main", "--baselines", str(tmp_path / "kept")],
    )
    for call in calls:
        assert failing(lambda call=call: cli.main(call, prog_name="footfall", standalone_mode=False)) == 0
    store = Store(tmp_path / "kept")
    held = verdict_of(played_again(load_scenario(str(file))), store)
    assert (held.exit_code, held.results[0].estimate.value) == (0, 0.0)
    broken = verdict_of(played_again(load_scenario(str(file), {"thresholds": [threshold.format("5%")]})), store)
    assert broken.exit_code == 1
