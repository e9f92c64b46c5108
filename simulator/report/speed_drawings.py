"""The pictures of a speed report, each for a desktop and for a phone, from its findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.analysis.metrics import METRICS
from simulator.analysis.words import difference, seconds
from simulator.report.drawings import FULL, HALF, twice, writer
from simulator.report.glossary import METRIC_NAMES
from simulator.report.speed_dose import Knee, Named, effects, gap, plateau
from simulator.report.speed_more import more_drawings
from simulator.report.speed_observed import Columns, Line, Part, bridge, over_histogram
from simulator.report.speed_plot import Mark, mark, percent_tick
from simulator.report.speed_visits import visit_drawings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

    from simulator.study.speed_findings import Binned, Bridge, Overlay, Plateau, Sensitivity, SpeedFindings

MOST_BARS = 10
SLOWEST_SHOWN_S = 12.0


def speed_drawings(f: SpeedFindings) -> dict[str, Markup]:
    """Return every picture by name; those that there are no figures for are missing."""
    return {
        **_cause(f),
        **_sensitivity(f.sensitivity),
        **_observed(f),
        **visit_drawings(f),
        **more_drawings(f),
    }


def _cause(f: SpeedFindings) -> dict[str, Markup]:
    """Return the dose–response of each session length."""
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
    drawn = twice(
        "dose", FULL,
        lambda name, width: effects(name, title, curves, (width, 300.0), across="seconds added to every page",
                                    up="change from control"),
    )  # fmt: skip
    return {"dose": drawn}


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
    if f.plateau is not None:
        made["plateau"] = _plateau(f.plateau)
    return made


def _bridge(found: Bridge) -> Markup:
    parts = [Part(one.name, one.value, one.kind) for one in found.parts]
    title = f"From cause to chart: {found.told}"
    write = percent_tick if found.unit == "change" else _pages
    return twice(f"bridge-{found.by}", FULL, lambda name, width: bridge(name, title, parts, width, write))


def _pages(value: float | None) -> str:
    return difference(value, "count")


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


def _plateau(found: Plateau) -> Markup:
    knee = Knee(found.knee_s.value, found.knee_s.low, found.knee_s.high) if found.bends else Knee(None)
    marks = [mark(x, one) for x, one in zip(found.at_s, found.seen, strict=True)]
    fit = list(zip(found.x, found.value, strict=True))
    name_of, write = METRIC_NAMES[found.metric], writer(METRICS[found.metric].kind)
    title, across = f"{name_of} by landing load time, and where it bends", "seconds until the landing page was there"
    return twice(
        "plateau", FULL,
        lambda name, width: plateau(name, title, marks, fit, knee, (width, 240.0), write, across=across,
                                    up=name_of.lower()),
    )  # fmt: skip
