"""A persona's journey as a picture: states in layers by funnel stage, edges as wide as they are probable.

States are always in the same order, so that the pictures of two personas can be laid side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.model.states import EXIT
from simulator.report.graph_layout import STAGE, Edge, plan, ways_of
from simulator.report.svg import chart, num, tag, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from simulator.report.graph_layout import Box, Plan, Way

MOST_WIDE, MOST_NARROW = 34, 22
"""Edges drawn, on a desktop and on a phone: more cannot be told apart."""
LEAST = 0.02
"""No edge below this probability is drawn, however few there are, but a state's likeliest way in or out."""
SAID = 0.04
"""No edge below this carries its figure."""


@dataclass(frozen=True, slots=True)
class Node:
    """A state as the picture tells it: shares are of its row; `guards` what must hold to enter it."""

    name: str
    enters: float
    again: float
    leaves: float
    pages: float
    think_s: float | None
    guards: tuple[str, ...]


def chosen(edges: Sequence[Edge], most: int) -> list[Edge]:
    """Return the most probable edges, and for each state the most probable way in and out; in order of their names."""
    able = sorted((e for e in edges if e.share > 0), key=lambda e: (-e.share, e.source, e.target))
    kept = {(e.source, e.target): e for e in able[:most] if e.share >= LEAST}
    for end in ("source", "target"):
        best: dict[str, Edge] = {}
        for edge in able:
            best.setdefault(getattr(edge, end), edge)
        kept |= {(e.source, e.target): e for e in best.values()}
    return [kept[key] for key in sorted(kept)]


def graph(
    name: str, title: str, nodes: Sequence[Node], edges: Sequence[Edge], width: float, *, wide: bool
) -> tuple[Markup, int, int]:
    """Return the picture, how many edges it draws, and how many it leaves out."""
    laid = plan([node.name for node in nodes], width, wide=wide)
    able = [e for e in edges if e.source in laid.boxes and e.target in laid.boxes and e.share > 0]
    drawn = chosen(able, MOST_WIDE if wide else MOST_NARROW)
    ways = ways_of(laid, drawn)
    parts = [*_heads(name), *_stage_names(laid), *(_line(name, way) for way in ways)]
    parts += [piece for node in nodes for piece in _box(node, laid.boxes[node.name], wide=wide)]
    parts += _shares(laid, ways)
    said = "; ".join(f"{e.source} to {e.target} {100 * e.share:.0f} %" for e in sorted(drawn, key=lambda e: -e.share))
    lowest = max((way.at(t / 8)[1] for way in ways for t in range(9)), default=0.0) + 14
    size = (laid.width, max(laid.height, lowest))
    return chart(name, title, said, size, parts), len(drawn), len(able) - len(drawn)


def _heads(name: str) -> list[Markup]:
    """Return the heads of the lines, one of each colour."""
    return [
        tag(
            "marker", tag("path", d="M0 0L8 4L0 8z", class_=f"head-{direction}"), id=f"{name}-{direction}",
            viewBox="0 0 8 8", refX=0.5, refY=4, markerWidth=8, markerHeight=8, markerUnits="userSpaceOnUse",
            orient="auto",
        )
        for direction in ("on", "across", "back")
    ]  # fmt: skip


def _stage_names(laid: Plan) -> list[Markup]:
    """Return the stages' names above their columns; a phone's rows are told by the boxes' colours alone."""
    if not laid.wide:
        return []
    first: dict[str, Box] = {}
    for name, box in laid.boxes.items():
        stage = STAGE.get(name, "")
        if stage not in first or (box.x, box.y) < (first[stage].x, first[stage].y):
            first[stage] = box
    return [
        text(box.x - box.half_w, box.y - box.half_h - 18, stage, "tick")
        if stage == "account"
        else text(box.x - box.half_w, 8, stage, "tick")
        for stage, box in sorted(first.items())
    ]


def _line(name: str, way: Way) -> Markup:
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = way.points
    curve = f"M{num(x0)} {num(y0)}C{num(x1)} {num(y1)} {num(x2)} {num(y2)} {num(x3)} {num(y3)}"
    edge = way.edge
    return tag(
        "path",
        tag("title", f"{edge.source} to {edge.target}: {100 * edge.share:.1f} %"),
        d=curve,
        class_=f"way way-{way.direction}",
        stroke_width=way.thickness,
        marker_end=f"url(#{name}-{way.direction})",
    )


def _box(node: Node, box: Box, *, wide: bool) -> list[Markup]:
    """Return a state: its name, its median think time, and below a bar of the share of visits that leave here."""
    left, top = box.x - box.half_w, box.y - box.half_h
    guarded = " guarded" if node.guards else ""
    think = f"{_time(node.think_s)}" if node.think_s is not None else ""
    notes = [think, f"↻{100 * node.again:.0f} %" if node.again >= 0.005 else ""]
    frame = tag(
        "rect", tag("title", _told(node)), x=left, y=top, width=2 * box.half_w, height=2 * box.half_h, rx=9,
        class_=f"state stage-{STAGE.get(node.name, 'browse')}{guarded}",
    )  # fmt: skip
    width = 2 * box.half_w - 14
    parts = [
        frame,
        text(box.x, box.y - 4, node.name, "state-name" if wide else "state-name small", "middle"),
        text(box.x, box.y + 9, " · ".join(note for note in notes if note), "tick small", "middle"),
        tag("rect", x=left + 7, y=top + 2 * box.half_h - 8, width=width, height=3.5, rx=1.75, class_="leaves-track"),
        tag("rect", x=left + 7, y=top + 2 * box.half_h - 8, width=width * node.leaves, height=3.5, rx=1.75,
            class_="leaves"),
    ]  # fmt: skip
    if node.enters >= 0.005:
        words = f"▸ {100 * node.enters:.0f} %"
        parts.append(text(left + 2, top - 4, words, "enters"))
    return parts


def _time(value_s: float) -> str:
    return f"{value_s:.2g} s" if value_s < 99.5 else f"{value_s / 60:.2g} min"


def _told(node: Node) -> str:
    """Return what a pointer that rests on a state is told."""
    told = [
        f"{node.name}: {node.pages:.3f} pages a visit",
        f"{100 * node.enters:.1f} % of visits begin here" if node.enters else "",
        f"{100 * node.again:.1f} % of its pages are followed by the same" if node.again else "",
        f"{100 * node.leaves:.1f} % by leaving",
        f"needs {', '.join(node.guards)}" if node.guards else "",
    ]
    return "; ".join(part for part in told if part)


def _shares(laid: Plan, ways: Sequence[Way]) -> list[Markup]:
    """Return the probabilities of the likeliest edges on their lines, where there is room for them."""
    taken = [(box.x, box.y, box.half_w + 2, box.half_h + 2) for box in laid.boxes.values()]
    taken += [(box.x - box.half_w + 18, box.y - box.half_h - 7, 20.0, 6.0) for box in laid.boxes.values()]
    parts = []
    for way in sorted(ways, key=lambda way: (-way.edge.share, way.edge.source, way.edge.target)):
        if way.edge.share < SAID:
            break
        words = f"{100 * way.edge.share:.0f} %"
        half_w, half_h = 3.1 * len(words), 6.5
        for t in (0.5, 0.4, 0.6, 0.3, 0.7, 0.22, 0.78):
            x, y = way.at(t)
            free = all(abs(x - a) >= half_w + b or abs(y - c) >= half_h + d for a, c, b, d in taken)
            if free and half_w <= x <= laid.width - half_w:
                taken.append((x, y, half_w, half_h))
                parts.append(text(x, y + 3.5, words, f"share share-{way.direction}", "middle"))
                break
    return parts


def nodes_of(
    entry: Mapping[str, float],
    rows: Mapping[str, Mapping[str, float]],
    visits: Mapping[str, float],
    thinks: Mapping[str, float],
    guards: Mapping[str, tuple[str, ...]],
) -> list[Node]:
    """Return the states that visits come to, in the order of `visits`."""
    return [
        Node(
            name,
            entry.get(name, 0.0),
            rows.get(name, {}).get(name, 0.0),
            rows.get(name, {EXIT: 1.0}).get(EXIT, 0.0),
            pages,
            thinks.get(name),
            guards.get(name, ()),
        )
        for name, pages in visits.items()
        if pages > 0
    ]


def edges_of(rows: Mapping[str, Mapping[str, float]]) -> list[Edge]:
    """Return the transitions between different states."""
    return [
        Edge(source, target, share)
        for source, row in rows.items()
        for target, share in row.items()
        if target not in (source, EXIT) and share > 0
    ]
