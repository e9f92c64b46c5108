"""Packets of a page load: one bottleneck queue each way, and Linux's TCP (slow start, HyStart, CUBIC) at the server.

Compiled. Packets go in pairs, because a receiver acknowledges every second one (RFC 9293, 3.8.6.3). Every
connection's packets leave one queue with one delay behind it, so that they arrive, and are acknowledged, in the order
in which they were put in: no heap is needed for them, three marks in one array do.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from simulator.model.compiled import compiled, record_dtype

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAYLOAD, FRAMED, CONTROL_BYTES = 1_448, 1_500.0, 60.0
"""Bytes of content in a packet with TCP timestamps, of the whole packet, and of one without content."""
INITIAL_WINDOW = 10.0
"""Packets (RFC 6928)."""
LOW_WINDOW, MIN_SAMPLES = 16.0, 8
"""HyStart looks from this window on, at so many round trips of each round (Linux, net/ipv4/tcp_cubic.c)."""
LEAST_RISE_S, MOST_RISE_S = 0.004, 0.016
"""Bounds of the rise of the round trip, an eighth of it, that ends slow start (same)."""
TRAIN_GAP_S = 0.002
"""Acknowledgements nearer than this are one train (same)."""
PAIR = 2
CUBIC_C, CUBIC_BETA = 0.4, 0.7
"""RFC 9438; 717/1024 in Linux."""
MOST_PER_GROWTH = 20.0
"""Before the first loss a window grows by at least one packet for so many acknowledged (tcp_cubic.c)."""
LEAST_TIMEOUT_S = 0.2
"""Linux's least retransmission timeout; an idle connection halves its window each (RFC 5681, 4.1)."""

PACKET = record_dtype(
    [
        ("conn", "i4"),
        ("request", "i4"),
        ("payload", "i4"),
        ("count", "i4"),
        ("lost", "i1"),
        ("held", "i1"),
        ("again", "i1"),
        ("sent", "f8"),
        ("leaves", "f8"),
    ]
)
CONN = record_dtype(
    [
        ("pool", "i8"),
        ("state", "i8"),
        ("steps", "i8"),
        ("busy", "i8"),
        ("streams", "i8"),
        ("turn", "i8"),
        ("window", "f8"),
        ("threshold", "f8"),
        ("flying", "i8"),
        ("least_rtt", "f8"),
        ("round_rtt", "f8"),
        ("samples", "i8"),
        ("round_start", "f8"),
        ("round_end", "i8"),
        ("last_ack", "f8"),
        ("last_sent", "f8"),
        ("epoch", "f8"),
        ("origin", "f8"),
        ("k", "f8"),
        ("most", "f8"),
        ("reduced", "f8"),
        ("holes", "i8"),
    ]
)
"""One TCP connection; windows in packets."""
LINK = record_dtype(
    [
        ("half_s", "f8"),
        ("down_s", "f8"),
        ("up_s", "f8"),
        ("loss", "f8"),
        ("queue", "i8"),
        ("seed", "u8"),
        ("down_free", "f8"),
        ("up_free", "f8"),
        ("left", "i8"),
        ("delivered", "i8"),
        ("acked", "i8"),
        ("tail", "i8"),
    ]
)
"""The way: half a round trip, seconds a byte, the share lost, packets a queue holds; then marks into the packets."""


STREAM = record_dtype([("left", "i8"), ("conn", "i8"), ("urgency", "i8"), ("fresh", "i8")])
"""One row a request: bytes of the answer that its server has not sent yet, the connection that carries it (-1 before),
its priority (0 first), and whether nothing of the answer was sent yet: its first packet goes alone.

Functions take single rows where they can: in compiled code each array that is passed is counted, each time.
"""


@compiled
def draw(seed: int, number: int) -> float:
    """Return a number in [0, 1) that belongs to a packet (the finaliser of MurmurHash3, 32 bits)."""
    z = (seed + number * 0x9E3779B9) & 0xFFFFFFFF
    z = ((z ^ (z >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    z = ((z ^ (z >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return (z ^ (z >> 16)) / 4294967296.0


@compiled
def uplink(link: Any, now: float, size: float) -> float:  # noqa: ANN401 - a record of LINK
    """Send bytes up; return when they are at the server."""
    link.up_free = max(link.up_free, now) + size * link.up_s
    return float(link.up_free + link.half_s)


@compiled
def put(
    link: Any,  # noqa: ANN401 - a record of LINK
    packets: NDArray[Any],
    now: float,
    conn: int,
    request: int,
    payload: int,
    again: int,
) -> None:
    """Put a packet into the queue to the phone; a full queue loses it, so does the radio by chance.

    Handshakes (`request` below 0) are never lost: their timeouts of a second are not modelled.
    """
    number = link.tail
    if number >= len(packets):
        return
    while link.left < number and packets[link.left].leaves <= now:
        link.left += 1
    packet = packets[number]
    packet.conn, packet.request, packet.payload, packet.sent = conn, request, payload, now
    packet.count = (payload + PAYLOAD - 1) // PAYLOAD
    packet.held, packet.again = 0, again
    full = number - link.left >= link.queue
    lost = full or (link.loss > 0.0 and draw(link.seed, number) < link.loss * packet.count)
    packet.lost = 1 if lost and request >= 0 else 0
    if not full or request < 0:
        size = payload + (FRAMED - PAYLOAD) * packet.count if payload else CONTROL_BYTES
        link.down_free = max(link.down_free, now) + size * link.down_s
    packet.leaves = max(link.down_free, now)
    link.tail = number + 1


@compiled
def restart_idle(conn: Any, now: float) -> None:  # noqa: ANN401 - a record of CONN
    """Halve the window for each timeout that a connection was idle."""
    if conn.flying == 0 and conn.last_sent > 0.0:
        timeout = max(LEAST_TIMEOUT_S, 2.0 * conn.least_rtt)
        idle = now - conn.last_sent
        while idle > timeout and conn.window > INITIAL_WINDOW:
            conn.window = max(conn.window / 2.0, INITIAL_WINDOW)
            idle -= timeout


@compiled
def next_stream(streams: NDArray[Any], one: Any, conn: int, in_turn: bool) -> int:  # noqa: ANN401 - a record of CONN
    """Return the request whose answer the connection sends next, or -1: the most urgent, or each in turn."""
    if one.busy >= 0:
        return one.busy if streams[one.busy].left > 0 else -1
    found, best = -1, 1 << 30
    count = len(streams)
    for step in range(count):
        request = (one.turn + step) % count if in_turn else step
        stream = streams[request]
        if stream.conn == conn and stream.left > 0:
            if in_turn:
                one.turn = request + 1
                return request
            if stream.urgency < best:
                found, best = request, stream.urgency
    return found


@compiled
def send(
    link: Any,  # noqa: ANN401 - a record of LINK
    packets: NDArray[Any],
    streams: NDArray[Any],
    one: Any,  # noqa: ANN401 - a record of CONN
    conn: int,
    now: float,
    in_turn: bool,
) -> None:
    """Send what the window of connection number `conn` allows."""
    restart_idle(one, now)
    while one.flying < one.window:
        request = next_stream(streams, one, conn, in_turn)
        if request < 0:
            return
        stream = streams[request]
        alone = stream.fresh or one.flying + 1 >= one.window
        payload = min(PAYLOAD if alone else PAIR * PAYLOAD, stream.left)
        stream.fresh = 0
        stream.left -= payload
        put(link, packets, now, conn, request, payload, 0)
        one.flying += (payload + PAYLOAD - 1) // PAYLOAD
        one.last_sent = now


@compiled
def acknowledge(
    link: Any,  # noqa: ANN401 - a record of LINK
    packets: NDArray[Any],
    one: Any,  # noqa: ANN401 - a record of CONN
    now: float,
    number: int,
) -> None:
    """Take the acknowledgement of a packet, or learn that it was lost: then the window shrinks and it is sent again."""
    packet = packets[number]
    if not packet.lost:
        one.flying -= packet.count
        grow(link, packet, one, now, number)
        return
    if packet.sent > one.reduced:
        one.most = one.window
        one.window = max(one.window * CUBIC_BETA, 2.0)
        one.threshold, one.reduced, one.epoch = one.window, now, 0.0
    put(link, packets, now, packet.conn, packet.request, packet.payload, 1)


@compiled
def grow(link: Any, packet: Any, one: Any, now: float, number: int) -> None:  # noqa: ANN401 - records
    """Grow the window by what was acknowledged."""
    rtt = now - packet.sent
    one.least_rtt = min(one.least_rtt, rtt)
    count = packet.count
    slow = one.window < one.threshold
    limited = one.flying + count >= (one.window / 2.0 if slow else one.window - PAIR)
    if number >= one.round_end:
        one.round_end, one.round_start, one.last_ack = link.tail, now, now
        one.samples, one.round_rtt = 0, math.inf
    if slow:
        if one.window >= LOW_WINDOW:
            end_slow_start(one, now, rtt)
        if limited:
            one.window += count
    elif limited:
        one.window += count / cubic_count(one, now)


@compiled
def end_slow_start(one: Any, now: float, rtt: float) -> None:  # noqa: ANN401 - a record of CONN
    """HyStart: leave slow start when the round trip has risen, or a train of acknowledgements is half of one long."""
    if now - one.last_ack <= TRAIN_GAP_S:
        one.last_ack = now
        if now - one.round_start > one.least_rtt / 2.0:
            one.threshold = one.window
    one.samples += 1
    one.round_rtt = min(one.round_rtt, rtt)
    rise = min(max(one.least_rtt / 8.0, LEAST_RISE_S), MOST_RISE_S)
    if one.samples >= MIN_SAMPLES and one.round_rtt > one.least_rtt + rise:
        one.threshold = one.window


@compiled
def cubic_count(one: Any, now: float) -> float:  # noqa: ANN401 - a record of CONN
    """Return how many packets must be acknowledged for the window to grow by one (RFC 9438; tcp_cubic.c)."""
    if one.epoch == 0.0:
        one.epoch = now
        one.origin = max(one.most, one.window)
        one.k = math.pow(max(one.most - one.window, 0.0) / CUBIC_C, 1.0 / 3.0)
    target = one.origin + CUBIC_C * math.pow(now - one.epoch + one.least_rtt - one.k, 3.0)
    count = one.window / (target - one.window) if target > one.window else 100.0 * one.window
    if one.most == 0.0:
        count = min(count, MOST_PER_GROWTH)
    return float(max(count, 2.0))
