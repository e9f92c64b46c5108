"""report.html: one safe, accessible file that needs nothing else and shows every figure of the summary."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from simulator.analysis.words import figure, seconds
from simulator.report import write_reports

_spec = importlib.util.spec_from_file_location("footfall_reading", Path(__file__).with_name("reading.py"))
_reading = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_reading)
Page = _reading.Page

THRESHOLDS = (
    "p95 of load_time{page:product} < 60s",
    "errors < 5%",
    "bounce < 1%",
    "p99 of start_lag < 1s",
    "p99 of latency < 800ms",
    "conversion{network:hspa} > 50%",
    "dropped <= 0",
)
EVIL = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>&amp;"
BACKEND = {
    "stations": [
        {"station": "catalogue", "servers": 4, "utilisation": 0.93, "wait_p95_us": 480_000.0, "queue": 3.2},
        {"station": "payments", "servers": 0, "utilisation": None, "wait_p95_us": 0.0, "queue": 0.0},
    ]
}


def flat(text):
    """Return text with plain spaces."""
    return text.replace("\u202f", " ")


@pytest.fixture(scope="module")
def folders(playing, arms_folder, tmp_path_factory):
    """Return rendered runs by kind: every world, arms, and a run that was interrupted before it began."""
    root = tmp_path_factory.mktemp("reports")
    tables, names = playing.played()
    empty = {name: table.slice(0, 0) for name, table in tables.items()}
    made = {
        "live": playing.write_run(root / "live", world="live", thresholds=THRESHOLDS),
        "crowd": playing.write_run(root / "crowd", thresholds=("bounce < 99%",)),
        "capacity": playing.write_run(root / "capacity", world="capacity", backend=BACKEND),
        "arms": shutil.copytree(arms_folder, root / "arms"),
        "empty": playing.write_run(root / "empty", tables=empty, names=names, interrupted=True),
    }
    for folder in made.values():
        write_reports(folder)
    return made


@pytest.fixture(scope="module")
def pages(folders):
    """Return the parsed pages."""
    return {kind: Page((folder / "report.html").read_text(encoding="utf-8")) for kind, folder in folders.items()}


KINDS = ("live", "crowd", "capacity", "arms", "empty")


@pytest.mark.parametrize("kind", KINDS)
def test_page_needs_nothing_from_anywhere(pages, kind):
    """No element, attribute or style rule of the page refers to anything outside it, and it runs no script."""
    page = pages[kind]
    assert {tag for tag, _ in page.elements} & {"script", "link", "iframe", "object", "embed", "img", "base"} == set()
    outside = [
        (tag, key, value)
        for tag, attributes in page.elements
        for key, value in attributes.items()
        if key in ("src", "srcset", "href", "action", "poster", "data", "xlink:href") and not value.startswith("#")
    ]
    assert outside == []
    assert not re.search(r"url\(|@import|@font-face|https?:|//[a-z]", page.style)


@pytest.mark.parametrize("kind", KINDS)
def test_page_is_well_formed(pages, kind):
    """Every element is closed where it belongs."""
    assert pages[kind].faults == []


@pytest.mark.parametrize("kind", KINDS)
def test_page_is_under_a_megabyte(folders, kind):
    """The file can be attached to anything."""
    assert (folders[kind] / "report.html").stat().st_size < 1_000_000


@pytest.mark.parametrize("kind", KINDS)
def test_drawings_can_be_heard(pages, kind):
    """Every drawing has the role of an image, a title that is not empty and a description, found by unique ids."""
    page = pages[kind]
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    drawings = [svg for svg in page.all("svg") if svg.get("aria-hidden") != "true"]
    assert drawings or kind == "empty"
    for svg in drawings:
        assert svg["role"] == "img"
        assert set(svg["aria-labelledby"].split()) <= set(ids)


@pytest.mark.parametrize("kind", KINDS)
def test_tables_have_headers(pages, kind):
    """Every header cell says whether it is of a column or a row, and every table has both."""
    scopes = [th.get("scope") for th in pages[kind].all("th")]
    assert set(scopes) <= {"col", "row"}
    assert scopes.count("col") >= len(pages[kind].all("table"))


@pytest.mark.parametrize("kind", KINDS)
def test_links_of_the_page_lead_somewhere(pages, kind):
    """Every link of the navigation is to a heading that is there."""
    ids = {attributes.get("id") for _, attributes in pages[kind].elements}
    assert {link["href"][1:] for link in pages[kind].all("a")} <= ids


def test_verdict_comes_first_and_in_plain_words(pages):
    """The first heading is the verdict; what broke stands beneath it before any other section."""
    words = pages["live"].words
    assert words.index("Failed") < words.index("of 7 thresholds did not hold") < words.index("How long visits were")
    assert "bounce is" in words[: words.index("Thresholds")]
    assert "Passed" in pages["crowd"].words
    assert "Nothing was judged" in pages["capacity"].words
    assert "The run was interrupted" in pages["empty"].words


def test_each_world_shows_what_it_has(pages):
    """Live runs show arrivals, latency and errors; only the capacity world has stations; only arms are compared."""
    titles = {kind: page.words for kind, page in pages.items()}
    live_only = ("Arrivals, planned and started", "Latency on two clocks", "Load generator")
    for title in live_only:
        assert title in titles["live"]
        assert not any(title in titles[kind] for kind in ("crowd", "capacity", "arms"))
    assert [kind for kind in KINDS if "Stations of the backend" in titles[kind]] == ["capacity"]
    assert [kind for kind in KINDS if "Arms against control" in titles[kind]] == ["arms"]


def test_stations_show_their_figures_with_units(pages):
    """A station's waits are times, its utilisation a share, and what is not known a dash."""
    words = pages["capacity"].words
    assert "catalogue 4 93.0 % 480 ms 3.20" in words
    assert "payments 0 \u2013 0 s 0" in words


@pytest.mark.parametrize("kind", ["live", "crowd", "capacity", "arms"])
def test_every_section_says_what_it_rests_on(pages, kind):
    """Each section of figures carries a badge; nothing of generated data claims to be measured."""
    page = pages[kind]
    badges = [span["class"].split()[1] for span in page.all("span") if span.get("class", "").startswith("badge")]
    sections = [section for section in page.all("section") if section.get("aria-labelledby") not in ("verdict", "card")]
    judged = any(section["aria-labelledby"] == "thresholds" for section in sections)
    assert len(badges) == len(sections) - judged
    assert ("measured" in badges) == (kind == "live")


def test_speed_is_called_what_it_is(pages):
    """The page-speed section warns that it shows an association of assumed behaviour, by landing load time alone."""
    for kind in ("live", "crowd", "arms"):
        words = pages[kind].words
        assert "Observed association, not an effect." in words
        assert "How they react to waiting is assumed (an input, not a finding)" in words
        assert "never by a visit's average" in words
        assert not re.search(r"70 ?% longer|5 s or less", words)


def numbers(tree):
    """Yield (path, estimate) for every figure with a sample size in a summary."""
    if isinstance(tree, dict):
        if {"value", "n", "low", "high"} <= set(tree):
            yield (), tree
        for key, inner in tree.items():
            yield from (((key, *path), found) for path, found in numbers(inner))
    elif isinstance(tree, list):
        for inner in tree:
            yield from numbers(inner)


def kind_of(path):
    """Return how a figure at a path of the summary is written."""
    if path[0] in ("load_time", "latency"):
        return "time"
    shares = ("bounce", "conversion", "cart_abandonment", "of_all", "of_previous", "causes", "failed")
    if any(part in shares for part in path):
        return "share"
    return "count" if "pages" in path else "time"


@pytest.mark.parametrize("kind", ["live", "crowd"])
def test_every_figure_of_the_summary_is_on_the_page(folders, pages, kind):
    """Whatever summary.json gives a program with a sample size, the page gives a reader."""
    summary = json.loads((folders[kind] / "summary.json").read_text(encoding="utf-8"))
    titles = " ".join(v for _, attributes in pages[kind].elements for v in attributes.values() if v)
    shown = pages[kind].words + flat(titles)
    parts = {key: summary[key] for key in ("visits", "load_time", "speed", "latency", "errors")}
    missing = [
        (path, estimate)
        for path, estimate in numbers(parts)
        if "causes" not in path
        and ("by_page_network" not in path or "p75" in path)
        and flat(figure(estimate["value"], kind_of(path))) not in shown
    ]
    assert missing == []
    assert all(f"{row['n']:,}" in shown for row in summary["thresholds"])
    assert flat(seconds(summary["load_time"]["all"]["quantiles"]["p75"]["value"])) in shown


def test_visits_that_the_end_cut_are_spoken_of(playing, tmp_path):
    """A run that ended with visits under way says how many, beside the figures and in the comment."""
    tables, names = playing.played(rate=(8.0, 30.0))
    tables, going_on = playing.cut_tables(tables, 30.0)
    folder = playing.write_run(tmp_path / "run", world="live", tables=playing.live_tables(tables), names=names)
    write_reports(folder)
    words = Page((folder / "report.html").read_text(encoding="utf-8")).words
    said = f"{going_on.sum()} of {len(going_on)} visits were still going on when the run ended"
    assert said in words
    assert said in (folder / "report.md").read_text(encoding="utf-8")
    assert "were longer than this run could see" in words


def test_abandoned_requests_are_told_from_failures(playing, tmp_path):
    """A request whose shopper left is named apart and is in no share of failures."""
    tables = playing.live_tables(playing.played(rate=(8.0, 30.0))[0], failing=0.05)
    requests = tables["requests"]
    errors = pa.array([error and "abandoned" for error in requests["error"].to_pylist()], pa.string())
    column = errors.dictionary_encode().cast(requests.schema.field("error").type)
    place = requests.schema.get_field_index("error")
    tables["requests"] = requests.set_column(place, requests.schema.field("error"), column)
    folder = playing.write_run(tmp_path / "run", world="live", tables=tables, thresholds=("errors <= 0%",))
    assert write_reports(folder).state == "passed"
    words = Page((folder / "report.html").read_text(encoding="utf-8")).words
    assert f"{len(errors) - errors.null_count} requests abandoned: the shopper left before the answer" in words
    assert "0 of" in words


def test_names_cannot_break_out(playing, tmp_path):
    """Names of personas, operations, errors, arms, scenario and reasons are shown as text, whatever they hold."""
    tables, names = playing.played(rate=(8.0, 10.0))
    tables = playing.live_tables(tables, failing=0.2)
    spoilt = {name: spoil(table) for name, table in tables.items()}
    generator = playing.generator(tables, saturated=[EVIL])
    folder = playing.write_run(
        tmp_path / "evil",
        world="live",
        tables=spoilt,
        names=names,
        name=EVIL,
        generator=generator,
        assumed=[EVIL],
        versions={EVIL: EVIL},
        digest=EVIL,
        thresholds=("bounce < 1%",),
    )
    write_reports(folder)
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    assert page.all("script") == page.all("img") == []
    assert not [key for _, attributes in page.elements for key in attributes if key.startswith("on")]
    assert page.faults == []
    assert page.words.count("alert('x')") > 20
    assert "<script" not in (folder / "report.md").read_text(encoding="utf-8")


def spoil(table):
    """Return a table whose names are hostile."""
    for index, field in enumerate(table.schema):
        if field.name in ("persona", "operation", "error", "country") and pa.types.is_dictionary(field.type):
            column = table.column(index).combine_chunks()
            column = column if isinstance(column, pa.DictionaryArray) else column.chunk(0)
            words = [f"{EVIL}{number}" for number in range(len(column.dictionary))]
            array = pa.DictionaryArray.from_arrays(column.indices, pa.array(words))
            table = table.set_column(index, field, array.cast(field.type))
    return table


def luminance(colour):
    """Return the relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one, other):
    """Return the contrast ratio of two colours."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=("light", "dark"))
def test_text_has_contrast(pages, theme):
    """Text has at least 4.5 to 1 against what it stands on, and marks 3 to 1, in both themes."""
    block = pages["live"].style.split(":root {")[theme + 1]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block.split("}")[0]))
    for ink in ("ink", "ink2", "ink3", "accent", "good", "bad", "warn"):
        for ground in ("card", "bg"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for ink in ("good", "bad", "warn", "ink"):
        ground = f"{ink}-bg" if ink != "ink" else "warn-bg"
        assert contrast(colours[ink], colours[ground]) >= 4.5, ink
    for cause in ("done", "impatient", "error", "budget"):
        assert contrast(colours["on"], colours[f"cause-{cause}"]) >= 4.5, cause
    heat = [int(part) for part in re.search(r"--heat: (\d+) (\d+) (\d+)", block)[0].split(": ")[1].split()]
    card = [int(colours["card"][i : i + 2], 16) for i in (1, 3, 5)]
    hottest = "#" + "".join(f"{round(0.36 * h + 0.64 * c):02x}" for h, c in zip(heat, card, strict=True))
    assert contrast(colours["ink2"], hottest) >= 4.5
    for mark in ("c1", "c2"):
        assert contrast(colours[mark], colours["card"]) >= 3
