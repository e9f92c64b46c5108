"""What probes see: somebody who visits, and one answer that they got."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from simulator.target.call import Request
    from simulator.target.context import Context
    from simulator.target.fields import Json

Kept = TypeVar("Kept")
APPLE = ("iPhone", "iPad")


@dataclass(slots=True, eq=False)
class Visitor:
    """Somebody on one visit, as the tester knows them.

    `probing` says that they come to probe and are no part of the load; `notes` is what probes note of this visit, each
    under its own code, and goes with it; `line` belongs to whoever sends their requests. Whose visit the target would
    not open is `unknown` to it, and asks no more. An `odd` visitor tells of themselves in another way than ordinary
    ones, on purpose.
    """

    number: int
    visit: int
    context: Context
    probing: bool = False
    notes: dict[str, Any] = field(default_factory=dict)
    line: Any = None
    opened: bool = False
    unknown: bool = False
    odd: bool = False

    def value(self, name: str) -> Json:
        """Return what a template would put in for a field, None where it is not known."""
        return self.context.values.get(name)

    @property
    def position(self) -> tuple[float, float] | None:
        """Latitude and longitude in degrees that their phone tells the target, None without location consent."""
        values = self.context.values
        return (values["place.lat"], values["place.lon"]) if "place.lat" in values else None

    @property
    def platform(self) -> str:
        """`ios` or `android`."""
        agent = self.context.headers.get("User-Agent", "")
        return "ios" if any(name in agent for name in APPLE) else "android"

    def allows(self, consent: str) -> bool:
        """Return whether they agreed to a use of their data."""
        return consent in self.context.consents


class Trace(NamedTuple):
    """A request that can be sent again, and whose it was."""

    number: int
    operation: str
    request: Request
    cookie: str
    at_s: float


@dataclass(slots=True, eq=False)
class Seen:
    """One answer with its request; times are seconds of the run.

    `error` is "" for a good answer; `evidence` has the values that a good answer showed, read with their types. `alone`
    says that nobody else was asking; `odd` that the request was changed on purpose, so that it says nothing of ordinary
    ones; `foreign` that the answer was found to be somebody else's, so that it says nothing of who asked.
    """

    visitor: Visitor
    operation: str
    request: Request
    status: int
    headers: Mapping[str, str]
    body: bytes
    evidence: Mapping[str, Json]
    error: str
    at_s: float
    took_s: float
    alone: bool
    odd: bool = False
    foreign: bool = False
    cookie: Callable[[], str] = str

    @property
    def ok(self) -> bool:
        """Whether it is a good answer of the shopper's own."""
        return not self.error and not self.foreign

    def trace(self) -> Trace:
        """Return what is needed to ask again."""
        return Trace(self.visitor.number, self.operation, self.request, self.cookie(), self.at_s)


class Lately(Generic[Kept]):
    """A memory of bounded size: what was put in first goes first."""

    def __init__(self, most: int = 5_000) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> Kept | None:
        """Return what was kept under a key, or None."""
        return self._kept.get(key)

    def keep(self, key: Hashable, value: Kept) -> Kept:
        """Keep a value unless the key has one; return what is kept."""
        kept = self._kept.setdefault(key, value)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return kept
