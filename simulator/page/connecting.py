"""How a browser tab asks: which request goes on which connection, and when one is opened. Compiled.

Chromium's rules: six connections a host with HTTP/1.1, one with HTTP/2 and 3; sockets are bound late, to the most
urgent request that waits; at most ten delayable requests are under way. While scripts keep the parser in the head,
those of medium priority go two at a time, and those below only where less than two of any kind are under way ("tight
mode": blink/renderer/platform/loader/fetch/resource_load_scheduler.cc).
"""

from __future__ import annotations

import math
from typing import Any

from simulator.model.compiled import compiled
from simulator.page.flow import INITIAL_WINDOW, uplink
from simulator.page.graph import DELAYABLE
from simulator.page.tab import ASKED, BACKUP, HELD, HELLO, SENT, UNKNOWN, WAITS, Tab, push

MOST_CONNS, MOST_DELAYABLE, MOST_TIGHT = 6, 10, 2
"""Chromium: sockets a host, delayable requests under way, and requests under way in tight mode."""
HELLO_BYTES = 1_800.0
"""What a TLS 1.3 client sends first, with a post-quantum key share."""
BACKUP_S = 0.25
"""When a host's first connection takes longer, Chromium opens a second (net/socket/transport_connect_job)."""
OPENING, OPEN = 1, 2


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
    if may_go(tab, one.priority, row.protocol):
        schedule(sim, request)
    else:
        one.state = HELD


@compiled
def may_go(tab: Any, priority: int, protocol: int) -> bool:  # noqa: ANN401 - a record; all of Tab costs more to pass
    """Return whether a request need not be held back."""
    if priority < DELAYABLE:
        return True
    if tab.head and tab.loading >= MOST_TIGHT and (priority > DELAYABLE or tab.middling >= MOST_TIGHT):
        return False
    return bool(protocol > 0 or tab.delayable < MOST_DELAYABLE)


@compiled
def schedule(sim: Tab, request: int) -> None:
    """Let a request wait for a connection of its host."""
    one = sim.state[request]
    one.state = WAITS
    tab = sim.tab[0]
    if request > tab.document:
        tab.loading += 1
        tab.middling += 1 if one.priority == DELAYABLE else 0
    if sim.requests[request].protocol == 0 and one.priority >= DELAYABLE:
        tab.delayable += 1
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
        if not may_go(sim.tab[0], state[found].priority, sim.requests[found].protocol):
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
def request_of(sim: Tab, pool: int) -> int:
    """Return any request of a pool: all have the same handshake."""
    for request in range(len(sim.requests)):
        if sim.requests[request].pool == pool:
            return request
    return 0


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
