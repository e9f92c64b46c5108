"""The rows of a table parted by labels once, so that the figures of every group look at that group's rows only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from simulator.analysis.frames import Labels

SMALL = np.iinfo(np.int16).max
"""Up to so many groups numpy sorts in linear time."""


@dataclass(frozen=True, slots=True)
class Parting:
    """Rows in the order of their groups, within a group in the table's; group g has those from `starts[g]` on.

    `names` are those of each label; groups are numbered with the last label running fastest. The first group, number
    0, is that of rows without one of the labels.
    """

    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    names: dict[str, tuple[str, ...]]

    def rows(self, where: Mapping[str, str]) -> NDArray[np.int64]:
        """Return the rows, ascending, that carry all labels of `where`, which names every label of the parting."""
        group = 0
        for label, known in self.names.items():
            if where[label] not in known:
                return self.order[:0]
            group = group * len(known) + known.index(where[label])
        return self.order[self.starts[group + 1] : self.starts[group + 2]]


def part(labels: Mapping[str, Labels]) -> Parting:
    """Return the rows parted by one or several labels."""
    columns = list(labels.values())
    names = {label: column.names for label, column in labels.items()}
    groups = int(np.prod([len(known) for known in names.values()])) + 1
    kind = np.int16 if groups <= SMALL else np.int64
    numbers = _numbers(columns, kind)
    order = np.argsort(numbers, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(numbers, minlength=groups))])
    return Parting(order, starts, names)


def _numbers(columns: Sequence[Labels], kind: Any) -> NDArray[Any]:  # noqa: ANN401 - a numpy type
    """Return the number of each row's group, 0 where it lacks a label."""
    first = columns[0].codes.astype(kind)
    numbers = reduce(lambda sofar, one: sofar * len(one.names) + one.codes.astype(kind), columns[1:], first)
    numbers += 1
    for column in columns:
        if len(column.codes) and column.codes.min() < 0:
            numbers[column.codes < 0] = 0
    return numbers
