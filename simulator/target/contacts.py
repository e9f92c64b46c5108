"""How people of each country are reached: phones nobody has, postcodes and addresses of the right shape, test cards.

A shape is text in which `#` stands for a digit, `%` for one from 1 to 9 and `?` for a letter of `LETTERS`.
"""

from __future__ import annotations

from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import pyarrow as pa
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from simulator.model.library import library_folder
from simulator.model.yamlfile import read_yaml, validate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LETTERS = "AEHNPRTWXY"
"""Letters that postcodes of GB, CA and IE all allow wherever a shape has one."""
_PLACES = {"#": "0123456789", "%": "123456789", "?": LETTERS}
_FINE = 1e12
"""Into how many parts a draw is cut: more than any shape has fillings."""


def _ascii(shape: str) -> str:
    if not shape.isascii():
        raise ValueError("a shape is ASCII")
    return shape


Shape = Annotated[str, AfterValidator(_ascii)]
Shapes = Annotated[list[Shape], Field(min_length=1)]


class Contact(BaseModel):
    """One country: `fictional` phones are reserved by its regulator, `unassigned` ones begin like no number there.

    `street` is a template of Faker's, `cities` holds postcodes of those that are known, `postcode` of the others.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    phone: Shapes
    phone_kind: Literal["fictional", "unassigned"]
    postcode: Shape
    number: Shapes
    line: Annotated[str, Field(pattern=r"^(\{number\}[^{}]*\{street\}|\{street\}[^{}]*\{number\})$")]
    street: str
    cities: dict[str, Shapes] = {}

    @property
    def number_first(self) -> bool:
        """Whether the house number stands before the street."""
        return self.line.startswith("{number}")

    @property
    def between(self) -> str:
        """What stands between street and house number."""
        return self.line.replace("{number}", "").replace("{street}", "")

    def postcodes(self, city: str) -> list[str]:
        """Return the shapes of a city's postcodes."""
        return self.cities.get(city, [self.postcode])


class ContactTable(BaseModel):
    """All countries by ISO 3166 code, the published test cards by brand, and the brands' shares by country."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    evidence: str
    cards: dict[str, Annotated[list[Annotated[str, Field(pattern=r"^\d{15,16}$")]], Field(min_length=1)]]
    card_mix: dict[str, dict[str, Annotated[float, Field(gt=0)]]]
    countries: dict[str, Contact]


@cache
def contact_table() -> ContactTable:
    """Return the shipped table."""
    return validate(ContactTable, read_yaml(library_folder("personas") / "places" / "contacts.yaml"))


@cache
def cards_of(country: str) -> tuple[tuple[str, str, float], ...]:
    """Return (brand, number, share of these and those before) of a country's test cards; a brand's share equally."""
    table = contact_table()
    mix = table.card_mix.get(country, table.card_mix["default"])
    cards = [(b, n, share / len(table.cards[b])) for b, share in mix.items() for n in table.cards[b]]
    total = sum(mix.values())
    sums = accumulate(share / total for _, _, share in cards)
    return tuple((brand, number, below) for (brand, number, _), below in zip(cards, sums, strict=True))


def filled(shapes: Sequence[str], u: float) -> str:
    """Return one of the shapes, its places filled, all from one draw in (0, 1)."""
    chosen = int(u * len(shapes))
    left, text = int((u * len(shapes) - chosen) * _FINE), []
    for sign in shapes[chosen]:
        if sign in _PLACES:
            left, at = divmod(left, len(_PLACES[sign]))
            text.append(_PLACES[sign][at])
        else:
            text.append(sign)
    return "".join(text)


class ShapeBook:
    """Groups of shapes, such as the phones of each country, to be filled for many draws at once."""

    def __init__(self, groups: Sequence[Sequence[str]]) -> None:
        self._count = np.array([len(group) for group in groups], np.int64)
        self._first = np.cumsum(self._count) - self._count
        self._signs = np.array([shape.encode() for group in groups for shape in group], np.bytes_)

    def filled(self, group: NDArray[np.int64], u: NDArray[np.float64]) -> pa.Array:
        """Return `filled(groups[g], u)` of each row."""
        count = self._count[group]
        chosen = (u * count).astype(np.int64)
        left = ((u * count - chosen) * _FINE).astype(np.int64)
        text = self._signs[self._first[group] + chosen]
        signs = text.view(np.uint8).reshape(len(text), -1)
        for column in signs.T:
            shape = column.copy()
            for sign, choices in _PLACES.items():
                rows = np.flatnonzero(shape == ord(sign))
                left[rows], at = np.divmod(left[rows], len(choices))
                column[rows] = np.frombuffer(choices.encode(), np.uint8)[at]
        return pa.array(text).cast(pa.string())
