"""Names and streets by country, from Faker: pools made once, so that nothing is ever faked for a single shopper."""

from __future__ import annotations

import unicodedata
import zlib
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from simulator.model.places import country_table
from simulator.target.contacts import contact_table

if TYPE_CHECKING:
    from faker import Faker

POOL = 400
"""Entries of each sort a country has at most."""
_DRAWS = 2_000
_FOLDED = str.maketrans(
    {"ł": "l", "ø": "o", "ß": "ss", "æ": "ae", "œ": "oe", "\u0131": "i", "đ": "d", "ð": "d", "þ": "th"}
)

_JAMO = {
    first + place: sound
    for first, sounds in (
        (0x1100, "g kk n d tt r m b pp s ss - j jj ch k t p h"),
        (0x1161, "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i"),
        (0x11A8, "k k k n n n t l k m l l l p l m p p t t ng t t k t p t"),
    )
    for place, sound in enumerate(sounds.split())
}
"""Sounds of Hangul's letters (Ministry of Culture and Tourism, 2000), without the changes between syllables."""


@cache
def name_pools(locale: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return first and last names of a locale, at most `POOL` each, the same in every run of this Faker release."""
    fake = _faker(locale, "person")
    first = dict.fromkeys(fake.first_name() for _ in range(_DRAWS))
    last = dict.fromkeys(fake.last_name() for _ in range(_DRAWS))
    return tuple(first)[:POOL], tuple(last)[:POOL]


@cache
def street_pool(country: str) -> tuple[str, ...]:
    """Return streets of a country, at most `POOL`, made by the template of its contacts."""
    fake = _faker(country_table()[country].locale, "person", "address")
    template = contact_table().countries[country].street
    return tuple(dict.fromkeys(fake.parse(template) for _ in range(_DRAWS)))[:POOL]


def pools_digest() -> str:
    """Return the SHA-256 of all pools of all countries.

    Faker does not promise the same names in another release: two data sets have the same people if this is equal too.
    """
    digest = sha256()
    for code, country in sorted(country_table().items()):
        for pool in (*name_pools(country.locale), street_pool(code)):
            digest.update("\n".join((code, *pool, "")).encode())
    return digest.hexdigest()


@cache
def ascii_name(name: str) -> str:
    """Return a name as the local part of an address has it; `shopper` where no rule makes Latin letters of it.

    Japanese names have the reading that Faker gives, Korean ones the Revised Romanization of each syllable.
    """
    spelt = unicodedata.normalize("NFKD", _readings().get(name, name).casefold().translate(_FOLDED))
    folded = spelt.translate(_JAMO).encode("ascii", "ignore").decode()
    return "".join(filter(str.isalnum, folded))[:24] or "shopper"


@cache
def _readings() -> dict[str, str]:
    """Return Latin readings of Japanese names."""
    from faker.providers.person.ja_JP import Provider  # noqa: PLC0415 - slow, as below

    return {name: reading for name, _, reading in (*Provider.first_name_pairs, *Provider.last_name_pairs)}


def _faker(locale: str, *providers: str) -> Faker:
    from faker import Faker  # noqa: PLC0415 - takes a quarter of a second to import

    fake = Faker(locale, providers=[f"faker.providers.{name}" for name in providers], use_weighting=False)
    fake.seed_instance(zlib.crc32(locale.encode()))
    return fake
