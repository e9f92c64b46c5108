"""The pictures of visits arm by arm: how long they last, what ends them, where their time goes, how far they get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.analysis.words import seconds
from simulator.report.drawings import FULL, HALF, twice
from simulator.report.speed_budget import Budget, Step, budgets, funnel
from simulator.report.speed_dose import Named
from simulator.report.speed_leaving import hazards
from simulator.report.speed_plot import Mark, dose_class, percent_tick, seconds_tick
from simulator.report.speed_survival import Ends, Survival, cumulative, survival

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from simulator.study.speed_findings import Arms, Rate, SpeedFindings

CLOCK_WORDS = {"pages": "pages", "engaged_time": "engaged seconds", "wall_time": "seconds since the first tap"}
PERSONAS = 3
"""Personas whose impatience is drawn, the largest first."""


def visit_drawings(f: SpeedFindings) -> dict[str, Markup]:
    """Return what there is to draw of visits."""
    made = _leaving(f)
    if f.arms is None:
        return made
    made |= {f"survival_{clock}": _survival(f.arms, clock) for clock in f.arms.survival}
    if f.arms.ends:
        made["ends"] = _ends(f.arms)
    if any("waited_time" in arm.means for arm in f.arms.arms):
        made["budget"] = _budget(f.arms)
    if f.arms.funnel:
        made["funnel"] = _funnel(f.arms)
    return made


def _survival(arms: Arms, clock: str) -> Markup:
    rows = arms.survival[clock]
    drawn = [
        Survival(
            arms.titles.get(one.arm, one.arm), dose_class(place, len(rows)), one.x, one.share,
            _filled(one.low, one.share), _filled(one.high, one.share), _risk(one.x, one.at_risk),
        )
        for place, one in enumerate(rows)
    ]  # fmt: skip
    until, whole = arms.until[clock], clock == "pages"
    write = (lambda value: f"{value:g}") if whole else seconds_tick
    height = 300.0 + 17.0 * len(rows)
    title = f"Visits still going on, by {CLOCK_WORDS[clock]}"
    return twice(
        f"survival-{clock}", HALF,
        lambda name, width: survival(name, title, drawn, until, (width, height), write, across=CLOCK_WORDS[clock],
                                     least=1.0 if whole else 0.0),
    )  # fmt: skip


def _filled(side: Sequence[float | None], share: Sequence[float]) -> list[float]:
    """Return a band's side; where there is none the curve itself."""
    return [middle if value is None else value for value, middle in zip(side, share, strict=True)]


def _risk(x: Sequence[float], at_risk: Sequence[int]) -> list[tuple[float, int]]:
    every = max(1, len(x) // 6)
    return list(zip(x, at_risk, strict=True))[::every]


def _ends(arms: Arms) -> Markup:
    rows = [Ends(arms.titles.get(one.arm, one.arm), one.seconds, dict(one.shares)) for one in arms.ends]
    title, across = "What had ended visits, by arm", "since the first tap"
    return twice("ends", FULL, lambda name, width: cumulative(name, title, rows, width, seconds_tick, across=across))


def _budget(arms: Arms) -> Markup:
    rows = [
        Budget(
            arms.titles.get(arm.name, arm.name), arm.visits,
            [("budget-waiting", "waiting", arm.means["waited_time"].value or 0.0),
             ("budget-engaged", "looking", arm.means["engaged_time"].value or 0.0)],
        )
        for arm in arms.arms
        if "waited_time" in arm.means
    ]  # fmt: skip
    title = "Where the time of a visit goes, by arm"
    return twice("budget", HALF, lambda name, width: budgets(name, title, rows, width, seconds))


def _funnel(arms: Arms) -> Markup:
    names = list(arms.funnel[0].of_all)
    keys = [(arms.titles.get(name, name), dose_class(place, len(names))) for place, name in enumerate(names)]
    steps = [
        Step(
            one.step,
            [
                Mark(float(place), e.value, e.low, e.high, e.n)
                for place, name in enumerate(names)
                for e in (one.of_all[name],)
            ],
        )
        for one in arms.funnel
    ]
    title = "How far visits get, by arm"
    return twice("funnel", HALF, lambda name, width: funnel(name, title, steps, keys, width))


def _leaving(f: SpeedFindings) -> dict[str, Markup]:
    made = {}
    if f.leaving.by_wait:
        shown = list(f.leaving.by_wait)[: PERSONAS + 1]
        curves = [
            Named(name, _marks(f.leaving.by_wait[name]), "ink" if name == "all" else f"ink-{place}")
            for place, name in enumerate(shown)
        ]
        made["hazard_wait"] = twice(
            "hazard-wait", HALF,
            lambda name, width: hazards(name, "Rate of leaving by seconds waited", curves, (width, 280.0),
                                        (seconds_tick, per_second), across="seconds waited", up="leaving, a second"),
        )  # fmt: skip
    if f.leaving.by_page:
        pages = [Named("all visits", _marks(f.leaving.by_page), "ink-1")]
        made["hazard_page"] = twice(
            "hazard-page", HALF,
            lambda name, width: hazards(name, "Share of visits that end, by page", pages, (width, 280.0),
                                        (lambda value: f"{value:g}", percent_tick), across="page of the visit",
                                        up="visits that end on this page"),
        )  # fmt: skip
    return made


def _marks(rates: Sequence[Rate]) -> list[Mark]:
    return [Mark(one.x, one.rate.value, one.rate.low, one.rate.high, one.rate.n) for one in rates]


def per_second(value: float | None) -> str:
    """Return a rate, as `2.5 %/s`."""
    return "\u2013" if value is None else f"{percent_tick(value)}/s"


def legend(arms: Arms, names: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return (title, colour class) of the arms of a picture."""
    return [(arms.titles.get(name, name), dose_class(place, len(names))) for place, name in enumerate(names)]
