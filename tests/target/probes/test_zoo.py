"""The hazard zoo in virtual time: each hazard is found by its own name, and nothing else is; without any, nothing is.

What appears only when requests overlap (H17, H18) is played over sockets, by `make zoo`; shares of arms (H11) need
hundreds of shoppers, and have a test of their own.
"""

from datetime import UTC, datetime

import pytest

from simulator.storefront.hazards import all_hazards

SINGLE = [hazard.name for hazard in all_hazards() if not hazard.only_together and hazard.code != "H11"]
TOGETHER = [hazard.name for hazard in all_hazards() if hazard.only_together]
CODES = {hazard.name: hazard.code for hazard in all_hazards()}
TRIPLES = [
    ("leak", "pushy", "wrong_currency"),
    ("consent_ignored", "stale_price", "weak_passkey"),
    ("flip_at_login", "sold_out", "dropped_events"),
    ("open_door", "server_time", "wrong_model"),
]
BY_COIN = {"flip_at_login": 12}
"""Defects that spare half of all visits: so many visits among many, with three alone, miss them one time in 30,000."""
BEGINS = [datetime(2026, 3, 4, 12, tzinfo=UTC), datetime(2026, 7, 19, 3, 30, tzinfo=UTC)]


def rounds(*names):
    """Return how often scripts are played among many."""
    return max(BY_COIN.get(name, 4) for name in names)


def blamed(found):
    """Return the codes that are to blame."""
    return {code for code, one in found.items() if one.blamed}


@pytest.mark.parametrize("name", SINGLE)
def test_a_hazard_is_blamed_by_its_own_name(probed, name):
    """Exactly the family of the one defect that is on."""
    assert blamed(probed(name, among=rounds(name))) == {CODES[name]}


@pytest.mark.parametrize("begin", BEGINS, ids=str)
def test_a_right_shop_is_found_right(probed, begin):
    """Nothing is violated, at noon in winter or at night in summer, and everything the shop shows could be judged."""
    found = probed(begin=begin, among=4)
    assert {code: one.samples for code, one in found.items() if one.state == "violated"} == {}


@pytest.mark.parametrize("names", TRIPLES, ids="+".join)
def test_three_at_once_are_each_found(probed, names):
    """Defects of three kinds do not hide each other."""
    assert {CODES[name] for name in names} <= blamed(probed(*names, among=rounds(*names)))


@pytest.mark.parametrize("name", TOGETHER)
def test_what_needs_many_is_not_there_alone(probed, name):
    """With nobody else asking, nothing is violated."""
    assert blamed(probed(name, among=0)) == set()
