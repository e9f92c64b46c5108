"""What each figure rests on: measured on real connections, modelled, or both. Every section of a report says which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from simulator.analysis.words import figure

if TYPE_CHECKING:
    from simulator.analysis.findings import Findings
    from simulator.analysis.manifest import World

Basis = Literal["measured", "part measured", "modelled"]
Section = Literal["behaviour", "load_time", "requests", "backend"]
WORLDS: dict[World, str] = {
    "crowd": "Crowd world: nobody waits for anybody. Load times come from the page model.",
    "capacity": "Capacity world: shoppers share a modelled backend and wait for each other.",
    "live": "Live world: shoppers sent real requests.",
}


@dataclass(frozen=True, slots=True)
class Ground:
    """The basis of a section's figures and one sentence that explains it."""

    basis: Basis
    why: str


def ground(findings: Findings, section: Section) -> Ground:
    """Return what a section's figures rest on in this run."""
    if section == "requests":
        return Ground("measured", "Timed on real connections during the run.")
    if section == "backend":
        return Ground("modelled", "From the queueing model of the backend; no real server was called.")
    if section == "load_time":
        return _load_time(findings)
    return Ground("modelled", _behaviour(findings))


def _load_time(findings: Findings) -> Ground:
    share = findings.measured_share or 0.0
    if share == 0:
        return Ground(
            "modelled", "From the page model: page weight, network, device and server time. Nothing was timed."
        )
    why = f"{figure(share, 'share')} of the load time was measured; images, scripts and rendering are modelled."
    return Ground("measured" if share > 0.995 else "part measured", why)


def _behaviour(findings: Findings) -> str:
    share = findings.measured_share or 0.0
    if share == 0:
        return "How shoppers behave is assumed (the personas), and so is the speed they reacted to."
    felt = f"{figure(share, 'share')} of the load time they felt was measured"
    return f"How shoppers behave is assumed (the personas); {felt}."
