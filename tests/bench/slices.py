"""Processor time a request, measured in slices, so that what else the machine does shows in few of them."""

from __future__ import annotations

from statistics import quantiles
from time import perf_counter, process_time
from typing import TYPE_CHECKING

import gevent

if TYPE_CHECKING:
    from collections.abc import Callable

SLICE_S = 0.25


def measure(seconds: float, requests: Callable[[], int]) -> tuple[float, float]:
    """Return (requests a second, processor µs a request) of this process while others of its greenlets work.

    The second is the lower quartile over slices: other processes only ever add to it, through caches and interrupts.
    """
    begun_s, before = perf_counter(), requests()
    costs = []
    while perf_counter() - begun_s < seconds:
        count, busy_s = requests(), process_time()
        gevent.sleep(SLICE_S)
        costs.append((process_time() - busy_s) / max(1, requests() - count) * 1e6)
    return (requests() - before) / (perf_counter() - begun_s), quantiles(costs, n=4)[0]
