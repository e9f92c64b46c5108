"""What a scenario file may say; also the JSON Schema that editors complete from."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    model_validator,
)

from simulator.journey.calendar import Campaign
from simulator.model.behaviour import CONSENSUS
from simulator.model.schema import CHANNELS, CONSENTS
from simulator.model.states import EXIT, STATE_NAMES
from simulator.model.units import Duration, Rate, Share, parse_duration_s
from simulator.scenario.arrivals import Arrivals, Returning
from simulator.target.permission import parse_hosts
from simulator.target.schema import parse_host

_ROUNDING = 1e-9
_OR_NULL: dict[str, Any] = {"type": ["string", "null"]}
"""YAML reads the name of the preset `null` as nothing."""


def _one_of(names: tuple[str, ...]) -> Any:  # noqa: ANN401 - annotations have no common type
    """Return what pydantic needs to know of a text that is one of `names`."""

    def check(name: str) -> str:
        if name not in names:
            raise ValueError(f"allowed are {', '.join(names)}")
        return name

    return AfterValidator(check), Field(json_schema_extra={"enum": list(names)})


Channel = Annotated[str, *_one_of(CHANNELS)]
Asked = Annotated[str, *_one_of(CONSENTS)]


def _begin(text: object) -> datetime | float:
    """Return seconds after the reference, or a date and time."""
    if isinstance(text, str) and "-" in text.strip()[1:]:
        try:
            return datetime.fromisoformat(text.strip())
        except ValueError:
            pass
    else:
        with suppress(ValueError):
            return parse_duration_s(text)
    raise ValueError("must be a date and time, as 2026-11-27T06:00:00, or a time after the reference, as 6h")


def _as_written(begin: datetime | float) -> str:
    return begin.isoformat() if isinstance(begin, datetime) else f"{begin:.12g}s"


class Burst(BaseModel):
    """A campaign or a push message: extra visits of generated data, in multiples of a shopper's ordinary visits.

    At its height a shopper whom it moves fully makes `lift` times as many visits on top of the ordinary ones, at their
    own hours. With an own `campaign_response`, each shopper is moved by that much.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    start: Annotated[
        datetime | float,
        PlainValidator(_begin, json_schema_input_type=str),
        PlainSerializer(_as_written),
        Field(
            description="a time after the reference instant, or a date and time: with UTC offset one instant, "
            "without on each shopper's own clock"
        ),
    ]
    length: Annotated[Duration, Field(gt=0)]
    lift: Annotated[float, Field(gt=0, le=1_000)]
    half_life: Annotated[Duration, Field(description="after its length the lift halves every so often")] = 0.0
    personas: Annotated[
        dict[str, Annotated[float, Field(ge=0, le=1_000)]], Field(description="factors; empty: all alike")
    ] = {}
    channels: Annotated[list[Channel], Field(description="only shoppers who came by these; empty: all")] = []
    consent: Annotated[Asked | None, Field(description="only shoppers who allow this")] = None
    evidence: str | None = None

    def compiled(self, reference: datetime) -> Campaign:
        """Return it as the calendar takes it, in microseconds from the reference instant."""
        if isinstance(self.start, datetime):
            local = self.start.tzinfo is None
            begin = self.start.replace(tzinfo=UTC) if local else self.start
            begin_us = (begin - reference) // timedelta(microseconds=1)
        else:
            local, begin_us = False, round(self.start * 1e6)
        return Campaign(
            self.name,
            begin_us,
            self.length * 1e6,
            self.lift,
            self.half_life * 1e6,
            local,
            self.personas,
            tuple(self.channels),
            self.consent,
        )


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
    behaviour: Annotated[
        str,
        BeforeValidator(lambda name: "null" if name is None else name),
        Field(description="preset or file that says how shoppers react to waiting", json_schema_extra=_OR_NULL),
    ] = CONSENSUS
    observational: Annotated[
        bool, Field(description="let `behaviour` be a preset that takes an observed curve for an effect")
    ] = False
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 7
    reference: Annotated[datetime, Field(description="the instant from which tables count their microseconds")] = (
        datetime(2026, 1, 5, tzinfo=UTC)
    )
    arrivals: Arrivals = Arrivals(rate="5/s")  # type: ignore[arg-type] # parsed as in a file
    duration: Annotated[Duration, Field(gt=0, description="of a live or capacity run, its warm-up included")] = 30.0
    warmup: Annotated[
        Duration, Field(description="live: the first part of the run, which no figure and no verdict counts")
    ] = 0.0
    max_open_visits: Annotated[
        int | None, Field(gt=0, description="live: visits beyond so many at once wait, which their latency is charged")
    ] = None
    returning: Annotated[Returning | None, Field(description="live, capacity: who of the arrivals was here before")] = (
        None
    )
    pace: Annotated[
        float, Field(ge=1, le=1000, description="live: how many times faster than life shoppers think; waits are real")
    ] = 1.0
    shoppers: Annotated[int, Field(gt=0, description="of generated data")] = 10_000
    horizon: Annotated[Duration, Field(gt=0, description="over which generated visits spread")] = 7 * 86_400.0
    target: str = "storefront"
    transport: Annotated[
        Literal["fast", "httpx"],
        Field(description="live: HTTP/1.1 at full speed, or HTTP/2 where the target speaks it"),
    ] = "fast"
    network: Annotated[
        Literal["modelled", "shaped"],
        Field(description="live: each phone's network is added to load times, or played on its real connection"),
    ] = "modelled"
    host: Annotated[str, AfterValidator(parse_host), Field(json_schema_extra={"pattern": "^https?://"})] | None = None
    allowed_hosts: Annotated[
        list[str],
        AfterValidator(parse_hosts),
        Field(description="live: hosts beside this machine that are yours to load, and that redirects may lead to"),
    ] = []
    max_rate: Annotated[
        Rate | None, Field(description="live: visits a second that are never exceeded; 100/s before other machines")
    ] = None
    campaigns: Annotated[list[Burst], Field(description="of generated data: bursts of visits")] = []
    probe_share: Annotated[
        Share, Field(le=0.5, description="live: requests of probes, as a share of the load's; 0: they only look on")
    ] = 0.05
    pages: Annotated[Literal["cards", "instant"], Field(description="instant pages take no time")] = "cards"
    arms: list[Arm] = []
    thresholds: list[str] = []
    min_samples: Annotated[int, Field(ge=1, description="a threshold on fewer values is not judged, and fails")] = 30

    @model_validator(mode="after")
    def _makes_sense(self) -> ScenarioFile:
        names = [arm.name for arm in self.arms]
        if len(set(names)) < len(names):
            raise ValueError("two arms have the same name")
        bursts = [burst.name for burst in self.campaigns]
        if len(set(bursts)) < len(bursts):
            raise ValueError("two campaigns have the same name")
        left = 1 - sum(arm.share for arm in self.arms if arm.name != "control")
        if left < -_ROUNDING:
            raise ValueError("the shares of the arms sum to more than 1; control gets the rest")
        for arm in self.arms:
            if arm.name == "control" and "share" in arm.model_fields_set and abs(arm.share - left) > _ROUNDING:
                raise ValueError(f"control gets the share that the other arms leave, which is {left:g}")
        if self.warmup and self.warmup >= self.duration:
            raise ValueError(f"warmup must be shorter than the duration, which is {self.duration:g} s")
        if self.max_open_visits and self.arrivals.kind == "closed":
            raise ValueError("closed arrivals have no max_open_visits; shoppers is how many there are at once")
        self._check_returning()
        if self.horizon % 86_400:
            raise ValueError("horizon must be a whole number of days, as 7d")
        if self.reference.tzinfo is None:
            raise ValueError("reference needs its UTC offset, as 2026-01-05T00:00:00Z")
        return self

    def _check_returning(self) -> None:
        if self.returning is None:
            return
        if self.arrivals.shopper_column:
            raise ValueError("returning and arrivals.shopper_column both say who comes again; give one of them")
        if self.arrivals.kind != "closed" and self.returning.share and self.returning.after >= self.duration:
            raise ValueError(f"returning.after must be shorter than the duration, which is {self.duration:g} s")
