"""One shopper's visit as a target sees it: who they are, what they agreed to, what earlier answers told them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.journey.keys import NOWHERE, purpose, uniform
from simulator.journey.records import NOT_SEEN
from simulator.model.devices import device_table
from simulator.model.places import country_table
from simulator.model.schema import CATEGORIES, CONSENTS
from simulator.target.fields import EXTRACTED, PICK
from simulator.target.headers import SAVE_DATA_SHARE, device_headers, markers, network_hints, sends_hints
from simulator.target.identity import identity_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.journey.records import Record
    from simulator.model.devices import DeviceRow
    from simulator.model.population import Roster
    from simulator.target.request import Answer, Target
    from simulator.target.schema import Words

SAVE_DATA = purpose("save_data")
_DEGREE_DIGITS = 5
"""About a metre; phones report no more."""


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
    return Who(
        int(row["shopper"]),
        roster.countries[row["country"]],
        device_table().devices[row["device"]],
        float(row["latitude_deg"]),
        float(row["longitude_deg"]),
        frozenset(name for name in CONSENTS if row[name]),
        CATEGORIES[row["favourite"]],
        roster.cities[row["city"]],
    )


class Context:
    """The state of one visit. Cookies are the transport's.

    `values` holds what templates name, and nothing that is not known; `headers` the phone's and our markers, to be sent
    with every request; `consents` what the shopper agreed to; `made` the operations that have worked.
    """

    __slots__ = ("_hints", "_words", "consents", "favourite", "headers", "made", "values")

    def __init__(
        self,
        values: dict[str, Any],
        headers: dict[str, str],
        consents: frozenset[str],
        favourite: str,
        words: Mapping[str, Words],
        *,
        hints: bool,
    ) -> None:
        self.values = values
        self.headers = headers
        self.consents = consents
        self.favourite = favourite
        self.made: set[str] = set()
        self._words = words
        self._hints = hints
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

    def on_network(self, rtt_ms: float, down_kbps: float) -> None:
        """Meet another network; only browsers that tell it will tell it."""
        if self._hints:
            self.headers.update(network_hints(rtt_ms, down_kbps))

    def tell(self, event: str, at_ms: int) -> None:
        """Set the event that the next `track` call reports."""
        self.values["event.type"], self.values["event.at_ms"] = event, at_ms

    def learn(self, answer: Answer) -> None:
        """Keep what a good answer told; a bad one teaches nothing."""
        if answer.ok:
            self.made.add(answer.operation)
            for name, value in answer.extracted.items():
                self.values[EXTRACTED + name] = value

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
    target: Target,
    row: Record,
    roster: Roster,
    *,
    seed: int,
    visit: int,
    run: str,
    at: tuple[float, float] | None = None,
) -> Context:
    """Return the context of a shopper's `visit`-th visit, from their SHOPPER record.

    `at` is (latitude, longitude) of where their phone says they are; at home where nothing is said.
    """
    who = who_is(row, roster)
    if at is not None:
        who = who._replace(latitude_deg=at[0], longitude_deg=at[1])
    return open_context(target, who, seed=seed, visit=visit, run=run)


def open_context(target: Target, who: Who, *, seed: int, visit: int, run: str) -> Context:
    """Return the context of a visit by somebody."""
    country = country_table()[who.country]
    identity = identity_of(seed, who.shopper, who.country, who.city)
    visit_id = f"{identity.id}-{visit}"
    values = {f"shopper.{name}": value for name, value in identity._asdict().items()}
    values |= {f"consent.{name}": name in who.consents for name in CONSENTS}
    values |= {
        "shopper.number": who.shopper,
        "shopper.country": who.country,
        "shopper.language": country.accept_language.split(",")[0],
        "shopper.currency": country.currency,
        "visit.id": visit_id,
        "visit.number": visit,
        "run.id": run,
    }
    if "location" in who.consents:
        values["place.lat"] = round(who.latitude_deg, _DEGREE_DIGITS)
        values["place.lon"] = round(who.longitude_deg, _DEGREE_DIGITS)
    saver = uniform(seed, who.shopper, 0, NOWHERE, 0, SAVE_DATA) < SAVE_DATA_SHARE[who.device.tier]
    headers = device_headers(who.device, country.accept_language, save_data=saver) | markers(run, visit_id)
    headers |= target.login
    return Context(values, headers, who.consents, who.favourite, target.categories, hints=sends_hints(who.device))
