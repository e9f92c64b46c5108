"""What everybody is shown: answers to anonymous visitors, kept by page and place, to tell personal ones from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.target.probes.seen import Lately

if TYPE_CHECKING:
    from collections.abc import Hashable

    from simulator.target.probes.seen import Seen

OWN_FIELDS = ("shopper.id", "visit.id", "shopper.email", "place.lat", "place.lon", "extracted.session")
MOST_KEPT = 4
"""Answers of one page that are remembered: what is popular changes."""


class _Page:
    """What anonymous visitors were shown at one page and place; `steady` once two in a row were shown the same."""

    __slots__ = ("shown", "steady")

    def __init__(self) -> None:
        self.shown: list[tuple[str, ...]] = []
        self.steady = False

    def keep(self, items: tuple[str, ...]) -> None:
        self.steady = self.steady or (bool(self.shown) and self.shown[-1] == items)
        self.shown = [*(one for one in self.shown if one != items), items][-MOST_KEPT:]


class Baseline:
    """The anonymous baseline of a process."""

    def __init__(self) -> None:
        self._pages: Lately[_Page] = Lately(5_000)

    def keep(self, seen: Seen) -> None:
        """Remember what somebody of whom nothing is known was shown."""
        items = seen.evidence.get("items")
        if items:
            key = page_of(seen)
            (self._pages.get(key) or self._pages.keep(key, _Page())).keep(items)

    def differs(self, seen: Seen) -> bool | None:
        """Return whether an answer is another than everybody's; None while that is not known, or not steady."""
        items, page = seen.evidence.get("items"), self._pages.get(page_of(seen))
        return None if not items or page is None or not page.steady else items not in page.shown


def page_of(seen: Seen) -> Hashable:
    """Return page and place of an answer: what was asked but for who asked, and the country."""
    visitor, request = seen.visitor, seen.request
    url, body = request.url, request.body or b""
    for name in OWN_FIELDS:
        value = visitor.value(name)
        if value is not None and value != "":
            url, body = url.replace(str(value), ""), body.replace(str(value).encode(), b"")
    return seen.operation, url, body, visitor.value("shopper.country")
