"""Scores of a classification, a clustering or a forecast against the truth; scikit-learn is their referee in tests."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln
from scipy.stats import rankdata

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALLEST = float(np.finfo(np.float64).eps)
"""A probability of 0 or 1 that is wrong costs −ln of this, about 36 nats, and not everything."""


def adjusted_rand(table: NDArray[np.int64]) -> float:
    """Return Hubert & Arabie's (1985) index of a table of counts, truth by found: 1 for equal ones, 0 for chance."""
    if _equal(table):
        return 1.0
    together = _pairs(table)
    truth, found, whole = _pairs(table.sum(axis=1)), _pairs(table.sum(axis=0)), _pairs(table.sum(keepdims=True))
    chance = truth * found / whole
    return (together - chance) / ((truth + found) / 2 - chance)


def _pairs(counts: NDArray[np.int64]) -> float:
    values = counts.astype(np.float64)
    return float((values * (values - 1) / 2).sum())


def _equal(table: NDArray[np.int64]) -> bool:
    """Return whether both partitions are the same but for names."""
    there = table > 0
    return bool((there.sum(axis=0) <= 1).all() and (there.sum(axis=1) <= 1).all())


def adjusted_mutual_information(table: NDArray[np.int64]) -> float:
    """Return (I − E I) / (mean entropy − E I), E over all tables of the same margins (Vinh, Epps & Bailey 2010)."""
    if _equal(table):
        return 1.0
    rows, columns, n = table.sum(axis=1), table.sum(axis=0), int(table.sum())
    place = np.nonzero(table)
    both = table[place].astype(np.float64)
    shared = float((both / n * np.log(both * n / (rows[place[0]] * columns[place[1]].astype(np.float64)))).sum())
    chance = _chance_information(rows, columns, n)
    return (shared - chance) / ((_entropy(rows) + _entropy(columns)) / 2 - chance)


def _entropy(counts: NDArray[np.int64]) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def _chance_information(rows: NDArray[np.int64], columns: NDArray[np.int64], n: int) -> float:
    """Return the mean mutual information of random tables: each cell is hypergeometric."""
    total = 0.0
    others = _sizes(columns)
    for a, times in _sizes(rows):
        for b, more in others:
            k = np.arange(max(1, a + b - n), min(a, b) + 1, dtype=np.float64)
            log_chance = _log_choose(b, k) + _log_choose(n - b, a - k) - _log_choose(n, np.full(1, float(a)))
            total += times * more * float((k / n * np.log(n * k / (float(a) * b)) * np.exp(log_chance)).sum())
    return total


def _sizes(counts: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return each size that occurs and how often: parts of one size are alike."""
    found, times = np.unique(counts, return_counts=True)
    return list(zip(found.tolist(), times.tolist(), strict=True))


def _log_choose(n: int, k: NDArray[np.float64]) -> NDArray[np.float64]:
    chosen: NDArray[np.float64] = gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)
    return chosen


def roc_area(truth: NDArray[np.bool_], given: NDArray[np.float64]) -> float | None:
    """Return the share of pairs (true, false) in which the true one is given more, ties half; None without a pair."""
    yes, no = int(truth.sum()), int((~truth).sum())
    if yes == 0 or no == 0:
        return None
    return float((rankdata(given)[truth].sum() - yes * (yes + 1) / 2) / yes / no)


def average_precision(truth: NDArray[np.bool_], given: NDArray[np.float64]) -> float | None:
    """Return Σ precision · (growth of recall) over thresholds from the top; None where nothing or all is true."""
    if truth.all() or not truth.any():
        return None
    order = np.argsort(-given, kind="stable")
    hits, called = np.cumsum(truth[order]), np.arange(1, len(given) + 1)
    ends = np.append(np.flatnonzero(np.diff(given[order])), len(given) - 1)  # equal values are called together
    recall = hits[ends] / hits[-1]
    return float((np.diff(recall, prepend=0.0) * hits[ends] / called[ends]).sum())


def brier(truth: NDArray[np.bool_], given: NDArray[np.float64]) -> float:
    """Return the mean squared error of probabilities (Brier 1950)."""
    return float(np.mean((given - truth) ** 2))


def log_loss(truth: NDArray[np.bool_], given: NDArray[np.float64]) -> float:
    """Return the mean negative log-likelihood in nats, probabilities kept `SMALLEST` away from 0 and 1."""
    right = np.clip(np.where(truth, given, 1.0 - given), SMALLEST, 1.0 - SMALLEST)
    return -math.fsum(np.log(right).tolist()) / len(right)
