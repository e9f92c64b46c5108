"""The one list of probes. Their order matters for the first two: they say whether an answer is the shopper's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.target.probes.echo import Leak
from simulator.target.probes.market import Market

if TYPE_CHECKING:
    from simulator.target.probes.probe import Probe

PROBES: tuple[type[Probe], ...] = (
    Leak,
    Market,
)
