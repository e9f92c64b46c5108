"""The event-driven page load: requests, connections and the main thread of one browser tab, compiled.

What layout finds in view becomes urgent; one task runs at a time (`simulator.page.thread`). Which request goes out
when is `simulator.page.connecting`'s, packets are `simulator.page.flow`'s.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.model.compiled import compiled
from simulator.page.connecting import (
    MOST_CONNS,
    OPENING,
    bind,
    connections,
    discover,
    open_connection,
    release,
    request_of,
    shake,
)
from simulator.page.flow import CONN, PACKET, PAYLOAD, STREAM, acknowledge, put, send
from simulator.page.graph import DELAYABLE
from simulator.page.tab import (
    ANSWERED,
    ASKED,
    BACKUP,
    EVENT,
    HELLO,
    READY,
    REQUEST_STATE,
    TAB,
    TASK_STATE,
    Tab,
    drop_first,
    push,
)
from simulator.page.thread import finish, leave_head, meet, parse, run_next

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLIGHT_BYTES = 3_000
"""A TLS 1.3 server's answer with its certificates."""
FLIGHT_PART, FLIGHT_END = -2, -1
"""What stands for a request in packets of a handshake: only the last one of an answer is a step."""
EXTRA_PACKETS = 4_096
MOST_STEPS = 4_000_000


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
def deliver(sim: Tab, request: int, payload: int) -> None:
    """Take content of an answer."""
    one, tab = sim.state[request], sim.tab[0]
    if math.isnan(one.first):
        one.first = tab.now
        if request == tab.document and len(sim.work):
            meet(sim, 0)
    one.got += payload
    if request == tab.document:
        parse(sim)
    if one.got >= sim.requests[request].wire_bytes:
        end(sim, request)


@compiled
def end(sim: Tab, request: int) -> None:
    """Complete an answer: its connection is free, and what waits for its content can go on."""
    one, tab = sim.state[request], sim.tab[0]
    one.end = tab.now
    row = sim.requests[request]
    if request > tab.document:
        tab.loading -= 1
        tab.middling -= 1 if one.priority == DELAYABLE else 0
    if row.protocol == 0:
        conn = sim.streams[request].conn
        sim.conns[conn].busy = -1
        if one.priority >= DELAYABLE:
            tab.delayable -= 1
            release(sim)
        bind(sim, row.pool)
    if row.head:
        leave_head(sim)
    elif tab.head:
        release(sim)
    # Edges are walked here and in `finish`, not by one function for both: a call that passes all of Tab costs more than
    # the walk, an eighth of the loads a second.
    starts, targets = sim.request_tasks
    for edge in range(starts[request], starts[request + 1]):
        meet(sim, targets[edge])
    starts, targets = sim.request_requests
    for edge in range(starts[request], starts[request + 1]):
        discover(sim, targets[edge])


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
        greet(sim, which)
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
def greet(sim: Tab, conn: int) -> None:
    """Let the server answer a step of a handshake."""
    one, now = sim.conns[conn], sim.tab[0].now
    one.least_rtt = min(one.least_rtt, 2.0 * sim.link[0].half_s)
    size = 0 if one.steps == 1 + sim.requests[request_of(sim, one.pool)].setups else FLIGHT_BYTES
    while size > PAYLOAD:
        put(sim.link[0], sim.packets, now, conn, FLIGHT_PART, PAYLOAD, 0)
        size -= PAYLOAD
    put(sim.link[0], sim.packets, now, conn, FLIGHT_END, size, 0)


@compiled
def run(sim: Tab) -> None:
    """Play until nothing is under way any more."""
    tab, link, packets, events, conns = sim.tab[0], sim.link[0], sim.packets, sim.events, sim.conns
    requests, state, streams = sim.requests, sim.state, sim.streams
    in_turn, document = tab.in_turn != 0, tab.document
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
            plain = packet.request > document and not packet.lost and not packet.again and not conns[packet.conn].holes
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
    document: int,
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
    tab[0].running, tab[0].cpu, tab[0].now = -1, cpu, start_s
    tab[0].in_turn, tab[0].resolve, tab[0].warm = int(in_turn), int(resolve), int(warm)
    tab[0].document, tab[0].first_paint = document, first_paint
    for task in range(jobs):
        tab[0].head += tasks[task].head
    for request in range(count):
        tab[0].head += requests[request].head
    events = np.zeros(4 * count + 2 * jobs + pools * MOST_CONNS * 3 + 16, EVENT)
    sim = Tab(
        requests, tasks, scan, request_tasks, task_tasks, task_requests, request_requests,
        state, work, events, np.zeros(jobs + 1, np.int64), tab,
        link, packets, np.zeros(pools * MOST_CONNS, CONN), streams,
    )  # fmt: skip
    run(sim)
    return state, work, tab[0].conns
