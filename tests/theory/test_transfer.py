"""The page model's formulas: monotone where they must be, right at their limits."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.page.load import INITIAL_WINDOW_BYTES, SETUP_ROUND_TRIPS, load_parts, recovery_s, transfer_s

SIZES = st.floats(1.0, 2e7)
ROUND_TRIPS = st.floats(1e-3, 2.0)
SPEEDS = st.floats(1e4, 5e7)
MORE = st.floats(1.0, 50.0)
KINDLY = settings(deadline=None, derandomize=True, max_examples=300, database=None)


@KINDLY
@given(SIZES, ROUND_TRIPS, SPEEDS, MORE)
def test_more_bytes_take_longer(size, rtt_s, speed, more):
    """Time never falls with size."""
    assert transfer_s(size * more, rtt_s, speed) >= transfer_s(size, rtt_s, speed) * (1 - 1e-12)


@KINDLY
@given(SIZES, ROUND_TRIPS, SPEEDS, MORE)
def test_a_longer_way_takes_longer(size, rtt_s, speed, more):
    """Time never falls with the round trip."""
    assert transfer_s(size, rtt_s * more, speed) >= transfer_s(size, rtt_s, speed) * (1 - 1e-12)


@KINDLY
@given(SIZES, ROUND_TRIPS, SPEEDS, MORE)
def test_a_faster_line_is_not_slower(size, rtt_s, speed, more):
    """Time does not grow with bandwidth, save for a bend of at most 9 % of a round trip where slow start ends."""
    bend_s = 0.0861 * rtt_s
    assert transfer_s(size, rtt_s, speed * more) <= transfer_s(size, rtt_s, speed) * (1 + 1e-12) + bend_s


@KINDLY
@given(SIZES, ROUND_TRIPS, SPEEDS)
def test_never_faster_than_the_line(size, rtt_s, speed):
    """No transfer beats its bandwidth."""
    assert transfer_s(size, rtt_s, speed) >= size / speed * (1 - 1e-12)


@KINDLY
@given(ROUND_TRIPS, SPEEDS)
def test_no_jumps(rtt_s, speed):
    """A byte more costs no more than a byte's own time and its part of slow start, at any size."""
    sizes = np.linspace(1.0, 3 * max(speed * rtt_s, INITIAL_WINDOW_BYTES), 200)
    for size in sizes:
        step = transfer_s(size + 1.0, rtt_s, speed) - transfer_s(size, rtt_s, speed)
        assert step <= 1.0 / speed + rtt_s / INITIAL_WINDOW_BYTES / math.log(2) + 1e-12


def test_a_short_fat_pipe_is_bandwidth_alone():
    """Where a round trip holds no more than the initial window, time is size over bandwidth."""
    assert transfer_s(1e6, 0.001, 1e6) == 1.0


def test_an_endless_line_is_slow_start_alone():
    """With endless bandwidth a transfer takes log2(1 + size/window) round trips."""
    assert transfer_s(3 * INITIAL_WINDOW_BYTES, 0.1, 1e12) == pytest.approx(0.2)
    assert transfer_s(15 * INITIAL_WINDOW_BYTES, 0.1, 1e12) == pytest.approx(0.4)


def test_a_large_transfer_runs_at_bandwidth():
    """Once the pipe is full, another megabyte takes a megabyte's time."""
    assert transfer_s(9e6, 0.1, 1e6) - transfer_s(8e6, 0.1, 1e6) == pytest.approx(1.0)


def test_instant_pages_take_no_time(instant):
    """A page marked instant takes nothing, on the worst network and device."""
    for card in instant.cards:
        assert load_parts(card, True, 2.0, 50.0, 0.4, 20.0) == (0.0, 0.0)


def test_the_first_page_pays_for_the_connection(cards):
    """The first page pays radio and three round trips of set-up, and a cold cache, before anything shows."""
    card = cards.cards[0]
    first, later = (load_parts(card, is_first, 0.1, 1e9, 0.4, 1.0)[0] for is_first in (True, False))
    assert first - later >= 0.4 + SETUP_ROUND_TRIPS * 0.1
    assert later >= 0.1


@pytest.mark.parametrize(
    ("what", "better", "worse"),
    [
        ("round trip", (0.05, 8_000.0, 0.1, 4.0), (0.15, 8_000.0, 0.1, 4.0)),
        ("bandwidth", (0.05, 8_000.0, 0.1, 4.0), (0.05, 800.0, 0.1, 4.0)),
        ("radio", (0.05, 8_000.0, 0.0, 4.0), (0.05, 8_000.0, 0.4, 4.0)),
        ("processor", (0.05, 8_000.0, 0.1, 2.0), (0.05, 8_000.0, 0.1, 12.0)),
    ],
)
def test_every_page_is_slower_on_worse(what, better, worse, cards):
    """On a worse network or device the first view of every page takes longer, until FCP and until usable."""
    for card in cards.cards:
        good, bad = load_parts(card, True, *better), load_parts(card, True, *worse)
        assert bad[0] > good[0], what
        assert sum(bad) > sum(good), what


def test_reconnecting_costs_the_connection_alone(cards):
    """A later page on a new connection pays radio and three round trips on top, and nothing else."""
    card = cards.cards[0]
    warm, again = (load_parts(card, False, 0.1, 8_000.0, 0.4, 1.0, reconnects) for reconnects in (False, True))
    assert again[0] - warm[0] == pytest.approx(0.4 + SETUP_ROUND_TRIPS * 0.1)
    assert again[1] == warm[1]


def test_a_lost_packet_costs_its_window_a_round_trip():
    """Where everything is lost each window pays a round trip; one packet that is lost one time in ten pays a tenth."""
    assert recovery_s(3 * INITIAL_WINDOW_BYTES, 0.1, 1.0) == pytest.approx(0.2)
    assert recovery_s(INITIAL_WINDOW_BYTES, 0.1, 0.01) == pytest.approx(0.1 * (1 - 0.99**10))
    assert recovery_s(0.0, 0.1, 0.5) == 0.0


@pytest.mark.parametrize("loss", [0.001, 0.01, 0.1])
def test_loss_slows_every_page(loss, cards):
    """The more packets are lost, the longer every page takes."""
    for card in cards.cards:
        clean, less, more = (sum(load_parts(card, True, 0.1, 8_000.0, 0.0, 4.0, False, p)) for p in (0, loss / 2, loss))
        assert clean < less < more
