"""Who a shopper is to a shop: name, address, phone and test card of their country, a password; all keyed.

`identity_of` gives one shopper, as live load needs them; `simulator.target.people` gives many, the same.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

from simulator.journey import keys
from simulator.journey.keys import NOWHERE, uniform
from simulator.model.places import country_table
from simulator.target.contacts import cards_of, contact_table, filled
from simulator.target.pools import ascii_name, name_pools, street_pool

DOMAIN = "shopper.example"
"""RFC 2606 reserves `.example`, so no mail ever reaches anybody."""
PREFIX = "ff"
"""How every id begins that we give a target, so that it can tell our shoppers from people."""
FAMILY_FIRST = {"ja_JP", "ko_KR"}
FIRST, LAST, STREET, NUMBER, POSTCODE, PHONE, CARD, AGE = range(8)
"""Which draw of the purpose `identity` decides what."""


class Identity(NamedTuple):
    """A shopper's identity; `id` is the device's, before anybody logs in. `street` holds the house number too."""

    id: str
    first_name: str
    last_name: str
    name: str
    email: str
    password: str
    phone: str
    street: str
    postcode: str
    city: str
    card_brand: str
    card_number: str


def identity_of(seed: int, shopper: int, country: str, city: str = "") -> Identity:
    """Return the identity of a shopper; id and e-mail are unique among shoppers of all seeds, phones need not be."""

    def draw(nth: int) -> float:
        return uniform(seed, shopper, 0, NOWHERE, nth, keys.IDENTITY)

    locale, contact = country_table()[country].locale, contact_table().countries[country]
    firsts, lasts = name_pools(locale)
    streets = street_pool(country)
    first, last = firsts[int(len(firsts) * draw(FIRST))], lasts[int(len(lasts) * draw(LAST))]
    tag = _tag(seed, shopper)
    email = f"{ascii_name(first)}.{ascii_name(last)}.{tag}@{DOMAIN}"
    card_draw, cards = draw(CARD), cards_of(country)
    brand, card, _ = next((entry for entry in cards if card_draw < entry[2]), cards[-1])
    return Identity(
        id=id_of(seed, shopper),
        first_name=first,
        last_name=last,
        name=f"{last} {first}" if locale in FAMILY_FIRST else f"{first} {last}",
        email=email,
        password=password_of(email),
        phone=filled(contact.phone, draw(PHONE)),
        street=contact.line.format(
            number=filled(contact.number, draw(NUMBER)), street=streets[int(len(streets) * draw(STREET))]
        ),
        postcode=filled(contact.postcodes(city), draw(POSTCODE)),
        city=city,
        card_brand=brand,
        card_number=card,
    )


def id_of(seed: int, shopper: int) -> str:
    """Return a shopper's id, which is their device's."""
    return f"{PREFIX}-{_tag(seed, shopper)}"


def _tag(seed: int, shopper: int) -> str:
    return f"{seed:x}-{shopper}"


def password_of(email: str) -> str:
    """Return the password of an address: long, of all character classes, and no secret."""
    return f"Ff-{blake2b(email.encode(), digest_size=8).hexdigest()}"
