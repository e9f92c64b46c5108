"""The closed-form page model (tier T0): connection, round trips, slow start, bandwidth, server time, device CPU.

Constants that are not the page's own are assumed; what a live run measures replaces the server's part.
"""

from __future__ import annotations

import math
from typing import Any

from simulator.model.compiled import compiled

SEGMENT_BYTES = 1_460.0
"""What a packet of 1,500 bytes carries."""
INITIAL_WINDOW_BYTES = 10.0 * SEGMENT_BYTES
"""RFC 6928: ten segments."""
SETUP_ROUND_TRIPS = 3.0
"""A cold connection: DNS, TCP, TLS 1.3, one round trip each."""
SCRIPT_S_PER_KB = 0.0004
"""Parse, compile and run on the reference desktop (assumed; Almanac pages: about 250 ms for 630 kB)."""
LN_2 = math.log(2.0)
FCP_SCRIPT_SHARE = 0.4
"""Share of the script work that stands before first paint (assumed)."""


@compiled
def transfer_s(size_bytes: float, rtt_s: float, bytes_per_s: float) -> float:
    """Return the seconds that `size_bytes` take from a fresh congestion window, after the request's round trip.

    Slow start doubles the window each round trip until the pipe is full (RFC 5681, no loss); the steps are smoothed
    so that the time grows with size and round trip, and falls with bandwidth, without jumps: the ramp ends where its
    slope is the bandwidth's.
    """
    pipe_bytes = bytes_per_s * rtt_s / LN_2
    if pipe_bytes <= INITIAL_WINDOW_BYTES:
        return size_bytes / bytes_per_s
    rounds = math.log2(pipe_bytes / INITIAL_WINDOW_BYTES)
    ramp_bytes = pipe_bytes - INITIAL_WINDOW_BYTES
    if size_bytes <= ramp_bytes:
        slow = rtt_s * math.log2(1.0 + size_bytes / INITIAL_WINDOW_BYTES)
    else:
        slow = rtt_s * rounds + (size_bytes - ramp_bytes) / bytes_per_s
    return max(slow, size_bytes / bytes_per_s)


@compiled
def recovery_s(size_bytes: float, rtt_s: float, loss: float) -> float:
    """Return the seconds that lost packets add: one round trip for each window in which any is lost.

    Fast retransmit repairs all losses of a window within a round trip (RFC 5681, RFC 6675); timeouts are left out.
    """
    windows = math.log2(1.0 + size_bytes / INITIAL_WINDOW_BYTES)
    if windows <= 0.0:
        return 0.0
    packets = size_bytes / SEGMENT_BYTES / windows
    return rtt_s * windows * (1.0 - math.pow(1.0 - loss, packets))


@compiled
def load_parts(
    page: Any,  # noqa: ANN401 - a record of PAGE
    is_first: bool,
    rtt_s: float,
    down_kbps: float,
    promotion_s: float,
    cpu_slowdown: float,
    reconnects: bool = False,
    loss: float = 0.0,
) -> tuple[float, float]:
    """Return (seconds until FCP, seconds from FCP until usable), both without any server time.

    `page` is one row of `PAGE`. The first page of a visit pays connection, radio and cold cache; one that `reconnects`
    pays the connection and the radio again. `loss` is the share of packets lost.
    """
    if page.instant:
        return 0.0, 0.0
    bytes_per_s = down_kbps * 125.0
    share = 1.0 if is_first else page.warm_share
    setup_s = promotion_s + SETUP_ROUND_TRIPS * rtt_s if is_first or reconnects else 0.0
    script_s = page.script_kb * SCRIPT_S_PER_KB * cpu_slowdown * share
    first_bytes = page.document_bytes + page.critical_bytes * share
    fcp_s = setup_s + rtt_s + transfer_s(first_bytes, rtt_s, bytes_per_s) + FCP_SCRIPT_SHARE * script_s
    call_s = rtt_s if page.has_lcp_call else 0.0
    rest_s = call_s + rtt_s + transfer_s(page.content_bytes, rtt_s, bytes_per_s) + (1.0 - FCP_SCRIPT_SHARE) * script_s
    if loss > 0.0:
        fcp_s += recovery_s(first_bytes, rtt_s, loss)
        rest_s += recovery_s(page.content_bytes, rtt_s, loss)
    return fcp_s, rest_s
