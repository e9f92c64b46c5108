"""H22: counts of people that a test run raises."""

from __future__ import annotations

import pytest

from simulator.target.probes.hygiene import Rise, _ruling


def test_counted_test_traffic_is_found_and_blamed(probed):
    """Three views and three exposures that are counted are enough where nobody else is there."""
    found = probed("learns_from_tests", codes={"H22"})["H22"]
    assert found.blamed
    assert "popularity rose by 3 while 3 requests of product were sent, where 0 was due by itself" in found.why
    assert "exposures rose by 3" in found.why
    assert "/api/trends" in found.samples[0]["first"]


def test_a_right_shop_is_left_as_it_was(probed):
    """Who says that it is a test is not counted."""
    found = probed(codes={"H22"})["H22"]
    assert found.state == "held"
    assert found.samples == ()


def test_without_counts_nothing_is_said(probed, lacking):
    """The missing path is named."""
    found = probed("learns_from_tests", target=lacking("counts"), codes={"H22"})["H22"]
    assert found.state == "not observable"
    assert found.missing == ("readings.popularity or exposures with evidence counts",)


@pytest.mark.parametrize(
    ("rise", "held", "words"),
    [
        (Rise("popularity", 0, 3, 900, 60, {"product": 900}), False, "rose by 900 while 900"),
        # Of 900 requests a third was counted: less than half, which may be what people did.
        (Rise("popularity", 0, 3, 300, 60, {"product": 900}), True, "rose by 300"),
        # People look at things too: 10 a second before, 10 a second during the run.
        (Rise("popularity", 30, 3, 600, 60, {"product": 900}), True, "where 600 was due by itself"),
        (Rise("popularity", 30, 3, 1500, 60, {"product": 900}), False, "where 600 was due by itself"),
        # Too busy a shop to see us in.
        (Rise("popularity", 300, 3, 6900, 60, {"product": 900}), None, "by itself, more than was sent"),
        # Two views in a minute are no surprise after none in three seconds.
        (Rise("popularity", 0, 3, 30, 60, {"purchase": 40}), True, "p = 0.2"),
        # The shop counts what was bought, and nothing that was looked at.
        (Rise("popularity", 0, 3, 400, 60, {"product": 9000, "purchase": 400}), False, "400 requests of purchase"),
    ],
)
def test_the_rule_of_a_rise(rise, held, words):
    """Ours is a rise of half of what was sent over what was due, less likely than 1 in 1000 by chance."""
    ruling = _ruling(rise)
    assert ruling.held is held
    assert words in ruling.why
