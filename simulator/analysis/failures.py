"""Failed requests of a live run, by operation and by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.analysis.estimates import Estimate, share
from simulator.analysis.metrics import ABANDONED, failed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.analysis.runs import Run


@dataclass(frozen=True, slots=True)
class Failures:
    """One operation's requests: how many, which share failed, how often each error occurred (most frequent first).

    `abandoned` requests are those whose shopper left before the answer; they are no failures.
    """

    operation: str
    requests: int
    failed: Estimate
    kinds: dict[str, int]
    abandoned: int


def overall(run: Run) -> Failures | None:
    """Return the failures of all requests; None where no requests were recorded."""
    if run.requests is None:
        return None
    return _failures(run, "all", np.ones(len(run.requests), np.bool_))


def by_operation(run: Run) -> list[Failures]:
    """Return the failures of each operation, the one with the most first."""
    if run.requests is None:
        return []
    operations = run.requests.labels("operation")
    found = [_failures(run, name, operations.are(name)) for name in operations.counts()]
    return sorted(found, key=lambda one: (-sum(one.kinds.values()), -one.requests, one.operation))


def _failures(run: Run, name: str, mask: NDArray[np.bool_]) -> Failures:
    assert run.requests is not None
    errors = run.requests.labels("error").take(mask).counts()
    abandoned = errors.pop(ABANDONED, 0)
    kinds = dict(sorted(errors.items(), key=lambda item: (-item[1], item[0])))
    found = share(failed(run.requests)[mask], run.requests.integers("shopper")[mask])
    return Failures(name, int(mask.sum()), found, kinds, abandoned)
