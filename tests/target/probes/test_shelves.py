"""H19: what is sold out, or was just bought, is not put before anybody."""

import pytest

from simulator.target.probes.shelves import Available

CODES = {"H19"}


def test_what_is_sold_out_or_bought_is_found(probed, near):
    """Both are told, each with what it was."""
    every = probed("sold_out", codes=near)
    assert [code for code, one in every.items() if one.state == "violated"] == ["H19"]
    assert {part[0] for one in every["H19"].samples for part in one["differs"]} == {"sold out", "bought"}


@pytest.mark.parametrize("begun", [0, 9])
def test_a_right_shop_shows_what_can_be_had(probed, begun):
    """Lists are judged as they come, and after a purchase."""
    found = probed(codes={"H1", "H19"}, run=f"run-{begun}")["H19"]
    assert found.state == "held"
    assert found.alone.checked > 3


def test_without_stock_a_purchase_shows_it(probed, without):
    """Where no answer says what is in stock, what was bought is still judged."""
    blind = without({"in_stock: $.items[*].in_stock": "in_stock: $.nothing?"})
    found = probed("sold_out", target=blind, codes=CODES)["H19"]
    assert {part[0] for one in found.samples for part in one["differs"]} == {"bought"}
    assert probed(target=blind, codes=CODES)["H19"].state == "held"


def test_the_promised_grace_is_waited_for(probed, without):
    """A shop that promises an hour is asked after an hour, and not before."""
    patient = without({"\npromises:\n": "\npromises:\n  purchase_grace: 1h\n"})
    found = probed("sold_out", target=patient, codes=CODES)["H19"]
    assert any("3600 s later" in str(part) for one in found.samples for part in one["differs"])


def test_another_shop_is_found_out(bazaar):
    """Without stock or subjects: a list that still has what was bought."""
    assert bazaar("bought", codes=CODES)["H19"].state == "violated"
    assert bazaar(codes=CODES)["H19"].state == "held"


def test_without_items_nothing_is_said(probed, tmp_path):
    """What is missing is named."""
    path = tmp_path / "plain.yaml"
    path.write_text('{"target": "plain", "operations": {"home": {"path": "/api/home"}}}')
    found = probed(target=str(path), codes=CODES)["H19"]
    assert found.state == "not observable"
    assert found.missing


def test_searches_may_list_what_is_sold_out(people, seen, probe):
    """A shelf or a search says what there is; only what is put before somebody must be there."""
    judged, one = probe(Available), people.somebody()
    gone = {"items": ("a", "b"), "in_stock": (True, False)}
    judged.see(seen(one, "search", evidence=gone))
    judged.see(seen(one, "category", evidence=gone))
    assert not judged.counts
    judged.see(seen(one, "home", evidence=gone))
    assert judged.samples[0].differs[0].one == ["b"]
