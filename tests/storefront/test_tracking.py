"""Events are kept for whoever sent them, all or none, and only with consent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Visitor, Watch, Zoo


def views(count: int) -> list[dict[str, object]]:
    """Return this many good events."""
    return [{"type": "view", "sku": "SHO-0001", "at_ms": 1000 + n} for n in range(count)]


def test_what_was_accepted_can_be_counted_a_little_later(vera: Visitor, come_in: Callable[..., Visitor], watch: Watch):
    """Accepted events are stored within a second and can then be read back as a number, each subject's own."""
    answer = vera.ask("POST", "/api/events", json={"events": views(10)})
    assert answer.status_code == 202
    assert answer.json()["accepted"] == 10
    vera.post("/api/events", events=views(3))
    assert vera.get("/api/events/count")["count"] == 0
    watch.wait(1)
    assert vera.get("/api/events/count")["count"] == 13
    assert come_in("ben").get("/api/events/count")["count"] == 0


def test_at_most_ten_in_a_call(vera: Visitor, watch: Watch):
    """Eleven events are refused and none of them is stored."""
    assert vera.refused("POST", "/api/events", json={"events": views(11)}) == (413, "too_many_events")
    watch.wait(1)
    assert vera.get("/api/events/count")["count"] == 0


def test_one_bad_event_spoils_the_batch(vera: Visitor, watch: Watch):
    """A batch is kept whole or not at all."""
    good = views(1)[0]
    changes = ({"type": ""}, {"type": 5}, {"at_ms": None}, {"at_ms": -1}, {"at_ms": True}, {"at_ms": 2**60})
    for bad in (*(good | change for change in changes), good | {"sku": "NOPE"}, {}, "view", None):
        assert vera.refused("POST", "/api/events", json={"events": [*views(2), bad]}) == (422, "invalid")
    watch.wait(1)
    assert vera.get("/api/events/count")["count"] == 0


def test_events_follow_their_shopper_into_the_account(vera: Visitor, come_in: Callable[..., Visitor], watch: Watch):
    """What was tracked before login counts for the account, together with other devices'."""
    vera.post("/api/events", events=views(2))
    vera.log_in()
    tablet = come_in("tablet")
    tablet.post("/api/events", events=views(3))
    tablet.log_in()
    vera.post("/api/events", events=views(1))
    watch.wait(1)
    assert vera.get("/api/events/count")["count"] == tablet.get("/api/events/count")["count"] == 6


def test_a_token_counts_only_for_whom_it_was_issued(vera: Visitor, come_in: Callable[..., Visitor]):
    """An event is attributed if its token came with a list for this visitor; another's, or a made-up one, is not."""
    mine = vera.get("/api/recommendations")["token"]
    theirs = come_in("ben").get("/api/recommendations")["token"]
    for token, attributed in ((mine, 1), (theirs, 0), ("made.up", 0), ("", 0)):
        event = {"type": "click", "sku": "SHO-0001", "at_ms": 5} | ({"token": token} if token else {})
        assert vera.post("/api/events", events=[event])["attributed"] == attributed


def test_a_token_survives_login(vera: Visitor):
    """What was shown before login can still be attributed after it."""
    token = vera.get("/api/home")["token"]
    vera.log_in()
    assert vera.post("/api/events", events=[{"type": "click", "at_ms": 5, "token": token}])["attributed"] == 1


def test_events_need_a_session(nobody: Visitor):
    """Nobody's events are refused, and nobody has a count."""
    assert nobody.refused("POST", "/api/events", json={"events": views(1)}) == (401, "no_session")
    assert nobody.refused("GET", "/api/events/count") == (401, "no_session")


def test_no_event_is_kept_without_consent(come_in: Callable[..., Visitor]):
    """Without analytics consent events are refused in so many words, and none is stored."""
    private = come_in("private", analytics=False)
    answer = private.post("/api/events", events=views(4))
    assert (answer["accepted"], answer["refused"]) == (0, 4)
    assert private.has("events") == 0


def test_recommendations_learn_from_events(vera: Visitor, come_in: Callable[..., Visitor], watch: Watch):
    """What an app reports changes its own shopper's page as soon as it is stored, and nobody else's."""
    before = come_in("ben").get("/api/recommendations")["items"]
    vera.post("/api/events", events=[{"type": "view", "sku": f"TOY-000{n}", "at_ms": n} for n in range(1, 5)])
    assert vera.get("/api/recommendations")["fallback"] is True
    watch.wait(1)
    mine = vera.get("/api/recommendations")
    assert (mine["fallback"], mine["items"][0]["category"]) == (False, "toys")
    assert come_in("ben").get("/api/recommendations")["items"] == before


def test_a_beacon_drops_what_makes_no_sense_without_a_word(vera: Visitor, nobody: Visitor, watch: Watch):
    """The answer is 200 whatever is sent; only good events, and at most ten of a batch, are stored."""
    for batch in (
        [*views(2), {"type": "view"}, "x", {"type": "view", "sku": "NOPE", "at_ms": 1}],
        views(12),
        "x",
        None,
    ):
        assert vera.post("/api/events/beacon", events=batch)["success"] is True
    assert nobody.post("/api/events/beacon", events=views(3))["success"] is True
    watch.wait(1)
    assert vera.get("/api/events/count")["count"] == 12
    assert vera.has("events") == 12


def test_no_accepted_event_is_lost_when_the_shop_closes(open_zoo: Callable[..., Zoo]):
    """What waits to be stored is stored at the end."""
    for expected in (0, 3):
        zoo = open_zoo(file="own.sqlite")
        vera = zoo.enter()
        assert vera.has("events") == expected
        vera.post("/api/events", events=views(3))
        zoo.shop.close()
