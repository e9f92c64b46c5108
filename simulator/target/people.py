"""The identities of many shoppers at once, in columns: what `identity_of` says of each, many times faster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.journey import keys
from simulator.journey.draws import uniforms
from simulator.model.places import country_table
from simulator.target.contacts import ShapeBook, cards_of, contact_table
from simulator.target.identity import (
    AGE,
    CARD,
    DOMAIN,
    FAMILY_FIRST,
    FIRST,
    LAST,
    NUMBER,
    PHONE,
    POSTCODE,
    PREFIX,
    STREET,
)
from simulator.target.pools import ascii_name, name_pools, street_pool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

YOUNGEST, OLDEST, YOUTH = 18, 80, 1.6
"""Ages are 18 + 62 u^1.6 (assumed): half are under 39, a tenth over 70."""


class Crowd:
    """Shoppers of some countries, given by number; countries and cities by their place in `countries` and `cities`.

    `home` is each city's country, as a place in `countries`.
    """

    def __init__(self, seed: int, countries: Sequence[str], cities: Sequence[str], home: NDArray[np.int64]) -> None:
        contacts = [contact_table().countries[country] for country in countries]
        locales = [country_table()[country].locale for country in countries]
        self._seed = seed
        self._firsts = Pools([name_pools(locale)[0] for locale in locales])
        self._lasts = Pools([name_pools(locale)[1] for locale in locales])
        self._streets = Pools([street_pool(country) for country in countries])
        self._phones = ShapeBook([contact.phone for contact in contacts])
        self._numbers = ShapeBook([contact.number for contact in contacts])
        self._postcodes = ShapeBook([contacts[c].postcodes(city) for city, c in zip(cities, home, strict=True)])
        self._cards = Cards(countries)
        self._family_first = np.array([locale in FAMILY_FIRST for locale in locales])
        self._number_first = np.array([contact.number_first for contact in contacts])
        self._between = pa.array([contact.between for contact in contacts])

    def people(
        self, shoppers: NDArray[np.int64], country: NDArray[np.int64], city: NDArray[np.int64]
    ) -> dict[str, pa.Array]:
        """Return the columns of `Identity` but password and city, and `age` in years, a row a shopper."""

        def draw(nth: int) -> NDArray[np.float64]:
            return uniforms(self._seed, shoppers, nth, keys.IDENTITY)

        first, first_ascii = self._firsts.both(country, draw(FIRST))
        last, last_ascii = self._lasts.both(country, draw(LAST))
        tag = pc.binary_join_element_wise(f"{self._seed:x}", pa.array(shoppers).cast(pa.string()), "-")
        brand, card = self._cards.dealt(country, draw(CARD))
        return {
            "id": pc.binary_join_element_wise(PREFIX, tag, "-"),
            "first_name": first,
            "last_name": last,
            "name": _in_order(self._family_first[country], last, first, " "),
            "email": pc.binary_join_element_wise(
                pc.binary_join_element_wise(first_ascii, last_ascii, tag, "."), DOMAIN, "@"
            ),
            "phone": self._phones.filled(country, draw(PHONE)),
            "street": _in_order(
                self._number_first[country],
                self._numbers.filled(country, draw(NUMBER)),
                self._streets.both(country, draw(STREET))[0],
                self._between.take(pa.array(country)),
            ),
            "postcode": self._postcodes.filled(city, draw(POSTCODE)),
            "card_brand": brand,
            "card_number": card,
            "age": pa.array((YOUNGEST + (OLDEST - YOUNGEST) * draw(AGE) ** YOUTH).astype(np.int16)),
        }


class Pools:
    """Words by country, and each as an address has it."""

    def __init__(self, pools: Sequence[Sequence[str]]) -> None:
        self._count = np.array([len(pool) for pool in pools], np.int64)
        self._first = np.cumsum(self._count) - self._count
        self._words = pa.array([word for pool in pools for word in pool])
        self._ascii = pa.array([ascii_name(word) for pool in pools for word in pool])

    def both(self, country: NDArray[np.int64], u: NDArray[np.float64]) -> tuple[pa.Array, pa.Array]:
        """Return (words, words in ASCII) of draws in (0, 1)."""
        at = pa.array(self._first[country] + (self._count[country] * u).astype(np.int64))
        return self._words.take(at), self._ascii.take(at)


class Cards:
    """The test cards of some countries."""

    def __init__(self, countries: Sequence[str]) -> None:
        decks = [cards_of(country) for country in countries]
        most = max(map(len, decks))
        # Beyond the last card stands the last card: the sum of shares may be a rounding below 1.
        self._sums = np.array([[deck[min(i, len(deck) - 1)][2] for i in range(most)] for deck in decks])
        self._last = np.array([len(deck) - 1 for deck in decks])
        self._first = np.cumsum(self._last + 1) - self._last - 1
        self._brands = pa.array([brand for deck in decks for brand, _, _ in deck])
        self._numbers = pa.array([number for deck in decks for _, number, _ in deck])

    def dealt(self, country: NDArray[np.int64], u: NDArray[np.float64]) -> tuple[pa.Array, pa.Array]:
        """Return (brands, numbers) of draws in (0, 1)."""
        above = (u[:, None] >= self._sums[country]).sum(axis=1)
        at = pa.array(self._first[country] + np.minimum(above, self._last[country]))
        return self._brands.take(at), self._numbers.take(at)


def _in_order(flag: NDArray[np.bool_], one: pa.Array, other: pa.Array, between: pa.Array | str) -> pa.Array:
    """Return one and other joined, in this order where flagged, else the other way."""
    mask = pa.array(flag)
    return pc.binary_join_element_wise(pc.if_else(mask, one, other), pc.if_else(mask, other, one), between)
