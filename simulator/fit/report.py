"""The report of a fit: what the log held, what was left out and why, which kinds were found, how well they fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.fit.write import period
from simulator.journey.closed_form import expectations
from simulator.model.population import compile_population
from simulator.model.tempo import edge_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.fit.estimate import Fitted, Kind
    from simulator.fit.hits import Findings
    from simulator.fit.thinking import Think
    from simulator.model.persona import PopulationSpec

MOST_LISTED = 15


def report_of(fitted: Fitted, findings: Findings, population: PopulationSpec) -> dict[str, Any]:
    """Return everything that is told of a fit, in plain values; `population` is what was written, read back."""
    compiled, roster = compile_population(population)
    theory = {name: expectations(compiled, index) for index, name in enumerate(roster.personas)}
    sure = fitted.clusters.of_user.max(axis=1)
    names = sorted(theory, key=lambda name: int(name.rpartition("_")[2]))
    return {
        "log": {
            "rows": findings.rows,
            "hits": len(fitted.hits),
            "users": len(fitted.hits.users),
            "visits": len(fitted.visits),
            "period": period(fitted),
            "weeks": round(fitted.features.weeks, 2),
            "load_times": fitted.has_loads,
        },
        "left_out": findings.dropped,
        "examples": findings.examples,
        "events": findings.mapped,
        "ignored_events": findings.ignored,
        "unmapped_events": findings.unmapped,
        "unused_columns": findings.unknown_columns,
        "unknown_values": findings.unknown_values,
        "notes": [*findings.notes, *_own_notes(fitted)],
        "kinds": {
            name: _kind(kind, theory[name].pages, theory[name].bounce, theory[name].conversion)
            for name, kind in zip(names, fitted.kinds, strict=True)
        },
        "bic": {str(number): round(value, 1) for number, value in fitted.clusters.bic.items()},
        "certainty": {
            "mean": round(float(sure.mean()), 4),
            "users_above_90_percent": round(float(np.mean(sure > 0.9)), 4),
        },
    }


def _own_notes(fitted: Fitted) -> Iterator[str]:
    if not fitted.has_loads:
        yield "The log has no load times: think times hold the waiting, so the scenario's pages take no time."
    if fitted.visits.overlapping:
        yield f"{fitted.visits.overlapping} pages took longer to load than until the next tap: they have no think time."
    for state, count in fitted.exposure.broken.items():
        yield (
            f"{count} taps led to {state} although nothing in the visit allowed it (a cart from an earlier visit?); "
            "generated visits never do."
        )


def _kind(kind: Kind, pages: float, bounce: float, conversion: float) -> dict[str, Any]:
    return {
        "share": round(kind.share, 4),
        "users": round(kind.users, 1),
        "visits": round(kind.visits, 1),
        "visits_per_week": round(kind.visits_per_week, 4),
        "observed": _figures(kind.pages, kind.bounce, kind.conversion),
        "closed_form_undisturbed": _figures(pages, bounce, conversion),
        "wait": None if kind.leaving.wait is None else [round(value, 5) for value in kind.leaving.wait],
        "budget_median_s": None if kind.leaving.budget is None else round(float(np.exp(kind.leaving.budget[0])), 1),
        "guards": kind.guards,
        "rows": {state: {t: round(p, 5) for t, p in row.items()} for state, row in kind.rows.items()},
        "taps": {state: round(taps, 1) for state, taps in kind.taps.items()},
        "entry": {state: round(p, 5) for state, p in kind.entry.items()},
        "think": {state: _think(think) for state, think in kind.tempo.items()},
        "think_by_edge": {edge_name(*edge): _think(think) for edge, think in kind.edges.items()},
        "mixes": {name: {word: round(p, 4) for word, p in mix.shares.items()} for name, mix in kind.mixes.items()},
        "facts": {name: round(mix.shares.get("yes", 0.0), 4) for name, mix in kind.facts.items()},
    }


def _figures(pages: float, bounce: float, conversion: float) -> dict[str, float]:
    return {"pages": round(pages, 4), "bounce": round(bounce, 4), "conversion": round(conversion, 5)}


def _think(think: Think) -> dict[str, Any]:
    return {
        "dist": think.dist,
        "median_s": round(think.median_s, 4),
        "a": round(think.a, 5),
        "b": round(think.b, 5),
        "n": round(think.n, 1),
        "ks": round(think.ks, 4),
        "aic_lead": round(think.aic_lead, 1),
    }


def summary(report: dict[str, Any]) -> list[str]:
    """Return the lines that are printed: the kinds with their figures, what was left out, what leads nowhere."""
    log = report["log"]
    lines = [
        ", ".join(f"{log[name]:,} {name}" for name in ("rows", "hits", "visits", "users")) + f", {log['period']}",
        "",
        f"{'persona':<16}{'share':>8}{'users':>9}{'pages':>14}{'bounce':>18}{'conversion':>18}{'worst KS':>10}",
    ]
    for name, kind in report["kinds"].items():
        seen, theory = kind["observed"], kind["closed_form_undisturbed"]
        worst = max((t["ks"] for t in kind["think"].values() if t["n"] >= 200), default=float("nan"))
        lines.append(
            f"{name:<16}{kind['share']:>8.1%}{round(kind['users']):>9,}"
            f"{seen['pages']:>7.2f} {theory['pages']:>6.2f}{seen['bounce']:>9.1%} {theory['bounce']:>8.1%}"
            f"{seen['conversion']:>9.2%} {theory['conversion']:>8.2%}{worst:>10.3f}"
        )
    sure = report["certainty"]
    lines += [
        "figures: observed, and the closed form of the fitted persona that nothing disturbs (no waits, no time budget)",
        f"users of whose kind the fit is more than 90 % sure: {sure['users_above_90_percent']:.1%}",
    ]
    return [*lines, *_troubles(report)]


def _troubles(report: dict[str, Any]) -> Iterator[str]:
    left_out = report["left_out"]
    if left_out:
        yield ""
        yield f"left out: {sum(left_out.values()):,} rows"
        yield from (f"  {count:>9,}  {reason}{_example(report, reason)}" for reason, count in left_out.items())
    if report["unmapped_events"]:
        yield ""
        yield "events that lead to no state (left out):"
        for event, found in _most(report["unmapped_events"]):
            hint = f"  perhaps {found['suggestion']}" if found["suggestion"] else ""
            yield f"  {found['rows']:>9,}  {event}{hint}"
    if report["unknown_values"]:
        yield ""
        yield "values that Footfall does not know (they count as not logged):"
        for column, values in report["unknown_values"].items():
            listed = sorted(values.items(), key=lambda item: -item[1])[:MOST_LISTED]
            yield f"  {column}: {', '.join(f'{value} ({count:,})' for value, count in listed)}"
    if report["unused_columns"]:
        yield ""
        yield f"columns not used: {', '.join(report['unused_columns'])}"
    if report["notes"]:
        yield ""
        yield from (f"note: {note}" for note in report["notes"])


def _most(events: dict[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return sorted(events.items(), key=lambda item: -int(item[1]["rows"]))[:MOST_LISTED]


def _example(report: dict[str, Any], reason: str) -> str:
    examples = report["examples"].get(reason)
    return f" (as {', '.join(examples)})" if examples else ""


def markdown(report: dict[str, Any]) -> str:
    """Return the report as Markdown."""
    parts = ["# Personas from a log", "", "```text", *summary(report), "```", ""]
    for name, kind in report["kinds"].items():
        parts += [f"## {name}", "", *_of_kind(kind), ""]
    parts += ["## How many kinds", "", "The number with the smallest BIC was taken, unless one was asked for.", ""]
    parts += ["| kinds | BIC |", "|--:|--:|", *(f"| {k} | {v:,.0f} |" for k, v in report["bic"].items()), ""]
    return "\n".join(parts)


def _of_kind(kind: dict[str, Any]) -> Iterator[str]:
    yield "| think time on | distribution | median | n | KS distance | lead in AIC |"
    yield "|---|---|--:|--:|--:|--:|"
    for where, think in [*kind["think"].items(), *_edges(kind)]:
        yield (
            f"| {where} | {think['dist']} | {think['median_s']:.2f} s | {round(think['n']):,} | {think['ks']:.3f} | "
            f"{think['aic_lead']:,.0f} |"
        )
    yield ""
    yield "| from | taps | to |"
    yield "|---|--:|---|"
    yield f"| (entry) | {round(kind['visits']):,} | {_row(kind['entry'])} |"
    for state, row in kind["rows"].items():
        yield f"| {state} | {round(kind['taps'].get(state, 0)):,} | {_row(row)} |"
    for state, flags in kind["guards"].items():
        yield ""
        yield f"Guard found: {state} needs {', '.join(flags)}."


def _edges(kind: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return sorted(kind["think_by_edge"].items(), key=lambda item: -item[1]["n"])[:MOST_LISTED]


def _row(row: dict[str, float]) -> str:
    listed = sorted(row.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {p:.3f}" for name, p in listed if p >= 0.0005)
