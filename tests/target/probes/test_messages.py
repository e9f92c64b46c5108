"""H7, H8: messages after an opt-out, too many, at night, twice, and to phones that are gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from simulator.target.probes.hours import is_quiet, local, middle, where_it_is
from simulator.target.probes.mail import Message, new_in
from simulator.target.probes.pushy import push_calendar
from simulator.target.probes.steps import Ask

CODES = {"H7", "H8"}
MIDNIGHT = datetime(2026, 3, 4, tzinfo=UTC)


def test_an_opt_out_heard_late_is_found_and_blamed(probed):
    """A message that comes after the opt-out breaks the one hazard and not the other."""
    found = probed("late_opt_out", codes=CODES)
    assert found["H7"].blamed
    assert found["H8"].state == "held"
    assert "curl" in found["H7"].samples[0]["first"]
    assert "/api/consent" in found["H7"].samples[0]["second"]


def test_a_pushy_shop_is_found_and_blamed(probed):
    """Each way of it is told: at night, twice, too many, to a phone that is gone."""
    found = probed("pushy", codes=CODES)
    assert found["H8"].blamed
    assert found["H7"].state == "held"
    assert {one["says"] for one in found["H8"].samples} == {
        "a message was sent at night",
        "one campaign's message was sent twice",
        "more messages a day than promised",
        "a message was sent to a phone that had answered 410",
    }


@pytest.mark.parametrize("hour", [0, 5, 11, 16, 22])
def test_a_right_shop_holds_at_every_hour(probed, hour):
    """Wherever it is night now, nobody there is woken; wherever it is day, messages come."""
    found = probed(codes=CODES, among=0, begin=MIDNIGHT + timedelta(hours=hour))
    assert {one.state for one in found.values()} == {"held"}
    assert found["H8"].alone.checked > 10


def test_a_grace_that_was_promised_is_waited_for(probed, changed):
    """A shop that needs ten minutes and promises eleven is not judged; one that promises thirty seconds is."""

    def promising(grace):
        return changed(lambda data: data.setdefault("promises", {}).update(opt_out_grace=grace))

    found = probed("late_opt_out", target=promising("11min"), codes={"H7"})["H7"]
    assert found.state == "not observable"
    assert found.why == "promises.opt_out_grace is longer than 45 s, which no run waits for"
    found = probed("late_opt_out", target=promising("30s"), codes={"H7"})["H7"]
    assert found.state == "violated"
    assert found.alone.checked == 0
    assert found.samples[0]["says"] == "a message was sent after an opt-out and 30 s of grace"


@pytest.mark.parametrize(
    ("change", "hazard", "why"),
    [
        (lambda data: data["readings"].pop("inbox"), "H7", "readings.inbox with evidence sent_at"),
        (lambda data: data["readings"].pop("inbox"), "H8", "readings.inbox with evidence sent_at"),
        (lambda data: data["operations"].pop("push_register"), "H8", "no message came that could be judged"),
        (lambda data: data["operations"].pop("push_send"), "H7", "no message came before the opt-out"),
    ],
)
def test_what_nobody_can_see_is_not_judged(probed, changed, change, hazard, why):
    """The path that is missing, or the message that never came, is named."""
    found = probed(target=changed(change), codes=CODES)[hazard]
    assert found.state == "not observable"
    assert why in (*found.missing, found.why)[0]


def test_a_larger_cap_is_the_targets_own(probed, changed):
    """Who promises no more than twelve a day may send four, and is still held to the night."""
    target = changed(lambda data: data.update(promises={"messages_a_day": 12, "quiet_hours": [0, 0]}))
    found = probed("pushy", target=target, codes={"H8"})["H8"]
    assert {one["says"] for one in found.samples} == {
        "one campaign's message was sent twice",
        "a message was sent to a phone that had answered 410",
        "more messages a day than promised",
    }


def test_an_expired_message_is_found(opened):
    """What is sent after the moment until which it held is worth nothing to anybody."""
    shop = opened()
    visitor = shop.people.somebody()
    seen = shop.desk.ask(Ask(visitor, "readings.inbox"), alone=True)
    noon_us = round(datetime(2026, 3, 4, 12, tzinfo=UTC).timestamp()) * 1_000_000
    told = {"sent_at": (noon_us, noon_us + 1), "campaign": ("a", "b"), "expires_at": (noon_us + 9, noon_us - 9)}
    shop.probing.see(replace(seen, evidence=told))
    [finding] = [one for one in shop.found().values() if one.hazard.code == "H8"]
    assert [one["says"] for one in finding.samples] == ["a message was sent expired"]


def test_the_calendar_is_in_local_hours(opened):
    """A message at noon in London is one at nine in the evening in Tokyo."""
    shop = opened()
    moment_us = round(datetime(2026, 3, 4, 12, tzinfo=UTC).timestamp()) * 1_000_000
    for country in ("GB", "JP"):
        seen = shop.desk.ask(Ask(shop.people.somebody(country=country), "readings.inbox"), alone=True)
        shop.probing.see(replace(seen, evidence={"sent_at": (moment_us,)}))
    [probe] = [one for one in shop.probing.probes if one.code == "H8"]
    hours = push_calendar(probe.counts)
    assert (hours[12], hours[21], sum(hours)) == (1, 1, 2)


@pytest.mark.parametrize("hour", range(24))
def test_it_is_night_somewhere(hour):
    """At every hour some city of the tables is deep in its night, and some in its afternoon."""
    now_ms = round((MIDNIGHT + timedelta(hours=hour)).timestamp() * 1_000)
    for wanted in (3, 15):
        there = local(now_ms * 1_000, where_it_is(wanted, now_ms).timezone)
        assert abs(there.hour + there.minute / 60 - wanted) <= 3


def test_quiet_hours_and_their_middle():
    """Quiet hours go over midnight or not, and begin with their first minute."""
    at = [datetime(2026, 3, 4, hour, minute, tzinfo=UTC) for hour, minute in ((21, 59), (22, 0), (7, 59), (8, 0))]
    assert [is_quiet(one, (22, 8)) for one in at] == [False, True, True, False]
    assert [is_quiet(one, (8, 22)) for one in at] == [True, False, False, True]
    assert not any(is_quiet(one, (0, 0)) for one in at)
    assert (middle(22, 8), middle(8, 22), middle(0, 6)) == (3, 15, 3)


def test_the_same_message_told_twice_is_one():
    """Two readings of one inbox differ by what came between them, equal messages counted one by one."""
    one, two = Message(1, "a", 0), Message(2, "a", 0)
    assert new_in([two, one, one], [one]) == [one, two]
    assert new_in([one], [one, two]) == []
