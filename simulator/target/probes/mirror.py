"""Leaks where answers name nobody: a list made for somebody with a history, shown to a newcomer at the same address."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from simulator.target.probes.cookies import may_be_shared
from simulator.target.probes.probe import Difference
from simulator.target.probes.reach import ask, request_count
from simulator.target.probes.steps import Ask, Script

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from simulator.target.probes.probe import Probe
    from simulator.target.probes.seen import Seen, Visitor
    from simulator.target.probes.steps import People

LOOKS = 2
SHORTEST = 3
"""Items that a list has at least before it can be told whose it is."""
APART = "_nocache"
"""A parameter that nobody knows, by which a cache that looks at addresses keeps two requests apart."""


_SALT = count()


def mirror(probe: Probe, operations: Sequence[str]) -> Script | None:
    """Return the script for these operations; they show items, and no subject."""
    target = probe.ground.target
    if not operations or "product" not in target.operations:
        return None

    def play(people: People, nth: int) -> Generator[Any, Any, None]:
        somebody, newcomer = people.somebody(), people.somebody()
        # What stands last on a list moves the list most.
        somebody.context.turn_to(None, -1 - nth)
        for _ in range(LOOKS):
            yield from ask(target, somebody, "product")
        somebody.context.turn_to(None, 0)
        somebody.context.values.pop("extracted.viewed", None)
        for operation in operations:
            yield from _compare(probe, operation, somebody, newcomer)

    cost = 2 * len(target.opening) + LOOKS * request_count(target, "product") + 4 * len(operations)
    return Script("mirror", cost, play)


def _compare(probe: Probe, operation: str, somebody: Visitor, newcomer: Visitor) -> Generator[Any, Any, None]:
    """Ask as both; where both see one list, ask as both where no cache can know: then the lists must be one as well.

    Each is asked twice then: lists that differ each time are nobody's own.
    """
    first: Seen | None = yield Ask(somebody, operation)
    second: Seen | None = yield Ask(newcomer, operation)
    if first is None or second is None or first.error or second.error or first.request.method != "GET":
        return
    if first.request.url != second.request.url:
        return
    shown = first.evidence.get("items") or ()
    if len(shown) < SHORTEST:
        return
    if shown != second.evidence.get("items"):
        yield from _kept(probe, first, second)
        return
    own, due = items_of((yield apart(first))), items_of((yield apart(second)))
    own_again, due_again = items_of((yield apart(first))), items_of((yield apart(second)))
    if own and due and own == own_again != due == due_again:
        says = f"{operation} showed one list to two shoppers who each have another"
        differs = (Difference("items", list(shown), list(due if shown == own else own)),)
        probe.check(second, False, says, other=first, differs=differs)


def apart(seen: Seen, *, bare: bool = False) -> Ask:
    """Return the same question once more, `bare` or not, at an address that no cache has an answer for."""
    url, salt = seen.request.url, f"{seen.visitor.number}-{next(_SALT)}"
    return Ask(seen.visitor, seen.operation, link=f"{url}{'&' if '?' in url else '?'}{APART}={salt}", bare=bare)


def items_of(seen: Seen | None) -> Any:  # noqa: ANN401 - a tuple of ids, or None
    """Return the items of a good answer, None where there are none to be seen."""
    return seen.evidence.get("items") if seen is not None and not seen.error else None


def _kept(probe: Probe, first: Seen, second: Seen) -> Generator[Any, Any, None]:
    """Count an answer that differs by who asks, every time they ask: it must not be marked as one for all."""
    if may_be_shared(second):
        for seen in (first, second):
            again: Seen | None = yield Ask(seen.visitor, seen.operation)
            if again is None or again.evidence.get("items") != seen.evidence.get("items"):
                return
        says = f"{second.operation} differs by who asks and is marked as one for all"
        kept = Difference("cache-control", second.headers.get("cache-control"), "private or no-store")
        probe.check(second, False, says, other=first, differs=(kept,))
        return
    probe.check(second, True)
