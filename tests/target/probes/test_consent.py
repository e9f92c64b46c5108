"""H6: who refused is left alone."""

import pytest

NOT_ASKED = {'"{consent.analytics}"': "true", '"{consent.personalization}"': "true", '"{consent.location}"': "true"}
CODES = {"H6"}


def test_a_shop_that_does_not_listen_is_found(probed):
    """Pages that change with what a refuser did, events that are kept, positions that are used: each is found."""
    found = probed("consent_ignored", codes=CODES)["H6"]
    assert found.blamed
    assert {"home", "recommend", "track", "offers"} <= set(found.operations)
    differs = {part[0] for one in found.samples for part in one["differs"]}
    assert {"items", "stored", "geo_used"} <= differs


@pytest.mark.parametrize("begun", [0, 9])
def test_a_right_shop_listens(probed, begun):
    """Whatever a refuser does, their pages stay as they were; nothing of theirs is taken."""
    found = probed(codes=CODES, run=f"run-{begun}")["H6"]
    assert found.state == "held"
    assert (found.alone.checked, found.among.checked) == (2, 10)


@pytest.mark.parametrize("other", ["leak", "flicker", "cold_start", "sold_out", "every_country"])
def test_other_hazards_are_not_taken_for_this_one(probed, other):
    """Pages that change for other reasons do not change with what a refuser did."""
    assert probed(other, codes=CODES)["H6"].state != "violated"


def test_a_target_that_is_told_of_no_consent_is_not_judged(probed, without):
    """What is missing is named: a request that carries the consent."""
    found = probed("consent_ignored", target=without(NOT_ASKED), codes=CODES)["H6"]
    assert found.state == "not observable"
    assert "any operation sending consent.personalization or consent.analytics" in found.missing


def test_another_shop_is_judged_by_its_lists_alone(bazaar):
    """A list that follows a refuser is found where no answer says whose it is."""
    assert bazaar("no_consent", codes=CODES)["H6"].state == "violated"
    assert bazaar(codes=CODES)["H6"].state == "held"


@pytest.mark.parametrize("odd", ["learns", "shuffles"])
def test_lists_that_change_for_everybody_say_nothing(bazaar, odd):
    """What is shown to who only waited must not have changed either, before a change means anything."""
    assert bazaar(odd=(odd,), codes=CODES)["H6"].state == "not observable"
