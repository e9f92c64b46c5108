"""Phones of shoppers: positions are told late, together and by consent; messages come and have their fate."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from itertools import count

import pytest

from simulator.model.schema import PushMessages
from simulator.target.check import somebody
from simulator.target.request import load_target
from simulator.worlds.live.phone import MOST_FIXES, MOST_WAITING, InHand, Phone, Whose, rules_of

SHOP = load_target("storefront")
RULES = rules_of(SHOP)
GOOD = 200


def in_hand(phone, *, shopper=0, visit=0, target=SHOP, consents=None, **habits):
    """Return somebody's phone on a visit, and what the target may learn of them."""
    context = somebody(target)
    if consents is not None:
        context.consents = frozenset(consents)
    context.tell("home", 1_767_600_000_000)
    return InHand(
        phone, rules_of(target), context, Whose(7, shopper, visit, ios=False), PushMessages(**habits)
    ), context


def registered():
    """Return a phone that registered on an earlier visit."""
    return Phone(known={"extracted.subscription": "sub_1"})


def good(operation, body):
    """Return a good answer of the shop."""
    answer = SHOP.read(operation, GOOD, {}, json.dumps(body).encode())
    assert answer.ok, answer.error
    return answer


def beside(hand, context, *messages, page="home", nth=0):
    """Play what a phone does beside one page; return (operations, bodies of receipts), messages coming when fetched."""
    asked, receipts = [], []
    for operation in hand.beside(page, nth):
        asked.append(operation)
        if operation == "push_fetch":
            hand.hear(operation, GOOD, good(operation, {"messages": [{"message": one} for one in messages]}))
        if operation == "push_receipt":
            receipts.append(json.loads(SHOP.build(operation, context).body))
    return asked, receipts


def test_ten_positions_go_together_in_the_order_of_their_times():
    """Nine pages tell nothing; beside the tenth all ten are told in one call, and then forgotten."""
    phone = Phone()
    hand, context = in_hand(phone, consents={"location"})
    for page in range(MOST_FIXES):
        context.tell("home", 1_000 * page)
        hand.note()
        asked = list(hand.beside("home", page))
        assert asked == (["geofence"] if page == MOST_FIXES - 1 else [])
    told = json.loads(SHOP.build("geofence", context).body)["positions"]
    assert [one["at_ms"] for one in told] == [1_000 * page for page in range(MOST_FIXES)]
    assert {(one["lat"], one["lon"]) for one in told} == {(context.values["place.lat"], context.values["place.lon"])}
    hand.hear("geofence", GOOD, good("geofence", {"crossings": []}))
    assert phone.fixes == []
    assert list(hand.leaving()) == []


def test_nothing_is_noted_without_consent():
    """A phone whose shopper keeps their place to themselves holds no position and tells none."""
    phone = Phone()
    hand, context = in_hand(phone, consents={"push"})
    for page in range(2 * MOST_FIXES):
        hand.note()
        assert "geofence" not in list(hand.beside("home", page))
    assert phone.fixes == []
    assert list(hand.leaving()) == []
    assert SHOP.build("geofence", context).reason == "no location consent"


@pytest.mark.parametrize(
    ("status", "kept"), [(0, True), (503, True), (429, True), (400, False), (403, False), (413, False)]
)
def test_positions_that_were_not_taken_are_told_another_time(status, kept):
    """A dead line or a busy target gets them again, on the next visit even; one that refuses them does not."""
    phone = Phone()
    hand, _ = in_hand(phone, consents={"location"})
    hand.note()
    hand.hear("geofence", status, None)
    assert bool(phone.fixes) == kept
    later, context = in_hand(phone, visit=1, consents={"location"})
    later.note()
    assert len(context.values["place.positions"]) == 1 + kept


def test_a_phone_keeps_no_more_than_a_batch():
    """While nobody takes them, the oldest positions go first."""
    phone = Phone()
    hand, context = in_hand(phone, consents={"location"})
    for page in range(3 * MOST_FIXES):
        context.tell("home", page)
        hand.note()
    assert [fix["at_ms"] for fix in phone.fixes] == list(range(2 * MOST_FIXES, 3 * MOST_FIXES))


def test_a_target_that_takes_one_position_gets_it_from_its_pages(tmp_path):
    """Where the file names {place.lat} nothing is noted, and pages make the call as they did."""
    path = tmp_path / "single.yaml"
    fields = '{lat: "{place.lat}", at_ms: "{event.at_ms}"}'
    path.write_text(f"target: one\noperations:\n  geofence: {{method: POST, path: /here, json: {fields}}}\n")
    target, phone = load_target(str(path)), Phone()
    assert rules_of(target) == (False, False, False)
    assert rules_of(target).own == frozenset()
    hand, context = in_hand(phone, target=target)
    hand.note()
    assert (phone.fixes, list(hand.beside("store", 0)), list(hand.leaving())) == ([], [], [])
    assert json.loads(target.build("geofence", context).body)["at_ms"] == context.values["event.at_ms"]


def test_whoever_has_no_phone_tells_where_they_are_now():
    """A tester's own request has a batch of one: the place and the moment that it was made for."""
    context = somebody(SHOP)
    for at_ms in (1, 2):
        context.tell("home", at_ms)
        (told,) = json.loads(SHOP.build("geofence", context).body)["positions"]
        assert told == {"lat": context.values["place.lat"], "lon": context.values["place.lon"], "at_ms": at_ms}


def test_messages_are_fetched_some_time_after_registering():
    """Not beside the page that registers, but beside a later one, or the first of the next visit."""
    phone = Phone()
    hand, context = in_hand(phone, fetched=1.0)
    hand.note()
    told = {"subscription": "/push/sub_1", "subject": "x", "generated_at": "2026-01-05T00:00:00+00:00"}
    hand.hear(
        "push_register", 201, SHOP.read("push_register", 201, {}, json.dumps(told, separators=(",", ":")).encode())
    )
    assert list(hand.beside("home", 0)) == []
    hand.note()
    assert beside(hand, context, nth=1)[0] == ["push_fetch"]
    again, context = in_hand(phone, visit=1)
    assert SHOP.build("push_fetch", context).url == "/push/sub_1"
    assert beside(again, context)[0] == ["push_fetch"]
    assert beside(again, context, nth=1)[0] == []


def test_a_receipt_names_the_message_that_was_opened_or_swiped_away():
    """Each message is told of under its own id and kind, once; what is ignored is not told of."""
    hand, context = in_hand(registered(), opened={"android": 1.0})
    asked, receipts = beside(hand, context, "a", "b")
    assert asked == ["push_fetch", "push_receipt", "push_receipt"]
    assert receipts == [{"message": "a", "kind": "opened"}, {"message": "b", "kind": "opened"}]
    hand, context = in_hand(registered(), opened={"ios": 1.0}, dismissed=1.0)
    assert beside(hand, context, "c")[1] == [{"message": "c", "kind": "dismissed"}]
    hand, context = in_hand(registered())
    assert beside(hand, context, "d") == (["push_fetch"], [])


def test_what_waits_is_opened_by_who_looks_through_it():
    """On the page of messages, those that were ignored so far; once, on this visit or a later one."""
    phone = registered()
    hand, context = in_hand(phone, looked_at=1.0)
    assert beside(hand, context, "a", "b")[1] == []
    later, context = in_hand(phone, visit=1, looked_at=1.0)
    assert [one["message"] for one in beside(later, context, page="notifications")[1]] == ["a", "b"]
    assert beside(later, context, page="notifications", nth=1)[1] == []


def test_a_muted_phone_tells_of_no_message_any_more():
    """Messages still come, and nothing is told of them, even where somebody looks through them."""
    phone = registered()
    hand, context = in_hand(phone, opened={"android": 0.0}, muted=1.0, dismissed=1.0)
    assert [one["message"] for one in beside(hand, context, "last")[1]] == ["last"]
    assert phone.muted
    for nth, page in enumerate(("home", "notifications")):
        later, context = in_hand(phone, visit=1, opened={"android": 1.0}, looked_at=1.0)
        assert beside(later, context, f"m{nth}", page=page) == (["push_fetch"], [])


def test_too_many_messages_on_a_day_end_all():
    """The first beyond enough makes the shopper opt out; the target is told, and told so again on the next visit."""
    phone = registered()
    hand, context = in_hand(phone, enough=2, opt_out=1.0)
    assert beside(hand, context, "a", "b")[0] == ["push_fetch"]
    assert not phone.opted_out
    asked, receipts = beside(hand, context, "c", "d")
    assert asked == ["push_fetch", "push_receipt", "consent_set"]
    assert receipts == [{"message": "c", "kind": "dismissed"}]
    assert json.loads(SHOP.build("consent_set", context).body)["push"] is False
    later, context = in_hand(phone, visit=1, fetched=1.0)
    assert json.loads(SHOP.build("session", context).body)["consent"]["push"] is False
    assert beside(later, context, "e") == ([], [])
    assert SHOP.build("push_register", context).reason == "no push consent"


def test_a_new_day_begins_at_the_shoppers_own_midnight():
    """As many messages as are enough, on each side of London's midnight, are not too many."""
    phone = registered()
    midnight_ms = 1_767_571_200_000  # 5 January 2026, 00:00 in London
    for visit, at_ms in enumerate((midnight_ms - 60_000, midnight_ms + 60_000)):
        hand, context = in_hand(phone, visit=visit, enough=2, opt_out=1.0)
        context.tell("home", at_ms)
        assert beside(hand, context, "a", "b")[0] == ["push_fetch"]
    assert not phone.opted_out


def test_what_a_target_sends_is_bounded():
    """A thousand messages at once leave a phone with its last twenty, and run past no draw."""
    phone = registered()
    hand, context = in_hand(phone)
    for _ in range(5):
        assert beside(hand, context, *map(str, range(1_000)))[1] == []
    assert len(phone.waiting) == MOST_WAITING
    assert phone.arrived == 5_000


def test_fates_are_keyed_by_shopper_and_message():
    """The same shopper does the same with their nth message however they come; shares are those of the persona.

    Of 2,000 messages within four standard errors (one in 16,000 by chance, for each of the three; the seed is fixed).
    """
    habits = {"opened": {"android": 0.2}, "dismissed": 0.5, "looked_at": 0.3, "enough": 10_000}

    def fates(shopper, together):
        phone, kinds = registered(), {}
        for nth in range(0, 20, together):
            hand, context = in_hand(phone, shopper=shopper, visit=nth, **habits)
            page = "notifications" if nth + together == 20 else "home"
            told = beside(hand, context, *(f"{one}" for one in range(nth, nth + together)), page=page)[1]
            kinds |= {one["message"]: one["kind"] for one in told}
        return kinds

    assert fates(3, 1) == fates(3, 5) == fates(3, 20)
    assert fates(3, 20) != fates(4, 20)
    many = 2_000
    seen = Counter(kind for shopper in range(many // 20) for kind in fates(shopper, 20).values())
    for kind, share in (("opened", 0.2 + 0.8 * 0.5 * 0.3), ("dismissed", 0.8 * 0.5)):
        assert abs(seen[kind] - share * many) < 4 * (many * share * (1 - share)) ** 0.5


@pytest.fixture(scope="module")
def played(recording, play, tables):
    """Play forty visits to a shop that has five messages for whoever looks, once for this file."""
    numbers = count()

    def waiting(handler, _asked):
        recording.answer(handler, {"messages": [{"id": f"m-{next(numbers)}"} for _ in range(5)]})

    with recording.Shop() as shop:
        shop.behave["messages"] = waiting
        run = play(shop.url, shoppers=40, name="everywhere", target="phones")
        return shop, tables(run)


def of_visits(shop):
    """Return what each visit asked for, in order, as (last part of the path, request)."""
    visits = defaultdict(list)
    for asked in shop.asked:
        visits[asked.visit].append((asked.path.rpartition("/")[2], asked))
    return visits


def test_each_page_with_consent_is_told_once(played):
    """Over a whole run every page of those who share their place is in one batch, and nobody else's is in any."""
    shop, told = played
    shares = {row["shopper"] for row in told["shoppers"] if row["location"]}
    pages = Counter(row["shopper"] for row in told["events"])
    found = defaultdict(list)
    for name, asked in [one for visit in of_visits(shop).values() for one in visit]:
        if name == "positions":
            assert 1 <= len(asked.json["all"]) <= MOST_FIXES
            found[int(asked.visit.split("-")[2])] += [fix["at_ms"] for fix in asked.json["all"]]
    assert shares
    assert {shopper: len(times) for shopper, times in found.items()} == {one: pages[one] for one in shares}
    assert all(times == sorted(times) for times in found.values())
    batches = sum(row["operation"] == "geofence" for row in told["requests"])
    assert batches < 0.6 * sum(map(len, found.values())), "late, and several at once"


def test_receipts_of_a_run_tell_of_messages_that_came(played):
    """Each names, once, a message that this visit had fetched before; after an opt-out nothing more is asked."""
    shop, told = played
    receipts = opted_out = 0
    first = {}
    for asked in shop.of("messages"):
        first.setdefault(asked.visit, asked)
    for visit, asked in of_visits(shop).items():
        names = [name for name, _ in asked]
        assert "messages" not in names or names.index("register") < names.index("messages")
        ids = [one.json["id"] for name, one in asked if name == "receipts"]
        assert len(ids) == len(set(ids))
        receipts += len(ids)
        if "consent" in names:
            opted_out += 1
            assert not {"messages", "receipts", "register"} & set(names[names.index("consent") :])
            assert [one.json for name, one in asked if name == "consent"] == [{"push": False}]
        assert not ids or visit in first
    assert receipts > 0
    assert opted_out > 0
    assert all(name.startswith("m-") for name in {one.json["id"] for one in shop.of("receipts")})
    assert len({one.json["id"] for one in shop.of("receipts")}) == receipts
    placed = {row["placement"] for row in told["requests"] if row["operation"].startswith(("push_", "consent_"))}
    assert placed == {"deferred"}, "no page waits for what the phone does"


def test_messages_are_fetched_once_a_page_at_most(played):
    """However many pages a visit has."""
    _, told = played
    fetched = Counter(
        (row["shopper"], row["visit"], row["step"]) for row in told["requests"] if row["operation"] == "push_fetch"
    )
    assert fetched
    assert set(fetched.values()) == {1}


def test_shipped_habits_are_shares_with_evidence():
    """Every shipped persona knows what its shoppers do with messages; the tired ones bear fewer than the fond ones."""
    from simulator.model.persona import load_population  # noqa: PLC0415 - only here

    personas = {one.name: one.spec.features.push for one in load_population("everyday").personas}
    assert all(push.fetched and push.opened.android and push.evidence for push in personas.values())
    assert personas["push_fatigued"].enough < personas["push_regular"].enough
    assert personas["push_fatigued"].opened.ios < personas["push_regular"].opened.ios
