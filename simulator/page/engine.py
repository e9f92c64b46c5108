"""The event-driven page load: requests, connections and the main thread of one browser tab, compiled.

Chromium's rules: six connections a host with HTTP/1.1, one with HTTP/2 and 3; sockets are bound late, to the most
urgent request that waits; at most ten delayable requests are under way; what layout finds in view becomes urgent; one
task runs at a time. Packets are `simulator.page.flow`'s.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.model.compiled import compiled, record_dtype
from simulator.page.flow import (
    CONN,
    INITIAL_WINDOW,
    PACKET,
    PAYLOAD,
    STREAM,
    acknowledge,
    put,
    send,
    uplink,
)
from simulator.page.graph import DELAYABLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_CONNS, MOST_DELAYABLE = 6, 10
"""Chromium: sockets a host, and delayable requests under way."""
HELLO_BYTES, FLIGHT_BYTES = 1_800.0, 3_000
"""What a TLS 1.3 client sends first (with a post-quantum key share), and a server's answer with its certificates."""
BACKUP_S = 0.25
"""When a host's first connection takes longer, Chromium opens a second (net/socket/transport_connect_job)."""
ASKED, ANSWERED, HELLO, READY, DONE, BACKUP = range(6)
"""Kinds of events: a request is at the server, its answer is ready, a step of a handshake is there, a task can run, a
task ran, and a connection has taken long to open."""
FLIGHT_PART, FLIGHT_END = -2, -1
"""What stands for a request in packets of a handshake: only the last one of an answer is a step."""
CLOSED, OPENING, OPEN = range(3)
EXTRA_PACKETS = 4_096
MOST_STEPS = 4_000_000

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
        ("open", "i8"),
        ("now", "f8"),
        ("cpu", "f8"),
        ("in_turn", "i8"),
        ("resolve", "i8"),
        ("warm", "i8"),
        ("first_paint", "i8"),
    ]
)
"""One row: where the browser stands."""
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


@compiled
def discover(sim: Tab, request: int) -> None:
    """Let a request wait for a connection, or hold it back where too many like it are under way."""
    one, tab = sim.state[request], sim.tab[0]
    if one.state != UNKNOWN:
        return
    one.found = tab.now
    row = sim.requests[request]
    one.priority = row.raised if tab.raised else row.priority
    sim.streams[request].urgency = one.priority
    if row.protocol == 0 and one.priority >= DELAYABLE and tab.delayable >= MOST_DELAYABLE:
        one.state = HELD
        return
    schedule(sim, request)


@compiled
def schedule(sim: Tab, request: int) -> None:
    """Let a request wait for a connection of its host."""
    one = sim.state[request]
    one.state = WAITS
    if sim.requests[request].protocol == 0 and one.priority >= DELAYABLE:
        sim.tab[0].delayable += 1
    bind(sim, sim.requests[request].pool)


@compiled
def release(sim: Tab) -> None:
    """Let held requests go while there is room, the most urgent first."""
    state = sim.state
    while True:
        found = -1
        for request in range(len(state)):
            one = state[request]
            if one.state == HELD and (found < 0 or one.priority < state[found].priority):
                found = request
        if found < 0:
            return
        if state[found].priority >= DELAYABLE and sim.tab[0].delayable >= MOST_DELAYABLE:
            return
        schedule(sim, found)


@compiled
def bind(sim: Tab, pool: int) -> None:  # noqa: C901 - one loop of a compiled function
    """Give waiting requests of a host to its connections, the most urgent first, and open new ones."""
    state = sim.state
    requests = sim.requests
    conns = sim.conns
    while True:
        best, waiting = -1, 0
        for request in range(len(state)):
            if state[request].state == WAITS and requests[request].pool == pool:
                waiting += 1
                if best < 0 or state[request].priority < state[best].priority:
                    best = request
        if best < 0:
            return
        multiplexed = requests[best].protocol > 0
        free, opening, count = -1, 0, 0
        for conn in range(sim.tab[0].conns):
            one = conns[conn]
            if one.pool == pool:
                count += 1
                opening += 1 if one.state == OPENING else 0
                if one.state == OPEN and (multiplexed or one.busy < 0):
                    free = conn
        if free >= 0:
            ask(sim, best, free)
            continue
        if count < (1 if multiplexed else MOST_CONNS) and opening < waiting:
            open_connection(sim, pool, best)
            if opening + 1 < waiting and not multiplexed:
                continue
        return


@compiled
def open_connection(sim: Tab, pool: int, request: int) -> None:
    """Begin a handshake; `steps` are the answers of the server that it takes."""
    tab = sim.tab[0]
    conn = tab.conns
    if conn >= len(sim.conns):
        return
    tab.conns = conn + 1
    one = sim.conns[conn]
    one.pool, one.busy, one.window, one.threshold = pool, -1, INITIAL_WINDOW, math.inf
    one.least_rtt, one.round_rtt, one.turn = math.inf, math.inf, 0
    if tab.warm and request == 0 and conn == 0:
        one.state = OPEN
        one.least_rtt = 2.0 * sim.link[0].half_s
        ask(sim, request, conn)
        return
    one.state = OPENING
    row = sim.requests[request]
    one.steps = 1 + row.setups
    if row.protocol == 0 and not is_known(sim, pool, conn):
        push(sim, tab.now + BACKUP_S, BACKUP, conn)
    wait = 2.0 * sim.link[0].half_s if tab.resolve and not is_known(sim, pool, conn) else 0.0
    push(sim, uplink(sim.link[0], tab.now, 60.0) + wait, HELLO, conn)


@compiled
def is_known(sim: Tab, pool: int, conn: int) -> bool:
    """Return whether an earlier connection has already asked for the host's address."""
    for earlier in range(conn):  # noqa: SIM110 - compiled code has no generators in any()
        if sim.conns[earlier].pool == pool:
            return True
    return False


@compiled
def connections(sim: Tab, pool: int) -> int:
    """Return how many connections a host has, open or opening."""
    count = 0
    for conn in range(sim.tab[0].conns):
        count += 1 if sim.conns[conn].pool == pool else 0
    return count


@compiled
def ask(sim: Tab, request: int, conn: int) -> None:
    """Send a request on an open connection."""
    one, now = sim.state[request], sim.tab[0].now
    one.state, one.asked = SENT, now
    sim.streams[request].conn = conn
    if sim.requests[request].protocol == 0:
        sim.conns[conn].busy = request
    push(sim, uplink(sim.link[0], now, sim.requests[request].sent_bytes), ASKED, request)


@compiled
def arrive(sim: Tab, number: int) -> None:
    """Take a packet at the phone; what came after a lost one of its connection waits for it."""
    packet = sim.packets[number]
    one = sim.conns[packet.conn]
    if packet.lost:
        one.holes += 0 if packet.again else 1
        return
    if packet.request < 0:
        shake(sim, packet.conn)
        return
    if packet.again:
        one.holes -= 1
    elif one.holes > 0 and sim.requests[packet.request].protocol < 2:
        packet.held = 1
        return
    deliver(sim, packet.request, packet.payload)
    if packet.again and one.holes == 0:
        for earlier in range(number):
            held = sim.packets[earlier]
            if held.held and held.conn == packet.conn:
                held.held = 0
                deliver(sim, held.request, held.payload)


@compiled
def shake(sim: Tab, conn: int) -> None:
    """Take a server's answer in a handshake."""
    one, now = sim.conns[conn], sim.tab[0].now
    one.steps -= 1
    if one.steps > 0:
        push(sim, uplink(sim.link[0], now, HELLO_BYTES), HELLO, conn)
        return
    if one.state == OPENING:
        one.state = OPEN
        bind(sim, one.pool)


@compiled
def deliver(sim: Tab, request: int, payload: int) -> None:
    """Take content of an answer."""
    one, tab = sim.state[request], sim.tab[0]
    if math.isnan(one.first):
        one.first = tab.now
        if request == 0 and len(sim.work):
            meet(sim, 0)
    one.got += payload
    if request == 0:
        parse(sim)
    if one.got >= sim.requests[request].wire_bytes:
        end(sim, request)


@compiled
def parse(sim: Tab) -> None:
    """Let the preload scanner find what the document names in the part that has come."""
    tab = sim.tab[0]
    while tab.committed and tab.scan < len(sim.scan):
        request = sim.scan[tab.scan]
        if sim.requests[request].at_bytes > sim.state[0].got:
            return
        tab.scan += 1
        discover(sim, request)


@compiled
def end(sim: Tab, request: int) -> None:
    """Complete an answer: its connection is free, and what waits for its content can go on."""
    one, tab = sim.state[request], sim.tab[0]
    one.end = tab.now
    tab.open -= 1
    row = sim.requests[request]
    if row.protocol == 0:
        conn = sim.streams[request].conn
        sim.conns[conn].busy = -1
        if one.priority >= DELAYABLE:
            tab.delayable -= 1
            release(sim)
        bind(sim, row.pool)
    starts, targets = sim.request_tasks
    for edge in range(starts[request], starts[request + 1]):
        meet(sim, targets[edge])
    starts, targets = sim.request_requests
    for edge in range(starts[request], starts[request + 1]):
        discover(sim, targets[edge])


@compiled
def meet(sim: Tab, task: int) -> None:
    """One of the things that a task waits for has happened."""
    one = sim.work[task]
    one.unmet -= 1
    if one.unmet == 0:
        push(sim, sim.tab[0].now + sim.tasks[task].after_s, READY, task)


@compiled
def run_next(sim: Tab) -> None:
    """Let the main thread take the task that has waited longest."""
    tab = sim.tab[0]
    if tab.running >= 0 or tab.queue_first == tab.queue_last:
        return
    task = sim.queue[tab.queue_first]
    tab.queue_first += 1
    tab.running = task
    sim.work[task].start = tab.now
    push(sim, tab.now + sim.tasks[task].work_s * tab.cpu, DONE, task)


@compiled
def finish(sim: Tab, task: int) -> None:
    """End a task: what it asked for is discovered, what follows it may run."""
    tab = sim.tab[0]
    sim.work[task].end = tab.now
    tab.running = -1
    if task == 0:
        tab.committed = 1
        parse(sim)
    starts, targets = sim.task_requests
    for edge in range(starts[task], starts[task + 1]):
        discover(sim, targets[edge])
    starts, targets = sim.task_tasks
    for edge in range(starts[task], starts[task + 1]):
        meet(sim, targets[edge])
    if task == tab.first_paint:
        raise_seen(sim)
    run_next(sim)


@compiled
def raise_seen(sim: Tab) -> None:
    """After the first layout what is in view is urgent."""
    state = sim.state
    requests = sim.requests
    tab = sim.tab[0]
    tab.raised = 1
    for request in range(len(state)):
        one, row = state[request], requests[request]
        if one.state == UNKNOWN or row.raised >= one.priority or not math.isnan(one.end):
            continue
        if one.state in (WAITS, SENT) and one.priority >= DELAYABLE and row.raised < DELAYABLE and row.protocol == 0:
            tab.delayable -= 1
        one.priority = row.raised
        sim.streams[request].urgency = row.raised
    release(sim)


@compiled
def happen(sim: Tab, kind: int, which: int) -> None:
    """Let one event happen."""
    tab = sim.tab[0]
    if kind == ASKED:
        push(sim, tab.now + sim.requests[which].wait_s, ANSWERED, which)
    elif kind == ANSWERED:
        stream = sim.streams[which]
        stream.left = int(sim.requests[which].wire_bytes)
        send(sim.link[0], sim.packets, sim.streams, sim.conns[stream.conn], stream.conn, tab.now, tab.in_turn != 0)
    elif kind == HELLO:
        one = sim.conns[which]
        one.least_rtt = min(one.least_rtt, 2.0 * sim.link[0].half_s)
        size = 0 if one.steps == 1 + sim.requests[request_of(sim, one.pool)].setups else FLIGHT_BYTES
        while size > PAYLOAD:
            put(sim.link[0], sim.packets, tab.now, which, FLIGHT_PART, PAYLOAD, 0)
            size -= PAYLOAD
        put(sim.link[0], sim.packets, tab.now, which, FLIGHT_END, size, 0)
    elif kind == READY:
        sim.queue[tab.queue_last] = which
        tab.queue_last += 1
        run_next(sim)
    elif kind == BACKUP:
        if sim.conns[which].state == OPENING and connections(sim, sim.conns[which].pool) < MOST_CONNS:
            open_connection(sim, sim.conns[which].pool, request_of(sim, sim.conns[which].pool))
    else:
        finish(sim, which)


@compiled
def request_of(sim: Tab, pool: int) -> int:
    """Return any request of a pool: all have the same handshake."""
    for request in range(len(sim.requests)):
        if sim.requests[request].pool == pool:
            return request
    return 0


@compiled
def run(sim: Tab) -> None:
    """Play until nothing is under way any more."""
    tab, link, packets, events, conns = sim.tab[0], sim.link[0], sim.packets, sim.events, sim.conns
    requests, state, streams = sim.requests, sim.state, sim.streams
    in_turn = tab.in_turn != 0
    discover(sim, 0)
    for _ in range(MOST_STEPS):
        event = events[0].at if tab.heap else math.inf
        comes = packets[link.delivered].leaves + link.half_s if link.delivered < link.tail else math.inf
        known = packets[link.acked].leaves + 2.0 * link.half_s if link.acked < link.tail else math.inf
        if event == math.inf and comes == math.inf and known == math.inf:
            return
        if comes <= event and comes <= known:
            tab.now = comes
            link.delivered += 1
            packet = packets[link.delivered - 1]
            plain = packet.request > 0 and not packet.lost and not packet.again and not conns[packet.conn].holes
            if plain and state[packet.request].got > 0.0:
                one = state[packet.request]
                one.got += packet.payload
                if one.got >= requests[packet.request].wire_bytes:
                    end(sim, packet.request)
            elif packet.request != FLIGHT_PART:
                arrive(sim, link.delivered - 1)
        elif known <= event:
            tab.now = known
            link.acked += 1
            packet = packets[link.acked - 1]
            if packet.request >= 0:
                acknowledge(link, packets, conns[packet.conn], known, link.acked - 1)
                send(link, packets, streams, conns[packet.conn], packet.conn, known, in_turn)
        else:
            tab.now = event
            kind, which = events[0].kind, events[0].which
            drop_first(sim)
            happen(sim, kind, which)


@compiled
def play(
    requests: NDArray[Any],
    tasks: NDArray[Any],
    scan: NDArray[Any],
    request_tasks: tuple[NDArray[Any], NDArray[Any]],
    task_tasks: tuple[NDArray[Any], NDArray[Any]],
    task_requests: tuple[NDArray[Any], NDArray[Any]],
    request_requests: tuple[NDArray[Any], NDArray[Any]],
    pools: int,
    first_paint: int,
    link: NDArray[Any],
    start_s: float,
    cpu: float,
    in_turn: bool,
    resolve: bool,
    warm: bool,
) -> tuple[NDArray[Any], NDArray[Any], int]:
    """Load the page once. Return the requests' states, the tasks' states, and how many connections were opened.

    The navigation begins `start_s` before anything can be sent (radio promotion); times are seconds from it.
    """
    count, jobs = len(requests), len(tasks)
    state, work = np.zeros(count, REQUEST_STATE), np.zeros(jobs, TASK_STATE)
    total = 0
    for request in range(count):
        one = state[request]
        one.found = one.asked = one.first = one.end = math.nan
        total += int(requests[request].wire_bytes) // PAYLOAD + 6
    streams = np.zeros(count, STREAM)
    for request in range(count):
        streams[request].conn, streams[request].fresh = -1, 1
    for task in range(jobs):
        work[task].unmet = tasks[task].unmet
        work[task].start = work[task].end = math.nan
    spare = EXTRA_PACKETS if link[0].loss > 0.0 or total > link[0].queue else 64
    packets = np.zeros(total + (total if link[0].loss > 0.0 else 0) + spare, PACKET)
    tab = np.zeros(1, TAB)
    tab[0].running, tab[0].cpu, tab[0].now, tab[0].open = -1, cpu, start_s, count
    tab[0].in_turn, tab[0].resolve, tab[0].warm = int(in_turn), int(resolve), int(warm)
    tab[0].first_paint = first_paint
    events = np.zeros(4 * count + 2 * jobs + pools * MOST_CONNS * 3 + 16, EVENT)
    sim = Tab(
        requests, tasks, scan, request_tasks, task_tasks, task_requests, request_requests,
        state, work, events, np.zeros(jobs + 1, np.int64), tab,
        link, packets, np.zeros(pools * MOST_CONNS, CONN), streams,
    )  # fmt: skip
    run(sim)
    return state, work, tab[0].conns
