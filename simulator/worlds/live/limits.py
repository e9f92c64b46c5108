"""Beyond which figures a load generator's own run cannot be trusted. Imports nothing: command lines read it too."""

from __future__ import annotations

CPU_LIMIT = 0.9
"""Share of one core above which a generator on one core cannot be trusted (Locust warns at the same 90 %)."""
LAG_LIMIT_MS = 250.0
"""p99 of start lag above which arrivals are no longer the plan's: its whole 95 % interval must lie above, for the p99
of a short run is its slowest visit, and one hiccup of the machine is charged to that visit's latency anyway."""
STALL_S = 0.1
"""A beat of the event loop later than this found it standing still: every shopper stood still with it."""
STALLED_LIMIT = 0.01
STALLED_LEAST_S = 1.0
"""The loop may stand still for this share of a run, and for this long in a short one."""
