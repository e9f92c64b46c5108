"""What a persona and a population file may say; each model is also the JSON Schema that editors complete from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from simulator.model.distributions import AnyDistribution, Beta, Distribution, Lognormal
from simulator.model.gaps import SHORTEST_LONGEST
from simulator.model.units import Duration, Share

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
    dwell: Annotated[
        float, Field(ge=0, le=10, description="seconds looked longer at a page for each second that it took to load")
    ] = 0.0


class Budget(Section):
    """How much time a visit may take; relevant pages refund some. No `time`, no budget."""

    time: NotNegative | None = None
    refund_per_relevant_page: Duration = 0.0
    waiting: Annotated[
        Share, Field(description="share of the time spent waiting for pages that it is charged with")
    ] = 1.0


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


class OpenRates(Section):
    """Share of push messages that are opened from the phone's own list, by system."""

    android: Share = 0.0
    ios: Share = 0.0


class PushMessages(Section):
    """What shoppers who allow push messages do with them in a live run; they ignore them unless it is said."""

    fetched: Annotated[Share, Field(description="of pages, beside which the phone fetches what has come")] = 0.0
    opened: OpenRates = OpenRates()
    dismissed: Annotated[Share, Field(description="of those not opened, swiped away")] = 0.0
    looked_at: Annotated[Share, Field(description="of those still there, opened by who looks through them")] = 0.0
    muted: Annotated[Share, Field(description="of those not opened, after which none is noticed any more")] = 0.0
    enough: Annotated[int, Field(ge=1, description="messages on a local day; any more are too many")] = 3
    opt_out: Annotated[Share, Field(description="of those too many, after which the shopper wants none")] = 0.0


class Support(Section):
    """How many of those who stay although their page failed ask for help, in a live run."""

    asked: Annotated[Share, Field(description="of failed pages that did not drive them away")] = 0.0


class Features(Section):
    """What they use of what their phone can do; nothing unless it is said."""

    biometric: Biometric = Biometric()
    ar: AugmentedReality = AugmentedReality()
    push: PushMessages = PushMessages()
    support: Support = Support()


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
    tempo: Annotated[
        dict[str, NotNegative], Field(description="think times by state, by edge as `product > cart`, and the default")
    ]
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
