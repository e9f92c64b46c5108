"""How long a page takes on a network and a device: the event-driven model played, and how sure it is."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.page.engine import play
from simulator.page.flow import LINK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulator.page.graph import PageGraph

METRICS = ("ttfb", "fcp", "lcp", "load", "idle")
"""First byte, first contentful paint, largest contentful paint, load event, last byte: seconds from the navigation."""
DEEP_QUEUE = 1_000
"""Packets that the link holds: netem's default, as in WebPageTest; mobile networks are about as deep."""
RUNS = 9
"""Loads that a prediction is the median of."""
GOLDEN = 0.6180339887498949
WAIT_SPREAD, WAIT_JITTER_S, CPU_SPREAD, RATE_SPREAD = 0.1, 0.004, 0.1, 0.01
"""Half widths: of server times, what is added to them at most, of the processor and of the link (assumed)."""
CPU_EXPONENT = 1.0
"""How a slower processor stretches work (calibrated: `docs/accuracy.md`)."""


class CannotPredictError(ValueError):
    """The page cannot be played to its end."""


@dataclass(frozen=True)
class Conditions:
    """A network and a device. `cpu` is how much slower than the recording's machine; `resolve` adds a lookup a host."""

    rtt_ms: float
    down_kbps: float
    up_kbps: float
    loss: float = 0.0
    cpu: float = 1.0
    promotion_s: float = 0.0
    resolve: bool = False
    warm: bool = False
    in_turn: bool = False
    queue: int = DEEP_QUEUE
    seed: int = 0


@dataclass(frozen=True)
class Played:
    """One simulated load: seconds of each metric, and what happened to every request and task."""

    seconds: dict[str, float]
    requests: NDArray[Any]
    """(R,) of `simulator.page.tab.REQUEST_STATE`."""
    tasks: NDArray[Any]
    """(T,) of `simulator.page.tab.TASK_STATE`."""
    connections: int


def simulate(graph: PageGraph, on: Conditions) -> Played:
    """Load a page once. Raises `CannotPredictError` when it cannot come to its end."""
    link = np.zeros(1, LINK)
    row = link[0]
    row["half_s"], row["down_s"], row["up_s"] = on.rtt_ms / 2e3, 0.008 / on.down_kbps, 0.008 / on.up_kbps
    row["loss"], row["queue"], row["seed"] = on.loss, on.queue, on.seed
    state, work, connections = play(
        graph.requests, graph.tasks, graph.scan,
        graph.request_tasks, graph.task_tasks, graph.task_requests, graph.request_requests,
        graph.pools, graph.document, graph.first_paint, link,
        on.promotion_s, math.pow(on.cpu, CPU_EXPONENT), on.in_turn, on.resolve, on.warm,
    )  # fmt: skip
    if np.isnan(state["end"][graph.document]) or np.isnan(work["end"][graph.first_paint]):
        raise CannotPredictError("the page's first paint waits for something that never comes")
    return Played(_seconds(graph, state, work), state, work, connections)


def _seconds(graph: PageGraph, state: NDArray[Any], work: NDArray[Any]) -> dict[str, float]:
    fcp = work["end"][graph.first_paint] + graph.paint_s[0]
    lcp = work["end"][graph.largest_paint] + graph.paint_s[1]
    return {
        "ttfb": float(state["first"][graph.document]),
        "fcp": float(fcp),
        "lcp": float(max(fcp, lcp) if not math.isnan(lcp) else fcp),
        "load": _load_event(graph, state, work),
        "idle": float(np.nanmax(state["end"])),
    }


def _load_event(graph: PageGraph, state: NDArray[Any], work: NDArray[Any]) -> float:
    """Return when the load event fires: the parser is done, and whatever was asked for before has come.

    Then the main thread has to be free.
    """
    done = max(float(work["end"][graph.parser_end]), float(state["end"][graph.document]))
    for number in np.argsort(state["found"], kind="stable"):
        one = state[number]
        if not graph.holds_load[number] or math.isnan(one["end"]):
            continue
        if one["found"] > done:
            break
        task = graph.handled[number]
        handled = float(work["end"][task]) if task >= 0 and not math.isnan(work["end"][task]) else 0.0
        done = max(done, float(one["end"]), handled)
    busy = work[(work["start"] <= done) & (work["end"] > done)]
    return float(busy["end"].max()) if len(busy) else done


def spread(graph: PageGraph, on: Conditions, runs: int) -> dict[str, NDArray[np.float64]]:
    """Return each metric over `runs` loads of which none is quite like another (runs,).

    Who comes first into a queue decides over round trips, and milliseconds decide who comes first: a page has not one
    load time but a few. Server times, the main thread's speed and the link's rate vary a little from run to run, in a
    fixed pattern of low discrepancy (Kronecker's, by the generalised golden ratio; Roberts 2018).
    """
    found = np.empty((runs, len(METRICS)))
    for run in range(runs):
        shaken, cpu, rate = _shaken(graph, run)
        varied = replace(on, cpu=on.cpu * cpu, down_kbps=on.down_kbps * rate, seed=on.seed + run)
        seconds = simulate(shaken, varied).seconds
        found[run] = [seconds[name] for name in METRICS]
    return dict(zip(METRICS, found.T, strict=True))


def _shaken(graph: PageGraph, run: int) -> tuple[PageGraph, float, float]:
    """Return the graph with its server times varied, and factors for the processor and the link."""
    if run == 0:
        return graph, 1.0, 1.0
    count = len(graph.requests)
    at = (0.5 + run * GOLDEN + np.arange(count + 2) * GOLDEN**2 * run) % 1.0
    requests = graph.requests.copy()
    requests["wait_s"] = (
        requests["wait_s"] * (1.0 + WAIT_SPREAD * (2.0 * at[:count] - 1.0)) + WAIT_JITTER_S * at[:count]
    )
    factors = 1.0 + np.array([CPU_SPREAD, RATE_SPREAD]) * (2.0 * at[count:] - 1.0)
    return graph._replace(requests=requests), float(factors[0]), float(factors[1])


def middle(graphs: Sequence[PageGraph], on: Conditions, runs: int = RUNS) -> dict[str, float]:
    """Return the median of each metric over several recorded loads of one page, and over `runs` of each."""
    found = [spread(graph, on, runs) for graph in graphs]
    return {name: float(np.median(np.concatenate([one[name] for one in found]))) for name in METRICS}
