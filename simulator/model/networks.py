"""Networks: round trips and throughputs as distributions by technology, dwell by situation, and the known profiles."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulator.model.distributions import AnyDistribution
from simulator.model.library import library_folder
from simulator.model.units import Duration, Share
from simulator.model.yamlfile import read_yaml, validate


class Technology(BaseModel):
    """One radio technology. `rtt_ms` is always a round trip; `radio_promotion` is paid once a visit, when idle ends."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rtt_ms: AnyDistribution
    down_kbps: AnyDistribution
    up_kbps: AnyDistribution
    radio_promotion: Duration = 0.0
    loss: Share = 0.0
    evidence: str


class Situation(BaseModel):
    """How long a technology is kept in this situation, mean of an exponential."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dwell: Duration
    evidence: str


class Profile(BaseModel):
    """A well-known fixed profile and where its numbers apply."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rtt_ms: Annotated[float, Field(gt=0)]
    down_kbps: Annotated[float, Field(gt=0)]
    up_kbps: Annotated[float, Field(gt=0)]
    semantics: Literal["packet", "request"]
    source: str


class NetworkTable(BaseModel):
    """All technologies, situations and profiles."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    technologies: dict[Literal["wifi", "5g", "lte", "hspa"], Technology]
    situations: dict[Literal["home", "commute", "work", "store"], Situation]
    profiles: dict[str, Profile]


@cache
def network_table() -> NetworkTable:
    """Return the shipped table."""
    return validate(NetworkTable, read_yaml(library_folder("personas") / "networks.yaml"))
