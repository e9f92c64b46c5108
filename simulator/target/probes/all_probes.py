"""The one list of probes. Their order matters for the first two: they say whether an answer is the shopper's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.target.probes.ceremonies import Passkey
from simulator.target.probes.consent import Consent
from simulator.target.probes.doors import Door
from simulator.target.probes.echo import Leak
from simulator.target.probes.market import Market
from simulator.target.probes.models import Model
from simulator.target.probes.newcomers import Newcomer
from simulator.target.probes.sessions import Session
from simulator.target.probes.shelves import Available

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
)
