"""Arrivals as a scenario file gives them: open ones by rate or as they were, or so many shoppers at once (closed)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from simulator.journey.week import rate_curve
from simulator.model.faults import suggestion
from simulator.model.units import Duration, Rate, Share
from simulator.scenario.shapes import Profile, scaled, spike, staircase
from simulator.scenario.traffic import Traffic, Unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.model.population import Population

ArrivalKind = Literal["constant", "ramp", "steps", "diurnal", "spike", "csv", "replay", "closed"]
WITHOUT_RATE = ("replay", "closed")
"""Kinds that have no rate over time."""
_OF_KINDS = {
    "rate": ("constant", "ramp", "diurnal", "spike"),
    "from_rate": ("ramp",),
    "steps": ("steps",),
    "peak": ("diurnal", "spike", "csv"),
    "at": ("diurnal",),
    "zone": ("diurnal",),
    "start": ("spike",),
    "rise": ("spike", "closed"),
    "hold": ("spike",),
    "fall": ("spike",),
    "speed": ("diurnal", "csv", "replay"),
    "file": ("csv", "replay"),
    "time_column": ("csv", "replay"),
    "shopper_column": ("replay",),
    "shoppers": ("closed",),
    "pause": ("closed",),
    "value_column": ("csv",),
    "unit": ("csv",),
}
CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
_SPELT = {"from_rate": "from"}


def _time_of_day(text: str) -> str:
    if not re.fullmatch(CLOCK, text):
        raise ValueError("must be a time of day, as 18:30")
    return text


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        hint = suggestion(name, available_timezones())
        raise ValueError(f"must be a time zone, as Europe/Berlin{'; ' + hint if hint else ''}")
    return name


def _listed(kinds: tuple[str, ...]) -> str:
    """Return `ramp has` or `constant, ramp and spike have`."""
    if len(kinds) == 1:
        return f"{kinds[0]} has"
    return f"{', '.join(kinds[:-1])} and {kinds[-1]} have"


class Returning(BaseModel):
    """Shoppers who come back within a live or capacity run; in a live one with their cookies and caches."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    share: Annotated[Share, Field(description="of visits, from `after` on; a file's `shopper_column` says it itself")]
    after: Annotated[
        Duration, Field(description="least time from one visit's start to the next; not of closed arrivals")
    ] = 30.0


class Step(BaseModel):
    """A rate kept for a while."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rate: Rate
    duration: Annotated[Duration, Field(gt=0)]


class Arrivals(BaseModel):
    """When visits start.

    In the open model they arrive by a rate profile, or as they once did, whatever the server does. In the closed one so
    many shoppers are there at once, and the next visit begins when one has ended: a slow server is asked less.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    kind: ArrivalKind = "constant"
    rate: Annotated[
        Rate | None,
        Field(
            description="of constant arrivals; at the end of a ramp; before and after a spike; mean of a diurnal run"
        ),
    ] = None
    from_rate: Annotated[Rate | None, Field(alias="from", description="at the start of a ramp")] = None
    steps: list[Step] = []
    peak: Annotated[
        Rate | None, Field(description="of a spike; of a diurnal run or a file, whose rates are scaled to it")
    ] = None
    at: Annotated[
        str | None,
        AfterValidator(_time_of_day),
        Field(json_schema_extra={"pattern": CLOCK}, description="when a diurnal run begins, as 18:30"),
    ] = None
    zone: Annotated[str | None, AfterValidator(_known_zone), Field(description="of `at`, as Europe/Berlin")] = None
    start: Annotated[Duration | None, Field(description="when a spike begins to rise")] = None
    rise: Annotated[
        Duration | None, Field(description="from the rate to the peak; of closed arrivals from nobody to all shoppers")
    ] = None
    hold: Annotated[Duration | None, Field(description="at the peak")] = None
    fall: Annotated[Duration | None, Field(description="from the peak back to the rate")] = None
    speed: Annotated[
        float | None, Field(gt=0, le=1e6, description="how many seconds of the curve pass in one of the run")
    ] = None
    file: Annotated[
        str | None, Field(min_length=1, description="beside the scenario: CSV; of replayed times also Parquet")
    ] = None
    time_column: Annotated[str | None, Field(description="of the file; found by its name where not given")] = None
    value_column: Annotated[str | None, Field(description="of the file; found by its name where not given")] = None
    unit: Annotated[
        Unit | None, Field(description="of the file's values; found by the column's name where not given")
    ] = None
    shopper_column: Annotated[
        str | None, Field(description="of replayed times: rows with the same value are visits of one shopper")
    ] = None
    shoppers: Annotated[
        int | None, Field(gt=0, le=1_000_000, description="of closed arrivals: how many are there at once")
    ] = None
    pause: Annotated[Duration | None, Field(description="of closed arrivals: between one visit and the next")] = None
    spacing: Annotated[
        Literal["poisson", "even"], Field(description="of arrivals by rate: at random, or evenly apart")
    ] = "poisson"

    @model_validator(mode="after")
    def _complete(self) -> Arrivals:
        problems = [*self._strangers(), *self._gaps()]
        if self.kind in WITHOUT_RATE and self.spacing == "even":
            problems.append(f"{self.kind} has no `spacing`, only rates have")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _strangers(self) -> list[str]:
        """Return a sentence for each key that this kind does not know."""
        return [
            f"{self.kind} has no `{_SPELT.get(key, key)}`, only {_listed(kinds)}"
            for key, kinds in _OF_KINDS.items()
            if getattr(self, key) and self.kind not in kinds
        ]

    def _gaps(self) -> list[str]:
        """Return a sentence for each key that this kind lacks, or that contradicts another."""
        if self.kind == "steps":
            return [] if self.steps else ["steps needs a list `steps` of {rate, duration}"]
        if self.kind in ("csv", "replay"):
            example = "traffic.csv" if self.kind == "csv" else "visits.parquet"
            return [] if self.file else [f"{self.kind} needs a `file`, as {example}"]
        if self.kind == "closed":
            return [] if self.shoppers else ["closed needs `shoppers`, how many are there at once, as 200"]
        if self.kind == "diurnal":
            both = (self.rate is None) == (self.peak is None)
            return ["diurnal needs either `rate`, the mean, or `peak`, as 10/s"] if both else self._zone_alone()
        found = [] if self.rate is not None else [f"{self.kind} needs a `rate`, as 10/s"]
        if self.kind == "ramp" and self.from_rate is None:
            found.append("ramp needs `from`, the rate it starts with")
        if self.kind == "spike" and self.peak is None:
            found.append("spike needs `peak`, the rate at its top")
        if self.kind == "spike" and not (self.rise or self.hold or self.fall):
            found.append("spike needs a `rise`, `hold` or `fall`, as 10s")
        return found

    def _zone_alone(self) -> list[str]:
        return ["`zone` needs `at`, the time there"] if self.zone and not self.at else []

    def profile(
        self,
        duration_s: float,
        times: float = 1.0,
        *,
        population: Population | None = None,
        reference: datetime | None = None,
        traffic: Traffic | None = None,
    ) -> Profile:
        """Return the points over the run, every rate multiplied by `times`; none for kinds without a rate.

        Steps and files that end before the run repeat nothing: the last rate is kept. Diurnal arrivals need the
        `population` whose curve they follow and the `reference` instant, those of a file its `traffic`.
        """
        if self.kind in WITHOUT_RATE:
            return []
        if self.kind == "diurnal":
            assert population is not None
            assert reference is not None
            points = self._diurnal(duration_s, population, reference)
        elif self.kind == "csv":
            assert traffic is not None
            points = scaled(traffic.profile(duration_s, self.speed or 1.0), None, self.peak)
        else:
            points = self._drawn(duration_s)
        return [(second, rate * times) for second, rate in points]

    def first_starts_us(self) -> NDArray[np.int64]:
        """Return when the shoppers of closed arrivals begin their first visits: evenly over `rise`."""
        assert self.shoppers is not None
        return np.round(np.arange(self.shoppers) * ((self.rise or 0.0) * 1e6 / self.shoppers)).astype(np.int64)

    def _drawn(self, duration_s: float) -> Profile:
        if self.kind == "steps":
            return staircase([(step.rate, step.duration) for step in self.steps], duration_s)
        assert self.rate is not None
        if self.kind == "spike":
            assert self.peak is not None
            return spike(
                self.rate,
                self.peak,
                [length or 0.0 for length in (self.start, self.rise, self.hold, self.fall)],
                duration_s,
            )
        begin = self.rate if self.from_rate is None else self.from_rate
        return [(0.0, begin), (duration_s, self.rate)]

    def _diurnal(self, duration_s: float, population: Population, reference: datetime) -> Profile:
        """Return the population's curve from `at` on, scaled to the run's mean or peak."""
        begin = reference.astimezone(ZoneInfo(self.zone or "UTC"))
        if self.at is not None:
            hour, minute = map(int, self.at.split(":"))
            begin = begin.replace(hour=hour, minute=minute, second=0, microsecond=0)
        begin = begin.astimezone(ZoneInfo("UTC"))
        monday = (begin - timedelta(days=begin.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
        from_s, speed = (begin - monday).total_seconds(), self.speed or 1.0
        seconds, rates = rate_curve(population, from_s, duration_s * speed)
        points = [(float(at) / speed, float(rate)) for at, rate in zip(seconds, rates, strict=True)]
        return scaled([*points[:-1], (duration_s, points[-1][1])], self.rate, self.peak)
