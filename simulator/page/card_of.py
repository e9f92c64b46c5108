"""A page card (tier T0) from a page: what must come before the first paint and the main content, and whose calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.page.card import Call, PageCard
from simulator.page.load import SCRIPT_S_PER_KB
from simulator.page.predict import Conditions, simulate
from simulator.page.where import network

if TYPE_CHECKING:
    from simulator.page.card import Placement
    from simulator.page.graph import PageGraph
    from simulator.page.read import PageSource

NETWORK, SLOWDOWN = "lte", 4.0
"""Where the card is cut: which bytes come before a paint depends, a little, on the network and the phone."""
PUSHED_S, MOVED = 1.0, 0.3
"""A call is made so much slower; when a milestone moves by this share of it, the milestone waits for the call."""


class FoundCall(NamedTuple):
    """A call of the page, and what it holds."""

    url: str
    placement: Placement


def calls_of(source: PageSource) -> list[FoundCall]:
    """Return the page's calls with their placements, found by making each of them slower and looking at what moves."""
    graph, on = source.graphs[0], _conditions(source)
    base = simulate(graph, on).seconds
    found = [FoundCall(source.url, "blocking")]
    for number, one in enumerate(source.loads[0].requests):
        if one.kind == "fetch":
            moved = simulate(_slower(graph, number), on).seconds["lcp"] - base["lcp"]
            found.append(FoundCall(one.url, "lcp" if moved > MOVED * PUSHED_S else "deferred"))
    return found


def card_of(source: PageSource, calls: dict[str, str]) -> PageCard:
    """Return the card of a page; `calls` maps operations to a part of the URL that serves them."""
    graph, on = source.graphs[0], _conditions(source)
    played = simulate(graph, on)
    seconds, sizes = played.seconds, graph.requests["wire_bytes"]
    ends = np.nan_to_num(played.requests["end"], nan=np.inf)
    first = ends <= seconds["fcp"]
    first[: graph.document + 1] = False
    content = (ends > seconds["fcp"]) & (ends <= seconds["lcp"])
    started = played.tasks["start"] <= seconds["lcp"]
    work_s = float(graph.tasks["work_s"][started].sum()) * source.speed
    return PageCard(
        calls=_calls(source, calls),
        document_bytes=int(sizes[graph.document]),
        critical_bytes=int(sizes[first].sum()),
        content_bytes=int(sizes[content].sum()),
        script_kb=round(work_s / SCRIPT_S_PER_KB, 1),
        evidence=f"cut from {source.url} ({source.tier}, {source.browser}) at {NETWORK} and {SLOWDOWN:g}x",
    )


def _calls(source: PageSource, wanted: dict[str, str]) -> list[Call]:
    """Return the wanted operations that the page calls. Raises `ValueError` for one that it does not."""
    found, made = calls_of(source), []
    for operation, part in wanted.items():
        match = next((one for one in found if part in one.url), None)
        if match is None:
            raise ValueError(f"no call of the page has {part!r} in its URL")
        made.append(Call(op=operation, placement=match.placement))
    return made


def _conditions(source: PageSource) -> Conditions:
    place = network(NETWORK)
    return Conditions(place.rtt_ms, place.down_kbps, place.up_kbps, cpu=SLOWDOWN * source.speed)


def _slower(graph: PageGraph, number: int) -> PageGraph:
    requests = graph.requests.copy()
    requests["wait_s"][number] += PUSHED_S
    return graph._replace(requests=requests)
