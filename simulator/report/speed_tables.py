"""The tables of a speed report as plain rows: what the CSV files hold, and what the page shows."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.page.parts import LCP_PARTS
from simulator.report.summary import rounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simulator.analysis.estimates import Estimate
    from simulator.study.speed_findings import SpeedFindings


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its name, what it tells, its columns and its rows; unknown figures are None."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


EST = ("value", "low", "high", "n")


def tables(f: SpeedFindings) -> list[Table]:
    """Return every table that has a row."""
    made = [
        Table("answer", "What a second changes, by design", ("design", "per", "metric", *EST), tuple(_answer(f))),
        Table("arms", "Arms", ("arm", "delay_s", "metric", "mean", "mean_low", "mean_high", "change", "change_low",
                               "change_high", "visits"), tuple(_arms(f))),
        Table("sensitivity", "Other assumptions", ("hazard_per_s", "delay_s", "metric", *EST), tuple(_sensitivity(f))),
        Table("landing", "By landing load time", _BINNED, tuple(_binned(f, "landing"))),
        Table("average", "By the visit's average load time (biased)", _BINNED, tuple(_binned(f, "average"))),
        Table("published", "Published and simulated", _PUBLISHED, tuple(_published(f))),
        Table("groups", "By kind of visit", ("by", "name", "visits", "effect", "low", "high", "shrunk", "shrunk_low",
                                             "shrunk_high"), tuple(_groups(f))),
        Table("funnel", "Funnel", ("step", "arm", "of_all", "low", "high", "of_previous", "previous_low",
                                   "previous_high"), tuple(_funnel(f))),
        Table("lcp", "Parts of LCP, seconds", ("by", "name", "pages", *LCP_PARTS, "reference"), tuple(_lcp(f))),
        Table("vitals", "Within the field's bounds", ("by", "name", "pages", "lcp_p50_s", "lcp_p75_s", "lcp_p95_s",
                                                      "good_lcp", "poor_lcp", "good_fcp", "good_ttfb", "apdex"),
              tuple((v.by, v.name, v.pages, v.p50_s, v.p75_s, v.p95_s, v.good_lcp, v.poor_lcp, v.good_fcp, v.good_ttfb,
                     v.apdex) for v in f.vitals)),
        Table("savings", "Where to spend", ("page", "saved_s", "metric", "change", "low", "high", "difference"),
              tuple(_savings(f))),
        Table("sweep", "From arrivals to session length", ("rate_per_s", "visits", "figure", *EST), tuple(_sweep(f))),
    ]  # fmt: skip
    return [table for table in made if table.rows]


_PUBLISHED = ("study", "design", "what", "unit", "published", "simulated", "low", "high", "n", "inside", "role", "note")
_BINNED = ("from_s", "to_s", "median_s", "visits", "metric", *EST)


def csv_text(table: Table) -> str:
    """Return a table as CSV, figures rounded to nine digits, nothing where there is none."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(["" if cell is None else cell for cell in rounded(row)] for row in table.rows)
    return out.getvalue()


def _est(estimate: Estimate) -> tuple[Any, ...]:
    return estimate.value, estimate.low, estimate.high, estimate.n


def _answer(f: SpeedFindings) -> Iterator[tuple[Any, ...]]:
    if f.arms is not None:
        for arm in f.arms.arms:
            if arm.relative and (not f.conclusions or arm.delay_s == f.conclusions[0].delay_s):
                per = f.arms.titles.get(arm.name, arm.name)
                yield from ((f.arms.design, per, metric, *_est(e)) for metric, e in arm.relative.items())
    for chart in (f.landing, f.average):
        if chart is not None:
            yield from ((f"observed by {chart.by}", "1 s", metric, *_est(e)) for metric, e in chart.slope.items())


def _arms(f: SpeedFindings) -> Iterator[tuple[Any, ...]]:
    for arm in f.arms.arms if f.arms is not None else ():
        for metric, mean in arm.means.items():
            change = arm.relative.get(metric)
            ends = (change.value, change.low, change.high) if change is not None else (None, None, None)
            yield arm.name, arm.delay_s, metric, mean.value, mean.low, mean.high, *ends, arm.visits


def _sensitivity(f: SpeedFindings) -> Iterator[tuple[Any, ...]]:
    for one in f.sensitivity:
        for metric, estimates in one.relative.items():
            for delay_s, estimate in zip(one.delay_s, estimates, strict=True):
                yield one.hazard_per_s, delay_s, metric, *_est(estimate)


def _binned(f: SpeedFindings, by: str) -> Iterator[tuple[Any, ...]]:
    chart = f.landing if by == "landing" else f.average
    for one in chart.bins if chart is not None else ():
        for metric, estimate in one.metrics.items():
            yield one.low_s, one.high_s, one.middle_s, one.visits, metric, *_est(estimate)


def _published(f: SpeedFindings) -> Iterable[tuple[Any, ...]]:
    for one in f.published:
        yield (
            one.study,
            one.design,
            one.what,
            one.unit,
            one.published,
            *_est(one.simulated),
            one.inside,
            one.role,
            one.note,
        )


def _groups(f: SpeedFindings) -> Iterator[tuple[Any, ...]]:
    found = f.arms.heterogeneity if f.arms is not None else None
    for one in found.groups if found is not None else ():
        own, shrunk = one.effect, one.shrunk
        yield one.by, one.name, one.visits, own.value, own.low, own.high, shrunk.value, shrunk.low, shrunk.high


def _funnel(f: SpeedFindings) -> Iterator[tuple[Any, ...]]:
    for one in f.arms.funnel if f.arms is not None else ():
        for arm, share in one.of_all.items():
            onward = one.of_previous[arm]
            yield one.step, arm, share.value, share.low, share.high, onward.value, onward.low, onward.high


def _lcp(f: SpeedFindings) -> Iterator[tuple[Any, ...]]:
    for one in f.cohorts:
        yield one.by, one.name, one.pages, *(one.seconds[part] for part in LCP_PARTS), one.reference  # type: ignore[index]


def _savings(f: SpeedFindings) -> Iterator[tuple[Any, ...]]:
    for one in f.savings:
        for metric, change in one.relative.items():
            value = one.difference[metric].value
            yield one.page, one.saved_s, metric, change.value, change.low, change.high, value


def _sweep(f: SpeedFindings) -> Iterator[tuple[Any, ...]]:
    for one in f.sweep:
        for part, figures in (("server", one.server_s), ("lcp", one.lcp_s), ("", one.lengths)):
            for name, estimate in figures.items():
                yield one.rate_per_s, one.visits, f"{part}_{name}_s" if part else name, *_est(estimate)
