"""Everything a speed report shows, computed once, in plain numbers: page, Markdown, JSON and CSV write it down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from simulator.analysis.estimates import Estimate  # noqa: TC001 - the JSON Schema is made from these classes

if TYPE_CHECKING:
    from simulator.analysis.verdict import Verdict

Basis = Literal["measured", "part measured", "assumed"]
"""What figures stand on. What shoppers do about waiting is assumed, always; how long they waited may be measured."""
Design = Literal["paired", "randomised", "none"]
"""`paired`: the same visits played in every arm; `randomised`: shoppers dealt to arms; `none`: no arms at all."""
LcpPart = Literal["timeToFirstByte", "resourceLoadDelay", "resourceLoadDuration", "elementRenderDelay"]
"""The parts of LCP by the names of the web-vitals library."""
Says = Literal["falls", "rises", "no change shown"]
LENGTHS = ("engaged_time", "wall_time", "ga_time", "pages")
"""The four session lengths."""
HEADLINE = ("pages", "engaged_time", "wall_time", "ga_time", "bounce", "conversion", "revenue_per_1000")
"""The metrics of the one-line answer."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm: means by metric, and for a treated one the change from control, absolute and in parts of control.

    `delay_s` is None where it does not delay all pages alike. Control has no changes.
    """

    name: str
    delay_s: float | None
    visits: int
    shoppers: int
    means: dict[str, Estimate]
    difference: dict[str, Estimate]
    relative: dict[str, Estimate]


@dataclass(frozen=True, slots=True)
class Survival:
    """The share of an arm's visits that last longer than each x (pages or seconds), its band, and visits at risk."""

    arm: str
    x: tuple[float, ...]
    share: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    at_risk: tuple[int, ...]
    restricted: Estimate
    change: Estimate
    """Of the restricted mean from control's; no figure for control."""


@dataclass(frozen=True, slots=True)
class Ends:
    """What had ended an arm's visits by each second: shares by `renege`, `put_off`, `exit` and `convert`."""

    arm: str
    seconds: tuple[float, ...]
    shares: dict[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """How many of each arm's visits reached a step, of all and of those that reached the step before."""

    step: str
    of_all: dict[str, Estimate]
    of_previous: dict[str, Estimate]


@dataclass(frozen=True, slots=True)
class GroupEffect:
    """What an arm did to one group, in parts of control; `shrunk` drawn towards the whole by its uncertainty."""

    by: str
    name: str
    visits: int
    effect: Estimate
    shrunk: Estimate


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """Effects by group of one arm on one metric; `p` is the chance of such a spread if all groups had one effect."""

    arm: str
    metric: str
    whole: Estimate
    groups: tuple[GroupEffect, ...]
    p: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Arms:
    """The experiment: arms, control first, and what follows from them. `until` are ends of restricted means.

    `titles` says how each arm is called in pictures, as `+1 s`.
    """

    design: Design
    arms: tuple[Arm, ...]
    titles: dict[str, str]
    survival: dict[str, tuple[Survival, ...]]
    until: dict[str, float]
    ends: tuple[Ends, ...]
    funnel: tuple[FunnelStep, ...]
    heterogeneity: Heterogeneity | None
    variance_reduction: dict[str, float]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The same experiment were shoppers to leave loading pages at `hazard_per_s`; changes by metric at each delay."""

    hazard_per_s: float
    delay_s: tuple[float, ...]
    relative: dict[str, tuple[Estimate, ...]]


@dataclass(frozen=True, slots=True)
class Turned:
    """What would be concluded at another assumed hazard."""

    hazard_per_s: float
    says: Says


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What one more second does to one metric, and at which assumed hazards something else would be concluded."""

    metric: str
    says: Says
    relative: Estimate
    delay_s: float
    flips: tuple[Turned, ...]


@dataclass(frozen=True, slots=True)
class Bin:
    """Visits whose load time lies in [`low_s`, `high_s`), their median of it, and metrics."""

    low_s: float
    high_s: float
    middle_s: float
    visits: int
    metrics: dict[str, Estimate]


@dataclass(frozen=True, slots=True)
class Binned:
    """A dashboard's chart: visits by a load time, a histogram in fine steps, and how many never saw that page load.

    `slope` is the change a second of a straight line through single visits, in parts of the mean.
    """

    by: Literal["landing", "average"]
    edges_s: tuple[float, ...]
    counts: tuple[int, ...]
    bins: tuple[Bin, ...]
    unseen: int
    slope: dict[str, Estimate]


@dataclass(frozen=True, slots=True)
class GapPart:
    """One part of the way from what speed causes to what a dashboard shows."""

    name: str
    kind: Literal["start", "part", "end"]
    value: float
    why: str


@dataclass(frozen=True, slots=True)
class Bridge:
    """The whole way for one chart; `told` says what the values are, which are pages or parts of the mean (`unit`)."""

    by: Literal["landing", "average"]
    unit: Literal["count", "change"]
    told: str
    parts: tuple[GapPart, ...]


@dataclass(frozen=True, slots=True)
class Overlay:
    """The causal and the observed curve of pages over seconds until the landing page was there.

    Both are changes in parts of their value at `reference_s`, where both are zero; `assumed` says what stands between.
    """

    reference_s: float
    causal_s: tuple[float, ...]
    causal: tuple[Estimate, ...]
    observed_s: tuple[float, ...]
    observed: tuple[Estimate, ...]
    assumed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rate:
    """The rate of leaving at one place: seconds waited, or page of the visit; `n` were still there."""

    x: float
    rate: Estimate


@dataclass(frozen=True, slots=True)
class Leaving:
    """Rates of leaving while waiting by persona (a second), and of ending on each page of a visit."""

    by_wait: dict[str, tuple[Rate, ...]]
    by_page: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class Plateau:
    """A curve that only rises or falls, and where it bends; no knee where the bend may be chance.

    `seen` is the metric in the bins of the same visits, at their median load times `at_s`.
    """

    metric: str
    at_s: tuple[float, ...]
    seen: tuple[Estimate, ...]
    x: tuple[float, ...]
    value: tuple[float, ...]
    knee_s: Estimate
    bends: bool


@dataclass(frozen=True, slots=True)
class Cohort:
    """Pages that share a label: mean seconds of each part of LCP; a `reference` is from the literature."""

    by: str
    name: str
    pages: int
    seconds: dict[LcpPart, float]
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Vitals:
    """Load times of one group of pages: quantiles of LCP, share within the field's bounds, Apdex."""

    by: str
    name: str
    pages: int
    p50_s: float | None
    p75_s: float | None
    p95_s: float | None
    good_lcp: float
    poor_lcp: float
    good_fcp: float
    good_ttfb: float | None
    apdex: float


@dataclass(frozen=True, slots=True)
class Spread:
    """The cumulative distribution of LCP of one group: (seconds, share) rising."""

    name: str
    pages: int
    seconds: tuple[float, ...]
    share: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SeenPage:
    """A page of one shopper's visit."""

    page: str
    waited_s: float
    looked_s: float


@dataclass(frozen=True, slots=True)
class Journey:
    """One visit in one arm; `who` describes the shopper in words."""

    shopper: int
    visit: int
    who: str
    arm: str
    cause: str
    orders: int
    pages: tuple[SeenPage, ...]


@dataclass(frozen=True, slots=True)
class Saving:
    """What making the pages of one state faster by `saved_s` would bring: changes in parts of control, paired."""

    page: str
    saved_s: float
    relative: dict[str, Estimate]
    difference: dict[str, Estimate]


@dataclass(frozen=True, slots=True)
class Published:
    """A published figure beside the simulated one; see `study.scorecard`."""

    study: str
    design: str
    what: str
    unit: str
    published: float
    simulated: Estimate
    inside: bool | None
    role: Literal["fitted", "predicted", "excluded"]
    grade: str
    note: str


@dataclass(frozen=True, slots=True)
class Swept:
    """One rate of a live sweep: what the server took, how pages loaded and how long visits were."""

    rate_per_s: float
    visits: int
    server_s: dict[str, Estimate]
    lcp_s: dict[str, Estimate]
    lengths: dict[str, Estimate]


@dataclass(frozen=True, slots=True)
class SpeedFindings:
    """All of it. What a source cannot tell is None or empty, and `missing` says why in a sentence each."""

    title: str
    about: str
    source: Literal["scenario", "run"]
    behaviour: str
    observational: bool
    basis: dict[str, Basis]
    measured_share: float | None
    facts: tuple[tuple[str, str], ...]
    visits: int
    shoppers: int
    pages: int
    arms: Arms | None
    sensitivity: tuple[Sensitivity, ...]
    conclusions: tuple[Conclusion, ...]
    landing: Binned | None
    average: Binned | None
    overlay: Overlay | None
    bridges: tuple[Bridge, ...]
    leaving: Leaving
    plateau: Plateau | None
    cohorts: tuple[Cohort, ...]
    vitals: tuple[Vitals, ...]
    spreads: tuple[Spread, ...]
    journeys: tuple[Journey, ...]
    savings: tuple[Saving, ...]
    published: tuple[Published, ...]
    sweep: tuple[Swept, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Judged:
    """Findings, and the verdict on the thresholds of what was played."""

    findings: SpeedFindings
    verdict: Verdict
