"""`footfall speed fit --rum`: what is planted is found, what cannot be told is said, bad rows are counted."""

import importlib.util
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from simulator.fit.hits import Findings
from simulator.fit.rum import fit_rum
from simulator.fit.rum_patience import fit_patience
from simulator.fit.rum_read import read_beacons
from simulator.fit.rum_views import Views, views_of
from simulator.model.behaviour import load_behaviour

_spec = importlib.util.spec_from_file_location("footfall_beacons", Path(__file__).with_name("beacons.py"))
made = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(made)
write_csv = made.write_csv

# Waiting is charged to no time budget: what beacons show is then patience and put-off alone.
PLANTED = load_behaviour("causal-consensus").at(
    patience__hazard_per_s=0.02, put_off__per_log_load=0.05, put_off__memory=0.0, budget__waiting=0.0
)
RICH = PLANTED.at(
    patience__hazard_per_s=0.03,
    patience__shape=1.4,
    patience__frailty_variance=1.0,
    patience__feedback=0.5,
    put_off__per_log_load=0.08,
    put_off__memory=0.03,
    put_off__dwell=0.9,
)


@cache
def sessions():
    """Return beacons of everyday shoppers with five delays dealt to sessions."""
    return tuple(made.beacons(made.played(made.population_of(PLANTED), 9_000)))


@cache
def pages():
    """Return beacons of the base shopper's four visits with five delays dealt to pages."""
    return tuple(made.beacons(made.played(made.population_of(RICH, "base_mobile"), 8_000, within=True, visits=4)))


def read(path, kind="csv", **options):
    """Return the views of a file and what was met."""
    findings = Findings()
    named = options.pop("named", {})
    beacons_read = read_beacons(path, kind, named, options.get("unit"), options.get("time_unit", "ms"), findings)
    return views_of(beacons_read, None, findings), findings


def fitted(path, **options):
    """Return the fit of a file and its parameters by name."""
    fit = fit_rum(read(path, **options)[0])
    return fit, {one.name: one for one in fit.parameters}


def holds(parameter, value):
    """Return whether a parameter is fitted and its interval holds a value."""
    return parameter.state == "fitted" and parameter.low <= value <= parameter.high


def test_the_level_is_found_where_delays_were_dealt_to_sessions(tmp_path):
    """The hazard and the put-off that made the beacons lie in the fitted 95 % intervals (one fixed seed)."""
    fit, found = fitted(write_csv(tmp_path / "rum.csv", sessions()))
    assert holds(found["patience.hazard_per_s"], 0.02)
    assert holds(found["put_off.per_log_load"], 0.05)
    assert found["patience.hazard_per_s"].high < 1.4 * found["patience.hazard_per_s"].low
    assert fit.kind == "fitted"
    assert found["put_off.memory"].state == "assumed"
    assert "within a session" in found["put_off.memory"].why


def test_everything_is_found_where_delays_were_dealt_to_pages(tmp_path):
    """Shape, frailty, feedback, put-off, memory and dwell of the base shopper are all found again."""
    _, found = fitted(write_csv(tmp_path / "rum.csv", pages()))
    truth = {
        "patience.shape": 1.4, "patience.frailty_variance": 1.0, "patience.feedback": 0.5,
        "put_off.per_log_load": 0.08, "put_off.memory": 0.03, "put_off.dwell": 0.9,
    }  # fmt: skip
    assert [name for name, value in truth.items() if not holds(found[name], value)] == []
    assert found["patience.hazard_per_s"].value == pytest.approx(0.03, rel=0.1)


def test_without_first_paints_the_level_is_of_whole_waits(tmp_path):
    """Without first paints nothing is softened, and by 8 s as many have left as the whole hazard says."""
    _, found = fitted(write_csv(tmp_path / "rum.csv", sessions(), without=("fcp",)))
    assert found["patience.feedback"].value == 1.0
    assert "whole wait" in found["patience.feedback"].why
    by_8_s = found["patience.hazard_per_s"].value * 8 ** found["patience.shape"].value
    assert 0.6 * 0.02 * 8 < by_8_s < 1.1 * 0.02 * 8


def test_without_chance_the_level_is_confounded(tmp_path):
    """The same beacons without their delays give a level that is called confounded, in a preset that must be meant."""
    fit, found = fitted(write_csv(tmp_path / "rum.csv", sessions(), without=("delay",)))
    assert found["patience.hazard_per_s"].state == "confounded"
    assert "no delay was dealt at random" in found["patience.hazard_per_s"].why
    assert {found[name].state for name in ("put_off.per_log_load", "put_off.dwell")} == {"assumed"}
    assert fit.kind == "observational"


def test_without_chance_and_without_leaving_there_is_no_level(tmp_path):
    """Bounce by load time alone says nothing of patience: the consensus stays, and is called assumed."""
    _, found = fitted(write_csv(tmp_path / "rum.csv", sessions(), without=("delay", "left")))
    assert found["patience.hazard_per_s"].state == "assumed"
    assert "bounce by load time cannot tell" in found["patience.hazard_per_s"].why


def test_lost_beacons_are_noticed(tmp_path):
    """Where who left while waiting sent nothing, slow arms are smaller, and the level is called confounded."""
    fit, found = fitted(write_csv(tmp_path / "rum.csv", sessions(), without=("left",)))
    assert fit.design.lost
    assert found["patience.hazard_per_s"].state == "confounded"
    assert "beacons are lost" in found["patience.hazard_per_s"].why


def test_all_that_waiting_costs_is_found_without_saying_when(tmp_path):
    """If every view is told of but not when people left, who went on by dealt delay gives the level."""
    preset = load_behaviour("null").at(put_off__per_log_load=0.1)
    told = tuple(made.beacons(made.played(made.population_of(preset), 9_000)))
    _, found = fitted(write_csv(tmp_path / "rum.csv", told, without=("left",)))
    level = found["patience.hazard_per_s"]
    assert level.state == "fitted"
    assert level.low > 0.005
    assert "put-off is in it" in level.why


@pytest.mark.parametrize(("write", "kind"), [("web_vitals", "web-vitals"), ("boomerang", "boomerang")])
def test_formats_say_the_same(tmp_path, write, kind):
    """web-vitals' reports and boomerang's query strings give the views that CSV gives, to the millisecond."""
    some = sessions()[:3_000]
    expected, _ = read(write_csv(tmp_path / "rum.csv", some))
    file = tmp_path / ("rum.txt" if kind == "boomerang" else "rum.jsonl")
    views, findings = read(getattr(made, f"write_{write}")(file, some), kind)
    assert not findings.dropped
    for name in ("load_s", "left_s", "delay_s"):
        ours, theirs = (np.sort(getattr(one, name)) for one in (views, expected))
        assert ours == pytest.approx(theirs, abs=1e-3, nan_ok=True), name
    assert views.first().sum() == expected.first().sum()


def test_bad_rows_are_left_out_and_counted(tmp_path):
    """Bots, negative times, seconds among milliseconds, duplicates, wrong clocks: each has its reason and count."""
    good = {"session": "a", "view": "1", "time": "2026-01-05T10:00:00Z", "agent": "Mozilla/5.0", "load": 2_000}
    rows = [
        good,
        good,
        good | {"view": "2", "load": -5},
        good | {"view": "3", "load": 2.31},
        good | {"view": "4", "load": "fast"},
        good | {"view": "5", "load": 99_999_999},
        good | {"view": "6", "agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
        good | {"view": "7", "session": ""},
        good | {"view": "8", "time": "yesterday"},
        good | {"view": "9", "load": ""},
        good | {"view": "10", "left": 900},
    ]
    views, findings = read(write_csv(tmp_path / "rum.csv", rows), time_unit=None)
    assert len(views.session) == 1
    assert findings.dropped == {
        "view is there twice": 1,
        "load is negative": 1,
        "load is in another unit than the others": 1,
        "load is no number": 1,
        "load is longer than 30 minutes": 1,
        "user agent is a program's": 1,
        "session is missing": 1,
        "time is no ISO 8601 text and no number": 1,
        "neither a load time nor when they left": 1,
        "both a load time and leaving before it": 1,
    }


@pytest.mark.parametrize(
    ("agent", "kept"),
    [
        (made.PHONE, True),
        ("Mozilla/5.0 (Linux; Android 10; CUBOT X20 PRO) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36", True),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1", True),
        ("Mozilla/5.0 AppleWebKit/537.36 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", False),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/126.0 Safari/537.36", False),
        ("Mozilla/5.0 (Linux; Android 11; moto g power) Chrome/126.0 Mobile Safari/537.36 Chrome-Lighthouse", False),
        ("python-requests/2.32", False),
    ],
)
def test_programs_are_told_from_phones(tmp_path, agent, kept):
    """Crawlers, headless browsers, measuring tools and HTTP libraries are left out; a phone called Cubot is not."""
    rows = [{"session": "a", "view": "1", "agent": agent, "load": 2_000}]
    views, _ = read(write_csv(tmp_path / "rum.csv", rows, without=("time",)))
    assert (views is not None) == kept


def test_the_patience_fit_covers_the_truth():
    """Of 100 samples of waits with gamma frailty, made without the product, 88 to 99 intervals hold each number."""
    dice, truth = np.random.default_rng(4), {"hazard_per_s": 0.05, "shape": 1.3, "frailty_variance": 0.8}
    held = dict.fromkeys(truth, 0)
    for _ in range(100):
        people, waits = 400, 4
        frailty = np.repeat(dice.gamma(1 / 0.8, 0.8, people), waits)
        load_s = dice.choice([1.0, 2.0, 4.0, 8.0, 12.0], people * waits)
        patience_s = (dice.exponential(1, people * waits) / (frailty * 0.05)) ** (1 / 1.3)
        up, none = patience_s < load_s, np.full(people * waits, np.nan)
        person = np.repeat(np.arange(people), waits)
        views = Views(
            np.arange(people * waits), person, none, np.where(up, np.nan, load_s), none,
            np.where(up, patience_s, np.nan), load_s, has_users=True,
        )  # fmt: skip
        values = fit_patience(views).values
        for name, value in truth.items():
            held[name] += values[name][1] <= value <= values[name][2]
    assert all(88 <= count <= 99 for count in held.values()), held


def test_beacons_that_are_no_pages_are_left_out(tmp_path):
    """Boomerang's XHR beacons and those of leaving a loaded page are no page views; the first counts what it says."""
    lines = [
        "rt.si=a&rt.tstart=1767571200000&t_done=1500",
        "rt.si=a&rt.tstart=1767571200001&t_done=90&http.initiator=xhr",
        "rt.si=a&rt.tstart=1767571230000&t_done=31000&rt.quit=",
        "https://b.example/beacon?rt.si=a&rt.tstart=1767571240000&t_done=700&rt.quit=&rt.abld=",
        "",
        "https://b.example/beacon?",
    ]
    (tmp_path / "b.txt").write_text("\n".join(lines))
    views, findings = read(tmp_path / "b.txt", "boomerang")
    assert views.load_s.tolist() == pytest.approx([1.5, np.nan], nan_ok=True)
    assert views.left_s.tolist() == pytest.approx([np.nan, 0.7], nan_ok=True)
    assert findings.dropped == {
        "beacon of an XHR, no page": 1, "beacon of leaving a page that had loaded": 1, "line has no parameters": 1,
    }  # fmt: skip


def test_the_command_writes_a_preset_that_plays(tmp_path, footfall, monkeypatch):
    """The preset that is written is valid, says what it rests on, and `generate` plays it."""
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "rum.csv", sessions())
    said = footfall("speed", "fit", "--rum", "rum.csv", "--time-unit", "ms", "--name", "mine")
    assert said.code == 0, said.err
    assert "patience.hazard_per_s" in said.out
    preset = YAML(typ="safe").load((tmp_path / "mine.yaml").read_text())
    assert preset["kind"] == "fitted"
    assert preset["identifiable"]["put_off.memory"].startswith("assumed: needs delays")
    low, high = preset["intervals"]["patience.hazard_per_s"]
    assert low <= preset["patience"]["hazard_per_s"] <= high
    again = footfall("speed", "fit", "--rum", "rum.csv", "--name", "mine")
    assert again.code == 2
    assert "give --overwrite" in again.err
    played = footfall("generate", "demo", "--shoppers", "20", "--behaviour", "mine.yaml", "--out", "data")
    assert played.code == 0, played.err
    assert json.loads((tmp_path / "data" / "manifest.json").read_text())["behaviour"]["name"] == "mine"


def test_what_cannot_be_meant_is_refused(tmp_path, footfall, monkeypatch):
    """Missing columns, unknown meanings, durations without a unit and empty files end with 2 and a sentence each."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("who,load\nx,2000\n")
    (tmp_path / "b.csv").write_text("session,load\nx,2000\n")
    (tmp_path / "c.csv").write_text("session,load_ms\n")
    for file, options, text in (
        ("a.csv", ("--unit", "ms"), "no row has a session"),
        ("b.csv", (), "has no unit that can be told"),
        ("c.csv", (), "has no usable page view in 0 rows"),
        ("b.csv", ("--column", "sesion=who"), "did you mean session?"),
        ("b.csv", ("--column", "session"), "has no meaning and column"),
        ("none.csv", (), "does not exist"),
    ):
        said = footfall("speed", "fit", "--rum", file, *options)
        assert said.code == 2
        assert text in said.err, (file, said.err)
    assert footfall("speed", "fit").code == 2
