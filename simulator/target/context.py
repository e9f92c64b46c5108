"""One shopper's visit as a target sees it: who they are, what they agreed to, what earlier answers told them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.journey.keys import NOWHERE, purpose, uniform
from simulator.journey.records import NOT_SEEN, SHOPPER
from simulator.model.devices import device_table
from simulator.model.places import city_table, country_table
from simulator.model.schema import CATEGORIES, CONSENTS
from simulator.target.fields import CREDENTIAL, EXTRACTED, KIND, NUMBER, PASSKEY, PICK, POSITIONS
from simulator.target.headers import SAVE_DATA_SHARE, device_headers, markers, network_hints, sends_hints
from simulator.target.identity import Identity, id_of, identity_of
from simulator.target.passkeys import CeremonyError, Phone
from simulator.target.values import Values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulator.journey.records import Record
    from simulator.model.devices import DeviceRow
    from simulator.model.population import Roster
    from simulator.target.fields import Json
    from simulator.target.request import Answer, Target
    from simulator.target.schema import Words

    Fix = Callable[[], tuple[float, float]]
    """Finds out (latitude, longitude) in degrees of where a phone says it is."""

SAVE_DATA = purpose("save_data")
FINGER = purpose("finger")
UNKNOWN_FINGER_SHARE = 0.04
"""Share of visits in which the phone does not know its shopper's finger or face (assumed)."""
_DEGREE_DIGITS = 5
"""About a metre; phones report no more."""
_MADE_UP = frozenset(f"shopper.{name}" for name in Identity._fields)
_PLACE, _MOMENT = ("place.lat", "place.lon"), "event.at"


class Who(NamedTuple):
    """What a target may learn about a shopper."""

    shopper: int
    country: str
    device: DeviceRow
    latitude_deg: float
    longitude_deg: float
    consents: frozenset[str]
    favourite: str
    city: str


def who_is(row: Record, roster: Roster) -> Who:
    """Return the shopper of a SHOPPER record."""
    told = dict(zip(SHOPPER.names or (), np.void.item(row), strict=True))
    return Who(
        told["shopper"],
        roster.countries[told["country"]],
        device_table().devices[told["device"]],
        told["latitude_deg"],
        told["longitude_deg"],
        frozenset([name for name in CONSENTS if told[name]]),
        CATEGORIES[told["favourite"]],
        roster.cities[told["city"]],
    )


class Context:
    """The state of one visit. Cookies are the transport's.

    `values` gives what templates name, and nothing that is not known; `headers` the phone's and our markers, to be sent
    with every request; `consents` what the shopper agreed to; `made` the operations that have worked.
    """

    __slots__ = (
        "_events",
        "_hints",
        "_keep",
        "_network",
        "_refused",
        "_words",
        "consents",
        "favourite",
        "headers",
        "made",
        "phone",
        "values",
    )

    def __init__(
        self,
        values: dict[str, Any],
        headers: dict[str, str],
        consents: frozenset[str],
        favourite: str,
        words: Mapping[str, Words],
        *,
        hints: bool,
        events: Mapping[str, str] | None = None,
        refused: object = False,
        keep: Callable[[Answer], None] | None = None,
    ) -> None:
        self.values = values
        self.headers = headers
        self.consents = consents
        self.favourite = favourite
        self.made: set[str] = set()
        self.phone: Phone | None = None
        self._words = words
        self._hints, self._refused = hints, refused
        self._network = (0.0, 0.0)
        self._events, self._keep = events or {}, keep
        self.turn_to(None, 0)

    def turn_to(self, category: str | None, pick: int) -> None:
        """Stand before the next page: its category (`None`: the favourite), and the integer that chooses.

        `pick` chooses among extracted candidates and search words, modulo how many there are.
        """
        name = category or self.favourite
        words, values = self._words.get(name), self.values
        values[PICK] = pick
        values["page.category"] = words.slug if words else name
        values["page.query"] = words.queries[pick % len(words.queries)] if words else name.replace("-", " ")

    def withdraw(self, consent: str) -> None:
        """Take a consent back: from now on the target is told so whenever it is told of consents."""
        self.consents -= {consent}
        self.values[f"consent.{consent}"] = self._refused

    def on_network(self, rtt_ms: float, down_kbps: float) -> None:
        """Meet another network; only browsers that tell it will tell it."""
        if self._hints and self._network != (rtt_ms, down_kbps):
            self._network = (rtt_ms, down_kbps)
            self.headers.update(network_hints(rtt_ms, down_kbps))

    def tell(self, event: str, at_ms: int) -> None:
        """Set the event that the next `track` call reports."""
        values = self.values
        values["event.type"], values["event.at_ms"] = event, at_ms
        values["event.at_s"], values["event.at_us"] = at_ms // 1_000, at_ms * 1_000
        values.pop(_MOMENT, None)
        values.pop(POSITIONS, None)
        values.pop("event.name", None)
        if not self._events or event in self._events:
            values["event.name"] = self._events.get(event, event)

    def learn(self, answer: Answer) -> None:
        """Keep what a good answer told; a bad one teaches nothing."""
        if answer.ok:
            self.made.add(answer.operation)
            for name, value in answer.extracted.items():
                self.values[EXTRACTED + name] = value
            if PASSKEY in answer.extracted:
                self._unlock(answer.extracted[PASSKEY])
            if self._keep:
                self._keep(answer)

    def _unlock(self, options: Any) -> None:  # noqa: ANN401 - whatever the target sent
        """Let the phone answer a WebAuthn ceremony; there is no answer to nonsense, or if the finger does not fit."""
        self.values.pop(CREDENTIAL, None)
        if self.phone is not None and isinstance(options, dict):
            with suppress(CeremonyError):
                self.values[CREDENTIAL] = self.phone.answer(options)

    def relevance(self, answer: Answer) -> float:
        """Return the share of what is shown that is of the favourite category; `NOT_SEEN` if not observable."""
        shown = answer.observe("categories") if answer.ok else None
        if not isinstance(shown, list):
            shown = [shown] if isinstance(shown, str) else []
        if not shown:
            return NOT_SEEN
        words = self._words.get(self.favourite)
        return float(shown.count(words.slug if words else self.favourite)) / len(shown)


def context_for(
    target: Target, row: Record, roster: Roster, *, seed: int, visit: int, run: str, at: Fix | None = None
) -> Context:
    """Return the context of a shopper's `visit`-th visit, from their SHOPPER record.

    `at` finds out where their phone says they are; at home where nothing is said.
    """
    return open_context(target, who_is(row, roster), seed=seed, visit=visit, run=run, at=at)


def open_context(target: Target, who: Who, *, seed: int, visit: int, run: str, at: Fix | None = None) -> Context:
    """Return the context of a visit by somebody."""
    country = country_table()[who.country]
    shopper_id = id_of(seed, who.shopper)
    visit_id = f"{shopper_id}-{visit}"
    words = target.file.consent_words
    said = (words.refused, words.granted) if words else (False, True)
    known: dict[str, Json] = {f"consent.{name}": said[name in who.consents] for name in CONSENTS}
    known |= {
        "shopper.id": shopper_id,
        "shopper.number": who.shopper,
        "shopper.country": who.country,
        "shopper.language": country.accept_language.split(",")[0],
        "shopper.currency": country.currency,
        "shopper.time_zone": _time_zone(who.country, who.city),
        "visit.id": visit_id,
        "visit.number": visit,
        "run.id": run,
        "message.campaign": f"footfall-{visit_id}",
        KIND: "opened",
        NUMBER: 1,
    }
    known |= target.accounts.of(seed, who.shopper)
    saver = uniform(seed, who.shopper, 0, NOWHERE, 0, SAVE_DATA) < SAVE_DATA_SHARE[who.device.tier]
    headers = device_headers(who.device, country.accept_language, save_data=saver) | markers(run, visit_id)
    headers |= target.login
    context = Context(
        Values(known, partial(_later, seed, who, at)),
        headers,
        who.consents,
        who.favourite,
        target.categories,
        hints=sends_hints(who.device),
        events=target.events,
        refused=said[False],
        keep=partial(target.keep, who.shopper) if target.keeps else None,
    )
    if uniform(seed, who.shopper, visit, NOWHERE, 0, FINGER) >= UNKNOWN_FINGER_SHARE:
        context.phone = Phone(seed, who.shopper)
    for operation, told in target.kept(who.shopper).items():
        context.made.add(operation)
        context.values.update({EXTRACTED + name: value for name, value in told.items()})
    return context


def _later(seed: int, who: Who, at: Fix | None, values: Mapping[str, Json], name: str) -> dict[str, Json]:
    """Return what nobody knows before a template names it: the made-up identity, the place, a moment as text."""
    if name in _MADE_UP:
        identity = identity_of(seed, who.shopper, who.country, who.city)
        return {f"shopper.{part}": value for part, value in identity._asdict().items()}
    if name in _PLACE and "location" in who.consents:
        fix = at() if at else (who.latitude_deg, who.longitude_deg)
        return {field: round(deg, _DEGREE_DIGITS) for field, deg in zip(_PLACE, fix, strict=True)}
    if name == POSITIONS and "place.lat" in values and "event.at_ms" in values:
        # Whoever has no phone that noted them knows one: where they are now.
        return {name: [{"lat": values["place.lat"], "lon": values["place.lon"], "at_ms": values["event.at_ms"]}]}
    if name == _MOMENT and "event.at_ms" in values:
        moment = datetime.fromtimestamp(values["event.at_ms"] / 1e3, UTC)
        return {_MOMENT: moment.isoformat(timespec="milliseconds")}
    return {}


@cache
def _time_zone(country: str, city: str) -> str:
    """Return the time zone of a city, or of its country's largest where the city is not in the table."""
    cities = [place for place in city_table() if place.country == country]
    known = [place for place in cities if place.name == city] or sorted(cities, key=lambda place: -place.population)
    return known[0].timezone if known else "UTC"
