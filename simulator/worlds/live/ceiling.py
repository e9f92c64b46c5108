"""What a scenario may do, and its hard ceiling at run time: whatever plan or users ask for, no more visits begin.

A plan above the ceiling is refused before the run (`simulator.target.permission`). What is left to hold back are users
of the closed model, whose visits end at once where a target answers errors, and plans that catch up after a standstill.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from simulator.target.login import address_of
from simulator.target.permission import permission_for, refuse_faster

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.scenario.load import Scenario
    from simulator.target.permission import Permission

_ROUNDING_S = 1e-6
BURST_S = 2.0
"""So many seconds' visits may begin at once: arrivals by chance bunch, and their mean is what a ceiling is about."""


class Ceiling:
    """Lets at most `rate_per_s` visits begin a second, on average over more than `BURST_S`; None lets all begin."""

    def __init__(self, rate_per_s: float | None, clock: Callable[[], float] = perf_counter) -> None:
        self._gap_s = 1 / rate_per_s if rate_per_s else 0.0
        self._clock = clock
        self._next_s = float("-inf")
        self.held = 0
        """How many visits had to wait."""

    def wait_s(self) -> float:
        """Take the place of one visit; return how long it has to wait (the generic cell rate algorithm)."""
        if not self._gap_s:
            return 0.0
        now_s = self._clock()
        wait_s = self._next_s - now_s - BURST_S + self._gap_s
        self._next_s = max(self._next_s, now_s) + self._gap_s
        if wait_s < _ROUNDING_S:
            return 0.0
        self.held += 1
        return wait_s


def fastest_per_s(scenario: Scenario) -> float:
    """Return the most visits a second that a plan means: the highest of its rates, or else in any `BURST_S` of it."""
    if scenario.profile:
        return max(rate for _, rate in scenario.profile)
    due_us = sorted(scenario.plan().start_us.tolist())
    most = first = 0
    for last, at_us in enumerate(due_us):
        while at_us - due_us[first] >= BURST_S * 1e6:
            first += 1
        most = max(most, last - first + 1)
    return most / BURST_S


def permitted(scenario: Scenario, base_url: str, *, owned: bool, verify: bool, planned: bool = True) -> Permission:
    """Return what a run of a scenario may do to `base_url`; with `planned` its arrivals are the scenario's.

    Closed arrivals are not refused: how fast they are depends on the target, and the ceiling holds them back.

    Raises `FileFaults` where nobody says that the host may be loaded, and where the plan is above the ceiling.
    """
    spec = scenario.spec
    permission = permission_for(
        address_of(base_url),
        allowed_hosts=spec.allowed_hosts,
        owned=owned,
        verify=verify,
        max_rate_per_s=spec.max_rate,
    )
    if planned and not scenario.closed:
        refuse_faster(permission, fastest_per_s(scenario))
    return permission
