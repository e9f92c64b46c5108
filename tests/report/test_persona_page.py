"""The page of a persona: one safe, accessible file with everything that the command prints, and a readable graph."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from simulator.cli.persona import facts_of
from simulator.journey.closed_form import still_waiting
from simulator.model.networks import STAYS
from simulator.model.persona import complete_personas, find_persona, load_persona
from simulator.model.states import EXIT, STATE_NAMES
from simulator.report.graph_layout import Edge, layers, plan
from simulator.report.heatmap import week_map
from simulator.report.journey_graph import MOST_NARROW, MOST_WIDE, Node, chosen, edges_of, graph
from simulator.report.persona_page import persona_html

_spec = importlib.util.spec_from_file_location("footfall_reading", Path(__file__).with_name("reading.py"))
_reading = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_reading)
Page = _reading.Page
NAMES = ("tourist", "marketplace_regular", "training_member")


def flat(text):
    """Return text with plain spaces."""
    return text.replace("\u202f", " ")


@pytest.fixture(scope="module")
def personas():
    """Return the personas whose pages are looked at."""
    return {name: load_persona(find_persona(name)) for name in NAMES}


@pytest.fixture(scope="module")
def facts(personas):
    """Return what the command prints of each."""
    return {name: facts_of(persona) for name, persona in personas.items()}


@pytest.fixture(scope="module")
def texts(personas, facts):
    """Return the pages."""
    return {name: persona_html(personas[name], facts[name]) for name in NAMES}


@pytest.fixture(scope="module")
def pages(texts):
    """Return the pages, parsed."""
    return {name: Page(text) for name, text in texts.items()}


@pytest.mark.parametrize("name", NAMES)
def test_page_is_one_safe_file(texts, pages, name):
    """It is well formed, under a megabyte, runs no script and refers to nothing outside."""
    page = pages[name]
    assert page.faults == []
    assert len(texts[name].encode()) < 1_000_000
    assert {tag for tag, _ in page.elements} & {"script", "link", "iframe", "object", "embed", "img", "base"} == set()
    outside = [
        value
        for _, attributes in page.elements
        for key, value in attributes.items()
        if key in ("src", "srcset", "href", "action", "data", "xlink:href") and not value.startswith("#")
    ]
    assert outside == []
    assert not re.search(r"url\((?!#)|@import|@font-face|https?:", page.style)
    assert not re.search(r"url\((?!#)", texts[name])


@pytest.mark.parametrize("name", NAMES)
def test_drawings_can_be_heard_and_tables_read(pages, name):
    """Ids are unique, every drawing has a title and a description, headers have a scope, links lead somewhere."""
    page = pages[name]
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    drawings = [svg for svg in page.all("svg") if svg.get("aria-hidden") != "true"]
    assert len(drawings) > 10
    assert all(svg["role"] == "img" and set(svg["aria-labelledby"].split()) <= set(ids) for svg in drawings)
    assert {th.get("scope") for th in page.all("th")} == {"col", "row"}
    assert {link["href"][1:] for link in page.all("a")} <= set(ids)


@pytest.mark.parametrize("name", NAMES)
def test_page_has_what_the_command_prints(pages, facts, name):
    """Closed form, quantiles, origins, ranges and their sources all stand on the page."""
    words, given = flat(pages[name].words), facts[name]
    assert f"{100 * given['expectations']['bounce']:.1f} %" in words
    assert all(published["source"] in words for published in given["published"].values())
    for dist in given["distributions"]:
        assert dist["name"] in words
        assert f"{dist['p90']:.3g}" in words or f"{dist['p90']:,.0f}" in words
    origins = {
        Path(origin.rpartition(":")[0]).name + ":" + origin.rpartition(":")[2] for origin in given["origins"].values()
    }
    shown = re.findall(r"[\w-]+\.yaml:\d+", words)
    assert set(shown) <= origins
    assert len(set(shown)) > 20


@pytest.mark.parametrize("name", NAMES)
def test_no_path_of_this_machine_is_on_the_page(texts, name):
    """Files are told by their names: where the project lies is nobody's business."""
    assert str(Path(__file__).parents[2]) not in texts[name]


def test_pages_are_the_same_every_time(personas, facts, texts):
    """The same persona gives the same bytes."""
    assert persona_html(personas["tourist"], facts["tourist"]) == texts["tourist"]


def test_every_transition_is_in_the_table(personas, pages):
    """What the graph leaves out for want of room, the table has, and the page says how many those are."""
    words, journey = flat(pages["training_member"].words), personas["training_member"].spec.journey
    for row in journey.rows.values():
        assert all(f"{to} {100 * share:.1f} %" in words for to, share in row.items() if share >= 0.01)
    drawn, hidden = map(int, re.search(r"(\d+) lines are drawn, .*?; (\d+) less likely are not", words).groups())
    assert drawn + hidden == len(edges_of(journey.rows))
    assert hidden > 0


def test_patience_is_the_closed_form(personas, pages):
    """The table behind the curves holds the shares that theory gives, with something visible and without."""
    patience, words = personas["tourist"].spec.patience, flat(pages["tourist"].words)
    for wait in (1, 5, 20):
        assert f"{100 * still_waiting(patience, 'browse', wait):.1f} %" in words
        assert f"{100 * still_waiting(patience, 'browse', wait, 1.0):.1f} %" in words


def test_handovers_and_shares_are_of_the_chain(pages):
    """Each situation that the persona shops in has its stays and the row of its chain."""
    words = pages["tourist"].words
    for situation in ("home", "commute", "store"):
        assert f"How long stays last: {situation}" in words
    assert all(f"{stay} " in words for stay in STAYS)


def test_markup_in_a_persona_is_text(persona_file):
    """A description with markup is shown as it was written, and runs nothing."""
    path = persona_file(
        """
        persona: evil
        describe: <script>alert(1)</script> "quoted" & more
        extends: base_mobile
        """
    )
    persona = load_persona(path)
    page = Page(persona_html(persona, facts_of(persona)))
    assert "script" not in {tag for tag, _ in page.elements}
    assert "<script>alert(1)</script>" in page.words


@pytest.fixture(scope="module")
def whole():
    """Return a journey with all states, each leading to every other, and its nodes."""
    share = 0.9 / (len(STATE_NAMES) - 1)
    rows = {
        one: {EXIT: 0.1} | {other: share * (1 + (i - j) / 50) for j, other in enumerate(STATE_NAMES) if other != one}
        for i, one in enumerate(STATE_NAMES)
    }
    nodes = [Node(name, 0.0, 0.0, 0.1, 1.0, 5.0, ()) for name in STATE_NAMES]
    return nodes, edges_of(rows)


@pytest.mark.parametrize(("width", "wide"), [(1000.0, True), (326.0, False)])
def test_no_two_states_overlap(width, wide):
    """With every state there is, boxes stand apart and inside the picture, on a desktop and on a phone."""
    laid = plan(STATE_NAMES, width, wide=wide)
    boxes = list(laid.boxes.values())
    assert len(boxes) == len(STATE_NAMES)
    for index, one in enumerate(boxes):
        assert one.half_w <= one.x <= width - one.half_w
        assert one.half_h <= one.y <= laid.height - one.half_h
        for other in boxes[index + 1 :]:
            apart_x = abs(one.x - other.x) - one.half_w - other.half_w
            apart_y = abs(one.y - other.y) - one.half_h - other.half_h
            assert max(apart_x, apart_y) >= 10


@pytest.mark.parametrize(("width", "wide", "most"), [(1000.0, True, MOST_WIDE), (326.0, False, MOST_NARROW)])
def test_a_dense_graph_stays_sparse(whole, width, wide, most):
    """Of 420 transitions few are drawn: the likeliest, and one in and one out of each state; the rest is counted."""
    nodes, edges = whole
    _, drawn, hidden = graph("dense", "dense", nodes, edges, width, wide=wide)
    assert len(edges) == len(STATE_NAMES) * (len(STATE_NAMES) - 1)
    assert drawn + hidden == len(edges)
    assert drawn <= most + 2 * len(STATE_NAMES)


def test_every_state_keeps_its_likeliest_ways():
    """However small, the likeliest way out of a state and into it is drawn; so is the most probable of all."""
    edges = [
        Edge("a", "b", 0.9),
        Edge("b", "a", 0.8),
        Edge("a", "c", 0.001),
        Edge("c", "a", 0.002),
        Edge("c", "b", 0.001),
    ]
    assert chosen(edges, 1) == [Edge("a", "b", 0.9), Edge("a", "c", 0.001), Edge("b", "a", 0.8), Edge("c", "a", 0.002)]


def test_layers_follow_the_funnel():
    """States go by stage, from the entry to the order, in an order that does not depend on the file's."""
    forward, account = layers(STATE_NAMES)
    assert forward == layers(tuple(reversed(STATE_NAMES)))[0]
    assert forward[2][0] == "product"
    assert forward[-1] == ["checkout", "payment", "purchase"]
    assert set(account) == {"login", "biometric_login", "rewards", "plan", "support"}


def test_states_of_a_later_version_find_a_place():
    """A state that no layer names stands with its stage; nothing is lost."""
    forward, account = layers(("home", "teleport"))
    assert sorted(name for layer in (*forward, account) for name in layer) == ["home", "teleport"]


def test_week_names_its_busiest_hour():
    """The description of a week says which hour is the busiest; a week without visits is drawn too."""
    week = [[0.0] * 7 for _ in range(24)]
    week[20][6] = 3.0
    drawn = week_map("w", "week", week, 1000.0, lambda value: f"{value:g}", wide=True)
    assert "busiest: Sunday from 20:00, 3" in drawn
    assert drawn.count("<rect") == 168
    assert "busiest" in week_map("w", "week", [[0.0] * 7] * 24, 326.0, str, wide=False)


def test_all_shipped_personas_have_a_page():
    """Every fourth shipped persona renders, small and well formed; with the three above, all kinds of state appear."""
    for name, path in list(complete_personas().items())[::4]:
        persona = load_persona(path)
        text = persona_html(persona, facts_of(persona))
        assert Page(text).faults == [], name
        assert len(text.encode()) < 1_000_000
