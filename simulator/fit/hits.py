"""One table of hits, whatever log it came from: who, when, which state, and what else was logged beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FACTS = ("analytics", "personalization", "location", "push", "member", "logged_in", "email", "biometric", "ar")
"""What a log may say of a shopper with yes or no."""
KINDS = ("country", "os", "tier", "network", "situation", "category", "channel")
"""What a log may say of a shopper or a page by a name."""
MOST_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of names: `codes` are positions in `words`, −1 where nothing was logged."""

    codes: NDArray[np.int32]
    words: tuple[str, ...]

    def take(self, rows: NDArray[np.int64]) -> Coded:
        """Return the column at some rows."""
        return Coded(self.codes[rows], self.words)


@dataclass(frozen=True, slots=True)
class Hits:
    """Hits in the order of users and their times; every array has one element a hit.

    `at_us` counts from 1970 UTC, `offset_s` is what the local clock is ahead of UTC (`None`: not known), `load_us` is
    −1 where no load time was logged, a fact is 1, 0 or −1 (not logged).
    """

    user: NDArray[np.int32]
    at_us: NDArray[np.int64]
    state: NDArray[np.int8]
    users: tuple[str, ...]
    load_us: NDArray[np.int64]
    offset_s: NDArray[np.int32] | None = None
    session: NDArray[np.int64] | None = None
    """The log's own session of each hit, where it has one (any numbers: a change is a new visit)."""
    kinds: dict[str, Coded] = field(default_factory=dict)
    facts: dict[str, NDArray[np.int8]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.user)


@dataclass(slots=True)
class Findings:
    """What was met while a log was read: rows left out by reason, events by name, and notes on what was taken how."""

    rows: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)
    mapped: dict[str, dict[str, object]] = field(default_factory=dict)
    ignored: dict[str, int] = field(default_factory=dict)
    unmapped: dict[str, dict[str, object]] = field(default_factory=dict)
    unknown_columns: list[str] = field(default_factory=list)
    unknown_values: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def drop(self, reason: str, count: int, examples: Sequence[str] = ()) -> None:
        """Count rows that cannot be used; the first few examples of each reason are kept."""
        if count:
            self.dropped[reason] = self.dropped.get(reason, 0) + count
            kept = self.examples.setdefault(reason, [])
            kept += list(examples)[: MOST_EXAMPLES - len(kept)]

    def note(self, text: str) -> None:
        """Remember once how something was taken."""
        if text not in self.notes:
            self.notes.append(text)


def first_known(
    group: NDArray[np.int32], values: NDArray[np.int8] | NDArray[np.int32], groups: int
) -> NDArray[np.int32]:
    """Return the first value of each group that is not −1, or −1."""
    found = np.full(groups, -1, np.int32)
    known = np.flatnonzero(values >= 0)[::-1]
    found[group[known]] = values[known]  # the last assignment is the first row
    return found
