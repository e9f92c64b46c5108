"""More pictures of a speed report: load times, for whom, single visits, published studies, and the chain from load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.analysis.metrics import METRICS
from simulator.analysis.words import seconds
from simulator.report.drawings import FULL, HALF, twice, writer
from simulator.report.glossary import METRIC_NAMES
from simulator.report.speed_anchors import Anchor, anchors
from simulator.report.speed_chain import Link, links
from simulator.report.speed_forest import Group, forest
from simulator.report.speed_journeys import Journey, Page, journeys
from simulator.report.speed_plot import Mark, mark, percent_tick
from simulator.report.speed_vitals import Cohort, Spread, against_field, lcp_parts
from simulator.study.speed_published import DEALT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from simulator.study.speed_findings import Published, SpeedFindings
    from simulator.study.speed_findings import Spread as Found

MOST_BARS = 10
LONGEST_SPREAD_S = 12.0
"""Where the axis of load times ends at the latest."""


def more_drawings(f: SpeedFindings) -> dict[str, Markup]:
    """Return these pictures by name; those that there are no figures for are missing."""
    made = {**_pages(f), **_who(f), **_journeys(f), **_published(f)}
    return made | {"chain": _chain(f)} if len(f.sweep) > 1 else made


def _pages(f: SpeedFindings) -> dict[str, Markup]:
    made = {f"lcp_{by}": _cohorts(f, by) for by in ("network", "tier", "page") if any(c.by == by for c in f.cohorts)}
    if f.spreads:
        made["spread"] = _spread(f.spreads)
    return made


def _cohorts(f: SpeedFindings, by: str) -> Markup:
    rows = sorted((c for c in f.cohorts if c.by == by), key=lambda c: -c.pages if by == "page" else 0)[:MOST_BARS]
    references = [c for c in f.cohorts if c.reference] if by == "network" else []
    bars = [Cohort(c.name, c.pages, tuple(c.seconds.values()), bool(c.reference)) for c in (*rows, *references)]
    title, write = f"Parts of LCP by {by}", writer("time")
    wide = FULL if by == "network" else HALF
    return twice(f"lcp-{by}", wide, lambda name, width: lcp_parts(name, title, bars, width, write))


def _spread(spreads: Sequence[Found]) -> Markup:
    lines = [
        Spread(one.name, f"ink-{place}" if place else "ink", one.pages, list(zip(one.seconds, one.share, strict=True)))
        for place, one in enumerate(spreads)
    ]
    until = max(6.0, min(LONGEST_SPREAD_S, 1.2 * _last(spreads[0].seconds, spreads[0].share)))
    title = "Load times against the field's bounds"
    return twice("spread", FULL, lambda name, width: against_field(name, title, lines, until, (width, 320.0)))


def _last(seconds_: tuple[float, ...], share: tuple[float, ...]) -> float:
    return next((s for s, q in zip(seconds_, share, strict=True) if q >= 0.95), seconds_[-1])


def _who(f: SpeedFindings) -> dict[str, Markup]:
    found = f.arms.heterogeneity if f.arms is not None else None
    if found is None or found.whole.value is None:
        return {}
    whole = Group("", "all visits", found.whole.n, found.whole.value, found.whole.low, found.whole.high)
    groups = [
        Group(one.by, one.name, one.visits, one.effect.value, one.effect.low, one.effect.high, one.shrunk.value,
              one.shrunk.low, one.shrunk.high)
        for one in found.groups
        if one.effect.value is not None
    ]  # fmt: skip
    title = f"{METRIC_NAMES[found.metric]}: change by kind of visit"
    return {
        "forest": twice("forest", FULL, lambda name, width: forest(name, title, whole, groups, width, percent_tick))
    }


def _journeys(f: SpeedFindings) -> dict[str, Markup]:
    numbers = dict.fromkeys((one.shopper, one.visit, one.who) for one in f.journeys)
    return {f"journey_{place}": _journey(f, place, *one) for place, one in enumerate(numbers)}


def _journey(f: SpeedFindings, place: int, shopper: int, visit: int, who: str) -> Markup:
    titles = f.arms.titles if f.arms is not None else {}
    visits = [
        Journey(titles.get(one.arm, one.arm), [Page(p.page, p.waited_s, p.looked_s) for p in one.pages], one.cause,
                one.orders)
        for one in f.journeys
        if (one.shopper, one.visit) == (shopper, visit)
    ]  # fmt: skip
    title = f"A visit of {who}"
    return twice(f"journey-{place}", FULL, lambda name, width: journeys(name, title, visits, width, seconds))


def _published(f: SpeedFindings) -> dict[str, Markup]:
    """Return a picture of the randomised slow-downs and one of the charts: their changes are of other sizes."""
    known = [one for one in f.published if one.role != "excluded" and one.unit == "relative"]
    dealt = [one for one in known if one.design == DEALT]
    seen = [one for one in known if one.design != DEALT]
    parts = (("published_dealt", dealt, "Randomised slow-downs"), ("published_seen", seen, "Charts of observed visits"))
    return {
        name: _anchors(name, rows, f"{title}: published changes beside simulated ones")
        for name, rows, title in parts
        if rows
    }


def _anchors(part: str, found: Sequence[Published], title: str) -> Markup:
    rows = [
        Anchor(one.study, one.what, one.published, None, None, one.simulated.value, one.simulated.low,
               one.simulated.high, one.simulated.n, one.inside, one.role == "fitted")
        for one in found
    ]  # fmt: skip
    return twice(part.replace("_", "-"), FULL, lambda name, width: anchors(name, title, rows, width, percent_tick))


def _chain(f: SpeedFindings) -> Markup:
    first, in_seconds = f.sweep[0], writer("time")
    panels = [
        Link("Server time", "measured", in_seconds, _swept(f, "server_s", list(first.server_s))),
        Link("LCP", "part measured", in_seconds, _swept(f, "lcp_s", list(first.lcp_s))),
        *(
            Link(METRIC_NAMES[name], "assumed behaviour", writer(METRICS[name].kind), _swept(f, "lengths", [name]))
            for name in first.lengths
        ),
    ]
    title = "From arrivals to session length"
    return twice("chain", FULL, lambda name, width: links(name, title, panels, width, across="visits planned a second"))


def _swept(f: SpeedFindings, part: str, names: Sequence[str]) -> list[tuple[str, str, list[Mark]]]:
    return [
        (METRIC_NAMES.get(name, name).lower(), f"ink-{place + 1}",
         [mark(one.rate_per_s, getattr(one, part)[name]) for one in f.sweep])
        for place, name in enumerate(names)
    ]  # fmt: skip
