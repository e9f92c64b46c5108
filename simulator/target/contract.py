"""Counting contract violations: how often each happened, and the first sample of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from simulator.target.evidence import read_evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulator.target.answers import Answer
    from simulator.target.evidence import Evidence

MOST_KINDS = 1_000
"""Kinds that are told apart, so that a target whose errors are all different cannot fill the memory."""


def broken_by(reports: Iterable[Iterable[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Return the `rows` of several processes as those of one."""
    whole = Contract()
    for row in (row for rows in reports for row in rows):
        whole.add(row)
    return whole.rows()


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

    def add(self, row: Mapping[str, Any]) -> None:
        """Count what one of another process's `rows` says."""
        key = row["operation"], row["evidence"], row["kind"]
        self._counts[key] += row["count"]
        self._samples.setdefault(key, row["sample"])

    def rows(self) -> list[dict[str, Any]]:
        """Return `operation`, `evidence`, `kind`, `count` and `sample` of each kind of violation, most often first."""
        ranked = sorted(self._counts.items(), key=lambda entry: (-entry[1], entry[0]))
        return [
            {"operation": key[0], "evidence": key[1], "kind": key[2], "count": count, "sample": self._samples[key]}
            for key, count in ranked
        ]
