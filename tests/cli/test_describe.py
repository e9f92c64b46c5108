"""`footfall describe` and `footfall persona show --html`: what they print, where, and how they end."""

from __future__ import annotations

import json

import pytest

from simulator.export.dataset import write_dataset
from simulator.scenario.load import load_scenario


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a small data set."""
    folder = tmp_path_factory.mktemp("cli") / "data"
    folder.mkdir()
    write_dataset(load_scenario("demo", {"shoppers": 200}), folder, "parquet")
    return folder


def test_describe_prints_every_part(footfall, data, monkeypatch):
    """Tables, funnel, sessions, causes, devices and personas go to stdout, within 80 columns; nothing to stderr."""
    monkeypatch.setenv("COLUMNS", "80")
    said = footfall("describe", data)
    assert (said.code, said.err) == (0, "")
    for title in ("Tables", "Funnel", "Sessions", "Why visits ended", "Device × network", "Personas"):
        assert f"\n{title} · " in said.out
    assert "200 shoppers" in said.out
    assert "in theory" in said.out
    assert "…" not in said.out
    assert all(len(line) <= 80 for line in said.out.splitlines())


def test_json_is_the_whole_description(footfall, data):
    """--json prints one JSON object with everything, think times included."""
    said = footfall("describe", data, "--json")
    found = json.loads(said.out)
    assert (said.code, found["counts"]["shoppers"], found["name"]) == (0, 200, "demo")
    assert found["personas"][0]["thinking"][0]["seen"]["p50"] > 0
    assert sum(map(sum, found["week"])) == found["counts"]["visits"]


def test_html_is_written_and_told(footfall, data, tmp_path):
    """--html writes the page, says where on stderr, and prints nothing; with --json it does both."""
    page = tmp_path / "deep" / "page.html"
    said = footfall("describe", data, "--html", page)
    assert (said.code, said.out) == (0, "")
    assert "page.html" in said.err
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert json.loads(footfall("describe", data, "--html", page, "--json").out)["counts"]["shoppers"] == 200


def test_persona_is_drawn(footfall, tmp_path, monkeypatch):
    """`persona show NAME --html` writes the page of a shipped persona."""
    monkeypatch.chdir(tmp_path)
    said = footfall("persona", "show", "tourist", "--html", "tourist.html")
    assert (said.code, said.out) == (0, "")
    assert "<title>tourist – Footfall</title>" in (tmp_path / "tourist.html").read_text("utf-8")


@pytest.mark.parametrize("what", ["nowhere", "file", "empty"])
def test_what_is_no_data_set_ends_with_2(footfall, tmp_path, what):
    """A folder that is none of ours is a fault on stderr, with exit code 2."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    said = footfall("describe", tmp_path / what)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: ")


def test_broken_data_ends_with_2(footfall, tmp_path):
    """A file that was cut is named on stderr, with exit code 2."""
    folder = tmp_path / "data"
    folder.mkdir()
    write_dataset(load_scenario("demo", {"shoppers": 40}), folder, "parquet")
    path = next((folder / "events").iterdir())
    path.write_bytes(path.read_bytes()[:-100])
    said = footfall("describe", folder)
    assert said.code == 2
    assert f"{path}: cannot be read" in said.err


def test_page_that_cannot_be_written_ends_with_2(footfall, data, tmp_path):
    """A page whose folder is a file is a fault, not a trace."""
    (tmp_path / "file").write_text("x")
    said = footfall("describe", data, "--html", tmp_path / "file" / "page.html")
    assert (said.code, said.out) == (2, "")
    assert "cannot write" in said.err
