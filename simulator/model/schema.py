"""What a persona and a population file may say; each model is also the JSON Schema that editors complete from."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from simulator.model.distributions import AnyDistribution, Beta, Distribution, Lognormal
from simulator.model.faults import suggestion
from simulator.model.gaps import SHORTEST_LONGEST
from simulator.model.homes import home_problems
from simulator.model.states import EXIT, GUARDS, STAGES, STATE_NAMES
from simulator.model.units import Duration, Share
from simulator.model.ways import contradictions, way_problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SITUATIONS = ("home", "commute", "work", "store", "travel")
TECHNOLOGIES = ("wifi", "5g", "lte", "hspa")
TIERS = ("low", "mid", "high")
CATEGORIES = (
    "shoes", "bags", "jackets", "dresses", "shirts", "sportswear",
    "watches", "beauty", "home-living", "electronics", "toys", "sale",
)  # fmt: skip
CONSENTS = ("analytics", "personalization", "location", "push", "email")
CHANNELS = ("organic", "direct", "paid_search", "social", "email", "push", "affiliate", "referral")
"""Ways to the shop. Only who opted in comes by e-mail or push."""
SUM_TOLERANCE = 1e-9


def _not_below_zero(distribution: Distribution) -> Distribution:
    if distribution.least() < 0:
        raise ValueError("no value may be below zero")
    return distribution


NotNegative = Annotated[AnyDistribution, AfterValidator(_not_below_zero)]
Mix = dict[str, Annotated[float, Field(ge=0)]]
Probabilities = dict[str, Annotated[float, WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})]]
"""Shares that sum to 1. Their range is looked at with the sum, so that one fault does not hide those of other rows."""
Evidence = Annotated[str | None, Field(description="where the numbers of this section come from")]


class Section(BaseModel):
    """A part of a file: unknown keys are errors, and evidence may stand beside the numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False)

    evidence: Evidence = None


class Place(Section):
    """Where shoppers live: countries by weight, cities within them by population unless some are named."""

    countries: Mix
    cities: Annotated[Mix, Field(description="weights of cities within their country, as Berlin or Paris, FR")] = {}
    towns: Annotated[
        dict[str, Share], Field(description="of a country, the share living in places below 50,000 inhabitants")
    ] = {}


class Device(Section):
    """What they hold. `os` is `country_share` or weights; `tier` weighs low, mid and high end devices."""

    os: Literal["country_share"] | Mix = "country_share"
    tier: Mix = {"low": 1.0, "mid": 1.0, "high": 1.0}


class Network(Section):
    """Where they are when they shop, and the mix of technologies in each situation."""

    situations: Mix
    mix: dict[str, Mix]


class ReturnGap(Section):
    """How long they stay away: a power law with a longest gap, as `model/gaps.py` describes it."""

    exponent: Annotated[
        float, Field(gt=0, le=5, description="the share of gaps longer than g falls as g to minus this")
    ] = 0.6
    longest: Annotated[float, Field(ge=SHORTEST_LONGEST, le=1e6, description="in mean gaps of the shopper")] = 20.0


class Arrivals(Section):
    """How often and at which local hour; `hours` are weights from midnight.

    `weekend` multiplies those two days, `holiday` the public holidays of the shopper's country, whatever the weekday.
    `visits_per_week` are those of a week without holidays. No `return_gap`: visits have no memory (a Poisson process).
    """

    visits_per_week: NotNegative
    hours: Annotated[list[Annotated[float, Field(ge=0)]], Field(min_length=24, max_length=24)]
    weekend: Annotated[float, Field(ge=0)] = 1.0
    holiday: Annotated[float, Field(ge=0, le=100, description="factor on public holidays")] = 1.0
    return_gap: ReturnGap | None = None


class Patience(Section):
    """How long they wait: hazard `Z · g · rate · shape · w^(shape−1)` with gamma frailty Z, after DESIGN section 5."""

    hazard_per_s: Annotated[float, Field(ge=0, description="rate of leaving at one second of waiting, before FCP")]
    shape: Annotated[float, Field(gt=0)] = 1.0
    frailty_variance: Annotated[float, Field(ge=0)] = 0.5
    feedback: Annotated[Share, Field(description="share of the hazard that is left once something is visible")] = 1.0
    by_stage: Mix = {}
    error_exit: Annotated[Share, Field(description="probability of leaving after a page that failed")] = 0.4


class PutOff(Section):
    """Leaving after a slow page: `1 − exp(−(by_stage · ln(1 + load/tau) + memory · M))`; M remembers earlier waits."""

    per_log_load: Annotated[float, Field(ge=0)]
    by_stage: Mix = {}
    memory: Annotated[float, Field(ge=0)] = 0.0
    memory_decay: Annotated[float, Field(ge=0, lt=1)] = 0.6
    tau: Duration = 1.0


class Budget(Section):
    """How much time a visit may take; relevant pages refund some. No `time`, no budget."""

    time: NotNegative | None = None
    refund_per_relevant_page: Duration = 0.0


class Affinity(Section):
    """What they like: weights of categories, how much price matters, how strongly relevance pulls."""

    categories: Mix
    price_sensitivity: AnyDistribution
    relevance_pull: Annotated[float, Field(ge=0)] = 0.5


class Consent(Section):
    """Probability that a shopper of this kind allows each use."""

    analytics: Share
    personalization: Share
    location: Share
    push: Share
    email: Share = 0.3


class Loyalty(Section):
    """Members of the rewards programme, and how many arrive logged in."""

    member: Share
    logged_in: Share


class Acquisition(Section):
    """How they come to the shop, the first time and on later visits, and how readily a campaign moves them.

    The weight of `email` and `push` counts only for shoppers who opted in to them; for others it falls to the rest.
    """

    channels: Mix = {"organic": 0.4, "direct": 0.3, "paid_search": 0.15, "social": 0.1, "referral": 0.05}
    returning: Annotated[Mix, Field(description="channels of every visit but a shopper's first")] = {
        "direct": 0.5, "organic": 0.2, "email": 0.1, "push": 0.1, "paid_search": 0.05, "social": 0.05,
    }  # fmt: skip
    campaign_response: Annotated[AnyDistribution, Field(description="0 no campaign moves them, 1 each does")] = Field(
        default_factory=lambda: Beta.model_validate({"dist": "beta", "mean": 0.2, "n": 5})
    )


class Biometric(Section):
    """How many of those whose phone can do it have enrolled a fingerprint or face for logging in."""

    enrolled: Share = 0.0


class AugmentedReality(Section):
    """How many of those whose phone can do it look at products in augmented reality."""

    uses: Share = 0.0


class Features(Section):
    """What they use of what their phone can do; nothing unless it is said."""

    biometric: Biometric = Biometric()
    ar: AugmentedReality = AugmentedReality()


class History(Section):
    """What the shop knows of them from before the run, for the share `known` of them; the rest are first seen in it.

    Orders of the past are a Poisson process over the tenure: the shopper's own visits a week × `orders_per_visit`. With
    gamma visits their number is negative binomial, the NBD model of repeat buying (Ehrenberg 1959).
    """

    known: Share = 0.5
    tenure: Annotated[AnyDistribution, Field(description="since their first visit, of those known")] = Field(
        default_factory=lambda: Lognormal.model_validate(
            {"dist": "lognormal", "median": "240d", "p90": "1000d", "clip": ["1d", "3650d"]}
        )
    )
    orders_per_visit: Annotated[Share, Field(description="orders a visit in the past, near the conversion")] = 0.013
    basket: Annotated[
        AnyDistribution, Field(description="over shoppers, the mean value of an order; 45 is 4,500 cents")
    ] = Field(
        default_factory=lambda: Lognormal.model_validate(
            {"dist": "lognormal", "median": 50, "p90": 110, "clip": [5, 1000]}
        )
    )


class Journey(Section):
    """Where visits begin, what follows each state, and guards beyond the states' own.

    `buys: never` says that it is meant that no visit can come to purchase.
    """

    entry: Probabilities
    rows: dict[str, Probabilities]
    guards: dict[str, list[str]] = {}
    buys: Annotated[Literal["possible", "never"], Field(description="whether a visit can come to purchase at all")] = (
        "possible"
    )


class PersonaFile(Section):
    """A kind of shopper, after `extends` and `mixins` are resolved."""

    persona: str
    describe: str
    place: Place
    device: Device
    network: Network
    arrivals: Arrivals
    tempo: dict[str, NotNegative]
    patience: Patience
    put_off: PutOff
    budget: Budget
    affinity: Affinity
    consent: Consent
    loyalty: Loyalty
    acquisition: Acquisition = Field(default_factory=Acquisition)
    features: Features = Features()
    history: History = Field(default_factory=History)
    journey: Journey


class PopulationFile(Section):
    """Who comes: personas by weight."""

    population: str
    describe: str
    personas: Annotated[dict[str, Annotated[float, Field(gt=0)]], Field(min_length=1)]


KeyPath = tuple[str | int, ...]
Problem = tuple[KeyPath, str, str, str]
"""(path, found, allowed, hint) of one thing wrong, before it has a file and a line."""


Systems = Mapping[str, Collection[str]]
"""Operating systems, and the tiers of which there are devices of each."""


def persona_problems(persona: PersonaFile, countries: tuple[str, ...], systems: Systems) -> list[Problem]:
    """Return what pydantic cannot see: names that must exist, rows that must sum to 1, states that can be left."""
    return section_problems({name: getattr(persona, name) for name in PersonaFile.model_fields}, countries, systems)


def section_problems(sections: Mapping[str, Any], countries: tuple[str, ...], systems: Systems) -> list[Problem]:
    """Return what `persona_problems` does for those sections of a persona that are valid in themselves."""
    checks: dict[str, Callable[[Any], list[Problem]]] = {
        "place": lambda place: _place_problems(place, countries),
        "device": lambda device: _device_problems(device, systems),
        "network": _network_problems,
        "arrivals": lambda arrivals: _weights(("arrivals", "hours"), arrivals.hours),
        "tempo": lambda tempo: _names(("tempo",), tempo, ("default", *STATE_NAMES), "a state"),
        "patience": lambda patience: _names(("patience", "by_stage"), patience.by_stage, STAGES, "a stage"),
        "put_off": lambda put_off: _names(("put_off", "by_stage"), put_off.by_stage, STAGES, "a stage"),
        "affinity": _affinity_problems,
        "acquisition": _acquisition_problems,
        "history": _history_problems,
        "journey": _journey_problems,
    }
    problems = [problem for name, check in checks.items() if name in sections for problem in check(sections[name])]
    if {"tempo", "journey"} <= set(sections):
        tempo, journey = sections["tempo"], sections["journey"]
        if "default" not in tempo and set(journey.rows) - set(tempo):
            problems.append((("tempo", "default"), "is missing", "states without their own think time need it", ""))
    if "journey" in sections and not _unknown_states(sections["journey"]):
        problems += way_problems(sections["journey"], *(sections.get(n) for n in ("loyalty", "consent", "features")))
    return problems


def _place_problems(place: Place, countries: tuple[str, ...]) -> list[Problem]:
    named = _mix(("place", "countries"), place.countries, countries, "a country of the place table")
    return [*named, *home_problems(place)]


def _affinity_problems(affinity: Affinity) -> list[Problem]:
    return [
        *_mix(("affinity", "categories"), affinity.categories, CATEGORIES, "a category"),
        *_within(("affinity", "price_sensitivity"), affinity.price_sensitivity, 0.0, 1.0),
    ]


def _names(path: KeyPath, named: Mapping[str, object], allowed: tuple[str, ...], what: str) -> list[Problem]:
    return [
        ((*path, name), f"is not {what}", f"allowed are {', '.join(allowed)}", suggestion(name, allowed))
        for name in named
        if name not in allowed
    ]


def _weights(path: KeyPath, weights: Iterable[float]) -> list[Problem]:
    return [] if any(weight > 0 for weight in weights) else [(path, "has no weight above zero", "one is needed", "")]


def _mix(path: KeyPath, mix: Mix, allowed: tuple[str, ...], what: str) -> list[Problem]:
    return [*_names(path, mix, allowed, what), *_weights(path, mix.values())]


def _device_problems(device: Device, systems: Systems) -> list[Problem]:
    problems = _mix(("device", "tier"), device.tier, TIERS, "a tier")
    if isinstance(device.os, dict):
        problems += _mix(("device", "os"), device.os, tuple(systems), "an operating system")
    return problems or _without_device(device, systems)


def _without_device(device: Device, systems: Systems) -> list[Problem]:
    """Return a problem for each operating system that some have, and of whose devices no tier has a weight."""
    chosen = systems if isinstance(device.os, str) else [os for os, weight in device.os.items() if weight > 0]
    tiers = {tier for tier, weight in device.tier.items() if weight > 0}
    return [
        (
            ("device", "tier"),
            f"leaves no device of {os}",
            f"the device table has {', '.join(tier for tier in TIERS if tier in systems[os])} of it",
            f"give one of these a weight, or leave {os} out of device.os",
        )
        for os in chosen
        if not tiers & set(systems[os])
    ]


def _network_problems(network: Network) -> list[Problem]:
    problems = [
        *_mix(("network", "situations"), network.situations, SITUATIONS, "a situation"),
        *_names(("network", "mix"), network.mix, SITUATIONS, "a situation"),
    ]
    for situation, mix in network.mix.items():
        problems += _mix(("network", "mix", situation), mix, TECHNOLOGIES, "a technology")
    return problems + [
        (("network", "mix", situation), "is missing", "every situation with a weight needs its mix", "")
        for situation, weight in network.situations.items()
        if weight > 0 and situation in SITUATIONS and situation not in network.mix
    ]


def _acquisition_problems(acquisition: Acquisition) -> list[Problem]:
    return [
        *_mix(("acquisition", "channels"), acquisition.channels, CHANNELS, "a channel"),
        *_mix(("acquisition", "returning"), acquisition.returning, CHANNELS, "a channel"),
        *_within(("acquisition", "campaign_response"), acquisition.campaign_response, 0.0, 1.0),
    ]


def _history_problems(history: History) -> list[Problem]:
    return [
        *_within(("history", "tenure"), history.tenure, 0.0, math.inf),
        *_within(("history", "basket"), history.basket, 0.0, math.inf),
    ]


def _within(path: KeyPath, distribution: Distribution, low: float, high: float) -> list[Problem]:
    """Return a problem where a distribution has values below `low` or above `high`."""
    least, most = distribution.least(), distribution.quantile(1.0)
    if least >= low and most <= high:
        return []
    allowed = "no value may be below 0" if math.isinf(high) else f"all values must lie from {low:g} to {high:g}"
    return [(path, f"has values from {least:g} to {most:g}", allowed, "give it a clip")]


def _journey_problems(journey: Journey) -> list[Problem]:
    problems: list[Problem] = [
        *_names(("journey", "entry"), journey.entry, STATE_NAMES, "a state"),
        *_names(("journey", "rows"), journey.rows, STATE_NAMES, "a state"),
        *_names(("journey", "guards"), journey.guards, STATE_NAMES, "a state"),
        *(_guard_problems(journey.guards) or contradictions(journey)),
        *_sum(("journey", "entry"), journey.entry),
    ]
    for state, row in journey.rows.items():
        problems += _names(("journey", "rows", state), row, (*STATE_NAMES, EXIT), "a state or exit")
        problems += _sum(("journey", "rows", state), row)
    problems += [
        (("journey", "rows"), f"has no row for {state}", "every state that can be entered needs a row", "")
        for state in sorted((_used(journey) & set(STATE_NAMES)) - set(journey.rows))
    ]
    return problems + _stuck(journey)


def _used(journey: Journey) -> set[str]:
    """Return what has a weight in any row."""
    return {name for row in (journey.entry, *journey.rows.values()) for name, share in row.items() if share > 0}


def _unknown_states(journey: Journey) -> bool:
    """Return whether a name or a row is missing, so that where visits come to is not known either."""
    named = {*_used(journey), *journey.rows, *journey.guards} - {EXIT}
    return bool(
        named - set(STATE_NAMES) or _used(journey) - {EXIT} - set(journey.rows) or _guard_problems(journey.guards)
    )


def _guard_problems(guards: Mapping[str, list[str]]) -> list[Problem]:
    allowed = f"allowed are {', '.join(GUARDS)}"
    return [
        (("journey", "guards", state, place), f"is {name}", allowed, suggestion(name, GUARDS))
        for state, names in guards.items()
        for place, name in enumerate(names)
        if name not in GUARDS
    ]


def _sum(path: KeyPath, row: Mix) -> list[Problem]:
    """Return what is wrong with probabilities that must sum to 1: those that are none, or else their sum."""
    beyond = {name: share for name, share in row.items() if not 0 <= share <= 1}
    if beyond:
        return [
            ((*path, name), f"is {share:g}", "must be a probability from 0 to 1", "") for name, share in beyond.items()
        ]
    total = sum(row.values())
    if abs(total - 1) <= SUM_TOLERANCE:
        return []
    hint = "did you forget exit?" if total < 1 and EXIT not in row and path[-1] != "entry" else ""
    return [(path, f"sums to {total:.12g}", "must be 1", hint)]


def _stuck(journey: Journey) -> list[Problem]:
    """Return the states from which no path leads to exit."""
    leaving = {EXIT}
    while grown := {s for s, row in journey.rows.items() if s not in leaving and any(row.get(t) for t in leaving)}:
        leaving |= grown
    return [
        (("journey", "rows", state), "never reaches exit", "every state needs a path to exit", "give some row an exit")
        for state in journey.rows
        if state not in leaving and state in STATE_NAMES
    ]
