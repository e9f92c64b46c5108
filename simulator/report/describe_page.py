"""A data set or run folder as one HTML page that needs nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from simulator import __version__
from simulator.analysis.words import THIN, counted, tick
from simulator.journey.records import CAUSES
from simulator.report.drawings import FULL, HALF, PHONE, twice
from simulator.report.glossary import CAUSE_NAMES
from simulator.report.heatmap import DAYS, week_map
from simulator.report.html import TEMPLATES, environment, style
from simulator.report.lines import columns
from simulator.report.rows import Pair, Stack, pairs, stacks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.analysis.description import Cell, Description
    from simulator.analysis.words import Kind

FIGURES: dict[str, tuple[str, Kind]] = {
    "pages": ("Pages a visit", "count"),
    "engaged_s": ("Engaged time", "time"),
    "bounce": ("Bounce", "share"),
    "conversion": ("Conversion", "share"),
    "cart_reached": ("Cart reached", "share"),
    "abandonment": ("Cart abandonment", "share"),
}
"""What the closed form knows too, and how it is written."""
DRAWN = ("pages", "engaged_s", "bounce", "conversion")
MOST_COLUMNS = 400
"""Bars of sessions drawn one by one; longer runs are drawn by the week."""
DAY_HOURS = 24
UNITS = ("B", "kB", "MB", "GB", "TB")


def describe_html(found: Description) -> str:
    """Return the page of a description. The same data gives the same text."""
    context = {
        "style": style() + Markup((TEMPLATES / "look.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        "version": __version__,
        "f": found,
        "kpis": kpis(found),
        "size": size,
        "sessions": _sessions(found),
        "labels": labels(found),
        "week": _week(found.week) if found.week and is_long(found) else None,
        "days": DAYS,
        "causes": [(cause, CAUSE_NAMES.get(cause, cause)) for cause in found.causes],
        "leaving": _causes(found),
        "devices": heat(found.devices),
        "models": heat(found.models),
        "figures": FIGURES,
        "drawn": {name: _beside(found, name) for name in DRAWN},
    }
    return environment().get_template("describe.html.j2").render(context) + "\n"


def size(number: float) -> str:
    """Return bytes in the unit that suits them, as `1.3 MB`."""
    unit = 0
    while number >= 999.5 and unit < len(UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{number:.3g}{THIN}{UNITS[unit]}"


def kpis(found: Description) -> list[tuple[str, str, str]]:
    """Return (what, how much, of what) of the figures at the top."""
    visits, events, shoppers = (found.counts[name] for name in ("visits", "events", "shoppers"))
    whole = sum(table.bytes for table in found.tables)
    return [
        ("Shoppers", f"{shoppers:,}", ""),
        ("Visits", f"{visits:,}", f"{visits / shoppers:.2f} a shopper" if shoppers else ""),
        ("Events", f"{events:,}", f"{events / visits:.2f} a visit" if visits else ""),
        ("Tables", f"{len(found.tables):,}", f"{sum(t.rows for t in found.tables):,} rows"),
        ("Size", size(whole), counted(sum(t.files for t in found.tables), "file")),
    ]


def labels(found: Description) -> list[str]:
    """Return when each stretch of time begins; without a reference instant they have numbers."""
    count = len(found.sessions)
    if found.reference is None:
        return [f"{found.spacing} {index}" for index in range(count)]
    begin = datetime.fromisoformat(found.reference)
    if found.spacing == "day":
        return [(begin + timedelta(days=index)).strftime("%d %b") for index in range(count)]
    if found.spacing == "second":
        return [f"{index} s" for index in range(count)]
    step = timedelta(minutes=1) if found.spacing == "minute" else timedelta(hours=1)
    days = count * step > timedelta(days=1)
    return [(begin + step * index).strftime("%d %b %H:%M" if days else "%H:%M") for index in range(count)]


def is_long(found: Description) -> bool:
    """Return whether a run goes over a day at least: else there are no hours of the week to be seen."""
    return found.spacing == "day" or (found.spacing == "hour" and len(found.sessions) >= DAY_HOURS)


def _sessions(found: Description) -> Markup:
    counts, names = found.sessions, labels(found)
    if len(counts) > MOST_COLUMNS:
        names = [f"week from {name}" for name in names[::7]]
        counts = [sum(counts[first : first + 7]) for first in range(0, len(counts), 7)]
    title = f"Visits begun, by {found.spacing if len(counts) == len(found.sessions) else 'week'}"
    said = f"{sum(counts):,} visits; most {max(counts, default=0):,}, fewest {min(counts, default=0):,}"
    return twice(
        "sessions", FULL, lambda name, width: columns(name, title, counts, names, size=(width, 190.0), said=said)
    )


def _week(week: Sequence[Sequence[int]]) -> Markup:
    def write(value: float) -> str:
        return counted(int(value), "visit")

    title = "Visits by local hour and weekday"
    return Markup('<div class="wide">{}</div><div class="narrow">{}</div>').format(
        week_map("week-wide", title, week, FULL, write, wide=True),
        week_map("week-narrow", title, week, PHONE, write, wide=False),
    )


def _causes(found: Description) -> Markup:
    rows = [_stack("all visits", sum(persona.visits for persona in found.personas), found.causes)]
    rows += [_stack(persona.name, persona.visits, persona.causes) for persona in found.personas]
    title = "Causes of leaving, all visits and by persona"
    return twice(
        "causes", FULL, lambda name, width: stacks(name, title, rows, width, lambda v: tick(round(v, 3), "share"))
    )


def _stack(name: str, visits: int, causes: dict[str, float]) -> Stack:
    shares = [(f"cause-{cause}", CAUSE_NAMES.get(cause, cause), causes.get(cause, 0.0)) for cause in CAUSES]
    return Stack(name, visits, [share for share in shares if share[2] > 0])


def _beside(found: Description, name: str) -> Markup:
    """Return a figure of each persona: theory hollow, data full."""
    label, kind = FIGURES[name]
    rows = [Pair(p.name, p.theory.figures[name], p.figures[name]) for p in found.personas if p.theory]

    def write(value: float | None) -> str:
        return tick(value, kind)

    title = f"{label} by persona, theory and data"
    return twice(
        f"beside-{name.replace('_', '-')}",
        HALF,
        lambda drawn, width: pairs(drawn, title, rows, width, write, of=("theory", "data")),
    )


def heat(cells: Sequence[Cell]) -> dict[str, Any]:
    """Return a table of visits by device and network, each with a level from 0 to 1."""
    networks = list(dict.fromkeys(cell.network for cell in cells))
    most = max((cell.visits for cell in cells), default=0) or 1
    found = {(cell.device, cell.network): cell for cell in cells}
    rows = {
        device: [
            (cell, f"{cell.visits / most:.2f}" if cell else "0")
            for cell in (found.get((device, network)) for network in networks)
        ]
        for device in dict.fromkeys(cell.device for cell in cells)
    }
    return {"networks": networks, "rows": rows}
