"""The one list of probes. Their order matters for the first two: they say whether an answer is the shopper's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.target.probes.ceremonies import Passkey
from simulator.target.probes.clock import Clock
from simulator.target.probes.consent import Consent
from simulator.target.probes.doors import Door
from simulator.target.probes.echo import Leak
from simulator.target.probes.events import Events
from simulator.target.probes.fences import Fences
from simulator.target.probes.hygiene import LearnedFrom
from simulator.target.probes.market import Market
from simulator.target.probes.models import Model
from simulator.target.probes.moved import Moved
from simulator.target.probes.newcomers import Newcomer
from simulator.target.probes.optout import OptOut
from simulator.target.probes.prices import Prices
from simulator.target.probes.pushy import Pushy
from simulator.target.probes.returning import Returning
from simulator.target.probes.sessions import Session
from simulator.target.probes.share import Fallback
from simulator.target.probes.shelves import Available
from simulator.target.probes.spelling import Spelling
from simulator.target.probes.together import Concurrency
from simulator.target.probes.tokens import Tokens
from simulator.target.probes.variants import Flicker, Flip, SampleRatio

if TYPE_CHECKING:
    from simulator.target.probes.probe import Probe

PROBES: tuple[type[Probe], ...] = (
    Session,
    Leak,
    Consent,
    Door,
    Newcomer,
    Available,
    Passkey,
    Model,
    Market,
    Fences,
    Moved,
    Spelling,
    Prices,
    Tokens,
    Events,
    Returning,
    Clock,
    Flip,
    Flicker,
    SampleRatio,
    OptOut,
    Pushy,
    Fallback,
    Concurrency,
    LearnedFrom,
)
