"""Changes of recorded latencies, as people write them: `search -300ms`, `search p95 -300ms`, `all x0.5`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.model.faults import COMMAND_LINE, Fault, FileFaults, suggestion
from simulator.model.units import parse_duration_s
from simulator.page.card import OPERATIONS
from simulator.study.dose_change import ALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

US = 1_000_000
_FORM = re.compile(r"^(?P<operation>\w+)\s+(?P<p>p\d\d?\s+)?(?P<how>[-+]|x)\s*(?P<amount>\S+)$")
_HINT = 'as "search -300ms", "search p95 -300ms", "all x0.5"'


@dataclass(frozen=True, slots=True)
class Latency:
    """A change of an operation's latencies: `factor` times each, `add_s` more, never below zero.

    With a `quantile`, all are multiplied by the one factor that moves it by `add_s`; of `all` operations, each by its
    own.
    """

    text: str
    operation: str
    factor: float = 1.0
    add_s: float = 0.0
    quantile: float | None = None


def parse_latency(text: str) -> Latency:
    """Return the change that a text says. Raises `FileFaults`."""
    found = _FORM.match(text.strip())
    if found is None:
        raise FileFaults([_fault(text, "is no change of latency", _HINT)])
    operation, sign, amount = found["operation"], found["how"], found["amount"]
    if operation not in (ALL, *OPERATIONS):
        hint = suggestion(operation, OPERATIONS) or f"operations are {ALL}, {', '.join(OPERATIONS)}"
        raise FileFaults([_fault(text, f"names {operation}, which is no operation", hint)])
    try:
        value = float(amount) if sign == "x" else parse_duration_s(amount)
    except ValueError as error:
        raise FileFaults([_fault(text, str(error), _HINT)]) from None
    if not (math.isfinite(value) and value >= 0):
        raise FileFaults([_fault(text, "must be a number of 0 or more", _HINT)])
    if sign == "x":
        if found["p"]:
            raise FileFaults([_fault(text, "a factor moves every quantile alike", _HINT)])
        return Latency(text, operation, factor=value)
    quantile = int(found["p"].strip()[1:]) / 100 if found["p"] else None
    return Latency(text, operation, add_s=-value if sign == "-" else value, quantile=quantile)


def _fault(text: str, found: str, hint: str) -> Fault:
    return Fault(COMMAND_LINE, 0, f"--change {text!r}", found, "", hint)


def changed_us(
    operation: NDArray[np.int64], took_us: NDArray[np.int64], changes: Sequence[Latency]
) -> NDArray[np.int64]:
    """Return what requests take after all changes, in their order."""
    new = took_us.astype(np.float64)
    for change in changes:
        wanted = np.unique(operation) if change.operation == ALL else [OPERATIONS.index(change.operation)]
        places = [here for code in wanted if (here := operation == code).any()]
        if not places:
            raise FileFaults([_fault(change.text, "changes nothing: no such request held a page in this run", "")])
        for here in places:
            factor, add_us = change.factor, change.add_s * US
            if change.quantile is not None:
                now_us = float(np.quantile(new[here], change.quantile))
                factor, add_us = max(0.0, now_us + add_us) / max(now_us, 1.0), 0.0
            new[here] = np.maximum(0.0, factor * new[here] + add_us)
    return np.round(new).astype(np.int64)
