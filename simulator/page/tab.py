"""What a page load's simulation works on: where each request and task stands, and what is to happen when. Compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.model.compiled import compiled, record_dtype

if TYPE_CHECKING:
    from numpy.typing import NDArray

ASKED, ANSWERED, HELLO, READY, DONE, BACKUP = range(6)
"""Kinds of events: a request is at the server, its answer is ready, a step of a handshake is there, a task can run, a
task ran, and a connection has taken long to open."""
REQUEST_STATE = record_dtype(
    [
        ("found", "f8"),
        ("asked", "f8"),
        ("first", "f8"),
        ("end", "f8"),
        ("got", "f8"),
        ("state", "i8"),
        ("priority", "i8"),
    ]
)
"""When a request was discovered, sent, first and last answered (NaN before); `state` is one of the next."""
UNKNOWN, HELD, WAITS, SENT = range(4)
TASK_STATE = record_dtype([("unmet", "i8"), ("start", "f8"), ("end", "f8")])
TAB = record_dtype(
    [
        ("heap", "i8"),
        ("running", "i8"),
        ("queue_first", "i8"),
        ("queue_last", "i8"),
        ("delayable", "i8"),
        ("scan", "i8"),
        ("committed", "i8"),
        ("raised", "i8"),
        ("conns", "i8"),
        ("now", "f8"),
        ("cpu", "f8"),
        ("in_turn", "i8"),
        ("resolve", "i8"),
        ("warm", "i8"),
        ("document", "i8"),
        ("first_paint", "i8"),
        ("head", "i8"),
        ("loading", "i8"),
        ("middling", "i8"),
    ]
)
"""One row: where the browser stands. `head` is what keeps the parser in the document's head, `loading` counts requests
under way but for the document's, and `middling` those of them that have medium priority."""
EVENT = record_dtype([("at", "f8"), ("kind", "i8"), ("which", "i8")])


class Tab(NamedTuple):
    """Everything a simulation works on."""

    requests: NDArray[Any]
    tasks: NDArray[Any]
    scan: NDArray[Any]
    request_tasks: tuple[NDArray[Any], NDArray[Any]]
    task_tasks: tuple[NDArray[Any], NDArray[Any]]
    task_requests: tuple[NDArray[Any], NDArray[Any]]
    request_requests: tuple[NDArray[Any], NDArray[Any]]
    state: NDArray[Any]
    """(R,) of REQUEST_STATE."""
    work: NDArray[Any]
    """(T,) of TASK_STATE."""
    events: NDArray[Any]
    """A heap of EVENT."""
    queue: NDArray[Any]
    """(T,) tasks in the order in which they could run."""
    tab: NDArray[Any]
    """(1,) of TAB."""
    link: NDArray[Any]
    packets: NDArray[Any]
    conns: NDArray[Any]
    streams: NDArray[Any]


@compiled
def push(sim: Tab, at: float, kind: int, which: int) -> None:
    """Put an event into the heap."""
    events = sim.events
    here = sim.tab[0].heap
    sim.tab[0].heap = here + 1
    while here > 0:
        parent = (here - 1) // 2
        if events[parent].at <= at:
            break
        events[here] = events[parent]
        here = parent
    one = events[here]
    one.at, one.kind, one.which = at, kind, which


@compiled
def drop_first(sim: Tab) -> None:
    """Take the first event out of the heap."""
    events = sim.events
    last = sim.tab[0].heap - 1
    sim.tab[0].heap = last
    at, here = events[last].at, 0
    while True:
        child = 2 * here + 1
        if child >= last:
            break
        if child + 1 < last and events[child + 1].at < events[child].at:
            child += 1
        if events[child].at >= at:
            break
        events[here] = events[child]
        here = child
    events[here] = events[last]
