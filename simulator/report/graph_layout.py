"""Where the states of a journey stand and how its edges run: layers by funnel stage, always in the same order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from simulator.model.states import STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

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
THICKEST = 9.0


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


def ways_of(laid: Plan, edges: Sequence[Edge]) -> list[Way]:
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
