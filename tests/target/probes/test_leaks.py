"""H1: answers that hold somebody else's data."""

import pytest

from simulator.target.probes.echo import Leak
from simulator.target.probes.marks import marks_in

WITHOUT_SUBJECT = {"subject: $.subject": "subject: $.nobody?"}


def test_a_page_kept_for_whoever_comes_next_is_a_leak(probed, near):
    """A cache that looks at the address alone is found by two shoppers who ask one after the other."""
    every = probed("leak", codes=near)
    assert [code for code, one in every.items() if one.state == "violated"] == ["H1"]
    found = every["H1"]
    assert found.state == "violated"
    assert found.blamed
    assert found.alone.violated >= 1
    first, second = found.samples[0]["first"], found.samples[0]["second"]
    assert first.startswith("curl ")
    assert second.startswith("curl ")
    assert "Authorization: Bearer" in first


@pytest.mark.parametrize("begun", [0, 9])
def test_a_right_shop_leaks_nothing(probed, begun):
    """Without the hazard the same requests show no leak, and say how many answers were compared."""
    found = probed(codes={"H1"}, run=f"run-{begun}")["H1"]
    assert found.state == "held"
    assert found.alone.checked > 10
    # Wilson: without a violation in n visits the share is below z² / (n + z²).
    assert found.alone.high == pytest.approx(1.96**2 / (found.alone.visits + 1.96**2), abs=0.001)


def test_a_leak_is_found_where_no_subject_is_mapped(probed, without):
    """The ids of our shoppers in the body tell whose answer it is, where the file points to no subject."""
    blind = without(WITHOUT_SUBJECT)
    assert probed("leak", target=blind, codes={"H1"})["H1"].blamed
    held = probed(target=blind, codes={"H1"})["H1"]
    assert held.state == "held"
    assert held.alone.checked > 10


@pytest.mark.parametrize("wrong", ["kept", "marked", "last_caller", "one_basket"])
def test_a_shop_that_names_nobody_is_judged_by_what_it_shows(bazaar, wrong):
    """A list, an address, another's id, and a list of one's own marked as public, are leaks without a subject."""
    found = {code for code, one in bazaar(wrong).items() if one.state == "violated"}
    assert found == {"H1"}


@pytest.mark.parametrize("odd", [(), ("learns",), ("shuffles",)])
def test_lists_of_ones_own_that_learn_or_change_are_no_leak(bazaar, odd):
    """Nor are lists that learn from what all do, or are in another order each time."""
    assert not [code for code, one in bazaar(odd=odd).items() if one.state == "violated"]


def test_somebody_else_in_a_body_is_told_from_oneself(people):
    """Ids and addresses of our shoppers are found whole: one's own, another's, and none that only begin alike."""
    one, other = people.somebody(), people.somebody()
    me, them = one.value("shopper.id"), other.value("shopper.id")
    assert marks_in(f'{{"id": "{me}"}}'.encode(), one) == (True, "")
    assert marks_in(f'{{"id": "{me}", "by": "{them}"}}'.encode(), one) == (True, them)
    assert marks_in(f"{one.value('visit.id')} {one.value('shopper.email')}".encode(), one) == (True, "")
    assert marks_in(f"mailto:{other.value('shopper.email')}".encode(), one).other == other.value("shopper.email")
    assert marks_in(b"stuff-7-1 x.ff-70-1 ff-7- somebody@shopper.example " + b"1" * 5_000, one) == (False, "")
    assert marks_in(b"ff-7-" + b"9" * 5_000, one).other


def test_what_names_its_shopper_must_not_be_marked_as_one_for_all(people, seen, probe):
    """`public` on such an answer is a violation; with `Vary`, with the id in the address, or unnamed, it is none."""
    one = people.somebody()
    body, public = f'{{"for": "{one.value("shopper.id")}"}}'.encode(), {"cache-control": "public, max-age=60"}

    def judged(**answer):
        leak = probe(Leak)
        leak.see(seen(one, "home", **answer))
        return any(key.what == "violated" for key in leak.counts)

    assert judged(body=body, headers=public)
    assert not judged(body=body, headers=public | {"vary": "Accept, Authorization"})
    assert not judged(body=body, headers=public, url=f"/home?user={one.value('shopper.id')}")
    assert not judged(headers=public)
    assert not judged(body=body, headers={"cache-control": "private, max-age=60"})
    assert not judged(body=body, headers={"cache-control": "max-age=60"}, sent={"Authorization": "Bearer x"})
