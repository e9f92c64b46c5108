"""Counting contract violations: how often each happened, and the first sample of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from simulator.target.evidence import read_evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simulator.target.answers import Answer
    from simulator.target.evidence import Evidence

MOST_KINDS = 1_000
"""Kinds that are told apart, so that a target whose errors are all different cannot fill the memory."""


def merged(parts: Iterable[Sequence[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return the rows of several processes as one list; the sample of a kind is that of the first that met it."""
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in (row for part in parts for row in part):
        kept = rows.setdefault((row["operation"], row["evidence"], row["kind"]), row | {"count": 0})
        kept["count"] += row["count"]
    return sorted(rows.values(), key=lambda row: (-row["count"], row["operation"], row["evidence"], row["kind"]))


class Contract:
    """What answers of one process did not keep of what the target file promises."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._samples: dict[tuple[str, str, str], str] = {}

    def see(self, answer: Answer) -> Evidence:
        """Read an answer's evidence, count its violations, and return it."""
        evidence = read_evidence(answer)
        for violation in evidence.violations:
            key = violation[:3]
            if key in self._counts or len(self._counts) < MOST_KINDS:
                self._counts[key] += 1
                self._samples.setdefault(key, violation.sample)
        return evidence

    def rows(self) -> list[dict[str, Any]]:
        """Return `operation`, `evidence`, `kind`, `count` and `sample` of each kind of violation, most often first."""
        ranked = sorted(self._counts.items(), key=lambda entry: (-entry[1], entry[0]))
        return [
            {"operation": key[0], "evidence": key[1], "kind": key[2], "count": count, "sample": self._samples[key]}
            for key, count in ranked
        ]
