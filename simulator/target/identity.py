"""Who a shopper is to a shop: a name of their country, an address nobody owns, a password. All from seed and number."""

from __future__ import annotations

import unicodedata
import zlib
from functools import cache
from hashlib import blake2b
from typing import NamedTuple

from simulator.journey import keys
from simulator.journey.keys import NOWHERE, uniform

DOMAIN = "shopper.example"
"""RFC 2606 reserves `.example`, so no mail ever reaches anybody."""
PREFIX = "ff"
"""How every id begins that we give a target, so that it can tell our shoppers from people."""
POOL = 200
"""Names of each sort a locale has at most."""
_DRAWS = 1_000
_FAMILY_FIRST = {"ja_JP", "ko_KR"}
_FOLDED = str.maketrans(
    {"ł": "l", "ø": "o", "ß": "ss", "æ": "ae", "œ": "oe", "\u0131": "i", "đ": "d", "ð": "d", "þ": "th"}
)


class Identity(NamedTuple):
    """A shopper's identity; `id` is the device's, before anybody logs in."""

    id: str
    first_name: str
    last_name: str
    name: str
    email: str
    password: str


@cache
def name_pools(locale: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return first and last names of a locale, at most `POOL` each, the same in every run of this Faker release."""
    from faker import Faker  # noqa: PLC0415 - takes a quarter of a second to import

    fake = Faker(locale, providers=["faker.providers.person"], use_weighting=False)
    fake.seed_instance(zlib.crc32(locale.encode()))
    first = dict.fromkeys(fake.first_name() for _ in range(_DRAWS))
    last = dict.fromkeys(fake.last_name() for _ in range(_DRAWS))
    return tuple(first)[:POOL], tuple(last)[:POOL]


def identity_of(seed: int, shopper: int, locale: str) -> Identity:
    """Return the identity of a shopper; id and address are unique among shoppers of all seeds."""
    firsts, lasts = name_pools(locale)
    first = firsts[int(len(firsts) * uniform(seed, shopper, 0, NOWHERE, 0, keys.IDENTITY))]
    last = lasts[int(len(lasts) * uniform(seed, shopper, 0, NOWHERE, 1, keys.IDENTITY))]
    tag = f"{seed:x}-{shopper}"
    email = f"{_ascii(first)}.{_ascii(last)}.{tag}@{DOMAIN}"
    name = f"{last} {first}" if locale in _FAMILY_FIRST else f"{first} {last}"
    return Identity(f"{PREFIX}-{tag}", first, last, name, email, password_of(email))


def password_of(email: str) -> str:
    """Return the password of an address: long, of all character classes, and no secret."""
    return f"Ff-{blake2b(email.encode(), digest_size=8).hexdigest()}"


def _ascii(name: str) -> str:
    """Return a name as the local part of an address has it; `shopper` where nothing of it is Latin."""
    folded = unicodedata.normalize("NFKD", name.casefold().translate(_FOLDED)).encode("ascii", "ignore").decode()
    return "".join(filter(str.isalnum, folded))[:24] or "shopper"
