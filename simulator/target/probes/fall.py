"""Whether a share has fallen with load: what is counted by operation, country and time, and the test of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

from scipy.stats import norm

from simulator.target.probes.probe import WHEN, Ruling

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.target.probes.probe import Key

BIN_S = 5
ANSWERS, ELIGIBLE, KNOWN, OWN = "answers", "eligible", "known", "own"
"""Counts: good answers; those to who agreed and has a history in this visit; of these those of which is known whether
personalization gave way; and where it did not."""
RELEVANT, RANKED, RELEVANT_REST, RANKED_REST = "ndcg", "ranked", "ndcg rest", "ranked rest"
"""Sums of nDCG in millionths and how many lists they are of, of eligible answers and of the rest."""
NAMES = (ANSWERS, ELIGIBLE, KNOWN, OWN, RELEVANT, RANKED, RELEVANT_REST, RANKED_REST)
IN, AT = " in ", " at "
"""Joints of a count's name and the country, or the time bin, that it is of; bin -1 is all of what was asked alone."""
BEFORE = -1
ALERT, LEAST_DROP, LEAST_ALONE = 0.001, 0.02, 10
"""The share has fallen where chance does so less often, and by so much, than these; with fewer answers alone, the
run's own quiet and busy times are compared."""
BUSIER = 2.0
"""Quiet and busy times are such if the busy third of a run had so many times the answers of the quiet third."""


class Pair(NamedTuple):
    """Answers that were the shopper's own, of those of which it is known."""

    own: int
    known: int


def ruling_of(counts: Mapping[Key, int]) -> Ruling:
    """Compare the shares of who was asked alone and of the load; without the former, quiet times and busy ones."""
    alone, among = (_by_place(counts, when) for when in WHEN)
    shared = alone.keys() & among.keys()
    if sum(alone[place].known for place in shared) >= LEAST_ALONE:
        return _ruling([(alone[place], among[place]) for place in shared], ("alone", "among many"))
    quiet, busy = _quiet_and_busy(counts)
    shared_operations = quiet.keys() & busy.keys()
    if sum(quiet[name].known for name in shared_operations) < LEAST_ALONE:
        return Ruling(None, f"fewer than {LEAST_ALONE} such answers came alone, and as few in quiet times of the run")
    return _ruling([(quiet[name], busy[name]) for name in shared_operations], ("in quiet times", "in busy ones"))


def _ruling(pairs: list[tuple[Pair, Pair]], words: tuple[str, str]) -> Ruling:
    drop, p = fallen(pairs)
    told = ", ".join(
        f"{_percent(sum(pair[side].own for pair in pairs), sum(pair[side].known for pair in pairs))} {word}"
        for side, word in enumerate(words)
    )
    says = f"personalised share: {told}; {100 * drop:.1f} points lower, operation by operation (p = {p:.2g})"
    if p < ALERT and drop >= LEAST_DROP:
        return Ruling(False, says)
    return Ruling(True, f"personalised share: {told}")


def _percent(own: int, known: int) -> str:
    return f"{100 * own / known:.1f} % of {known}"


def fallen(pairs: list[tuple[Pair, Pair]]) -> tuple[float, float]:
    """Return by how much the share has fallen from the first to the second of each pair, and the one-sided p.

    The test is Cochran's, with Mantel and Haenszel's variance: within each pair the successes of the first are compared
    with their hypergeometric mean. The fall is the mean of the pairs' falls, weighted by the second's trials.
    """
    excess = variance = fall = weight = 0.0
    for one, many in pairs:
        trials, successes = one.known + many.known, one.own + many.own
        excess += one.own - one.known * successes / trials
        if trials > 1:
            failures = trials - successes
            variance += one.known * many.known * successes * failures / (trials**2 * (trials - 1))
        fall += many.known * (one.own / one.known - many.own / many.known)
        weight += many.known
    return fall / weight, float(norm.sf(excess / sqrt(variance))) if variance else 1.0


def _by_place(counts: Mapping[Key, int], when: str) -> dict[tuple[str, str], Pair]:
    known: Counter[tuple[str, str]] = Counter()
    own: Counter[tuple[str, str]] = Counter()
    for key, number in counts.items():
        name, joint, country = key.what.partition(IN)
        if joint and key.when == when:
            (own if name == OWN else known)[key.operation, country] += number
    return {place: Pair(own[place], number) for place, number in known.items() if number}


def by_time(counts: Mapping[Key, int]) -> dict[tuple[str, str, int], Counter[str]]:
    """Return all that was counted of an operation, by (when, operation, time bin)."""
    found: defaultdict[tuple[str, str, int], Counter[str]] = defaultdict(Counter)
    for key, number in counts.items():
        name, joint, at = key.what.partition(AT)
        if joint:
            found[key.when, key.operation, int(at)][name] += number
    return found


def _quiet_and_busy(counts: Mapping[Key, int]) -> tuple[dict[str, Pair], dict[str, Pair]]:
    """Return pairs by operation of the third of the time bins with the fewest answers, and with the most."""
    table = by_time(counts)
    load: Counter[int] = Counter()
    for (when, _, at), found in table.items():
        if when == WHEN[1]:
            load[at] += found[ANSWERS]
    in_order = sorted(load, key=lambda at: (load[at], at))
    third = len(in_order) // 3
    quiet, busy = set(in_order[:third]), set(in_order[len(in_order) - third :])
    if not third or sum(load[at] for at in busy) < BUSIER * sum(load[at] for at in quiet):
        return {}, {}
    return _of_bins(table, quiet), _of_bins(table, busy)


def _of_bins(table: Mapping[tuple[str, str, int], Counter[str]], bins: set[int]) -> dict[str, Pair]:
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (when, operation, at), found in table.items():
        if when == WHEN[1] and at in bins:
            sums[operation] += found
    return {name: Pair(one[OWN], one[KNOWN]) for name, one in sums.items() if one[KNOWN]}
