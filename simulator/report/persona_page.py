"""One persona as one HTML page that needs nothing else: its journey, week, networks, patience, figures and origins."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from simulator import __version__
from simulator.analysis.words import figure, number, tick
from simulator.journey.closed_form import still_waiting
from simulator.journey.week import expected_week
from simulator.model.networks import NO_NETWORK, STAYS, network_table
from simulator.model.persona import PopulationSpec
from simulator.model.population import compile_population
from simulator.model.schema import SITUATIONS
from simulator.model.states import STAGES, STATES
from simulator.model.tempo import think_of
from simulator.report.drawings import FULL, HALF, PHONE, twice
from simulator.report.heatmap import DAYS, week_map
from simulator.report.html import TEMPLATES, environment, style
from simulator.report.journey_graph import edges_of, graph, nodes_of
from simulator.report.lines import Curve, shares, within
from simulator.report.rows import Stack, Strip, stacks, strips

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simulator.model.networks import Situation
    from simulator.model.persona import Persona
    from simulator.model.schema import Patience

QUANTILES = {"p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95, "p99": 0.99}
WAIT_S, VISIBLE_S = 20, 1.0
"""How far the patience curves go, and when something becomes visible in the second of them."""
FIGURES = {
    "pages": ("Pages a visit", "count"),
    "bounce": ("Bounce", "share"),
    "conversion": ("Conversion", "share"),
    "cart_reached": ("Cart reached", "share"),
    "abandonment": ("Cart abandonment", "share"),
}


def persona_html(persona: Persona, facts: Mapping[str, Any]) -> str:
    """Return the page of a persona; `facts` are what `footfall persona show` prints of it. Same in, same text out."""
    expected = facts["expectations"]
    journey, drawn = _journey(persona, expected["visits"])
    week = _week(persona)
    context = {
        "style": style() + Markup((TEMPLATES / "look.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        "version": __version__,
        "p": persona.spec,
        "file": PurePath(facts["file"]).name,
        "facts": facts,
        "expected": expected,
        "figures": [_figure(name, expected[name], facts["published"].get(name)) for name in FIGURES],
        "journey": journey,
        "drawn": drawn,
        "transitions": _transitions(persona),
        "guarded": {name: guards for name, guards in _guards(persona).items() if expected["visits"][name] > 0},
        "week": _week_drawing(week),
        "hours": week,
        "visits_a_week": sum(map(sum, week)),
        "days": DAYS,
        "thinking": _thinking(persona, expected["visits"]),
        "situations": list(_situations(persona)),
        "shares_of_time": _shares_of_time(persona),
        "stays": STAYS,
        "patience": _patience(persona.spec.patience),
        "waits": list(_waits(persona.spec.patience)),
        "visible_s": VISIBLE_S,
        "fields": list(_fields(facts)),
    }
    return environment().get_template("persona.html.j2").render(context) + "\n"


def _figure(name: str, value: float, published: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a row of the table of figures; `drawing` where there is a range to compare with."""
    label, kind = FIGURES[name]

    def write(one: float) -> str:
        return tick(one, kind)  # type: ignore[arg-type] # the kinds above

    known = published is not None and value == value  # noqa: PLR0124 - NaN where nobody reaches the cart
    low, high = (published["low"], published["high"]) if published else (0.0, 0.0)
    return {
        "name": name,
        "label": label,
        "value": figure(value, kind),  # type: ignore[arg-type] # the kinds above
        "outside": known and not low <= value <= high,
        "range": f"{write(low)} to {write(high)}" if published else "",
        "source": published["source"] if published else "",
        "drawing": within(f"within-{name}", f"{label} beside the published range", value, low, high, write)
        if known
        else "",
    }


def _journey(persona: Persona, visits: Mapping[str, float]) -> tuple[Markup, dict[str, int]]:
    """Return the graph for a desktop and a phone, and how many edges each leaves out."""
    spec = persona.spec
    thinks = {name: dist.quantile(0.5) for name in visits if (dist := think_of(persona.spec.tempo, name)) is not None}
    nodes = nodes_of(spec.journey.entry, spec.journey.rows, visits, thinks, _guards(persona))
    edges = edges_of(spec.journey.rows)
    wide, shown, hidden = graph("journey-wide", f"Journey of {persona.name}", nodes, edges, FULL, wide=True)
    narrow, few, left_out = graph("journey-narrow", f"Journey of {persona.name}", nodes, edges, PHONE, wide=False)
    both = Markup('<div class="wide">{}</div><div class="narrow">{}</div>').format(wide, narrow)
    return both, {"shown": shown, "hidden": hidden, "shown_narrow": few, "hidden_narrow": left_out}


def _guards(persona: Persona) -> dict[str, tuple[str, ...]]:
    """Return what must hold to enter each state: its own guards, and those of the persona."""
    own = persona.spec.journey.guards
    return {
        state.name: tuple(
            name.replace("_", " ")
            for name in (*state.needs, *(f"not {flag}" for flag in state.forbids), *own.get(state.name, ()))
        )
        for state in STATES
    }


def _transitions(persona: Persona) -> list[tuple[str, list[tuple[str, float]]]]:
    """Return each state's row, the likeliest first."""
    rows = {"(entry)": persona.spec.journey.entry, **persona.spec.journey.rows}
    return [
        (name, sorted(((to, share) for to, share in row.items() if share > 0), key=lambda one: (-one[1], one[0])))
        for name, row in rows.items()
    ]


def _week(persona: Persona) -> list[list[float]]:
    """Return the expected visits of a shopper by local hour and weekday, 24 rows of 7."""
    population, _ = compile_population(PopulationSpec(persona.name, (persona,), (1.0,)))
    week: list[list[float]] = np.asarray(expected_week(population)).tolist()
    return week


def _week_drawing(week: list[list[float]]) -> Markup:
    total = sum(map(sum, week)) or 1.0

    def write(value: float) -> str:
        return f"{figure(value / total, 'share')} of a week's visits"

    title = "Visits by local hour and weekday"
    return Markup('<div class="wide">{}</div><div class="narrow">{}</div>').format(
        week_map("week-wide", title, week, FULL, write, wide=True),
        week_map("week-narrow", title, week, PHONE, write, wide=False),
    )


def _thinking(persona: Persona, visits: Mapping[str, float]) -> Markup:
    rows = []
    for name, pages in visits.items():
        dist = think_of(persona.spec.tempo, name)
        if pages > 0 and dist is not None:
            rows.append(Strip(name, 0, {q: max(dist.quantile(share), 1e-3) for q, share in QUANTILES.items()}))
    title = "Think time by state: p5, p25, p50, p75, p95 and p99"
    return twice("thinking", FULL, lambda name, width: strips(name, title, rows, width, lambda v: tick(v, "time")))


def _shopping(persona: Persona) -> list[tuple[str, float, Situation, Mapping[str, float]]]:
    """Return the situations in which the persona shops: share of visits, the chain, the mix of technologies."""
    network, table = persona.spec.network, network_table()
    total = sum(network.situations.values())
    return [
        (name, network.situations[name] / total, table.situations[name], network.mix[name])  # type: ignore[index]
        for name in SITUATIONS
        if network.situations.get(name, 0.0) > 0
    ]


def _shares_of_time(persona: Persona) -> Markup:
    rows = [
        Stack(
            f"{name} ({100 * share:.0f} %)",
            0,
            [(f"tech-{stay}", stay, float(part)) for stay, part in zip(STAYS, situation.shares(mix), strict=True)],
        )
        for name, share, situation, mix in _shopping(persona)
    ]
    title = "Share of time on each technology, by situation"
    return twice(
        "network", FULL, lambda name, width: stacks(name, title, rows, width, lambda v: tick(round(v, 3), "share"))
    )


def _situations(persona: Persona) -> Iterator[dict[str, Any]]:
    """Yield each situation with the drawing of its stays, its handovers and its stalls."""
    for name, share, situation, mix in _shopping(persona):
        used = [place for place, part in enumerate(situation.shares(mix)) if part > 0]
        stays = {STAYS[place]: situation.dwell[STAYS[place]].stay() for place in used}
        rows = [
            Strip("no network" if stay == STAYS[NO_NETWORK] else stay, 0,
                  {q: dist.quantile(at) for q, at in QUANTILES.items()})
            for stay, dist in stays.items()
        ]  # fmt: skip
        title = f"How long stays last: {name}"
        jumps = situation.jumps(mix)
        yield {
            "name": name,
            "share": share,
            "stays": {stay: dist.quantile(0.5) for stay, dist in stays.items()},
            "drawing": twice(f"stays-{name}", HALF, _strips_of(title, rows)),
            "used": [STAYS[place] for place in used],
            "jumps": [(STAYS[i], [float(jumps[i, j]) for j in used]) for i in used],
            "stalls": situation.stalls.share,
            "evidence": situation.evidence,
        }


def _strips_of(title: str, rows: list[Strip]) -> Any:  # noqa: ANN401 - a function that draws
    return lambda name, width: strips(name, title, rows, width, _stay)


def _stay(value_s: float | None) -> str:
    """Return how long a stay is, as short as an axis wants it."""
    if value_s is None or value_s < 120:
        return tick(value_s, "time")
    return f"{value_s / 60:.3g} min" if value_s < 7_200 else f"{value_s / 3_600:.3g} h"


def _alike(patience: Patience) -> dict[float, list[str]]:
    """Return the stages by the factor on their hazard: those with the same wait alike."""
    groups: dict[float, list[str]] = {}
    for stage in STAGES:
        groups.setdefault(patience.by_stage.get(stage, 1.0), []).append(stage)
    return groups


def _patience(patience: Patience) -> list[tuple[str, Markup]]:
    """Return the curves of who still waits: with nothing to see, and with something visible after a second."""
    ticks = list(range(0, WAIT_S + 1, 5))
    drawings = []
    for told, fcp_s in (("nothing to see", float("inf")), (f"something visible after {VISIBLE_S:g} s", VISIBLE_S)):
        curves = [
            Curve(
                ", ".join(stages) if len(stages) < 3 else f"{', '.join(stages[:2])} …",
                [(w / 4, still_waiting(patience, stages[0], w / 4, fcp_s)) for w in range(4 * WAIT_S + 1)],
                f"of{STAGES.index(stages[0]) + 1}",
                dashed=fcp_s == VISIBLE_S,
            )
            for stages in _alike(patience).values()
        ]
        name = "patience-blind" if fcp_s > VISIBLE_S else "patience-seen"
        drawings.append((told, twice(name, HALF, _shares_of(f"Still waiting, {told}", curves, ticks))))
    return drawings


def _shares_of(title: str, curves: list[Curve], ticks: list[int]) -> Any:  # noqa: ANN401 - a function that draws
    return lambda name, width: shares(name, title, curves, size=(width, 250.0), ticks=ticks, unit="s")


def _waits(patience: Patience) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """Yield each stage with the shares (nothing visible, something visible) who still wait after some seconds."""
    for stage in STAGES:
        yield (
            stage,
            [
                (still_waiting(patience, stage, w), still_waiting(patience, stage, w, VISIBLE_S))
                for w in (1, 2, 5, 10, 20)
            ],
        )


def _fields(facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each section of the resolved file with its fields, their values, and the file and line of each."""
    for section, value in facts["resolved"].items():
        yield {"section": section, "rows": list(_leaves(value, (section,), facts["origins"]))}


def _leaves(value: Any, path: tuple[str, ...], origins: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:  # noqa: ANN401
    """Yield (field, value, origin); a map of plain values from one place stands on one line."""
    if isinstance(value, dict) and not _is_one(value, path, origins):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)), origins)
        return
    file, _, line = origins.get(".".join(path), "").rpartition(":")
    yield ".".join(path[1:]) or path[0], _flow(value), f"{PurePath(file).name}:{line}" if file else ""


def _is_one(value: Mapping[str, Any], path: tuple[str, ...], origins: Mapping[str, str]) -> bool:
    if any(isinstance(inner, dict) or key == "evidence" for key, inner in value.items()) or len(path) < 2:
        return False
    files = {origins.get(".".join((*path, str(key))), "").rpartition(":")[0] for key in value}
    return files <= {origins.get(".".join(path), "").rpartition(":")[0]}


def _flow(value: Any) -> str:  # noqa: ANN401 - any value of a file
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_flow, value))
    return number(value, 0) if isinstance(value, int) and not isinstance(value, bool) and value > 9_999 else str(value)
