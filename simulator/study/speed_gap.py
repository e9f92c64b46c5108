"""From what waiting causes to what a dashboard shows: both curves, and the way between them taken apart."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from simulator.analysis.estimates import NOTHING, Z95, Estimate
from simulator.study.decomposition import MEANING, PARTS
from simulator.study.observed import observed_view
from simulator.study.speed_findings import Bin, Binned, Bridge, GapPart, Overlay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.analysis.speed import Bin as ChartBin
    from simulator.scenario.load import Scenario
    from simulator.study.observed import Axis, Observed
    from simulator.study.speed_findings import Arm

METRIC = "pages"
ENOUGH = 200
WORDS = {
    "mix": "who is slow", "network": "bad links want less", "device": "slow phones want less",
    "averaging": "averaging over a visit", "bots": "bots", "beacon_loss": "lost beacons",
    "survivorship": "no load time",
}  # fmt: skip


def view_of(scenario: Scenario, shoppers: int) -> Observed:
    """Return what would be observed of a scenario's shoppers, with the usual assumed confounding and losses."""
    return observed_view(scenario, shoppers=min(shoppers, scenario.spec.shoppers))


def binned_of(view: Observed, axis: Axis, plain: Binned | None) -> Binned | None:
    """Return a chart of the observed view; its histogram is that of the visits as they are (`plain`)."""
    if plain is None:
        return None
    known = tuple(
        Bin(one.low_s, one.high_s, one.middle_s, one.visits, dict(one.metrics))
        for one in view.charts[axis].bins
        if one.visits and one.middle_s is not None
    )
    slopes = {name: slope(view.charts[axis].bins, name) for name in (known[0].metrics if known else ())}
    return replace(plain, bins=known, slope=slopes, unseen=view.lost + view.unseen)


def slope(bins: Sequence[ChartBin], metric: str) -> Estimate:
    """Return the change a second of the line through a chart's bins, weighed by visits, in parts of the mean."""
    solid = [one for one in bins if one.enough and one.middle_s is not None and one.metrics[metric].high is not None]
    if len(solid) < 2:
        return NOTHING
    x = np.array([one.middle_s for one in solid], np.float64)
    n = np.array([one.visits for one in solid], np.float64)
    found = [one.metrics[metric] for one in solid]
    y = np.array([one.value for one in found], np.float64)
    error = np.array([((one.high or 0.0) - (one.low or 0.0)) / (2 * Z95) for one in found])
    middle = float(n @ x / n.sum())
    pull = n * (x - middle) / float(n @ (x - middle) ** 2)
    mean, value = float(n @ y / n.sum()), float(pull @ y)
    if not mean:
        return NOTHING
    half = Z95 * math.sqrt(float((pull * error) @ (pull * error))) / mean
    return Estimate(value / mean, int(n.sum()), value / mean - half, value / mean + half)


def overlay_of(view: Observed) -> Overlay | None:
    """Return both curves of the observed view, against the fastest bin with enough visits."""
    reference = view.decomposition(METRIC).reference
    bins, causal = view.charts["landing"].bins, view.causal[METRIC]
    if reference >= len(bins) or not causal[reference].value or not bins[reference].metrics[METRIC].value:
        return None
    rows = [(one, view.load_s[place]) for place, one in enumerate(bins) if one.visits]
    return Overlay(
        view.load_s[reference],
        tuple(view.load_s[place] for place, one in enumerate(bins) if one.visits),
        tuple(against(causal[place], causal[reference]) for place, one in enumerate(bins) if one.visits),
        tuple(at for _, at in rows),
        tuple(against(one.metrics[METRIC], bins[reference].metrics[METRIC], one.visits) for one, _ in rows),
        assumed_in(view),
    )


def against(one: Estimate, base: Estimate, n: int | None = None) -> Estimate:
    """Return a figure and its interval as changes in parts of another, whose own error is left out."""
    whole = base.value or 1.0
    ends = [None if end is None else end / whole - 1.0 for end in (one.value, one.low, one.high)]
    return Estimate(ends[0], one.n if n is None else n, ends[1], ends[2])


def assumed_in(view: Observed) -> tuple[str, ...]:
    """Return what the observed view assumes, a sentence each."""
    mixed, sent = view.confounding, view.telemetry
    return (
        f"What people want goes with their link (correlation {mixed.network:g}) and phone ({mixed.device:g}); assumed.",
        f"{view.bots:,} bots beside {view.visits:,} visits ({sent.bots:.0%}), fast and gone after a page; assumed.",
        f"{sent.lost_early:.0%} of visits left before the landing page was there send nothing: {view.lost:,}; assumed.",
        f"{view.unseen:,} more have no load time, so no chart holds them.",
    )


def bridges_of(view: Observed) -> tuple[Bridge, ...]:
    """Return the way from cause to each chart at its slowest bin with enough visits, in pages a visit."""
    return tuple(one for axis in view.charts if (one := _bridge(view, axis)) is not None)


def _bridge(view: Observed, axis: Axis) -> Bridge | None:
    found = view.decomposition(METRIC, axis)
    caused, seen, parts = found.changes()
    bins = view.charts[axis].bins
    there = [
        place
        for place in range(found.reference + 1, min(len(bins), len(caused)))
        if bins[place].visits >= ENOUGH and caused[place] is not None and seen[place] is not None
    ]
    if not there:
        return None
    at = there[-1]
    steps = [GapPart(WORDS[name], "part", value, MEANING[name]) for name in PARTS if (value := parts[name][at])]
    told = (
        f"pages a visit at {_stretch(bins[at])}, less those at {_stretch(bins[found.reference])}, the fastest bin with "
        "enough visits"
    )
    first = GapPart("caused by waiting", "start", caused[at] or 0.0, "the same shoppers, were everybody that slow")
    last = GapPart(
        f"seen by {'landing' if axis == 'landing' else 'average'}", "end", seen[at] or 0.0, "what the chart shows"
    )
    return Bridge(axis, "count", told, (first, *steps, last))


def _stretch(one: ChartBin) -> str:
    return f"{one.low_s:g} s or more" if math.isinf(one.high_s) else f"{one.low_s:g} to {one.high_s:g} s"


def measured_bridge(near: Arm | None, landing: Binned | None, average: Binned | None) -> tuple[Bridge, ...]:
    """Return the way from a run's own arms to its charts, a second, in parts of the mean; empty without both ends."""
    if near is None or not near.delay_s or landing is None:
        return ()
    caused, seen = near.relative[METRIC].value, landing.slope[METRIC].value
    if caused is None or seen is None:
        return ()
    caused /= near.delay_s
    parts = [
        GapPart("caused by a second", "start", caused, "shoppers dealt to arms, or the same visits in each"),
        GapPart("who meets slow pages", "part", seen - caused, "networks, phones and people differ, not only waits"),
        GapPart("seen by landing", "end", seen, "a straight line through visits by their first page"),
    ]
    mixed = average.slope[METRIC].value if average is not None else None
    if mixed is not None:
        parts += [
            GapPart(WORDS["averaging"], "part", mixed - seen, MEANING["averaging"]),
            GapPart("seen by average", "end", mixed, "a straight line through visits by their average page"),
        ]
    return (Bridge("landing", "change", "change of pages a visit, a second", tuple(parts)),)


def measured_overlay(arms: Sequence[Arm], landing: Binned | None, base_s: float) -> Overlay | None:
    """Return a run's own arms over its own chart; both are zero at control's median landing, `base_s`."""
    treated = [arm for arm in arms if arm.delay_s and METRIC in arm.relative]
    if landing is None or not treated:
        return None
    known = [one for one in landing.bins if one.metrics[METRIC].value is not None]
    base = (
        float(np.interp(base_s, [b.middle_s for b in known], [b.metrics[METRIC].value or 0.0 for b in known]))
        if known
        else 0.0
    )
    if not base:
        return None
    zero = Estimate(0.0, arms[0].visits, 0.0, 0.0)
    return Overlay(
        base_s,
        (base_s, *(base_s + (arm.delay_s or 0.0) for arm in treated)),
        (zero, *(arm.relative[METRIC] for arm in treated)),
        tuple(one.middle_s for one in known),
        tuple(against(one.metrics[METRIC], Estimate(base, 0)) for one in known),
        (),
    )
