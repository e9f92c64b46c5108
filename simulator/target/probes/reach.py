"""How a visitor gets to where an operation can be asked: what its request needs is asked for first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.target.fields import CREDENTIAL, EXTRACTED, PASSKEY
from simulator.target.probes.steps import Ask
from simulator.target.sends import needed_by

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from simulator.target.probes.seen import Seen, Visitor
    from simulator.target.request import Target

BUYING = ("product", "add_to_cart", "checkout", "payment", "purchase")
"""What a purchase takes, in this order, as far as a target maps it."""
FIRST = ("login", "home", "recommend", "category", "search", "product")
"""Of operations that tell the same, these are asked before others."""
DEEPEST = 4


def reach(target: Target, visitor: Visitor, operation: str, deep: int = 0) -> Generator[Any, Any, None]:
    """Ask for what the operation's request needs of earlier answers, and is not known yet."""
    if deep >= DEEPEST:
        return
    for field in needed_by(target.file.operations[operation]):
        if visitor.value(field) is not None:
            continue
        for teller in _tellers(target, field):
            if teller == operation:
                continue
            yield from reach(target, visitor, teller, deep + 1)
            yield Ask(visitor, teller)
            if visitor.value(field) is not None:
                break


def ask(target: Target, visitor: Visitor, operation: str) -> Generator[Any, Any, Seen | None]:
    """Reach an operation and ask it; return the answer, or None if it was skipped."""
    yield from reach(target, visitor, operation)
    seen: Seen | None = yield Ask(visitor, operation)
    return seen


def buy(target: Target, visitor: Visitor) -> Generator[Any, Any, Seen | None]:
    """Buy what the visitor's next page leads to; return the answer to the last step, or None where one did not work."""
    seen: Seen | None = None
    for operation in BUYING:
        if operation in target.operations:
            seen = yield from ask(target, visitor, operation)
            if seen is None or seen.error:
                return None
    return seen if "purchase" in target.operations else None


def request_count(target: Target, operation: str) -> int:
    """Return the most requests that reaching and asking an operation takes, the opening of the visit not included."""
    return 1 + len(_before(target, operation, 0))


def _before(target: Target, operation: str, deep: int) -> set[str]:
    if deep >= DEEPEST:
        return set()
    found: set[str] = set()
    for field in needed_by(target.file.operations[operation]):
        for teller in _tellers(target, field):
            if teller != operation and teller not in target.opening:
                found |= {teller} | _before(target, teller, deep + 1)
                break
    return found


def _tellers(target: Target, field: str) -> Iterator[str]:
    """Yield the operations whose answers tell a field, the likeliest first."""
    if field == CREDENTIAL:
        field = EXTRACTED + PASSKEY
    if not field.startswith(EXTRACTED):
        return
    name = field.removeprefix(EXTRACTED)
    rests = target.file.operations
    found = [operation for operation, rest in rests.items() if name in rest.extract]
    yield from sorted(found, key=lambda operation: FIRST.index(operation) if operation in FIRST else len(FIRST))
