"""Visits to the shop that comes with Footfall: every page it is asked for is served, to whoever may see it."""

from __future__ import annotations

from collections import defaultdict

import pytest

from simulator.model.states import STATE_NAMES
from simulator.page.card import OPERATIONS
from simulator.storefront import running_storefront
from simulator.worlds.live.run import calls_by_state, served_by

PAGES = {
    "biometric_login": {"auth_begin", "auth_finish", "login", "identify"},
    "rewards": {"loyalty_balance", "offers", "loyalty_redeem", "track"},
    "plan": {"content", "recommend", "loyalty_earn", "track"},
    "support": {"support", "track"},
    "notifications": {"offers", "track"},
    "content": {"content", "recommend", "loyalty_earn", "track"},
    "store": {"store_near", "offers", "track"},
    "ar_preview": {"ar_asset", "track"},
    "share": {"share", "track"},
}
RARE = {"push_fetch", "push_receipt", "consent_set", "geofence", "share_open", "remove_from_cart"}
"""What phones do beside any page, and what few shoppers do."""
UNASKED = {
    "no push consent",
    "no location consent",
    "already made in this visit",
    "extracted.order is not known yet",
    "extracted.reward is not known yet",
}


@pytest.fixture(scope="module")
def visited(play, tables):
    """Play sixty visits to the embedded shop, once for this file; return the run and its tables."""
    with running_storefront(seed=7) as shop:
        run = play(shop.url, shoppers=60, name="everywhere")
        return run, tables(run)


def test_no_page_of_the_shop_fails(visited):
    """No request fails and no visit breaks; what is not asked lacks a consent or an order, and is counted."""
    run, tables = visited
    assert not run.defects
    assert run.recorder.failed == 0
    assert {row["status"] for row in tables["requests"]} == {200, 201, 202, 304}
    assert {reason for _, reason in run.skipped} <= UNASKED


def test_every_page_makes_its_calls(visited):
    """Each page was visited, and asked for all that its card names."""
    _, tables = visited
    names = {(row["shopper"], row["step"]): row["page"] for row in tables["events"]}
    made = defaultdict(set)
    for row in tables["requests"]:
        made[names[row["shopper"], row["step"]]].add(row["operation"])
    assert {page: made[page] - RARE for page in PAGES} == PAGES


def test_a_finger_logs_in_where_no_passkeys_are_served(scenario):
    """A target without passkeys is sent the stored password instead; the shop has them, and they are used."""
    page = STATE_NAMES.index("biometric_login")
    placed = calls_by_state(scenario("everywhere", target="storefront"))[0][page]
    names = [[OPERATIONS[operation] for operation in operations] for operations in placed]
    assert names == [["auth_begin", "auth_finish"], [], ["identify"]]
    assert served_by(("home", "login"), "auth_finish") == "login"
