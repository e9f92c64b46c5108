"""H18: what must happen once, and what only many can break."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from simulator.target.hazards import HAZARDS
from simulator.target.probes.blame import blame
from simulator.target.probes.findings import Finding, Share
from simulator.target.probes.points import plan_for

BY_CODE = {hazard.code: hazard for hazard in HAZARDS}
REWARDS = {"gift-wrap": 15.0, "express": 400.0, "exclusive-pass": 300.0, "voucher-10": 1_500.0}
NOTHING = Share(0, 0, 0, 0, None, None)


def finding(code, state="held", alone=(40, 0), among=(900, 0)):
    """Return a finding of so many checks and violations, alone and among many."""
    shares = [Share(*one, *one, 0.0, 1.0) if one[0] else NOTHING for one in (alone, among)]
    return Finding(BY_CODE[code], state, "", *shares, ("home",), (), ({"says": f"{code} broke"},))


def blamed(*found):
    """Return who is blamed, and by whom the others are explained."""
    after = blame(list(found))
    return {one.hazard.code: one.explained_by or one.blamed for one in after if one.state == "violated"}


@pytest.mark.parametrize("hazards", [(), ("double_redeem",)])
def test_in_turn_everything_happens_once(probed, hazards):
    """Asked for one after the other, two redemptions with points for one are one, in a shop with the defect too."""
    found = probed(*hazards, codes={"H18"})["H18"]
    assert found.state == "held"
    assert found.alone.checked == 3
    assert found.among.checked >= 3
    assert set(found.operations) == {"payment", "purchase", "loyalty_redeem"}


def test_points_that_are_spent_twice_are_found(opened):
    """A shop that looks at the balance before it takes the points gives two rewards for the points of one."""
    shop = opened()
    probe = next(one for one in shop.probing.probes if one.code == "H18")
    in_turn, at_once = probe.scripts()
    shop.desk.play(in_turn, shop.people, 0, alone=True)
    ledger, redeem = shop.wire.shop.rules.redeem, []

    async def no_look(database, account, reward, order, at):
        redeem.append(reward.points)
        if len(redeem) < 3:
            return await ledger(database, account, reward, order, at)
        database.run(
            'INSERT INTO loyalty (owner, "order", kind, reward, points, at) VALUES (?, ?, ?, ?, ?, ?)',
            account, order, "redeemed", reward.id, -reward.points, at,
        )  # fmt: skip
        return True

    shop.wire.shop.rules = replace(shop.wire.shop.rules, redeem=no_look)
    shop.desk.play(at_once, shop.people, 0, alone=False)
    found = shop.found()["H18"]
    assert found.blamed
    assert found.alone.violated == 0
    assert [one["says"] for one in found.samples] == [
        "loyalty_redeem was accepted twice with points for one, at the same moment"
    ]
    [(what, before, after)] = found.samples[0]["differs"]
    assert what == "points before and after"
    assert before > 0 > after


def test_a_payment_that_is_taken_twice_is_found(opened):
    """Two payments of one checkout, where asking in turn gives one."""
    shop = opened()
    probe = next(one for one in shop.probing.probes if one.code == "H18")
    in_turn, at_once = probe.scripts()
    shop.desk.play(in_turn, shop.people, 0, alone=True)
    send, number = shop.wire.send, count()

    def twice(visitor, request, *, bare):
        got = send(visitor, request, bare=bare)
        if request.operation != "payment":
            return got
        return got._replace(body=got.body.replace(b'"pay_', f'"pay_{next(number)}'.encode()))

    shop.wire.send = twice
    shop.desk.play(at_once, shop.people, 0, alone=False)
    found = shop.found()["H18"]
    assert found.blamed
    assert found.samples[0]["says"] == "payment was done twice for two equal requests at once, and once in turn"


def test_a_shop_that_pays_twice_in_turn_is_not_judged_by_it(opened):
    """Where each request rightly makes another payment, two at once may do so too."""
    shop = opened()
    send, number = shop.wire.send, count()

    def each(visitor, request, *, bare):
        got = send(visitor, request, bare=bare)
        if request.operation != "payment":
            return got
        return got._replace(body=got.body.replace(b'"pay_', f'"pay_{next(number)}'.encode()))

    shop.wire.send = each
    probe = next(one for one in shop.probing.probes if one.code == "H18")
    for script, alone in zip(probe.scripts(), (True, False), strict=True):
        shop.desk.play(script, shop.people, 0, alone=alone)
    assert shop.found()["H18"].state != "violated"


def test_without_what_it_needs_nothing_is_said(probed, changed):
    """A target that sells nothing has nothing that must happen once."""

    def sells_nothing(data):
        for name in ("payment", "purchase"):
            del data["operations"][name]

    found = probed(target=changed(sells_nothing), codes={"H18"})["H18"]
    assert found.state == "not observable"
    assert found.why == "nothing to check came"


@pytest.mark.parametrize(
    ("balance", "before", "reward"),
    [(20, (), "gift-wrap"), (430, (), "express"), (860, ("exclusive-pass",), "express"), (1_600, (), "voucher-10")],
)
def test_points_for_one(balance, before, reward):
    """Rewards are redeemed until points are left for one more of some kind and not for two."""
    plan = plan_for(balance, REWARDS)
    assert (plan.before, plan.reward) == (before, reward)
    left = balance - sum(REWARDS[name] for name in plan.before)
    assert plan.price <= left < 2 * plan.price


@pytest.mark.parametrize(("balance", "prices"), [(10, REWARDS), (60, REWARDS), (500, {}), (500, {"free": 0.0})])
def test_no_plan_where_there_is_none(balance, prices):
    """Too few points, a gap between the prices, no prices."""
    assert plan_for(balance, prices) is None


def test_what_breaks_among_many_alone_is_theirs():
    """A leak that forty answers alone did not show and a fifth of the load's does is H18's, with its samples."""
    after = blame([finding("H1", "violated", among=(900, 180)), finding("H18")])
    assert after[0].explained_by == "H18"
    assert not after[0].blamed
    assert after[1].blamed
    assert after[1].why == "leak: held for one shopper at a time, broken among many"
    assert after[1].samples == ({"says": "H1 broke"},)


@pytest.mark.parametrize(
    ("found", "due"),
    [
        # Broken alone as well: its own defect.
        ([finding("H1", "violated", (40, 9), (900, 180)), finding("H18")], {"H1": True}),
        # One in a hundred would not have shown in forty anyway.
        ([finding("H1", "violated", (40, 0), (900, 9)), finding("H18")], {"H1": True}),
        # Nothing was asked alone: nobody knows.
        ([finding("H1", "violated", (0, 0), (900, 180)), finding("H18")], {"H1": True}),
        # Its own check of things that happen once.
        ([finding("H18", "violated", (3, 0), (9, 3))], {"H18": True}),
        # Several symptoms, one cause.
        (
            [finding("H1", "violated", among=(900, 180)), finding("H23", "violated", among=(900, 200)), finding("H18")],
            {"H1": "H18", "H23": "H18", "H18": True},
        ),
        # Rare among many, but so is nothing alone; beside a defect that is there alone as well.
        (
            [
                finding("H1", "violated", among=(900, 180)),
                finding("H10", "violated", (20, 0), (900, 5)),
                finding("H12", "violated", (9, 4), (90, 40)),
                finding("H18"),
            ],
            {"H1": "H18", "H10": "H18", "H12": True, "H18": True},
        ),
        # What gives way under load is not known by name any more, and has a name of its own.
        (
            [
                finding("H17", "violated", (20, 0), (900, 400)),
                finding("H18"),
                finding("H24", "violated", (40, 0), (90, 45)),
            ],
            {"H17": True, "H24": "H17"},
        ),
        # An arm that flickers does so across a login.
        ([finding("H9", "violated", (6, 3)), finding("H10", "violated", (26, 13))], {"H9": "H10", "H10": True}),
    ],
)
def test_whom_to_blame(found, due):
    """Each defect is laid at one door."""
    assert blamed(*found) == due


def test_what_held_for_one_and_for_many_held_among_many():
    """A target in which nothing must happen once is judged by all that was checked in both ways."""
    unseen = replace(finding("H18", "not observable", (0, 0), (0, 0)), samples=())
    [_, _, many] = blame([finding("H1"), finding("H23", among=(0, 0)), unseen])
    assert many.state == "held"
    assert many.why == "what was checked for one shopper at a time and among many (leak) broke in neither, or in both"
    [_, many] = blame([finding("H1", alone=(0, 0)), unseen])
    assert many.state == "not observable"
