"""Passkeys: real ceremonies log in, and whatever is not quite right does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from simulator.target.passkeys import Phone

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Visitor, Watch

BEGIN, FINISH = "/api/auth/begin", "/api/auth/finish"
VERA = "vera@shopper.example"


def begun(visitor: Visitor, email: str = VERA) -> dict[str, Any]:
    """Begin a ceremony."""
    return visitor.post(BEGIN, email=email)


def refused(visitor: Visitor, credential: dict[str, Any]) -> tuple[int, str]:
    """Finish with what must be refused."""
    return visitor.refused("POST", FINISH, json={"credential": credential})


@pytest.fixture
def known(vera: Visitor) -> Phone:
    """Return the phone with which Vera has made her account."""
    phone = Phone(7, 1, counter=0)
    made = vera.post(FINISH, credential=phone.answer(begun(vera)["public_key"]), password="sesame")
    assert made["mode"] == "create"
    assert made["subject"] == made["account"]
    return phone


def test_a_passkey_made_on_one_visit_logs_in_on_the_next(known: Phone, come_in: Callable[..., Visitor]):
    """The account is the same, keeps cart and variant of the visit, and can still be opened by its password."""
    again = come_in("vera")
    again.put_in_cart("BAG-0007")
    variant = again.get("/api/home")["variant"]
    options = begun(again)
    assert options["mode"] == "get"
    entered = again.post(FINISH, credential=known.answer(options["public_key"]))
    assert (entered["merged_from"], entered["variant"], entered["mode"]) == ("vera", variant, "get")
    assert again.get("/api/cart")["count"] == 1
    assert come_in("tablet").log_in("vera", "sesame")["account"] == entered["account"]
    assert come_in("tablet").refused("POST", "/api/login", json={"email": VERA, "password": "x"})[0] == 401


def test_a_password_comes_before_a_second_way_in(vera: Visitor, come_in: Callable[..., Visitor]):
    """An account with a password gets a key only from whoever has entered with it; other addresses never do."""
    come_in("tablet").log_in("vera")
    assert vera.refused("POST", BEGIN, json={"email": VERA}) == (409, "no_passkey")
    assert vera.refused("POST", BEGIN, json={"email": "vera@example.com"}) == (409, "no_passkey")
    account = vera.log_in("vera")["account"]
    phone = Phone(7, 1)
    assert vera.post(FINISH, credential=phone.answer(begun(vera)["public_key"]))["account"] == account
    again = come_in("vera")
    assert again.post(FINISH, credential=phone.answer(begun(again)["public_key"]))["account"] == account


def test_an_answer_is_good_once_in_its_own_session_and_for_a_minute(
    known: Phone, come_in: Callable[..., Visitor], watch: Watch
):
    """A replay, another session's answer and a late one are refused, and nobody is logged in."""
    one, other = come_in("one"), come_in("other")
    answer = known.answer(begun(one)["public_key"])
    assert refused(other, answer) == (409, "no_challenge")
    begun(other)
    assert refused(other, answer) == (401, "wrong_passkey")
    assert one.post(FINISH, credential=answer)["mode"] == "get"
    assert refused(one, answer) == (409, "no_challenge")
    late = known.answer(begun(other)["public_key"])
    watch.wait(61)
    assert refused(other, late) == (409, "no_challenge")
    assert other.get("/api/home")["subject"] == "other"


def test_a_copied_key_is_found_by_its_counter(known: Phone, come_in: Callable[..., Visitor]):
    """A counter that does not grow is a copy's; synced passkeys, which never count, are let in every time."""
    visitor = come_in("tablet")
    assert visitor.post(FINISH, credential=known.answer(begun(visitor)["public_key"]))["mode"] == "get"
    for behind in (0, 1):
        copy = Phone(7, 1, counter=behind)
        assert refused(visitor, copy.answer(begun(visitor)["public_key"])) == (401, "copied_passkey")
    synced, ben = Phone(7, 2), come_in("ben")
    for _ in range(3):
        assert ben.post(FINISH, credential=synced.answer(begun(ben, "ben@shopper.example")["public_key"]))


def test_origin_key_and_signature_must_be_right(known: Phone, come_in: Callable[..., Visitor]):
    """Another site's answer, another phone's key and a bent signature or challenge are 401."""
    visitor = come_in("mallory")
    elsewhere = Phone(7, 1, origin="https://halfpenny-lane.example.evil.example", counter=10)
    assert refused(visitor, elsewhere.answer(begun(visitor)["public_key"])) == (401, "wrong_passkey")
    options = begun(visitor)["public_key"]
    stranger = Phone(8, 1, counter=10).answer({**options, "allowCredentials": []})
    assert refused(visitor, stranger) == (401, "wrong_passkey")
    options = begun(visitor)["public_key"]
    # The stranger's signature under the known key's name.
    posing = stranger | {"id": known.answer(options)["id"], "rawId": known.answer(options)["id"]}
    assert refused(visitor, posing) == (401, "wrong_passkey")
    begun(visitor)
    assert refused(visitor, known.answer(options)) == (401, "wrong_passkey")
    assert visitor.get("/api/home")["subject"] == "mallory"


@pytest.mark.parametrize("response", [{}, {"clientDataJSON": 5}, {"clientDataJSON": "AAAA"}, None, []])
def test_what_is_no_credential_is_invalid(known: Phone, come_in: Callable[..., Visitor], response: object):
    """Rubbish is a 422, in either ceremony, and uses up the challenge."""
    for email in (VERA, "new@shopper.example"):
        visitor = come_in("tablet")
        assert known.counter == 1
        for credential in ({"id": "x", "rawId": "x", "type": "public-key", "response": response}, {}, "x"):
            begun(visitor, email)
            assert visitor.refused("POST", FINISH, json={"credential": credential})[0] in {401, 422}


def test_nobody_tries_fingers_all_day(vera: Visitor, watch: Watch):
    """After twenty attempts at once a session is told to wait, and for how long; then it may go on."""
    for _ in range(20):
        begun(vera)
    answer = vera.ask("POST", BEGIN, json={"email": VERA})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert answer.json()["error"]["code"] == "too_many_requests"
    watch.wait(1)
    assert begun(vera)["mode"] == "create"
