"""Push messages are sent judiciously: rarely, by day, once, and to nobody who is gone or wants none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Visitor, Watch

MESSAGES, ENDPOINTS = "/api/push/messages", "/api/push/endpoints"
HOUR = 3_600


@pytest.fixture
def reach(come_in: Callable[..., Visitor]) -> Callable[..., tuple[Visitor, str]]:
    """Return a function that returns somebody with a phone in a time zone, and the phone's address."""

    def with_phone(zone: str = "Europe/London", name: str = "vera") -> tuple[Visitor, str]:
        visitor = come_in(name, push=True)
        told = visitor.post(ENDPOINTS, endpoint=f"https://push.example/{name}", timezone=zone)
        assert told["timezone"] == zone
        return visitor, told["subscription"]

    return with_phone


def sent(visitor: Visitor, campaign: str = "spring", **more: Any) -> tuple[int, str | None]:
    """Send a campaign and return the push service's status, and why it was held if it was."""
    (one,) = visitor.post(MESSAGES, campaign=campaign, **more)["messages"]
    return one["status"], one["held"]


def test_a_message_reaches_the_phone_once_and_can_be_read_back(reach: Callable[..., tuple[Visitor, str]]):
    """It waits at the phone's address, is fetched once, and stands on the shop's list with its times."""
    vera, phone = reach("Asia/Tokyo")
    assert sent(vera, title="Spring is here") == (201, None)
    (message,) = vera.get("/api/push")["messages"]
    assert vera.get(phone)["messages"] == [{"message": message["message"], "title": "Spring is here"}]
    assert vera.get(phone)["messages"] == []
    assert (message["campaign"], message["status"], message["held"]) == ("spring", 201, None)
    assert message["sent_at"] == "2026-03-04T12:00:00+00:00"
    assert message["sent_local"] == "2026-03-04T21:00:00+09:00"
    assert message["expires_at"] == "2026-03-04T16:00:00+00:00"


def test_nobody_gets_a_campaign_twice_or_more_than_three_messages_a_day(
    reach: Callable[..., tuple[Visitor, str]], watch: Watch
):
    """The fourth of a day is held back, the first of the next local day is not."""
    vera, _ = reach("Asia/Tokyo")
    watch.wait(-3 * HOUR)
    assert [sent(vera, f"c{n}") for n in (1, 1, 2, 3, 4)] == [
        (201, None), (0, "had_it"), (201, None), (201, None), (0, "daily_cap")]  # fmt: skip
    watch.wait(15 * HOUR)  # midnight in London, nine in the morning of the next day in Tokyo
    assert sent(vera, "c4") == (201, None)


@pytest.mark.parametrize(
    ("zone", "status"),
    [("Europe/London", 201), ("Asia/Tokyo", 201), ("Asia/Magadan", 0), ("America/Los_Angeles", 0),
     ("America/New_York", 0), ("UTC", 201)],
)  # fmt: skip
def test_nobody_is_woken(reach: Callable[..., tuple[Visitor, str]], zone: str, status: int):
    """At noon in London it is 21:00 in Tokyo, 23:00 in Magadan, 4:00 in Los Angeles and 7:00 in New York."""
    vera, _ = reach(zone)
    assert sent(vera, ttl_s=86_400) == (status, None if status else "night")


def test_what_is_held_at_night_comes_in_the_morning(reach: Callable[..., tuple[Visitor, str]], watch: Watch):
    """At eight on the recipient's clock, unless it has expired by then; such a message is not even kept."""
    vera, phone = reach("America/Los_Angeles")
    assert sent(vera, "late", ttl_s=3 * HOUR) == (0, "expires_at_night")
    assert sent(vera, "spring", ttl_s=8 * HOUR) == (0, "night")
    watch.wait(4 * HOUR - 1)
    assert vera.get("/api/push")["messages"][0]["status"] == 0
    watch.wait(1)
    (message,) = vera.get("/api/push")["messages"]
    assert (message["status"], message["sent_local"]) == (201, "2026-03-04T08:00:00-08:00")
    assert len(vera.get(phone)["messages"]) == 1


def test_after_410_nothing_more_is_sent(reach: Callable[..., tuple[Visitor, str]]):
    """An app that was removed is found out by the first message, and never tried again."""
    vera, phone = reach()
    assert vera.ask("DELETE", phone).status_code == 204
    assert sent(vera, "one") == (410, None)
    assert sent(vera, "two") == (0, "gone")
    assert vera.get("/api/push")["phones"][0]["gone"] is True
    assert vera.refused("GET", phone) == (410, "gone")
    assert vera.refused("DELETE", "/push/sub_nope") == (404, "not_found")


def test_an_opt_out_counts_at_once_and_can_be_taken_back(reach: Callable[..., tuple[Visitor, str]], watch: Watch):
    """What is held is dropped, nothing is sent, and whoever agrees and registers again is reached again."""
    vera, phone = reach("America/Los_Angeles")
    assert sent(vera, "held", ttl_s=86_400) == (0, "night")
    assert vera.post("/api/consent", push=False)["endpoints_stopped"] == 1
    watch.wait(6 * HOUR)
    assert vera.get("/api/push")["messages"] == []
    assert sent(vera) == (0, "opted_out")
    assert vera.refused("POST", ENDPOINTS, json={"endpoint": "https://push.example/vera"}) == (403, "no_consent")
    vera.post("/api/consent", push=True)
    assert vera.post(ENDPOINTS, endpoint="https://push.example/vera")["subscription"] == phone
    assert sent(vera, "again") == (201, None)


def test_an_endpoint_can_be_removed(reach: Callable[..., tuple[Visitor, str]], come_in: Callable[..., Visitor]):
    """By its own shopper, and by nobody else."""
    vera, _ = reach()
    path = f"{ENDPOINTS}?endpoint=https://push.example/vera"
    assert come_in("ben", push=True).refused("DELETE", path) == (404, "not_found")
    assert vera.ask("DELETE", path).status_code == 200
    assert vera.post(MESSAGES, campaign="spring")["messages"] == []


@pytest.mark.parametrize(
    "body", [{}, {"campaign": "a b"}, {"campaign": "x", "ttl_s": -1}, {"campaign": "x", "ttl_s": 10**7}]
)
def test_a_campaign_has_a_name_and_a_time_to_live(reach: Callable[..., tuple[Visitor, str]], body: dict[str, object]):
    """Odd names and times longer than a week are refused."""
    vera, _ = reach()
    assert vera.refused("POST", MESSAGES, json=body) == (422, "invalid")
