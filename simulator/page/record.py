"""Recording a page: loaded a few times in headless Chromium, cold and without throttling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.page.browser import Browser, BrowserError
from simulator.page.recording import Recording
from simulator.page.reduce import load_of
from simulator.page.visit import benchmark, visit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LOADS = 4
"""Lighthouse's authors and the calibration study: what varies from load to load needs three to five."""


def record(
    url: str,
    *,
    loads: int = LOADS,
    timeout_s: float = 60.0,
    flags: Sequence[str] = (),
    told: Callable[[int], None] | None = None,
) -> Recording:
    """Return the recording of a page. `told` hears of each load. Raises `BrowserError` when it does not load."""
    with Browser(*flags) as browser:
        index = benchmark(browser)
        visit(browser, url, timeout_s=timeout_s)  # the first one starts processes and is not kept
        kept, agent, trips = [], "", []
        for number in range(loads):
            if told is not None:
                told(number)
            seen = visit(browser, url, trace=True, timeout_s=timeout_s)
            try:
                kept.append(load_of(seen))
            except ValueError as error:
                raise BrowserError(f"{url}: {error}") from None
            agent = seen.agent
            trips += _round_trips(seen.resources)
    return Recording(url=url, browser=agent, benchmark=index, rtt_ms=min(trips, default=0.0), loads=kept)


def _round_trips(resources: Sequence[dict[str, float]]) -> list[float]:
    """Return how long the page's TCP handshakes took, which is a round trip each."""
    found = []
    for one in resources:
        start, end = one.get("connectStart", 0.0), one.get("secureConnectionStart") or one.get("connectEnd", 0.0)
        if end > start > 0:
            found.append(end - start)
    return found
