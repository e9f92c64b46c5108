"""The shipped page cards: every state has one, calls what the storefront serves, and weighs what a page may weigh."""

import pytest
from pydantic import ValidationError

from simulator.model.states import STATE_NAMES
from simulator.page.card import Call, page_file

FILE = page_file()
STATES = pytest.mark.parametrize("state", STATE_NAMES)
CALLS = {
    "home": [
        "home blocking",
        "recommend lcp",
        "offers deferred",
        "decide deferred",
        "exposure deferred",
        "next_action deferred",
        "push_register deferred",
        "track deferred",
    ],
    "search": ["search blocking", "suggest deferred", "track deferred"],
    "category": ["category blocking", "rank deferred", "track deferred"],
    "recommend": ["recommend blocking", "track deferred"],
    "offers": ["offers blocking", "track deferred"],
    "product": ["product blocking", "recommend deferred", "price deferred", "track deferred"],
    "add_to_cart": ["add_to_cart blocking", "track deferred"],
    "cart": ["cart blocking", "recommend deferred", "next_action deferred", "remove_from_cart deferred"],
    "checkout": ["checkout blocking"],
    "payment": ["payment blocking"],
    "purchase": ["purchase blocking", "track deferred"],
    "login": ["login blocking", "identify deferred"],
    "biometric_login": ["auth_begin blocking", "auth_finish blocking", "identify deferred"],
    "rewards": ["loyalty_balance blocking", "offers lcp", "loyalty_redeem deferred", "track deferred"],
    "plan": ["content blocking", "recommend deferred", "loyalty_earn deferred", "track deferred"],
    "support": ["support blocking", "track deferred"],
    "notifications": ["push_receipt blocking", "offers lcp", "consent_set deferred", "track deferred"],
    "content": ["content blocking", "recommend deferred", "loyalty_earn deferred", "track deferred"],
    "store": ["store_near blocking", "offers lcp", "geofence deferred", "track deferred"],
    "ar_preview": ["ar_asset lcp", "track deferred"],
    "share": ["share blocking", "track deferred"],
}
ALMANAC_HOME_BYTES, ALMANAC_INNER_BYTES = 2_559_000, 1_769_000


def test_every_state_has_a_card():
    """Nobody can reach a page that has no card."""
    assert set(FILE.pages) == set(STATE_NAMES)


@STATES
def test_a_page_calls_what_it_should(state):
    """Each page makes its own call first and blocking, and the personalization calls in their places."""
    assert [f"{call.op} {call.placement}" for call in FILE.pages[state].calls] == CALLS[state]


def test_what_holds_a_page_is_always_called():
    """Only deferred calls are made sometimes; each page's first call is made every time."""
    rare = [call for card in FILE.pages.values() for call in card.calls if call.share < 1]
    assert rare
    assert {call.placement for call in rare} == {"deferred"}
    with pytest.raises(ValidationError, match="only deferred calls have a share"):
        Call(op="home", placement="blocking", share=0.5)


@STATES
def test_a_card_says_where_its_numbers_come_from(state):
    """No card without evidence."""
    assert FILE.pages[state].evidence


def test_server_times_cover_exactly_the_calls():
    """Every operation that a page calls has a server time, and none has one for nothing."""
    assert set(FILE.server) == {call.op for card in FILE.pages.values() for call in card.calls}


@pytest.mark.parametrize("op", sorted(FILE.server))
def test_an_unloaded_server_is_quick(op):
    """An unloaded operation takes tens of milliseconds, and its slow tail stays below half a second."""
    time = FILE.server[op]
    assert 0.010 <= time.quantile(0.5) <= 0.100
    assert time.quantile(0.99) < 0.5


@STATES
def test_a_page_weighs_less_than_the_whole_median_page(state):
    """What stands between tap and usable page is part of the Almanac's median page, never more."""
    card = FILE.pages[state]
    if state == "ar_preview":
        assert 1_000_000 < card.content_bytes < 10_000_000, "a model in three dimensions is no page of the Almanac"
        return
    whole = ALMANAC_HOME_BYTES if state == "home" else ALMANAC_INNER_BYTES
    assert card.document_bytes + card.critical_bytes + card.content_bytes < whole / 2


def test_the_home_page_is_the_heaviest():
    """As in the Almanac, home pages weigh more than inner pages; a model in three dimensions is no page."""
    weights = {
        s: c.document_bytes + c.critical_bytes + c.content_bytes for s, c in FILE.pages.items() if s != "ar_preview"
    }
    assert max(weights, key=lambda state: weights[state]) == "home"


def test_adding_to_the_cart_is_no_navigation():
    """Adding to the cart answers inside the page: a few bytes, no content, hardly any script."""
    card = FILE.pages["add_to_cart"]
    assert card.document_bytes < 5_000
    assert card.critical_bytes == card.content_bytes == 0
    assert card.script_kb < 50
