"""A persona's journey as a picture: states in layers by funnel stage, edges as wide as they are probable.

States are always in the same order, so that the pictures of two personas can be laid side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from simulator.model.states import EXIT, STATES
from simulator.report.svg import chart, num, tag, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

Side = Literal["left", "right", "top", "bottom"]
Direction = Literal["on", "across", "back"]

LAYERS: tuple[tuple[str, ...], ...] = (
    ("home", "offers", "notifications", "content", "store"),
    ("search", "category", "recommend"),
    ("product", "ar_preview", "share"),
    ("add_to_cart", "cart"),
    ("checkout", "payment", "purchase"),
)
"""Where a visit is on its way to an order; states of a later version go by their stage (`OF_STAGE`)."""
OF_STAGE = {"browse": 1, "consider": 2, "cart": 3, "pay": 4}
STAGE = {state.name: state.stage for state in STATES}
MOST_WIDE, MOST_NARROW = 34, 22
"""Edges drawn, on a desktop and on a phone: more cannot be told apart."""
LEAST = 0.02
"""No edge below this probability is drawn, however few there are, but a state's likeliest way in or out."""
SAID = 0.04
"""No edge below this carries its figure."""
THICKEST = 9.0


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


@dataclass(frozen=True, slots=True)
class Edge:
    """A transition between two different states."""

    source: str
    target: str
    share: float


@dataclass(frozen=True, slots=True)
class Box:
    """A node's place: its middle, and half its size."""

    x: float
    y: float
    half_w: float
    half_h: float
    layer: int

    def port(self, side: Side, offset: float) -> tuple[float, float]:
        """Return a point on a side, `offset` from its middle."""
        if side in ("left", "right"):
            return self.x + (self.half_w if side == "right" else -self.half_w), self.y + offset
        return self.x + offset, self.y + (self.half_h if side == "bottom" else -self.half_h)

    def room(self, side: Side) -> float:
        """Return how far from the middle of a side a port may be."""
        return (self.half_h if side in ("left", "right") else self.half_w) - 9


@dataclass(frozen=True, slots=True)
class Plan:
    """A laid out graph: boxes by state, the size of the picture, and whether layers run from left to right."""

    boxes: dict[str, Box]
    width: float
    height: float
    wide: bool


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


def layers(names: Sequence[str]) -> tuple[list[list[str]], list[str]]:
    """Return the states in their layers, empty ones left out, and those of the account, which stand apart."""
    known = {name: index for index, layer in enumerate(LAYERS) for name in layer}
    found: list[list[str]] = [[] for _ in LAYERS]
    account = [name for name in names if STAGE.get(name) == "account"]
    for name in names:
        if name not in account:
            found[known.get(name, OF_STAGE.get(STAGE.get(name, ""), 1))].append(name)
    for layer, order in zip(found, LAYERS, strict=True):
        layer.sort(key=lambda name: (order.index(name) if name in order else len(order), name))
    return [layer for layer in found if layer], account


def plan(names: Sequence[str], width: float, *, wide: bool) -> Plan:
    """Return where each state stands in a picture of this width."""
    return _wide(names, width) if wide else _narrow(names, width)


def _wide(names: Sequence[str], width: float) -> Plan:
    columns, account = layers(names)
    half_w, half_h, row, aside = 62.0, 23.0, 84.0, 30.0
    most = max((len(column) for column in columns), default=1)
    pitch = (width - 2 * (half_w + aside)) / max(len(columns) - 1, 1)
    boxes = {}
    for index, column in enumerate(columns):
        above = (most - len(column)) * row / 2
        for place, name in enumerate(column):
            boxes[name] = Box(aside + half_w + index * pitch, 30 + above + half_h + place * row, half_w, half_h, index)
    bottom = 30 + most * row
    # Between the columns, where ways down to them pass no other box.
    spread = (width - 2 * (half_w + aside)) / max(len(account), 4)
    for place, name in enumerate(account):
        boxes[name] = Box(aside + half_w + (place + 0.5) * spread, bottom + 40, half_w, half_h, len(columns))
    return Plan(boxes, width, bottom + (40 + half_h + 14 if account else 0), wide=True)


def _narrow(names: Sequence[str], width: float) -> Plan:
    columns, account = layers(names)
    rows = [part for layer in (*columns, account) for part in _split(layer)]
    half_w, half_h, pitch = 44.5, 21.0, 92.0
    boxes = {}
    for index, row in enumerate(rows):
        step = width / len(row)
        for place, name in enumerate(row):
            # Every other row a little aside, so that straight ways down pass between boxes.
            aside = (14 if index % 2 else -14) if len(row) < 3 else 0
            boxes[name] = Box(step * (place + 0.5) + aside, 8 + half_h + index * pitch, half_w, half_h, index)
    return Plan(boxes, width, 8 + len(rows) * pitch - (pitch - 2 * half_h) + 14, wide=False)


def _split(layer: Sequence[str]) -> list[list[str]]:
    """Return rows of at most three, as even as they can be."""
    rows = -(-len(layer) // 3)
    each = -(-len(layer) // rows) if rows else 1
    return [list(layer[first : first + each]) for first in range(0, len(layer), each)]


def graph(
    name: str, title: str, nodes: Sequence[Node], edges: Sequence[Edge], width: float, *, wide: bool
) -> tuple[Markup, int, int]:
    """Return the picture, how many edges it draws, and how many it leaves out."""
    laid = plan([node.name for node in nodes], width, wide=wide)
    able = [e for e in edges if e.source in laid.boxes and e.target in laid.boxes and e.share > 0]
    drawn = chosen(able, MOST_WIDE if wide else MOST_NARROW)
    ways = _ways(laid, drawn)
    parts = [*_heads(name), *_stage_names(laid), *(_line(name, way) for way in ways)]
    parts += [piece for node in nodes for piece in _box(node, laid.boxes[node.name], wide=wide)]
    parts += _shares(laid, ways)
    said = "; ".join(f"{e.source} to {e.target} {100 * e.share:.0f} %" for e in sorted(drawn, key=lambda e: -e.share))
    lowest = max((way.at(t / 8)[1] for way in ways for t in range(9)), default=0.0) + 14
    size = (laid.width, max(laid.height, lowest))
    return chart(name, title, said, size, parts), len(drawn), len(able) - len(drawn)


@dataclass(frozen=True, slots=True)
class Way:
    """An edge as a Bézier curve of four points."""

    edge: Edge
    points: tuple[tuple[float, float], ...]
    direction: Direction

    @property
    def thickness(self) -> float:
        """Return the width of its line, in proportion to its probability."""
        return max(0.9, THICKEST * self.edge.share)

    def at(self, t: float) -> tuple[float, float]:
        """Return the point at `t` from 0 to 1."""
        a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = self.points
        return a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3


def _sides(laid: Plan, edge: Edge) -> tuple[Side, Side]:
    """Return the side an edge leaves its box by, and the one it comes in by."""
    one, other = laid.boxes[edge.source], laid.boxes[edge.target]
    below = [STAGE.get(name) == "account" for name in (edge.source, edge.target)] if laid.wide else [False, False]
    if one.layer == other.layer and (below[0] or not laid.wide):
        return _beside(laid, one, other)
    if one.layer == other.layer:
        return ("right", "right") if other.y > one.y else ("left", "left")
    if any(below):
        toward: Side = "right" if (other.x > one.x) == below[1] else "left"
        return (toward, "top") if below[1] else ("top", toward)
    ways: tuple[Side, Side] = ("right", "left") if laid.wide else ("bottom", "top")
    return ways if other.layer > one.layer else (ways[1], ways[0])


def _beside(laid: Plan, one: Box, other: Box) -> tuple[Side, Side]:
    """Return the sides for two boxes of a row: below, where a third stands between them."""
    low, high = sorted((one.x, other.x))
    if any(low < box.x < high and box.layer == one.layer for box in laid.boxes.values()):
        return "bottom", "bottom"
    return ("right", "left") if other.x > one.x else ("left", "right")


def _ways(laid: Plan, edges: Sequence[Edge]) -> list[Way]:
    """Return the curves; those that share a side of a box are spread along it in the order of where they lead."""
    sides = {edge: _sides(laid, edge) for edge in edges}
    at: dict[tuple[str, Side], list[tuple[float, str, Edge]]] = {}
    for edge, (out, into) in sides.items():
        for here, there, side, role in ((edge.source, edge.target, out, "out"), (edge.target, edge.source, into, "in")):
            box = laid.boxes[there]
            order = box.y if side in ("left", "right") else box.x
            at.setdefault((here, side), []).append((order, role, edge))
    offsets: dict[tuple[Edge, str], float] = {}
    for (here, side), ends in at.items():
        ends.sort(key=lambda end: (end[0], end[1], end[2].source, end[2].target))
        room = laid.boxes[here].room(side)
        step = min(13.0, 2 * room / max(len(ends) - 1, 1))
        for place, (_, role, edge) in enumerate(ends):
            offsets[edge, role] = (place - (len(ends) - 1) / 2) * step
    return [_way(laid, edge, *sides[edge], offsets[edge, "out"], offsets[edge, "in"]) for edge in edges]


PULL: dict[Side, tuple[float, float]] = {"left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1)}


def _way(laid: Plan, edge: Edge, out: Side, into: Side, leave: float, arrive: float) -> Way:
    one, other = laid.boxes[edge.source], laid.boxes[edge.target]
    (x0, y0), (x3, y3) = one.port(out, leave), other.port(into, arrive)
    # The line ends where its head begins.
    x3, y3 = x3 + 7 * PULL[into][0], y3 + 7 * PULL[into][1]
    far = abs(x3 - x0) if out in ("left", "right") and into in ("left", "right") else abs(y3 - y0)
    around = abs(y3 - y0) * 0.16 if out in ("left", "right") else abs(x3 - x0) * 0.08
    reach = 20 + around if out == into else max(24.0, 0.42 * far)
    points = (
        (x0, y0),
        (x0 + reach * PULL[out][0], y0 + reach * PULL[out][1]),
        (x3 + reach * PULL[into][0], y3 + reach * PULL[into][1]),
        (x3, y3),
    )
    on = other.layer - one.layer
    same = STAGE.get(edge.source) == STAGE.get(edge.target) or "account" in (
        STAGE.get(edge.source), STAGE.get(edge.target),
    )  # fmt: skip
    return Way(edge, points, "across" if same or on == 0 else "on" if on > 0 else "back")


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
