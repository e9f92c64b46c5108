"""What a treated arm of an experiment changes: waiting, pages, networks, devices or the server; never the shopper."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.model.distributions import Distribution
    from simulator.model.networks import TechnologyName

Weight = Literal["document_bytes", "critical_bytes", "content_bytes", "script_kb", "warm_share"]
WEIGHTS: tuple[Weight, ...] = ("document_bytes", "critical_bytes", "content_bytes", "script_kb", "warm_share")
"""What a page card weighs."""
ALL = "all"
"""Stands for every state, technology or operation that is not named itself."""
DELAYS_S = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""The added delays of the usual dose–response, seconds."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A number made another: `replace` where it is given, else `factor` times itself."""

    factor: float = 1.0
    replace: float | None = None

    def of(self, value: float) -> float:
        """Return what the number becomes."""
        return self.factor * value if self.replace is None else self.replace


@dataclass(frozen=True, slots=True)
class Link:
    """What becomes of the networks: first `swap`, then `profile`, then the factors.

    `swap` gives a technology the link of another (`{"lte": "hspa"}`); when phones are on it stays as it was, and so
    does its name in the results. `profile` gives every technology the fixed round trip and throughput of a profile in
    `networks.yaml`. Factors are by technology or `all`.
    """

    swap: Mapping[TechnologyName, TechnologyName] = field(default_factory=dict)
    profile: str | None = None
    rtt: Mapping[str, float] = field(default_factory=dict)
    down: Mapping[str, float] = field(default_factory=dict)
    loss: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Server:
    """What becomes of an operation's time on the unloaded server: another law, `factor` times it, `add_s` more.

    The sum is never below zero.
    """

    law: Distribution | None = None
    factor: float = 1.0
    add_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Change:
    """One treatment; what it does not name stays as in control.

    `delay_s` is added to a page's first paint and load, by state or `all`; below 0 it is saved, down to no wait at all.
    `pages` changes what the cards of a state, or of `all`, weigh. `placements` moves an
    operation's calls (`{"recommend": "deferred"}`). `cpu` changes every phone's slowdown against a
    fast desktop. `server` changes operations.
    """

    name: str
    delay_s: Mapping[str, float] = field(default_factory=dict)
    pages: Mapping[str, Mapping[Weight, Amount]] = field(default_factory=dict)
    placements: Mapping[str, str] = field(default_factory=dict)
    link: Link | None = None
    cpu: Amount = Amount()
    server: Mapping[str, Server] = field(default_factory=dict)

    @property
    def dose_s(self) -> float | None:
        """The delay of every page in seconds, where that is all that is changed."""
        only_delay = Change(self.name, self.delay_s) == self
        return self.delay_s.get(ALL, 0.0) if only_delay and not set(self.delay_s) - {ALL} else None


def delay(seconds: float) -> Change:
    """Return the change that makes every page so many seconds slower."""
    return Change(f"+{seconds:g} s", {ALL: seconds})


DELAYS = tuple(delay(seconds) for seconds in DELAYS_S)
"""The changes of the usual dose–response."""
