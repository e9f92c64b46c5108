"""H9, H10, H11: arms that stay, before and after a login, and are dealt as promised."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from simulator.target.probes.probe import Ground, Key
from simulator.target.probes.steps import Ask
from simulator.target.probes.variants import ARM, SampleRatio
from simulator.target.request import load_target

CODES = {"H9", "H10", "H11"}


def dealt(shares=None, **arms):
    """Return what the rule says of so many shoppers in each arm, of shares promised or not."""
    target = load_target("storefront")
    promises = target.file.promises.model_copy(update={"variant_shares": shares or {}})
    counts = Counter({Key("among", "session", f"{ARM}{name}"): number for name, number in arms.items()})
    return SampleRatio(Ground(target, promises)).rule(counts)


def test_a_flip_at_login_is_found_and_blamed(probed):
    """Half of all shoppers see another arm after a login (all of 15 the same: 1 in 32,768); without one, none does."""
    found = probed("flip_at_login", codes=CODES, among=12)
    assert found["H9"].blamed
    assert found["H10"].state == "held"
    [name, before, after] = found["H9"].samples[0]["differs"][0]
    assert name == "variant"
    assert before != after


def test_flicker_is_found_and_explains_the_flips_it_causes(probed):
    """Arms that are dealt anew with each answer are so across a login too."""
    found = probed("flicker", codes=CODES, among=8)
    assert found["H10"].blamed
    assert found["H9"].state == "held" or found["H9"].explained_by == "H10"


@pytest.mark.parametrize("begin", range(3))
def test_a_right_shop_holds(probed, begin):
    """Arms that hang on the device stay through logins, visit by visit."""
    found = probed(codes=CODES, among=1 + begin)
    assert [found[code].state for code in ("H9", "H10")] == ["held", "held"]
    assert found["H9"].alone.checked >= 6


def test_without_variants_nothing_is_said(probed, lacking):
    """The missing path is named."""
    found = probed(target=lacking("variant"), codes=CODES)
    assert {one.state for one in found.values()} == {"not observable"}
    assert "with evidence variant" in found["H10"].missing[0]


def test_experiments_of_single_products_are_no_flicker(opened):
    """Another product may be in another experiment: only answers to the same address are compared."""
    shop = opened()
    visitor = shop.people.somebody()
    shop.desk.ask(Ask(visitor, "recommend"), alone=True)
    seen = shop.desk.ask(Ask(visitor, "product"), alone=True)
    seen.visitor.notes.clear()
    for url, arm in (("/api/products/A", "grid"), ("/api/products/B", "list"), ("/api/products/A?size=9", "grid")):
        request = replace(seen.request, url=url)
        shop.probing.see(replace(seen, request=request, evidence={"variant": (arm,)}))
    assert shop.found()["H10"].state == "held"
    assert shop.found()["H10"].alone.checked == 1


EVEN, AB = {"control": 1, "treatment": 1}, {"a": 1, "b": 1}


@pytest.mark.parametrize(
    ("shares", "arms", "held", "words"),
    [
        (EVEN, {"control": 640, "treatment": 620}, True, "session: control 640, treatment 620 of 1260"),
        (EVEN, {"control": 470, "treatment": 790}, False, "due as promised: p = "),
        (
            None,
            {"control": 470, "treatment": 790},
            None,
            "promises.variant_shares is missing; session: control 470, tre",
        ),
        ({"control": 3, "treatment": 5}, {"control": 470, "treatment": 790}, True, "due as promised"),
        ({"control": 9, "treatment": 1}, {"control": 640, "treatment": 620}, False, "due as promised"),
        # A share of none is seen where the arm is promised, and not where nobody told of it.
        ({"a": 1, "b": 1}, {"a": 400}, False, "a 400, b 0 of 400"),
        ({"a": 1}, {"a": 400}, None, "all 400 shoppers were told the same variant"),
        (AB, {"a": 4, "b": 3}, None, "7 shoppers are too few for 2 variants"),
        # p = 0.008: Statsig's warning, which is no alert.
        (AB, {"a": 458, "b": 542}, True, "warning: session"),
        # Many shoppers make a deviation of less than 0.1 % significant; it is none.
        (AB, {"a": 5_006_000, "b": 4_994_000}, True, "warning: session"),
    ],
)
def test_the_rule_of_shares(shares, arms, held, words):
    """A chi-square test with Statsig's limits: below 0.001 and off by 0.1 % an alert, below 0.01 a warning."""
    ruling = dealt(shares, **arms)
    assert ruling.held is held
    assert words in ruling.why


@pytest.mark.parametrize(("hazards", "state"), [((), "held"), (("sample_ratio",), "violated")])
def test_arms_of_many_shoppers(opened, hazards, state):
    """First visits tell five eighths from a half: of 450, with 97 % power; their ids, and so their arms, are fixed."""
    shop = opened(*hazards)
    for _ in range(450 if hazards else 200):
        shop.desk.ask(Ask(shop.people.somebody(), "session"), alone=False)
    found = shop.found()
    assert found["H11"].state == state
    assert found["H11"].blamed is (state == "violated")
    assert found["H11"].operations[0] == "session"
    assert found["H9"].state != "violated"
    assert found["H10"].state != "violated"
