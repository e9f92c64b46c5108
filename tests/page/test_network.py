"""The packets of a page load, against arithmetic that anybody can do on paper."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pages_made import FAST, SLOW, asked, behind_redirect, page, seconds

from simulator.page.graph import graph_of
from simulator.page.predict import Conditions, simulate
from simulator.page.recording import Task

PACKET_S = 1_500 * 0.008 / 400
"""A packet on the slow network."""


def test_a_cold_first_byte_takes_two_round_trips():
    """A handshake and a request: two round trips, the server's time, and the packets' own time on the link."""
    load = page(wait_ms=300.0)
    small = 60 * 0.008 / 400
    expected = 2 * 0.4 + 0.3 + 2 * small + 1_052 * 0.008 / 400
    assert seconds(load, SLOW)["ttfb"] == pytest.approx(expected, abs=0.003)


def test_a_lookup_and_tls_and_the_radio_cost_what_they_are():
    """A lookup is one round trip, TLS 1.3 another, the radio's promotion its own time; a warm page none of them."""
    base = seconds(page(), FAST)["ttfb"]
    assert seconds(page(), replace(FAST, resolve=True))["ttfb"] == pytest.approx(base + 0.02, abs=1e-4)
    assert seconds(page(), replace(FAST, promotion_s=0.5))["ttfb"] == pytest.approx(base + 0.5, abs=1e-4)
    assert seconds(page(secure=True), FAST)["ttfb"] == pytest.approx(base + 0.02, abs=0.003)
    warm = seconds(page(), replace(FAST, warm=True))["ttfb"]
    assert warm == pytest.approx(base - 0.02, abs=1e-4)
    assert warm > 0.02


@pytest.mark.parametrize(("host", "trips"), [("shop.test", 1), ("old.test", 2)])
@pytest.mark.parametrize("protocol", ["h1", "h2"])
def test_a_redirect_costs_its_round_trips_and_nothing_else(host, trips, protocol):
    """Behind a redirect the page is the same, a round trip later, or two where another host has to be connected."""
    files = [asked(kind, 20_000, number=n, protocol=protocol) for n, kind in enumerate(["style", "script", "image"])]
    script = Task(start_ms=130, ms=30, kind="script", needs=[2])
    plain = page(*files, tasks=[script], lcp=3, protocol=protocol)
    on = Conditions(rtt_ms=200, down_kbps=20_000, up_kbps=20_000)
    behind = behind_redirect(plain, host)
    commit = behind.tasks[0].model_copy(update={"sends": [1]})  # as recordings said that were made before
    alone, led = seconds(plain, on), seconds(behind, on)
    assert led == pytest.approx({name: value + 0.2 * trips for name, value in alone.items()}, abs=0.003)
    assert seconds(behind.model_copy(update={"tasks": [commit, *behind.tasks[1:]]}), on) == led


@pytest.mark.parametrize("size", [5_000, 40_000, 400_000])
@pytest.mark.parametrize("rtt_ms", [20, 100, 400])
def test_one_file_takes_its_slow_start_and_its_bytes(size, rtt_ms):
    """One file alone: the doubling windows of slow start until the pipe is full, then the link's rate (within 6 %)."""
    on = Conditions(rtt_ms=rtt_ms, down_kbps=8_000, up_kbps=8_000)
    took = seconds(page(wire_bytes=size), on)["idle"] - 2 * rtt_ms / 1e3
    packet_s, sent, window, lower = 1_500 * 0.001 / 1_000, 0, 10, 0.0
    packets = -(-size // 1_448)
    while sent + window < packets and window * packet_s < rtt_ms / 1e3:
        lower, sent, window = lower + rtt_ms / 1e3, sent + window, window * 2
    expected = lower + (packets - sent) * packet_s
    assert took == pytest.approx(expected, rel=0.06, abs=0.004)


def test_no_byte_is_lost_or_made():
    """Without loss the link carries every byte once: many files take at least, and hardly more than, their time."""
    files = [asked("image", 30_000, number=n) for n in range(40)]
    found = simulate(graph_of(page(*files)), SLOW)
    assert not np.isnan(found.requests["end"]).any()
    assert (found.requests["got"] == graph_of(page(*files)).requests["wire_bytes"]).all()
    least = 40 * 30_000 * (1_500 / 1_448) * 0.008 / 400
    assert least < found.seconds["idle"] < 1.12 * least + 1.5


def test_six_connections_a_host_and_one_with_http2():
    """HTTP/1.1 opens at most six connections to a host, HTTP/2 one, whatever waits."""
    files = [asked("image", 3_000, number=n) for n in range(30)]
    assert simulate(graph_of(page(*files)), FAST).connections == 6
    multiplexed = [one.model_copy(update={"protocol": "h2"}) for one in files]
    assert simulate(graph_of(page(*multiplexed, protocol="h2")), FAST).connections == 1


def test_urgent_files_go_first():
    """With HTTP/2 a style sheet found after twenty images comes before them, with answers in turn it does not."""
    files = [asked("image", 30_000, number=n, protocol="h2", at=0.2) for n in range(20)]
    style = asked("style", 30_000, protocol="h2", at=0.9)
    load = page(*files, style, protocol="h2")
    first, turn = (simulate(graph_of(load), replace(SLOW, in_turn=which)).requests["end"] for which in (False, True))
    assert (first[-1] < first[1:-1]).all()
    assert turn[-1] > first[-1]


@pytest.mark.parametrize("works", [True, False], ids=["recorded", "without tasks"])
@pytest.mark.parametrize("protocol", ["h1", "h2"])
def test_a_script_in_the_head_holds_back_what_is_not_urgent(protocol, works):
    """Until it has run, images go two at a time and deferred scripts not at all; without it all go at once."""
    script = asked("script", 30_000, at=0.2, protocol=protocol, script="sync", blocking=True, priority="High")
    style = asked("style", 30_000, at=0.1, protocol=protocol)
    deferred = asked("script", 3_000, at=0.3, number=1, protocol=protocol, script="defer")
    images = [asked("image", 3_000, n, number=n, protocol=protocol, priority="Medium") for n in (0.5, 0.6, 0.7, 0.8)]
    tasks = [Task(start_ms=120, ms=5, kind="script", needs=[2])] if works else []
    load = page(style, script, deferred, *images, tasks=tasks, protocol=protocol)
    free = page(style, script.model_copy(update={"script": "async"}), deferred, *images, tasks=tasks, protocol=protocol)
    held = simulate(graph_of(load), SLOW)
    at, passed = held.requests["asked"], held.tasks["end"][2] if works else held.requests["end"][2]
    assert at[3] >= passed
    assert (at[4:] < passed).sum() >= 2
    for moment in at[4:][at[4:] < passed]:
        assert ((at[4:] <= moment) & (held.requests["end"][4:] > moment)).sum() <= 2
    assert simulate(graph_of(free), SLOW).requests["asked"][3] < passed


def test_lost_packets_cost_time_and_no_bytes():
    """With loss every byte still comes, later; HTTP/3 suffers less than HTTP/2, whose streams wait for each other."""

    def load(protocol):
        return page(*(asked("image", 20_000, number=n, protocol=protocol) for n in range(20)), protocol=protocol)

    on = Conditions(rtt_ms=100, down_kbps=5_000, up_kbps=5_000)
    lossy = [replace(on, loss=0.03, seed=seed) for seed in range(20)]
    for protocol in ("h1", "h2", "h3"):
        found = [simulate(graph_of(load(protocol)), one) for one in lossy]
        assert all((one.requests["end"] > 0).all() for one in found)
        assert np.median([one.seconds["idle"] for one in found]) > seconds(load(protocol), on)["idle"]
    means = {
        protocol: np.mean([simulate(graph_of(load(protocol)), one).requests["end"].mean() for one in lossy])
        for protocol in ("h2", "h3")
    }
    assert means["h3"] < means["h2"]


def test_the_same_load_is_the_same_numbers():
    """Nothing in a simulation is random: the same page on the same network gives the same times."""
    load = page(*(asked("image", 20_000, number=n) for n in range(20)))
    on = replace(SLOW, loss=0.02, seed=7)
    assert simulate(graph_of(load), on).seconds == simulate(graph_of(load), on).seconds


def test_slower_links_and_longer_ways_never_help():
    """A page of one chain is never faster on a slower link, a longer way, or a slower processor."""
    load = page(asked("style", 30_000))
    for name, values in {
        "rtt_ms": (10, 50, 200, 600),
        "down_kbps": (50_000, 5_000, 500, 50),
        "cpu": (1, 2, 4, 8),
    }.items():
        took = [seconds(load, replace(FAST, **{name: value}))["lcp"] for value in values]
        assert took == sorted(took)
        assert took[0] < took[-1]
