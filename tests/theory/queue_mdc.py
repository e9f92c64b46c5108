"""The queue M/D/c: Poisson arrivals, c servers, a fixed service time; its waiting times in closed form, and played."""

from __future__ import annotations

import heapq
import math

import numpy as np

CUT = 400
"""States that are counted: far more than are ever occupied at the utilisations of these tests."""


def _in_system(rate, service_s, servers):
    """Return the law of the number in the system: what is there now was not served since, or came since (Crommelin)."""
    came = np.exp(-rate * service_s + np.arange(CUT) * math.log(rate * service_s) - _log_factorials(CUT))
    law = np.zeros(CUT)
    law[0] = 1.0
    for _ in range(20_000):
        stayed = np.zeros(CUT)
        stayed[0] = law[: servers + 1].sum()
        stayed[1 : CUT - servers] = law[servers + 1 :]
        after = np.convolve(stayed, came)[:CUT]
        if np.abs(after - law).max() < 1e-13:
            return after / after.sum()
        law = after
    raise AssertionError("did not settle")


def _log_factorials(n):
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n)))])


def waits_at_most(wait_s, rate, service_s, servers):
    """Return P(W ≤ x) by Franx (2001), "A simple solution for the M/D/c waiting time distribution"."""
    law = _in_system(rate, service_s, servers)
    queue = np.concatenate([[law[: servers + 1].sum()], law[servers + 1 :]])
    at_most = np.cumsum(queue)
    k = int(wait_s // service_s) + 1
    left = k * service_s - wait_s
    terms = np.arange(k * servers)
    with np.errstate(divide="ignore"):
        logs = -rate * left + terms * (math.log(rate * left) if left > 0 else -np.inf) - _log_factorials(k * servers)
    logs[0] = -rate * left
    return float((at_most[k * servers - 1 - terms] * np.exp(logs)).sum())


def highest_rate(limit_s, share, service_s, servers):
    """Return the highest arrival rate at which `share` of all are done within `limit_s`, by bisection."""
    low, high = 0.01 / service_s, 0.9999 * servers / service_s
    for _ in range(40):
        middle = (low + high) / 2
        if waits_at_most(limit_s - service_s, middle, service_s, servers) >= share:
            low = middle
        else:
            high = middle
    return low


def play(starts_s, service_s, servers):
    """Return how long each arrival is there, first come, first served."""
    free = [0.0] * servers
    heapq.heapify(free)
    spent = []
    for start in starts_s:
        begin = max(start, heapq.heappop(free))
        heapq.heappush(free, begin + service_s)
        spent.append(begin + service_s - start)
    return np.array(spent)
