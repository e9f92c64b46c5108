"""What a delivery file may say: how often beacons are doubled, late, lost, overtaken, misdated or incomplete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import AfterValidator, Field, field_validator, model_validator

from simulator.journey.closed_form import values_at
from simulator.model.distributions import DIST, AnyDistribution, Constant, TableBook
from simulator.model.faults import suggestion
from simulator.model.library import resolve
from simulator.model.schema import SITUATIONS, Section
from simulator.model.units import Share
from simulator.model.yamlfile import read_yaml, validate

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDER = "personas/delivery"
NULLABLE = (
    "fcp_us", "load_us", "server_us", "measured_us", "relevance", "waited_us", "think_us", "situation", "network",
    "rtt_ms", "down_kbps", "country", "city", "device", "product", "category", "price_cents", "cart_items",
)  # fmt: skip
"""Columns of the events table that a collector may find empty; the others say which event it is."""
MOST_DRIFT_PPM = 100_000.0
"""A clock that runs a tenth too fast or slow; beyond it times would not even stay in order."""


def _not_negative(distribution: AnyDistribution) -> AnyDistribution:
    if distribution.quantile(1e-9) < 0:
        raise ValueError("must not be negative; give it a clip")
    return distribution


def _steady(distribution: AnyDistribution) -> AnyDistribution:
    if distribution.quantile(1 - 1e-9) > MOST_DRIFT_PPM:
        raise ValueError(f"must stay below {MOST_DRIFT_PPM:g} ppm; give it a clip")
    return distribution


Shares = dict[str, Share]
NONE: Shares = {}
"""Nothing at all; pydantic gives each model a copy of its own."""
Amount = Annotated[AnyDistribution, AfterValidator(_not_negative)]


def _always(value: object) -> Constant:
    return Constant.model_validate({"dist": "constant", "value": value})


class Duplicates(Section):
    """Events that come twice: `natural` the same again, `synthetic` another content under the same id."""

    natural: Annotated[Share, Field(description="of events: sent again as they were")] = 0.0
    synthetic: Annotated[Share, Field(description="of events: their id comes again with another content")] = 0.0
    resent_after: Amount = _always("5s")

    @model_validator(mode="after")
    def _one_each(self) -> Duplicates:
        if self.natural + self.synthetic > 1:
            raise ValueError("natural and synthetic are shares of the same events; together they must not exceed 1")
        return self


class Late(Section):
    """Visits that lose the network: what follows is held, and sent as one batch when there is one again."""

    situations: Annotated[Shares, Field(description="share of visits in each situation")] = NONE
    held: Annotated[Amount, Field(description="from the last event, or until the next visit if that is sooner")] = (
        _always("20min")
    )

    @field_validator("situations")
    @classmethod
    def _known(cls, given: dict[str, float]) -> dict[str, float]:
        return _among(given, SITUATIONS, "a situation")


class Clock(Section):
    """Shoppers whose device has a wrong clock: off by `offset` at the reference instant, and drifting since."""

    share: Annotated[Share, Field(description="of shoppers")] = 0.0
    offset: Amount = _always("30s")
    ahead: Annotated[Share, Field(description="of these clocks: ahead of the true time; the others are behind")] = 0.5
    drift_ppm: Annotated[Amount, AfterValidator(_steady)] = _always(0)


class Dropped(Section):
    """Beacons that never arrive."""

    share: Annotated[Share, Field(description="of events")] = 0.0


class OutOfOrder(Section):
    """Events that arrive after the one that follows them in their visit."""

    share: Annotated[Share, Field(description="of events that have a following one")] = 0.0
    delay: Annotated[Amount, Field(description="after the following one")] = _always("1s")


class Nulls(Section):
    """Columns that come empty."""

    columns: Annotated[Shares, Field(description="share of events in which each is empty")] = NONE

    @field_validator("columns")
    @classmethod
    def _known(cls, given: dict[str, float]) -> dict[str, float]:
        return _among(given, NULLABLE, "a column that may be empty")


class Dirt(Section):
    """What goes wrong on the way from the device to the collector; what is left out does not happen."""

    delivery: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    describe: str
    duplicates: Duplicates = Duplicates()
    late: Late = Late()
    clock: Clock = Clock()
    dropped: Dropped = Dropped()
    out_of_order: OutOfOrder = OutOfOrder()
    nulls: Nulls = Nulls()


def load_dirt(name: str) -> Dirt:
    """Read a delivery file by shipped name (none, typical, nasty) or path. Raises `FileFaults` with all its faults."""
    return validate(Dirt, read_yaml(resolve(name, FOLDER, what="delivery")))


def amounts(distribution: AnyDistribution, uniforms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distribution's value at each uniform, as the kernel would draw it."""
    book = TableBook()
    row = np.array([book.row(distribution)], DIST)
    return values_at(row[0], book.tables(), uniforms)


def _among(given: dict[str, float], allowed: tuple[str, ...], what: str) -> dict[str, float]:
    for name in given:
        if name not in allowed:
            near = suggestion(name, allowed)
            raise ValueError(f"{name} is not {what}; allowed are {', '.join(allowed)}{near and f'. Hint: {near}'}")
    return given
