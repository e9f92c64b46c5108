"""What a probe may do: ask, wait, ask several things at once; written down as a script that somebody else plays.

A script is a generator: it yields steps and is sent what came of them. It knows no transport and no clock, so the same
script runs within a live load and in a test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any
from zlib import crc32

from simulator.model.devices import device_table
from simulator.model.places import city_table
from simulator.model.schema import CATEGORIES, CONSENTS
from simulator.target.context import Who, open_context
from simulator.target.probes.seen import Seen, Visitor

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence

    from simulator.model.devices import DeviceRow
    from simulator.model.places import City
    from simulator.target.request import Target

FIRST_NUMBER, NUMBERS_A_RUN = 1 << 40, 1 << 12
"""Probing visitors have numbers from here on, which no shopper of a load has (numbers end at 2^48), other ones in each
run: whoever is to be new to a target must not have been there in the run before."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Make one call of an operation, or of a reading as `readings.inbox`; comes to a `Seen`, or None if it was skipped.

    `values` replaces fields of the visitor's context for this request alone, and `headers` its headers (None takes one
    away). `url_of` sends it to the address of an earlier answer, `link` to an address that was found in one, as a GET;
    `bare` sends no cookie and no credentials. All of them make the answer `odd`.
    """

    visitor: Visitor
    operation: str
    values: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str | None] = field(default_factory=dict)
    url_of: Seen | None = None
    link: str = ""
    bare: bool = False

    @property
    def odd(self) -> bool:
        """Whether the request is not one that an ordinary visitor would make."""
        return bool(self.values or self.headers or self.url_of or self.link or self.bare)


@dataclass(frozen=True, slots=True)
class Together:
    """Make several calls at the same moment; comes to a list of what each came to."""

    asks: tuple[Ask, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Let so many seconds pass; comes to nothing."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Now:
    """Look at the clock; comes to milliseconds since 1970."""


Play = "Callable[[People, int], Generator[Ask | Together | Wait | Now, Any, None]]"
ALONE, AMONG, BEFORE, AFTER = "alone", "among", "before", "after"
"""When a script is played: while nobody else asks, within the load, before anything else, after all else."""
WITHIN = frozenset((AMONG,))
"""Of scripts that need not be played alone, for what they find does not depend on how many ask: what may be asked
before a load is little, and others need it."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script of a probe: `play` gets the people it may send and how often it was played before, from 0.

    `cost` is the most requests it takes, those that open visits included. It is played `times` times alone.
    """

    name: str
    cost: int
    play: Callable[[People, int], Generator[Any, Any, None]]
    when: frozenset[str] = frozenset((ALONE, AMONG))
    times: int = 1


class People:
    """Visitors to send: whoever a probe asks for, each a new one; of each process, a `part` of a run, other ones.

    `countries` are those that the load's shoppers come from: nobody promises that a target serves others. `sent` are
    those visits that were made up so far.
    """

    def __init__(
        self,
        target: Target,
        seed: int,
        run: str,
        known: Mapping[str, Any] | None = None,
        countries: Sequence[str] = ("GB", "US", "DE", "FR", "IN", "JP", "AU"),
        *,
        part: str = "",
    ) -> None:
        self.target, self.countries = target, tuple(countries)
        self._seed, self._run, self._known = seed, run, known or {}
        self._numbers = count(FIRST_NUMBER + crc32(f"{run} {part}".encode()) * NUMBERS_A_RUN)
        self._who: dict[int, Who] = {}
        self.sent: list[Visitor] = []

    def group(self, known: Mapping[str, Any] | None = None) -> People:
        """Return people who are none of these, for one script; `known` is what setup calls have told meanwhile."""
        others = People(self.target, self._seed, self._run, known or self._known, self.countries)
        others._numbers = self._numbers
        return others

    def somebody(
        self,
        *,
        country: str | None = None,
        city: str | None = None,
        at: tuple[float, float] | None = None,
        consents: Iterable[str] = CONSENTS,
        platform: str | None = None,
        favourite: str = CATEGORIES[0],
    ) -> Visitor:
        """Return a new visitor on their first visit, who agrees to everything unless told otherwise.

        They live in the largest city of a country (the first of `countries`), or the one named, and are `at` (latitude,
        longitude in degrees) or there.
        """
        country = country or self.countries[0]
        home = _city(country, city)
        number = next(self._numbers)
        latitude_deg, longitude_deg = at or (home.latitude_deg, home.longitude_deg)
        device = _device(platform)
        who = Who(number, country, device, latitude_deg, longitude_deg, frozenset(consents), favourite, home.name)
        self._who[number] = who
        return self._visit(who, 0)

    def again(self, visitor: Visitor, values: Mapping[str, Any] | None = None) -> Visitor:
        """Return the same somebody on their next visit, with what their phone has kept.

        `values` replaces fields for the whole of it, which makes them `odd`.
        """
        following = self._visit(self._who[visitor.number], visitor.visit + 1)
        following.line = visitor.line
        following.context.values.update(values or {})
        following.odd = bool(values)
        return following

    def _visit(self, who: Who, visit: int) -> Visitor:
        context = open_context(self.target, who, seed=self._seed, visit=visit, run=self._run)
        context.values.update(self._known)
        visitor = Visitor(who.shopper, visit, context, probing=True)
        self.sent.append(visitor)
        return visitor


def _city(country: str, name: str | None) -> City:
    cities = [city for city in city_table() if city.country == country and name in (None, city.name)]
    if not cities:
        raise ValueError(f"no city {name or ''} of {country} is known")
    return max(cities, key=lambda city: city.population)


def _device(platform: str | None) -> DeviceRow:
    """Return the first phone of a platform that can do everything; a Chromium one unless told."""
    devices = [device for device in device_table().devices if device.ar and device.biometric]
    if platform is None:
        return next(device for device in devices if device.client_hints)
    return next(device for device in devices if device.os == platform)
