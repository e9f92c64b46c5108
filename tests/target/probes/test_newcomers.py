"""H16: newcomers are shown something."""

import pytest

CODES = {"H16"}


def test_nothing_for_newcomers_is_found(probed, near):
    """Recommendations that are empty without a history are found, beside those of somebody with one."""
    every = probed("cold_start", codes=near)
    assert [code for code, one in every.items() if one.state == "violated"] == ["H16"]
    assert every["H16"].operations == ("recommend",)
    (one,) = {one["second"] != "" for one in every["H16"].samples}
    assert one


@pytest.mark.parametrize("begun", [0, 9])
def test_a_right_shop_has_something_for_everybody(probed, begun):
    """Newcomers, and anonymous ones, get something on every page."""
    found = probed(codes=CODES, run=f"run-{begun}")["H16"]
    assert found.state == "held"
    assert {"home", "recommend", "category", "search", "content"} <= set(found.operations)


def test_without_items_nothing_is_said(probed, tmp_path):
    """What is missing is named."""
    path = tmp_path / "plain.yaml"
    path.write_text('{"target": "plain", "operations": {"home": {"path": "/api/home"}}}')
    found = probed(target=str(path), codes=CODES)["H16"]
    assert found.state == "not observable"
    assert any("with evidence items" in one for one in found.missing)


def test_another_shop_is_found_out(bazaar):
    """A front page that is empty for who is new, and for who is nobody, is one even where nobody else gets more."""
    found = bazaar("cold", codes=CODES)["H16"]
    assert found.blamed
    assert {one["says"] for one in found.samples} == {
        "home had nothing for a newcomer",
        "home had nothing for who is nobody yet",
    }


@pytest.mark.parametrize("odd", ["members_only", "empty_shelf"])
def test_what_may_be_empty_is_no_alarm(bazaar, odd):
    """A shop that refuses who has not said who they are, or a shelf that is empty for all, treats newcomers rightly."""
    assert bazaar(odd=(odd,), codes=CODES)["H16"].state == "held"


def test_who_is_nobody_is_no_shopper_of_any_market(probed):
    """What is asked without credentials is judged here alone: it has the shop's own currency, and is nobody's."""
    every = probed(codes={"H1", "H16", "H23", "H14"}, countries=("AU",))
    assert not [code for code, one in every.items() if one.state == "violated"]
