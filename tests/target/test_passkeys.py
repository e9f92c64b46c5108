"""The software authenticator: keys follow from the seed, and another library than its own accepts what it says."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers.exceptions import InvalidAuthenticationResponse

from simulator.target.passkeys import P256_ORDER, CeremonyError, Phone

PARTY = "shop.example"
ORIGIN = f"https://{PARTY}"


def creation() -> tuple[dict[str, Any], bytes]:
    """Return the options of a registration, and their challenge."""
    options = generate_registration_options(rp_id=PARTY, rp_name="Shop", user_name="vera")
    return json.loads(options_to_json(options)), options.challenge


def request() -> tuple[dict[str, Any], bytes]:
    """Return the options of a login, and their challenge."""
    options = generate_authentication_options(rp_id=PARTY)
    return json.loads(options_to_json(options)), options.challenge


def registered(phone: Phone):
    """Register a phone with the referee."""
    options, challenge = creation()
    return verify_registration_response(
        credential=phone.answer(options), expected_challenge=challenge, expected_rp_id=PARTY, expected_origin=ORIGIN,
        require_user_verification=True,
    )  # fmt: skip


def logged_in(phone: Phone, public_key: bytes, count: int):
    """Log in with the referee."""
    options, challenge = request()
    return verify_authentication_response(
        credential=phone.answer(options), expected_challenge=challenge, expected_rp_id=PARTY, expected_origin=ORIGIN,
        credential_public_key=public_key, credential_current_sign_count=count, require_user_verification=True,
    )  # fmt: skip


def test_another_library_accepts_both_ceremonies():
    """Registration and three logins verify; the counter grows where the phone counts, and is 0 where it is synced."""
    for phone, counts in ((Phone(7, 3, counter=0), [1, 2, 3, 4]), (Phone(7, 3), [0, 0, 0, 0])):
        made = registered(phone)
        seen = [made.sign_count]
        for _ in range(3):
            seen.append(logged_in(phone, made.credential_public_key, seen[-1]).new_sign_count)
        assert seen == counts
        assert made.credential_id == phone.credential_id(PARTY)


def test_a_copy_another_site_and_another_phone_are_refused():
    """The referee refuses a counter that fell back, a foreign origin and a foreign key."""
    phone = Phone(7, 3, counter=5)
    key = registered(phone).credential_public_key
    for wrong in (Phone(7, 3, counter=1), Phone(7, 3, origin="https://evil.example", counter=9), Phone(7, 4, counter=9),
                  Phone(8, 3, counter=9)):  # fmt: skip
        with pytest.raises(InvalidAuthenticationResponse):
            logged_in(wrong, key, 6)
    assert logged_in(phone, key, 6).new_sign_count == 7


def test_keys_follow_from_seed_shopper_and_party():
    """The same phone has the same key in every process; ten others differ in it; the order is the curve's."""
    first = registered(Phone(7, 3)).credential_public_key
    assert registered(Phone(7, 3)).credential_public_key == first
    others = {registered(Phone(seed, shopper)).credential_public_key for seed in (7, 8) for shopper in range(5)}
    assert len(others) == 10
    below = ec.derive_private_key(P256_ORDER - 1, ec.SECP256R1()).public_key().public_numbers()
    assert below.x == ec.derive_private_key(1, ec.SECP256R1()).public_key().public_numbers().x, "(n-1)G is -G"


def test_options_are_read_as_browsers_read_them():
    """Padding in the challenge does not matter, and a list of other phones' keys is no invitation."""
    options, challenge = request()
    padded = options | {"challenge": base64.urlsafe_b64encode(challenge).decode()}
    sent = Phone(7, 3).answer(padded)["response"]["clientDataJSON"]
    data = json.loads(base64.urlsafe_b64decode(sent + "=="))
    assert base64.urlsafe_b64decode(data["challenge"] + "==") == challenge
    assert (data["type"], data["origin"], data["crossOrigin"]) == ("webauthn.get", ORIGIN, False)
    mine = [{"type": "public-key", "id": Phone(7, 3).answer(options)["id"]}]
    assert Phone(7, 3).answer(options | {"allowCredentials": mine})
    with pytest.raises(CeremonyError, match="another phone's key"):
        Phone(7, 4).answer(options | {"allowCredentials": mine})


@pytest.mark.parametrize(
    "options",
    [{}, {"challenge": "abcd"}, {"rpId": "x"}, {"rpId": 5, "challenge": "abcd"}, {"rpId": "x", "challenge": ""},
     {"pubKeyCredParams": [], "challenge": "abcd"}, {"pubKeyCredParams": [], "rp": {"id": "x"}},
     {"pubKeyCredParams": [{"alg": -257}], "rp": {"id": "x"}, "challenge": "abcd"}],
)  # fmt: skip
def test_what_is_no_ceremony_is_said(options: dict[str, Any]):
    """Missing parties and challenges, and servers that take no ES256, are errors with a reason."""
    with pytest.raises(CeremonyError, match=r"."):
        Phone(7, 3).answer(options)
