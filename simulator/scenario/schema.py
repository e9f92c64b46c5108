"""What a scenario file may say; also the JSON Schema that editors complete from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from simulator.model.states import EXIT, STATE_NAMES
from simulator.model.units import Duration, Rate, Share
from simulator.target.schema import parse_host

ArrivalKind = Literal["constant", "ramp", "steps"]
_OF_KINDS = {"rate": ("constant", "ramp"), "from_rate": ("ramp",), "steps": ("steps",)}
_SPELT = {"from_rate": "from"}
_ROUNDING = 1e-9


class Step(BaseModel):
    """A rate kept for a while."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rate: Rate
    duration: Annotated[Duration, Field(gt=0)]


class Arrivals(BaseModel):
    """The open model's rate profile: visits arrive by this plan, whatever the server does."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    kind: ArrivalKind = "constant"
    rate: Annotated[Rate | None, Field(description="of constant arrivals; at the end of a ramp")] = None
    from_rate: Annotated[Rate | None, Field(alias="from", description="at the start of a ramp")] = None
    steps: list[Step] = []
    spacing: Literal["poisson", "even"] = "poisson"

    @model_validator(mode="after")
    def _complete(self) -> Arrivals:
        if self.kind == "steps":
            if not self.steps:
                raise ValueError("steps needs a list `steps` of {rate, duration}")
        elif self.rate is None:
            raise ValueError(f"{self.kind} needs a `rate`, as 10/s")
        if self.kind == "ramp" and self.from_rate is None:
            raise ValueError("ramp needs `from`, the rate it starts with")
        for key, kinds in _OF_KINDS.items():
            if getattr(self, key) and self.kind not in kinds:
                raise ValueError(f"{self.kind} has no `{_SPELT.get(key, key)}`; kind {' and '.join(kinds)} has")
        return self

    def profile(self, duration_s: float, times: float = 1.0) -> list[tuple[float, float]]:
        """Return (second, arrivals a second) points over the run, every rate multiplied by `times`.

        Steps that end before the run repeat nothing: the last rate is kept.
        """
        if self.kind == "constant":
            assert self.rate is not None
            return [(0.0, self.rate * times), (duration_s, self.rate * times)]
        if self.kind == "ramp":
            assert self.rate is not None
            assert self.from_rate is not None
            return [(0.0, self.from_rate * times), (duration_s, self.rate * times)]
        return _staircase(self.steps, duration_s, times)


def _staircase(steps: list[Step], duration_s: float, times: float) -> list[tuple[float, float]]:
    """Return a profile that jumps: two points a microsecond apart at each step's edge."""
    points: list[tuple[float, float]] = []
    begin = 0.0
    for step in steps:
        end = min(begin + step.duration, duration_s)
        if begin >= duration_s:
            break
        points += [(begin + 1e-6 if points else 0.0, step.rate * times), (end, step.rate * times)]
        begin = end
    if begin < duration_s:
        points.append((duration_s, points[-1][1]))
    return points


class Arm(BaseModel):
    """One treatment: seconds added to pages, factors on what shoppers do next. `control` is always there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    share: Annotated[Share, Field(description="of shoppers, where each is in one arm")] = 0.5
    delay: Annotated[dict[str, Duration], Field(description="added load time by state, or `all`")] = {}
    pull: Annotated[dict[str, Annotated[float, Field(ge=0)]], Field(description="factor by next state or exit")] = {}

    @model_validator(mode="after")
    def _known_states(self) -> Arm:
        for name in self.delay:
            if name not in ("all", *STATE_NAMES):
                raise ValueError(f"delay: {name} is not a state; allowed are all, {', '.join(STATE_NAMES)}")
        for name in self.pull:
            if name not in (EXIT, *STATE_NAMES):
                raise ValueError(f"pull: {name} is not a state; allowed are exit, {', '.join(STATE_NAMES)}")
        if self.name == "control" and (self.delay or self.pull):
            raise ValueError("control changes nothing")
        return self


class ScenarioFile(BaseModel):
    """One run, or a kind of run; every command line option overrides its field."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scenario: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    describe: str
    population: str = "everyday"
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 7
    reference: Annotated[datetime, Field(description="the instant from which tables count their microseconds")] = (
        datetime(2026, 1, 5, tzinfo=UTC)
    )
    arrivals: Arrivals = Arrivals(rate="5/s")  # type: ignore[arg-type] # parsed as in a file
    duration: Annotated[Duration, Field(gt=0, description="of a live or capacity run")] = 30.0
    pace: Annotated[
        float, Field(ge=1, le=1000, description="live: how many times faster than life shoppers think; waits are real")
    ] = 1.0
    shoppers: Annotated[int, Field(gt=0, description="of generated data")] = 10_000
    horizon: Annotated[Duration, Field(gt=0, description="over which generated visits spread")] = 7 * 86_400.0
    target: str = "storefront"
    host: Annotated[str, AfterValidator(parse_host), Field(json_schema_extra={"pattern": "^https?://"})] | None = None
    pages: Annotated[Literal["cards", "instant"], Field(description="instant pages take no time")] = "cards"
    arms: list[Arm] = []
    thresholds: list[str] = []

    @model_validator(mode="after")
    def _makes_sense(self) -> ScenarioFile:
        names = [arm.name for arm in self.arms]
        if len(set(names)) < len(names):
            raise ValueError("two arms have the same name")
        left = 1 - sum(arm.share for arm in self.arms if arm.name != "control")
        if left < -_ROUNDING:
            raise ValueError("the shares of the arms sum to more than 1; control gets the rest")
        for arm in self.arms:
            if arm.name == "control" and "share" in arm.model_fields_set and abs(arm.share - left) > _ROUNDING:
                raise ValueError(f"control gets the share that the other arms leave, which is {left:g}")
        if self.horizon % 86_400:
            raise ValueError("horizon must be a whole number of days, as 7d")
        if self.reference.tzinfo is None:
            raise ValueError("reference needs its UTC offset, as 2026-01-05T00:00:00Z")
        return self
