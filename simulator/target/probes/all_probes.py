"""The one list of probes. Their order matters for the first two: they say whether an answer is the shopper's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.target.probes.echo import Leak
from simulator.target.probes.hygiene import LearnedFrom
from simulator.target.probes.market import Market
from simulator.target.probes.optout import OptOut
from simulator.target.probes.pushy import Pushy
from simulator.target.probes.share import Fallback
from simulator.target.probes.together import Concurrency
from simulator.target.probes.variants import Flicker, Flip, SampleRatio

if TYPE_CHECKING:
    from simulator.target.probes.probe import Probe

PROBES: tuple[type[Probe], ...] = (
    Leak,
    Market,
    Flip,
    Flicker,
    SampleRatio,
    OptOut,
    Pushy,
    Fallback,
    Concurrency,
    LearnedFrom,
)
