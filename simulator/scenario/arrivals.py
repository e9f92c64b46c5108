"""The open model's arrivals as a scenario file gives them: constant, ramp, steps, diurnal, spike, or a CSV file."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from simulator.journey.week import rate_curve
from simulator.model.faults import suggestion
from simulator.model.units import Duration, Rate
from simulator.scenario.traffic import Traffic, Unit

if TYPE_CHECKING:
    from simulator.model.population import Population

Profile = list[tuple[float, float]]
"""(second, arrivals a second) points over a run, in order; the rate between them is linear."""

ArrivalKind = Literal["constant", "ramp", "steps", "diurnal", "spike", "csv"]
_OF_KINDS = {
    "rate": ("constant", "ramp", "diurnal", "spike"),
    "from_rate": ("ramp",),
    "steps": ("steps",),
    "peak": ("diurnal", "spike", "csv"),
    "at": ("diurnal",),
    "zone": ("diurnal",),
    "start": ("spike",),
    "rise": ("spike",),
    "hold": ("spike",),
    "fall": ("spike",),
    "speed": ("diurnal", "csv"),
    "file": ("csv",),
    "time_column": ("csv",),
    "value_column": ("csv",),
    "unit": ("csv",),
}
CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
_SPELT = {"from_rate": "from"}
_EDGE_S = 1e-6


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


class Step(BaseModel):
    """A rate kept for a while."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rate: Rate
    duration: Annotated[Duration, Field(gt=0)]


class Arrivals(BaseModel):
    """The open model's rate profile: visits arrive by this plan, whatever the server does."""

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
    rise: Annotated[Duration | None, Field(description="from the rate to the peak")] = None
    hold: Annotated[Duration | None, Field(description="at the peak")] = None
    fall: Annotated[Duration | None, Field(description="from the peak back to the rate")] = None
    speed: Annotated[
        float | None, Field(gt=0, le=1e6, description="how many seconds of the curve pass in one of the run")
    ] = None
    file: Annotated[str | None, Field(min_length=1, description="a CSV file beside the scenario")] = None
    time_column: Annotated[str | None, Field(description="of the file; found by its name where not given")] = None
    value_column: Annotated[str | None, Field(description="of the file; found by its name where not given")] = None
    unit: Annotated[
        Unit | None, Field(description="of the file's values; found by the column's name where not given")
    ] = None
    spacing: Literal["poisson", "even"] = "poisson"

    @model_validator(mode="after")
    def _complete(self) -> Arrivals:
        problems = [*self._strangers(), *self._gaps()]
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
        if self.kind == "csv":
            return [] if self.file else ["csv needs a `file`, as traffic.csv"]
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
        """Return the points over the run, every rate multiplied by `times`.

        Steps and files that end before the run repeat nothing: the last rate is kept. Diurnal arrivals need the
        `population` whose curve they follow and the `reference` instant, those of a file its `traffic`.
        """
        if self.kind == "diurnal":
            assert population is not None
            assert reference is not None
            points = self._diurnal(duration_s, population, reference)
        elif self.kind == "csv":
            assert traffic is not None
            points = _scaled(traffic.profile(duration_s, self.speed or 1.0), None, self.peak)
        else:
            points = self._drawn(duration_s)
        return [(second, rate * times) for second, rate in points]

    def _drawn(self, duration_s: float) -> Profile:
        if self.kind == "steps":
            return _staircase(self.steps, duration_s)
        assert self.rate is not None
        if self.kind == "spike":
            assert self.peak is not None
            return _spike(
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
        return _scaled([*points[:-1], (duration_s, points[-1][1])], self.rate, self.peak)


def _scaled(points: Profile, mean: float | None, peak: float | None) -> Profile:
    """Return the points with rates of this mean over time, or this peak; as they are where neither is given."""
    if mean is not None:
        total = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(points))
        factor = mean * (points[-1][0] - points[0][0]) / total
    elif peak is not None:
        factor = peak / max(rate for _, rate in points)
    else:
        return points
    return [(second, rate * factor) for second, rate in points]


def _staircase(steps: list[Step], duration_s: float) -> Profile:
    """Return a profile that jumps: two points a microsecond apart at each step's edge."""
    points: Profile = []
    begin = 0.0
    for step in steps:
        end = min(begin + step.duration, duration_s)
        if begin >= duration_s:
            break
        points += [(begin + _EDGE_S if points else 0.0, step.rate), (end, step.rate)]
        begin = end
    if begin < duration_s:
        points.append((duration_s, points[-1][1]))
    return points


def _spike(rate: float, peak: float, lengths: list[float], duration_s: float) -> Profile:
    """Return the rate, up to the peak, along it and back down; a side of no length is a jump of a microsecond."""
    corners, at = [(0.0, rate)], 0.0
    for length, level in zip(lengths, (rate, peak, peak, rate), strict=True):
        at += length
        if at > corners[-1][0] or level != corners[-1][1]:
            corners.append((max(at, corners[-1][0] + _EDGE_S), level))
    return _cut_at(corners, duration_s)


def _cut_at(points: Profile, duration_s: float) -> Profile:
    """Return the points up to the run's end, which gets a point of its own; after the last the rate stays."""
    kept = [point for point in points if point[0] < duration_s]
    later = [point for point in points if point[0] >= duration_s]
    if later:
        (a, low), (b, high) = kept[-1], later[0]
        return [*kept, (duration_s, low + (high - low) * (duration_s - a) / (b - a))]
    return [*kept, (duration_s, kept[-1][1])]
