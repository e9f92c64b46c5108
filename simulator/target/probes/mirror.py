"""Leaks where answers name nobody: a list made for somebody with a history, shown to a newcomer at the same address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.target.probes.probe import Difference
from simulator.target.probes.reach import ask, request_count
from simulator.target.probes.steps import Ask, Script

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from simulator.target.probes.probe import Probe
    from simulator.target.probes.seen import Seen, Visitor
    from simulator.target.probes.steps import People

LOOKS = 3
SHORTEST = 3
"""Items that a list has at least before it can be told whose it is."""
APART = "_nocache"
"""A parameter that nobody knows, by which a cache that looks at addresses keeps two requests apart."""


def mirror(probe: Probe, operations: Sequence[str]) -> Script | None:
    """Return the script for these operations; they show items, and no subject."""
    target = probe.ground.target
    if not operations or "product" not in target.operations:
        return None

    def play(people: People, nth: int) -> Generator[Any, Any, None]:
        somebody, newcomer = people.somebody(), people.somebody()
        for pick in range(LOOKS):
            somebody.context.turn_to(None, nth + pick)
            yield from ask(target, somebody, "product")
        for name in [name for name in somebody.context.values if name == "extracted.viewed"]:
            del somebody.context.values[name]
        for operation in operations:
            yield from _compare(probe, operation, somebody, newcomer)

    cost = 2 * len(target.opening) + LOOKS * request_count(target, "product") + 4 * len(operations)
    return Script("mirror", cost, play)


def _compare(probe: Probe, operation: str, somebody: Visitor, newcomer: Visitor) -> Generator[Any, Any, None]:
    """Ask as both; where both see one list, ask as both where no cache can know: then the lists must be one as well."""
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
        probe.check(second, True)
        return
    apart: list[Any] = []
    for visitor in (somebody, newcomer):
        url = first.request.url
        seen = yield Ask(visitor, operation, link=f"{url}{'&' if '?' in url else '?'}{APART}={visitor.number}")
        apart.append(seen.evidence.get("items") if seen is not None and not seen.error else None)
    own, due = apart
    if own == shown and due is not None and due != shown:
        says = f"{operation} showed a newcomer the list of somebody with a history"
        differs = (Difference("items", list(shown), list(due)),)
        probe.check(second, False, says, other=first, differs=differs)
