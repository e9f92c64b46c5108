"""The page of a data set: one safe, accessible file with every figure of the description."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import replace
from pathlib import Path

import pytest

from simulator.analysis.describe import describe
from simulator.journey.records import CAUSES
from simulator.report.describe_page import describe_html, labels, size

_spec = importlib.util.spec_from_file_location("footfall_reading", Path(__file__).with_name("reading.py"))
_reading = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_reading)
Page = _reading.Page


@pytest.fixture(scope="module")
def found(playing, tmp_path_factory):
    """Return what is said of a live run, of one with arms, and of one without a visit."""
    root = tmp_path_factory.mktemp("described")
    tables, names = playing.played(shoppers=200)
    delayed, arms = playing.played(shoppers=150, delays=(1.0,))
    empty = {name: table.slice(0, 0) for name, table in tables.items()}
    folders = {
        "live": playing.write_run(root / "live", world="live", tables=playing.live_tables(tables), names=names),
        "arms": playing.write_run(root / "arms", tables=delayed, names=arms),
        "empty": playing.write_run(root / "empty", tables=empty, names=names, interrupted=True),
    }
    return {kind: describe(folder) for kind, folder in folders.items()}


@pytest.fixture(scope="module")
def pages(found):
    """Return the parsed pages."""
    return {kind: Page(describe_html(one)) for kind, one in found.items()}


KINDS = ("live", "arms", "empty")


@pytest.mark.parametrize("kind", KINDS)
def test_page_is_one_safe_accessible_file(found, pages, kind):
    """Well formed, under a megabyte, no script, nothing from outside; drawings have titles, headers a scope."""
    page, text = pages[kind], describe_html(found[kind])
    assert page.faults == []
    assert len(text.encode()) < 1_000_000
    assert {tag for tag, _ in page.elements} & {"script", "link", "iframe", "object", "embed", "img", "base"} == set()
    assert not re.search(r"url\((?!#)|@import|https?:", text)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for svg in page.all("svg"):
        assert svg.get("aria-hidden") == "true" or set(svg["aria-labelledby"].split()) <= set(ids)
    assert {th.get("scope") for th in page.all("th")} <= {"col", "row"}
    assert {link["href"][1:] for link in page.all("a")} <= set(ids)


@pytest.mark.parametrize("kind", KINDS)
def test_every_count_is_on_the_page(found, pages, kind):
    """Tables, steps of the funnel, causes and personas stand there with their figures; so does every note."""
    words, one = pages[kind].words, found[kind]
    assert all(f"{table.name} {table.rows:,}" in words for table in one.tables)
    assert all(f"{step.visits:,}" in words and step.name in words for step in one.funnel)
    assert all(persona.name in words and f"{persona.visits:,}" in words for persona in one.personas)
    assert all(note in words for note in one.notes)


def test_arms_are_told_apart(pages):
    """Where there are arms the page says which one its figures are of."""
    assert "of arm control" in pages["arms"].words
    assert "of arm" not in pages["live"].words
    assert "The run was interrupted" in pages["empty"].words


def test_names_are_escaped(found):
    """A persona called like markup is text."""
    persona = replace(found["live"].personas[0], name="<script>alert(1)</script>", theory=None)
    page = Page(describe_html(replace(found["live"], personas=[persona], notes=["<b>note</b>"])))
    assert "script" not in {tag for tag, _ in page.elements}
    assert "<script>alert(1)</script>" in page.words


def test_stretches_are_named_by_when_they_begin(found):
    """Days have dates, hours and minutes times; without a reference instant they have numbers."""
    one = replace(found["live"], reference="2026-11-27T00:00:00+00:00", sessions=[1, 2, 3])
    assert labels(replace(one, spacing="day")) == ["27 Nov", "28 Nov", "29 Nov"]
    assert labels(replace(one, spacing="hour")) == ["00:00", "01:00", "02:00"]
    assert labels(replace(one, spacing="hour", sessions=[1] * 30))[25] == "28 Nov 01:00"
    assert labels(replace(one, spacing="minute"))[2] == "00:02"
    assert labels(replace(one, spacing="second"))[2] == "2 s"
    assert labels(replace(one, reference=None, spacing="day")) == ["day 0", "day 1", "day 2"]


def test_hours_of_the_week_are_of_long_runs(found):
    """A run of minutes has no week to show; one over a day has."""
    long = replace(found["arms"], spacing="day", sessions=[5, 5])
    assert "Hours of the week" in describe_html(long)
    assert "Hours of the week" not in describe_html(replace(long, spacing="minute"))


def test_long_runs_are_drawn_by_the_week(found):
    """Of more days than there is room for, weeks are drawn; no visit is lost."""
    page = describe_html(replace(found["live"], spacing="day", sessions=[2] * 800))
    assert "Visits begun, by week" in page
    assert "1,600 visits" in page


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 B"), (999, "999 B"), (1_000, "1 kB"), (1_274_000, "1.27 MB"), (5e12, "5 TB")]
)
def test_sizes_have_their_unit(number, words):
    """Bytes are written with three digits and a decimal prefix."""
    assert size(number).replace("\u202f", " ") == words


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_has_a_colour_of_its_own(found, cause):
    """Every cause, `ongoing` too, has a colour for its bars, one in light and another in dark."""
    html = describe_html(found["live"])
    assert f".chart .cause-{cause} {{ fill: var(--cause-{cause}); }}" in html
    colours = re.findall(rf"--cause-{cause}: (#[0-9a-f]{{6}})", html)
    assert len(set(colours)) == 2
