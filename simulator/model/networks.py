"""Networks: technologies and their distributions, how phones move between them by situation, and the known profiles."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from simulator.model.distributions import AnyDistribution, Lognormal
from simulator.model.library import library_folder
from simulator.model.units import Duration, Share
from simulator.model.yamlfile import read_yaml, validate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

TechnologyName = Literal["wifi", "5g", "lte", "hspa"]
StayName = Literal["wifi", "5g", "lte", "hspa", "none"]
SituationName = Literal["home", "commute", "work", "store", "travel"]
STAYS: tuple[StayName, ...] = ("wifi", "5g", "lte", "hspa", "none")
"""What a phone can be on; `none` is last and is no technology."""
NO_NETWORK = len(STAYS) - 1
DWELL_SIGMA = 0.8
"""Spread of the logarithm of stays where a file does not say it (assumed)."""


class Loss(BaseModel):
    """Gilbert–Elliott packet loss: the probability in either state, and the share of pages that meet the bad one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    good: Share = 0.0
    bad: Share
    burst: Share

    def mean(self) -> float:
        """Return the long-run share of packets lost."""
        return self.good * (1 - self.burst) + self.bad * self.burst


class Technology(BaseModel):
    """One radio technology. `rtt_ms` is always a round trip; `radio_promotion` is paid once a visit, when idle ends."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rtt_ms: AnyDistribution
    down_kbps: AnyDistribution
    up_kbps: AnyDistribution
    radio_promotion: Duration = 0.0
    loss: Loss
    evidence: str


class Dwell(BaseModel):
    """How long a stay lasts: log-normal, by its median."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    median: Annotated[Duration, Field(gt=0)]
    sigma: Annotated[float, Field(ge=0, le=3)] = DWELL_SIGMA

    def mean_s(self) -> float:
        """Return the mean stay in seconds."""
        return self.median * math.exp(self.sigma**2 / 2)

    def stay(self) -> Lognormal:
        """Return the distribution of whole stays."""
        return Lognormal(dist="lognormal", median=self.median, sigma=self.sigma)

    def met(self) -> Lognormal:
        """Return the distribution of the stay that somebody meets who comes at any time: long ones are met more often.

        Weighed by its length, a log-normal keeps its σ and its median grows by exp(σ²).
        """
        return Lognormal(dist="lognormal", median=self.median * math.exp(self.sigma**2), sigma=self.sigma)


class Stalls(BaseModel):
    """Nothing arrives for a while though the phone is connected."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    share: Share
    length: AnyDistribution


class Situation(BaseModel):
    """A semi-Markov chain over technologies and `none`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outage: Annotated[Share, Field(lt=1, description="share of time without any network")]
    dwell: dict[StayName, Dwell]
    handover: dict[StayName, dict[StayName, Annotated[float, Field(gt=0, le=1)]]] = {}
    stalls: Stalls
    evidence: str

    def shares(self, mix: Mapping[str, float]) -> NDArray[np.float64]:
        """Return the shares of time on each of `STAYS`, for a mix of technologies."""
        weights = np.array([mix.get(name, 0.0) for name in STAYS[:NO_NETWORK]])
        total = weights.sum()
        connected = weights / total if total > 0 else weights
        return np.append(connected * (1.0 - self.outage), self.outage)

    def jumps(self, mix: Mapping[str, float]) -> NDArray[np.float64]:
        """Return the chain's rows (K, K): which stay follows which.

        A semi-Markov chain spends time πᵢ ∝ νᵢ·mᵢ, ν being the embedded chain's law and m the mean stays (Ross,
        Stochastic Processes, 4.8). With ν ∝ π/m and a symmetric a ≤ 1, Pᵢⱼ = νⱼ·aᵢⱼ for i ≠ j is reversible with law
        ν, so the shares of time are exactly the mix.
        """
        rates = self.shares(mix) / np.array([self.dwell[name].mean_s() for name in STAYS])
        law = rates / rates.sum()
        rows: NDArray[np.float64] = law[None, :] * self._readiness()
        np.fill_diagonal(rows, 0.0)
        np.fill_diagonal(rows, 1.0 - rows.sum(axis=1))
        return rows

    def _readiness(self) -> NDArray[np.float64]:
        ready = np.ones((len(STAYS), len(STAYS)))
        for one, others in self.handover.items():
            for other, value in others.items():
                i, j = STAYS.index(one), STAYS.index(other)
                ready[i, j] = ready[j, i] = value
        return ready


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

    technologies: dict[TechnologyName, Technology]
    switch_penalty: Duration
    situations: dict[SituationName, Situation]
    profiles: dict[str, Profile]


@cache
def network_table() -> NetworkTable:
    """Return the shipped table."""
    return validate(NetworkTable, read_yaml(library_folder("personas") / "networks.yaml"))
