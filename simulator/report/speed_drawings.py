"""The pictures of a speed report, each for a desktop and for a phone, from its findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.analysis.metrics import METRICS
from simulator.analysis.words import seconds
from simulator.report.drawings import FULL, HALF, twice, writer
from simulator.report.glossary import METRIC_NAMES
from simulator.report.speed_anchors import Anchor, anchors
from simulator.report.speed_chain import Link, links
from simulator.report.speed_dose import Knee, Named, effects, gap, plateau
from simulator.report.speed_forest import Group, forest
from simulator.report.speed_journeys import Journey, Page, journeys
from simulator.report.speed_observed import Columns, Line, Part, bridge, over_histogram
from simulator.report.speed_plot import Mark, dose_class, percent_tick
from simulator.report.speed_vitals import Cohort, Spread, against_field, lcp_parts
from simulator.report.speed_visits import visit_drawings
from simulator.study.speed_published import DEALT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

    from simulator.analysis.estimates import Estimate
    from simulator.study.speed_findings import Binned, Bridge, Overlay, Plateau, Published, Sensitivity, SpeedFindings
    from simulator.study.speed_findings import Spread as Found

MOST_BARS = 10
SLOWEST_SHOWN_S = 12.0


def mark(x: float, estimate: Estimate) -> Mark:
    """Return an estimate at a place."""
    return Mark(x, estimate.value, estimate.low, estimate.high, estimate.n)


def speed_drawings(f: SpeedFindings) -> dict[str, Markup]:
    """Return every picture by name; those that there are no figures for are missing."""
    made = {
        **_cause(f),
        **_sensitivity(f.sensitivity),
        **_observed(f),
        **visit_drawings(f),
        **_pages(f),
        **_who(f),
        **_journeys(f),
        **_published(f),
    }
    if len(f.sweep) > 1:
        made["chain"] = _chain(f)
    return made


def _cause(f: SpeedFindings) -> dict[str, Markup]:
    """Return the dose–response of each length, and the causal curve under the observed one."""
    if f.arms is None:
        return {}
    delayed = [arm for arm in f.arms.arms if arm.delay_s is not None]
    if len(delayed) < 2:
        return {}
    lines = (("engaged_time", "ink-1"), ("pages", "ink-2"), ("wall_time", "ink-3"), ("ga_time", "ink-4"))
    curves = [
        Named(
            METRIC_NAMES[metric].replace("-compatible time", " time"),
            [
                _origin(f),
                *(mark(arm.delay_s or 0.0, arm.relative[metric]) for arm in delayed if metric in arm.relative),
            ],
            class_,
        )
        for metric, class_ in lines
    ]
    title = "Session lengths against no delay, by added delay"
    made = {
        "dose": twice(
            "dose", FULL,
            lambda name, width: effects(name, title, curves, (width, 300.0), across="seconds added to every page",
                                        up="change from control"),
        )
    }  # fmt: skip
    return made


def _origin(f: SpeedFindings) -> Mark:
    assert f.arms is not None
    return Mark(0.0, 0.0, 0.0, 0.0, f.arms.arms[0].visits)


def _overlay(found: Overlay) -> Markup:
    causal, observed = (
        [mark(x, one) for x, one in zip(places, estimates, strict=True) if x <= SLOWEST_SHOWN_S]
        for places, estimates in ((found.causal_s, found.causal), (found.observed_s, found.observed))
    )
    title = "Pages a visit by landing load time: caused, and observed"
    up = f"pages, against {seconds(found.reference_s)}"
    return twice(
        "gap", FULL,
        lambda name, width: gap(name, title, causal, observed, (width, 300.0),
                                across="seconds until the landing page was there", up=up),
    )  # fmt: skip


def _sensitivity(tried: Sequence[Sensitivity]) -> dict[str, Markup]:
    return {f"sensitivity_{name}": _tried(tried, name) for name in ("engaged_time", "conversion")} if tried else {}


def _tried(tried: Sequence[Sensitivity], metric: str) -> Markup:
    curves = [
        Named(
            f"h {one.hazard_per_s:g}",
            [Mark(0.0, 0.0, 0.0, 0.0, one.relative[metric][0].n),
             *(mark(x, e) for x, e in zip(one.delay_s, one.relative[metric], strict=True))],
            f"ink-{place + 1}", dashed=one.hazard_per_s == 0,
        )
        for place, one in enumerate(tried)
    ]  # fmt: skip
    title, up = (
        f"{METRIC_NAMES[metric]} by added delay, at each assumed hazard",
        f"{METRIC_NAMES[metric].lower()}, change",
    )
    return _half(
        f"sensitivity-{metric}",
        lambda name, width: effects(name, title, curves, (width, 240.0), across="seconds added to every page", up=up),
    )


def _half(name: str, draw: Callable[[str, float], Markup]) -> Markup:
    return twice(name, HALF, draw)


def _observed(f: SpeedFindings) -> dict[str, Markup]:
    made = {}
    for chart, stamp in ((f.landing, ""), (f.average, "biased")):
        if chart is not None:
            made[f"{chart.by}_bounce"] = _charted(chart, "bounce", "c2", stamp)
            made[f"{chart.by}_pages"] = _charted(chart, "pages", "c1", stamp)
    if f.overlay is not None and len(f.overlay.causal) > 1 and len(f.overlay.observed) > 1:
        made["gap"] = _overlay(f.overlay)
    made |= {f"bridge_{one.by}": _bridge(one) for one in f.bridges}
    if f.plateau is not None and f.landing is not None:
        made["plateau"] = _plateau(f.plateau, f.landing)
    return made


def _bridge(found: Bridge) -> Markup:
    parts = [Part(one.name, one.value, one.kind) for one in found.parts]
    title = f"From cause to chart: {found.told}"
    write = percent_tick if found.unit == "change" else writer("count")
    return twice(f"bridge-{found.by}", FULL, lambda name, width: bridge(name, title, parts, width, write))


def _charted(chart: Binned, metric: str, class_: str, stamp: str) -> Markup:
    figures = Line(
        "bounce" if metric == "bounce" else "pages a visit",
        [mark(one.middle_s, one.metrics[metric]) for one in chart.bins],
        class_,
        writer(METRICS[metric].kind),
    )
    page = "landing page" if chart.by == "landing" else "visit's average page"
    title, columns = f"{METRIC_NAMES[metric]} by the load time of the {page}", Columns(chart.edges_s, chart.counts)
    return _half(
        f"{chart.by}-{metric}",
        lambda name, width: over_histogram(
            name, title, columns, figures, (width, 236.0), across=f"seconds, {page}", stamp=stamp
        ),
    )


def _plateau(found: Plateau, landing: Binned) -> Markup:
    knee = Knee(found.knee_s.value, found.knee_s.low, found.knee_s.high) if found.bends else Knee(None)
    marks = [mark(one.middle_s, one.metrics[found.metric]) for one in landing.bins if one.middle_s <= found.x[-1]]
    fit = list(zip(found.x, found.value, strict=True))
    name_of, write = METRIC_NAMES[found.metric], writer(METRICS[found.metric].kind)
    title, across = f"{name_of} by landing load time, and where it bends", "seconds until the landing page was there"
    return twice(
        "plateau", FULL,
        lambda name, width: plateau(name, title, marks, fit, knee, (width, 240.0), write, across=across,
                                    up=name_of.lower()),
    )  # fmt: skip


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
    until = max(6.0, min(SLOWEST_SHOWN_S, 1.2 * _last(spreads[0].seconds, spreads[0].share)))
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
