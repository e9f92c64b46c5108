"""Experiments: everybody stays in their arms, arms are shared evenly, and what was shown is counted once."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import TYPE_CHECKING

import pytest
from scipy.stats import chisquare

from simulator.storefront.experiments import EXPERIMENTS, arm_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Visitor

UNITS = [f"visitor-{n}" for n in range(6_000)]


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.key)
def test_arms_have_equal_shares(experiment):
    """Of six thousand devices each arm has its share (chi-square, one in a thousand by chance; the names are fixed)."""
    counts = Counter(arm_of(experiment, unit) for unit in UNITS)
    assert counts.keys() == set(experiment.arms)
    assert chisquare([counts[arm] for arm in experiment.arms]).pvalue > 0.001


def test_experiments_are_independent():
    """Every combination of arms of two experiments is as frequent as it should be (as above)."""
    first, second = EXPERIMENTS[:2]
    counts = Counter((arm_of(first, unit), arm_of(second, unit)) for unit in UNITS)
    assert chisquare([counts[cell] for cell in product(first.arms, second.arms)]).pvalue > 0.001


def test_decisions_stick_and_need_not_be_fetched_again(come_in: Callable[..., Visitor], nobody: Visitor):
    """A device sees the same arms in every session and after login; who has them is answered 304."""
    vera = come_in()
    first = vera.ask("GET", "/api/decide")
    flags = first.json()["flags"]
    assert [flag["key"] for flag in flags] == [experiment.key for experiment in EXPERIMENTS]
    assert {flag["reason"] for flag in flags} == {"SPLIT"}
    assert come_in().get("/api/decide")["flags"] == flags
    tag = {"if-none-match": first.headers["etag"]}
    again = vera.ask("GET", "/api/decide", headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert vera.ask("GET", f"/api/decide/{flags[0]['key']}").json()["variant"] == flags[0]["variant"]
    vera.log_in()
    assert vera.get("/api/decide")["flags"] == flags
    assert come_in("ben").ask("GET", "/api/decide", headers=tag).status_code == 200
    assert {flag["reason"] for flag in nobody.get("/api/decide")["flags"]} == {"DEFAULT"}
    assert nobody.refused("GET", "/api/decide/nope") == (404, "not_found")


def test_an_exposure_counts_once_and_only_if_it_is_true(vera: Visitor, nobody: Visitor):
    """The second report changes nothing, another arm is refused, and test traffic is kept and not counted."""

    def exposed() -> dict[str, int]:
        one = next(e for e in nobody.get("/api/experiments")["experiments"] if e["key"] == "home-hero")
        return {arm["variant"]: arm["exposed"] for arm in one["arms"]}

    mine = vera.get("/api/home")["variant"]
    other = {"control": "treatment", "treatment": "control"}[mine]
    body = {"flag": "home-hero", "variant": mine}
    assert [vera.ask("POST", "/api/exposures", json=body).status_code for _ in range(2)] == [201, 200]
    assert exposed() == {mine: 1, other: 0}
    assert vera.refused("POST", "/api/exposures", json=body | {"variant": other}) == (409, "not_assigned")
    assert vera.refused("POST", "/api/exposures", json=body | {"variant": "blue"}) == (422, "invalid")
    assert vera.refused("POST", "/api/exposures", json=body | {"flag": "nope"}) == (404, "not_found")


def test_tests_change_no_statistics(vera: Visitor, nobody: Visitor):
    """Requests that say in their baggage that they are synthetic count neither as views nor as exposures."""
    before = nobody.get("/api/experiments")["experiments"], nobody.get("/api/trends")["views"]
    mine = vera.get("/api/home")["variant"]
    vera.headers["baggage"] = "session.id=x,synthetic_request=true"
    vera.look_at("BAG-0007", "BAG-0003")
    assert vera.post("/api/exposures", flag="home-hero", variant=mine)["stored"] == 1
    assert (nobody.get("/api/experiments")["experiments"], nobody.get("/api/trends")["views"]) == before
    del vera.headers["baggage"]
    vera.look_at("BAG-0007", "BAG-0007", "BAG-0003")
    trends = nobody.get("/api/trends")
    assert [(item["sku"], item["views"]) for item in trends["items"]] == [("BAG-0007", 2), ("BAG-0003", 1)]
