"""Keyed randomness: each draw is a pure function of who, when and what for, never of what was drawn before.

    u(seed, shopper, visit, state, nth time in this state, purpose) → (0, 1)

The block cipher is Philox4x32-10 (Salmon et al., SC 2011), counter-based; its published known answers are tests.
A purpose is a name, hashed: adding one renumbers nothing.
"""

from __future__ import annotations

import zlib

import numpy as np

from simulator.model.compiled import inlined

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_UNIT = 2.0**-32


@inlined
def philox4x32(
    c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, k0: np.uint64, k1: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Return the four 32-bit words of the block for counter (c0, c1, c2, c3) and key (k0, k1).

    All arguments and results are 32-bit values held in `uint64`, so that plain Python computes the same.
    """
    for _ in range(10):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (p1 >> _HALF) ^ c1 ^ k0, p1 & _LOW, (p0 >> _HALF) ^ c3 ^ k1, p0 & _LOW
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    return c0, c1, c2, c3


PURPOSES: dict[str, np.uint64] = {}
"""Every purpose there is, by name; filled below."""


def purpose(name: str) -> np.uint64:
    """Register a purpose and return its 32-bit key. Raises `ValueError` if another name has the same key."""
    key = np.uint64(zlib.crc32(name.encode()))
    if key in PURPOSES.values():
        raise ValueError(f"purpose {name} shares its key with another; choose another name")
    PURPOSES[name] = key
    return key


PERSONA = purpose("persona")
ARM = purpose("arm")
CITY = purpose("city")
OFFSET_NORTH = purpose("offset_north")
OFFSET_EAST = purpose("offset_east")
DEVICE = purpose("device")
FRAILTY = purpose("frailty")
PRICE_SENSITIVITY = purpose("price_sensitivity")
FAVOURITE = purpose("favourite")
CONSENT_ANALYTICS = purpose("consent_analytics")
CONSENT_PERSONALIZATION = purpose("consent_personalization")
CONSENT_LOCATION = purpose("consent_location")
CONSENT_PUSH = purpose("consent_push")
MEMBER = purpose("member")
LOGGED_IN = purpose("logged_in")
VISITS_PER_WEEK = purpose("visits_per_week")
GAP = purpose("gap")
FIRST_GAP = purpose("first_gap")
CAMPAIGN_GAP = purpose("campaign_gap")
SITUATION = purpose("situation")
TECHNOLOGY = purpose("technology")
STAY = purpose("stay")
LINK = purpose("link")
STALL = purpose("stall")
BUDGET = purpose("budget")
ENTRY = purpose("entry")
PATIENCE = purpose("patience")
PUT_OFF = purpose("put_off")
ERROR = purpose("error")
NEXT = purpose("next")
THINK = purpose("think")
CATEGORY = purpose("category")
PRODUCT = purpose("product")
CHEAPER = purpose("cheaper")
WORK = purpose("work")
PLACE = purpose("place")
FIX = purpose("fix")
ARRIVAL = purpose("arrival")
RETURNS = purpose("returns")
RETURNER = purpose("returner")
IDENTITY = purpose("identity")
ITEM = purpose("item")
EMAIL_CHANNEL_BIOMETRIC_AR = purpose("email_channel_biometric_ar")
TENURE_BASKET_ORDERS_RESPONSE = purpose("tenure_basket_orders_response")
VISIT_CHANNEL = purpose("visit_channel")
PAST_ORDER = purpose("past_order")
PAST_SIZE = purpose("past_size")
INTENT = purpose("intent")
BOT = purpose("bot")
BEACON = purpose("beacon")
WHAT_IF = purpose("what_if")
NOWHERE = np.uint64(0)
"""The state key of draws that belong to no state."""


@inlined
def block(
    seed: int, shopper: int, visit: int, state: np.uint64, nth: int, purpose: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Return the four 32-bit words of a draw.

    `shopper` counts to 2^48, `visit` to 2^16, `nth` to 2^12; `state` is a 20-bit key from `state_key`.
    """
    who, which = np.uint64(shopper), np.uint64(visit)
    return philox4x32(
        who & _LOW,
        ((who >> _HALF) << np.uint64(16)) | which,
        (state << np.uint64(12)) | np.uint64(nth),
        purpose,
        np.uint64(seed) & _LOW,
        np.uint64(seed) >> _HALF,
    )


@inlined
def uniform(seed: int, shopper: int, visit: int, state: np.uint64, nth: int, purpose: np.uint64) -> float:
    """Return u in (0, 1), never 0 or 1, of the draw that `block` describes."""
    high, low, _, _ = block(seed, shopper, visit, state, nth, purpose)
    return open_unit(high, low)


@inlined
def uniform_pair(
    seed: int, shopper: int, visit: int, state: np.uint64, nth: int, purpose: np.uint64
) -> tuple[float, float]:
    """Return two independent u in (0, 1) for the price of one: a purpose that always needs both."""
    high, low, second_high, second_low = block(seed, shopper, visit, state, nth, purpose)
    return open_unit(high, low), open_unit(second_high, second_low)


@inlined
def four_uniforms(seed: int, shopper: int, nth: int, purpose: np.uint64) -> tuple[float, float, float, float]:
    """Return four independent u in (0, 1) of 32 bits each, for the price of one draw; they belong to no visit."""
    a, b, c, d = block(seed, shopper, 0, NOWHERE, nth, purpose)
    return (float(a) + 0.5) * _UNIT, (float(b) + 0.5) * _UNIT, (float(c) + 0.5) * _UNIT, (float(d) + 0.5) * _UNIT


@inlined
def open_unit(high: np.uint64, low: np.uint64) -> float:
    """Return the middle of one of 2^52 equal parts of (0, 1).

    With one bit more, the last middle would be rounded to 1.
    """
    return (float((high >> np.uint64(6)) << np.uint64(26) | (low >> np.uint64(6))) + 0.5) / 4503599627370496.0


def state_key(name: str) -> int:
    """Return a state's 20-bit key from its name."""
    return zlib.crc32(name.encode()) & 0xFFFFF
