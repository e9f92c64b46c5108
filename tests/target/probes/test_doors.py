"""H13: ids that open doors, and links that carry a session."""

import pytest

CODES = {"H13"}
NO_IDS = {"/api/accounts/{extracted.account}/loyalty\n    evidence": "/api/accounts/mine/loyalty\n    evidence"}


def test_an_address_that_opens_for_anybody_is_found(probed, near):
    """Points are read without credentials and with another member's; the owner's own request is told beside."""
    every = probed("open_door", codes=near)
    assert [code for code, one in every.items() if one.state == "violated"] == ["H13"]
    said = [one["says"] for one in every["H13"].samples]
    assert "loyalty_balance opened without credentials" in said
    assert "loyalty_balance opened with somebody else's credentials" in said
    bare = next(one for one in every["H13"].samples if "without" in one["says"])
    assert "Authorization" not in bare["first"]
    assert "Authorization" in bare["second"]


def test_a_link_with_a_session_is_found(probed, near):
    """The session of whoever shared stands in the link, and goes to whoever opens it."""
    every = probed("share_session", codes=near)
    assert [code for code, one in every.items() if one.state == "violated"] == ["H13"]
    assert every["H13"].among.violated == 4


@pytest.mark.parametrize("begun", [0, 9])
def test_a_right_shop_keeps_its_doors_shut(probed, begun):
    """Two knocks and two looks at a link, all held."""
    found = probed(codes=CODES, run=f"run-{begun}")["H13"]
    assert found.state == "held"
    assert (found.alone.checked, found.among.checked) == (2, 8)


def test_a_link_is_judged_without_its_path(probed, without):
    """Where the file does not point to the link, an address in the answer is looked for; a right one is no alarm."""
    blind = without({"link: $.url, ": ""})
    found = probed("share_session", target=blind, codes=CODES)["H13"]
    assert found.operations == ("share",)
    assert found.state == "violated"
    assert probed(target=blind, codes=CODES)["H13"].state == "held"


@pytest.mark.parametrize("wrong", ["open", "link", "hands_on"])
def test_another_shop_is_found_out(bazaar, wrong):
    """With cookies instead of tokens: a basket that is open, a link with a session, a link that hands one on."""
    assert [code for code, one in bazaar(wrong).items() if one.state == "violated"] == ["H13"]


@pytest.mark.parametrize("odd", ["own_only", "shell"])
def test_answers_that_only_look_open_are_shut(bazaar, odd):
    """A shop that shows everybody their own whatever they name, or a page that repeats the name, opens nothing."""
    assert bazaar(odd=(odd,), codes=CODES)["H13"].state == "held"


def test_where_nothing_says_who_asks_the_id_is_the_key(bazaar):
    """Without credentials in the owner's request no door is judged: whoever has the basket's id has the basket."""
    found = bazaar("open", "no_cookies", codes=CODES)["H13"]
    assert found.state == "held"
    assert found.operations == ("share",)


def test_nothing_with_an_id_of_ones_own_is_not_observable(probed, tmp_path):
    """What is missing is named."""
    path = tmp_path / "plain.yaml"
    path.write_text('{"target": "plain", "operations": {"home": {"path": "/api/home"}}}')
    found = probed(target=str(path), codes=CODES)["H13"]
    assert found.state == "not observable"
    assert any("in its path" in one for one in found.missing)
