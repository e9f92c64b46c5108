"""Push endpoints and receipts are kept with consent only, once each, and can be read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Visitor

ENDPOINTS, RECEIPTS = "/api/push/endpoints", "/api/push/receipts"
HERE = "https://push.example/vera"


def test_what_was_told_can_be_read_back(come_in: Callable[..., Visitor]):
    """Endpoint and receipts are stored for their subject; telling again changes nothing."""
    vera = come_in(push=True)
    assert [vera.ask("POST", ENDPOINTS, json={"endpoint": HERE}).status_code for _ in range(2)] == [201, 200]
    for kind in ("delivered", "opened"):
        body = {"message": "spring-1", "kind": kind}
        first, again = (vera.ask("POST", RECEIPTS, json=body) for _ in range(2))
        assert (first.status_code, again.status_code) == (201, 200)
        assert (first.json()["stored"], again.json()["stored"]) == (1, 0)
    answer = vera.get("/api/push")
    assert answer["subject"] == "vera"
    assert answer["endpoints"] == [HERE]
    assert {(r["message"], r["kind"]) for r in answer["receipts"]} == {
        ("spring-1", "delivered"),
        ("spring-1", "opened"),
    }
    assert come_in("ben", push=True).get("/api/push")["endpoints"] == []


def test_nothing_is_kept_without_consent(vera: Visitor, nobody: Visitor):
    """A session that did not agree to push messages is refused in so many words, and nobody's is told to log on."""
    body = {"message": "spring-1", "kind": "opened"}
    assert vera.refused("POST", ENDPOINTS, json={"endpoint": HERE}) == (403, "no_consent")
    assert vera.refused("POST", RECEIPTS, json=body) == (403, "no_consent")
    assert vera.has("push_endpoints") == vera.has("push_receipts") == 0
    for method, path in (("POST", ENDPOINTS), ("POST", RECEIPTS), ("GET", "/api/push")):
        assert nobody.refused(method, path) == (401, "no_session")


def test_two_devices_of_one_account(come_in: Callable[..., Visitor]):
    """What phone and tablet told before login is the account's, and what both told is there once."""
    for device in ("phone", "tablet"):
        visitor = come_in(device, push=True)
        visitor.post(ENDPOINTS, endpoint=HERE)
        visitor.post(ENDPOINTS, endpoint=f"https://push.example/{device}")
        visitor.post(RECEIPTS, message="spring-1", kind="dismissed")
        visitor.log_in()
    answer = visitor.get("/api/push")
    assert answer["endpoints"] == ["https://push.example/phone", "https://push.example/tablet", HERE]
    assert len(answer["receipts"]) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [(ENDPOINTS, {"endpoint": "http://push.example/x"}), (ENDPOINTS, {"endpoint": "https://a b"}),
     (ENDPOINTS, {"endpoint": "https://" + "x" * 512}), (ENDPOINTS, {}), (RECEIPTS, {"message": "m"}),
     (RECEIPTS, {"message": "m", "kind": "eaten"}), (RECEIPTS, {"message": "a b", "kind": "opened"})],
)  # fmt: skip
def test_push_is_told_properly(come_in: Callable[..., Visitor], path: str, body: dict[str, object]):
    """Endpoints are https addresses of a decent length, receipts of a known kind."""
    assert come_in(push=True).refused("POST", path, json=body) == (422, "invalid")
