"""The shipped networks: sane draws, an order that everybody expects, and the known profiles with their numbers."""

import numpy as np
import pytest

from simulator.model.networks import STAYS, network_table
from simulator.model.schema import SITUATIONS, TECHNOLOGIES

TABLE = network_table()
NAMES = pytest.mark.parametrize("name", TECHNOLOGIES)
# Round trip in ms, down and up in kbit/s, semantics; the sources are named in the file.
KNOWN = {
    "wpt-edge": (840, 240, 200, "packet"),
    "wpt-2g": (800, 280, 256, "packet"),
    "wpt-3g-slow": (400, 400, 400, "packet"),
    "wpt-3g": (300, 1600, 768, "packet"),
    "wpt-3g-fast": (150, 1600, 768, "packet"),
    "wpt-4g": (170, 9000, 9000, "packet"),
    "wpt-lte": (70, 12000, 12000, "packet"),
    "wpt-4g-fast": (40, 10240, 10240, "packet"),
    "lighthouse-slow-4g": (150, 1.6 * 1024, 750, "packet"),
    "devtools-slow-4g": (150 * 3.75, 1600 * 0.9, 750 * 0.9, "request"),
    "devtools-fast-4g": (60 * 2.75, 9000 * 0.9, 1500 * 0.9, "request"),
    "devtools-3g": (400 * 5, 500 * 0.8, 500 * 0.8, "request"),
}


def test_all_technologies_and_situations_are_there():
    """Personas may name every technology and situation, so each has its row."""
    assert set(TABLE.technologies) == set(TECHNOLOGIES)
    assert set(TABLE.situations) == set(SITUATIONS)


@NAMES
def test_draws_stay_sane(name):
    """No draw, however unlikely, is a network that nobody would call by that name."""
    technology = TABLE.technologies[name]
    for distribution, least, most in (
        (technology.rtt_ms, 5, 2_000),
        (technology.down_kbps, 150, 400_000),
        (technology.up_kbps, 100, 200_000),
    ):
        assert least <= distribution.quantile(1e-9) < distribution.quantile(1 - 1e-9) <= most


@NAMES
def test_up_is_slower_than_down(name):
    """The typical uplink is slower than the typical downlink."""
    technology = TABLE.technologies[name]
    assert technology.up_kbps.quantile(0.5) < technology.down_kbps.quantile(0.5)


@pytest.mark.parametrize(("field", "descending"), [("rtt_ms", False), ("down_kbps", True), ("up_kbps", True)])
def test_technologies_are_ordered(field, descending):
    """Wi-Fi, 5G, LTE and HSPA stand in this order of round trip and throughput, by their medians."""
    medians = [getattr(TABLE.technologies[name], field).quantile(0.5) for name in ("wifi", "5g", "lte", "hspa")]
    assert medians == sorted(medians, reverse=descending)


@pytest.mark.parametrize(
    ("name", "rtt_ms", "down_kbps"), [("5g", 69, 33_000), ("lte", 87, 6_600), ("hspa", 141, 2_400)]
)
def test_medians_are_the_measured_ones(name, rtt_ms, down_kbps):
    """Where the evidence names a measured median, the distribution has it."""
    technology = TABLE.technologies[name]
    assert technology.rtt_ms.quantile(0.5) == pytest.approx(rtt_ms)
    assert technology.down_kbps.quantile(0.5) == pytest.approx(down_kbps)


def test_loss_is_below_what_saturation_measured():
    """Loss stays under the share of pings lost on saturated links, which the evidence calls an upper bound."""
    bounds = {"5g": 0.016, "lte": 0.028, "hspa": 0.13}
    assert all(0 < TABLE.technologies[name].loss.mean() < bound for name, bound in bounds.items())


def test_networks_change_fastest_on_the_way():
    """A commuter changes networks within a visit, somebody at home does not."""
    for name in ("5g", "lte", "hspa"):
        stay = {place: situation.dwell[name].median for place, situation in TABLE.situations.items()}
        assert stay["commute"] < stay["travel"] < stay["store"] < stay["work"] < stay["home"]


@pytest.mark.parametrize(("name", "median_s"), [("5g", 12), ("lte", 21), ("hspa", 64)])
def test_stays_on_the_way_are_the_measured_ones(name, median_s):
    """Where the evidence names a measured median stay, the chain has it."""
    assert TABLE.situations["commute"].dwell[name].median == median_s


@pytest.mark.parametrize("place", SITUATIONS)
def test_the_chain_spends_its_time_as_the_mix_says(place):
    """Of a semi-Markov chain's rows and mean stays, the shares of time follow by π ∝ ν·m; they are the mix given."""
    situation = TABLE.situations[place]
    mix = {"wifi": 0.5, "5g": 0.2, "lte": 0.25, "hspa": 0.05}
    rows = situation.jumps(mix)
    assert rows.min() >= 0
    assert rows.sum(axis=1) == pytest.approx(1.0)
    law = np.linalg.matrix_power(rows, 4_096)[0]
    time = law * [situation.dwell[name].mean_s() for name in STAYS]
    assert time / time.sum() == pytest.approx(situation.shares(mix), abs=1e-9)


def test_a_stay_that_is_met_is_a_long_one():
    """Weighed by its length, a log-normal has the median that the density x·f(x)/mean gives."""
    dwell = TABLE.situations["commute"].dwell["lte"]
    x = np.linspace(1e-3, 3_000, 400_000)
    density = x * dwell.stay().exact().pdf(x) / dwell.mean_s()
    below = np.trapezoid(density[x <= dwell.met().quantile(0.5)], x[x <= dwell.met().quantile(0.5)])
    assert below == pytest.approx(0.5, abs=1e-3)


def test_the_known_profiles_are_all_there():
    """WebPageTest's eight, Lighthouse's one and DevTools' three, and no others."""
    assert set(TABLE.profiles) == set(KNOWN)


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_profile_has_its_known_numbers(name):
    """A profile with a public name has the numbers and the semantics of that name, and says its source."""
    profile = TABLE.profiles[name]
    rtt_ms, down_kbps, up_kbps, semantics = KNOWN[name]
    assert (profile.rtt_ms, profile.down_kbps, profile.up_kbps) == pytest.approx((rtt_ms, down_kbps, up_kbps))
    assert profile.semantics == semantics
    assert profile.source
