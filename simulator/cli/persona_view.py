"""How `footfall persona` looks on a terminal: readable at 80 columns, without colour too."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import RenderableType

    from simulator.journey.closed_form import Expectations
    from simulator.model.persona import Persona

WIDEST = 110
"""Columns used at most: longer lines are harder to read."""
FIGURES = {
    "pages": "pages a visit",
    "bounce": "bounce",
    "conversion": "conversion",
    "cart_reached": "cart reached",
    "abandonment": "cart abandonment",
}
INDENT = 2


def show_on(view: RenderableType) -> None:
    """Print to stdout, wrapped to the terminal or to 80 columns."""
    console = Console(highlight=False)
    console.print(view, width=min(console.width, WIDEST))


def overview(personas: Iterable[tuple[Persona, Expectations]]) -> Group:
    """Return what `persona list` prints: a line of figures for each persona, its description below."""
    names = ("pages", "bounce", "conversion", "abandonment")
    parts: list[RenderableType] = [_figures_line(Text("persona", "bold"), *(Text(name, "bold") for name in names))]
    for persona, expected in personas:
        figures = (Text(figure(name, getattr(expected, name))) for name in names)
        parts += [
            _figures_line(Text(persona.name, "cyan"), *figures),
            Padding(Text(persona.spec.describe, "dim"), (0, 0, 0, INDENT)),
        ]
    return Group(*parts)


def _figures_line(name: Text, *figures: Text) -> Table:
    table = Table.grid(expand=True)
    table.add_column(ratio=1)
    for _ in figures:
        table.add_column(width=14, justify="right")
    table.add_row(name, *figures)
    return table


def figure(name: str, value: float) -> str:
    """Return a figure as people read it: pages as a number, the others in percent."""
    if value != value:  # noqa: PLR0124 - NaN
        return "–"
    return f"{value:.2f}" if name == "pages" else f"{100 * value:.1f} %"


def portrait(facts: dict[str, Any]) -> Group:
    """Return what `persona show` prints of the facts of one persona."""
    return Group(
        Text(facts["file"], "dim"),
        tree(facts["resolved"], facts["origins"]),
        _heading("Undisturbed visit", "pages take no time, nothing fails, no time budget; closed form"),
        _undisturbed(facts["expectations"], facts["published"]),
        _heading("By state", "pages a visit, and share of visits that end there"),
        _by_state(facts["expectations"]),
        _heading("Quantiles", "as drawn, clips included"),
        _quantiles(facts["distributions"]),
        _heading("Still waiting for a page", "share of shoppers after so long with nothing to see"),
        _waiting(facts["still_waiting"]),
    )


def _heading(title: str, told: str) -> Text:
    return Text.assemble("\n", (title, "bold"), (f" · {told}", "dim"))


def tree(data: dict[str, Any], origins: dict[str, str]) -> Table:
    """Return the resolved file as a tree, with the file and line that gave each field beside it."""
    table = Table.grid(padding=(0, 0, 0, 2), expand=True)
    table.add_column(ratio=1)
    table.add_column(justify="right", no_wrap=True, style="dim")
    for depth, line, path in _lines(data, (), origins):
        file, _, number = origins.get(".".join(path), "").rpartition(":")
        table.add_row(Padding(line, (0, 0, 0, INDENT * depth)), f"{PurePath(file).name}:{number}" if file else "")
    return table


def _line(key: str, value: str, style: str = "") -> Table:
    """Return one field; a long value wraps under itself, not under its key."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True, style="dim" if key == "evidence" else "cyan")
    table.add_column()
    table.add_row(f"{key}:", Text(value, style))
    return table


def _lines(
    data: dict[str, Any], path: tuple[str, ...], origins: dict[str, str]
) -> Iterator[tuple[int, Table, tuple[str, ...]]]:
    """Yield (depth, text, path) of each line; a map stands on one line when one file gave all of it."""
    for key, value in data.items():
        here = (*path, key)
        if key == "evidence":
            yield len(path), _line(key, str(value), "dim italic"), here
        elif isinstance(value, dict) and not _is_one(value, here, origins):
            yield len(path), _line(key, ""), here if _came_whole(value, here, origins) else ()
            yield from _lines(value, here, origins)
        else:
            yield len(path), _line(key, flow(value)), here


def _is_one(value: dict[str, Any], path: tuple[str, ...], origins: dict[str, str]) -> bool:
    flat = not any(isinstance(inner, dict) or key == "evidence" for key, inner in value.items())
    return flat and len(path) > 1 and _came_whole(value, path, origins)


def _came_whole(value: dict[str, Any], path: tuple[str, ...], origins: dict[str, str]) -> bool:
    files = {origins.get(".".join((*path, key)), "").rpartition(":")[0] for key in value}
    return files <= {origins.get(".".join(path), "").rpartition(":")[0]}


def flow(value: Any) -> str:  # noqa: ANN401 - any value of a file
    """Return a value in YAML's flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return str(value)


def _undisturbed(expected: dict[str, Any], published: dict[str, dict[str, Any]]) -> Table:
    table = _table("", "expected", "published", "source")
    for name, label in FIGURES.items():
        known = published.get(name)
        spread = f" ± {expected['pages_sd']:.1f}" if name == "pages" else ""
        mark = _outside(expected[name], known)
        value = Text(figure(name, expected[name]) + spread + mark, "yellow" if mark else "")
        table.add_row(label, value, _range(name, known), Text(known["source"] if known else "", "dim"))
    table.add_row("engaged", f"{expected['engaged_s']:.0f} s", "", Text("think times alone, no waiting", "dim"))
    return table


def _outside(value: float, known: dict[str, Any] | None) -> str:
    """Return an arrow where a figure lies below or above what is published."""
    if known is None or known["low"] <= value <= known["high"]:
        return ""
    return " ↓" if value < known["low"] else " ↑"


def _range(name: str, known: dict[str, Any] | None) -> str:
    if known is None:
        return ""
    if name == "pages":
        return f"{known['low']:g}-{known['high']:g}"
    return f"{100 * known['low']:g}-{100 * known['high']:g} %"


def _by_state(expected: dict[str, Any]) -> Table:
    table = _table("state", "pages", "ends here")
    for state, pages in expected["visits"].items():
        if pages > 0:
            table.add_row(state, f"{pages:.3f}", figure("exits", expected["exits"][state]))
    return table


def _quantiles(distributions: Sequence[dict[str, Any]]) -> Table:
    columns = ("p10", "p50", "p90", "p99", "mean")
    table = _table("quantity", *columns, "unit")
    for one in distributions:
        table.add_row(one["name"], *(_short(one[column]) for column in columns), Text(one["unit"], "dim"))
    return table


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.3g}"


def _waiting(stages: dict[str, dict[str, float]]) -> Table:
    waits = list(next(iter(stages.values())))
    table = _table("stage", *(wait.removesuffix("s") + " s" for wait in waits))
    for stage, shares in stages.items():
        table.add_row(stage, *(figure("share", share) for share in shares.values()))
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
    table.add_column(first, no_wrap=True)
    for name in others:
        told = name in {"source", "unit"}
        table.add_column(name, justify="left" if told else "right", no_wrap=not told)
    return table
