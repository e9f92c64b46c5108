"""A modelled backend: stations that calls queue at, and the stations each operation visits, read from YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema, field_validator

from simulator.model.distributions import AnyDistribution
from simulator.model.faults import Fault, FileFaults, suggestion
from simulator.model.library import resolve
from simulator.model.units import parse_duration_s
from simulator.model.yamlfile import YamlFile, read_yaml, validate
from simulator.page.card import OPERATIONS

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "locustfiles/backends"
DEFAULT = "default"
"""The route of operations that have none of their own."""
MOST_HOPS = 4
"""Stations an operation may visit."""


def _count(smallest: int, word: str) -> BeforeValidator:
    """Return a check for a whole number from `smallest` on; `word` (kept as None) stands for no limit."""

    def check(value: object) -> int | None:
        if value == word:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < smallest:
            raise ValueError(f"must be a whole number from {smallest} on, or {word}")
        return value

    return BeforeValidator(check)


def _timeout_s(value: object) -> float | None:
    if value == "none":
        return None
    try:
        seconds = parse_duration_s(value)
    except ValueError:
        seconds = 0.0
    if seconds <= 0:
        raise ValueError("must be a duration above zero with its unit, as 10s, or none")
    return seconds


def _limit_schema(smallest: int, word: str) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": "integer", "minimum": smallest}, {"const": word}]})


# Serialised as they are written, so that a resolved file can be read back as it stands.
Servers = Annotated[
    int | None,
    _count(1, "unlimited"),
    PlainSerializer(lambda count: "unlimited" if count is None else count),
    _limit_schema(1, "unlimited"),
]
QueueLimit = Annotated[
    int | None,
    _count(0, "none"),
    PlainSerializer(lambda count: "none" if count is None else count),
    _limit_schema(0, "none"),
]
Timeout = Annotated[
    float | None,
    BeforeValidator(_timeout_s),
    PlainSerializer(lambda seconds: "none" if seconds is None else f"{seconds:.12g}s"),
    WithJsonSchema({"type": "string", "pattern": r"^(none|\d+(\.\d+)?\s*(us|ms|s|min|h|d|w))$"}),
]


class StationSpec(BaseModel):
    """Servers that share one queue; every limit may be absent (None)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    servers: Annotated[Servers, Field(description="calls served at a time: a number, or unlimited")]
    queue_limit: Annotated[QueueLimit, Field(description="calls that may wait; one more is refused at once")] = None
    timeout: Annotated[Timeout, Field(description="a call fails when waiting and service take longer")] = None
    discipline: Annotated[Literal["fifo"], Field(description="who is served next: who came first")] = "fifo"
    on_leave: Annotated[
        Literal["finish", "cancel"], Field(description="what the server does when the caller leaves during service")
    ] = "finish"
    evidence: str | None = None


class Hop(BaseModel):
    """One station on an operation's way; without `service` it takes the page card's own service time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    station: str
    service: AnyDistribution | None = None

    @field_validator("service")
    @classmethod
    def _takes_time(cls, service: AnyDistribution | None) -> AnyDistribution | None:
        if service is not None and service.quantile(0.0) < 0:
            raise ValueError("service must not be negative")
        return service


Route = Annotated[list[Hop], Field(min_length=1, max_length=MOST_HOPS)]


class BackendFile(BaseModel):
    """Stations by name, and for each operation the stations it visits, one after another."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    backend: str
    describe: str
    stations: Annotated[dict[str, StationSpec], Field(min_length=1)]
    operations: dict[str, Route]
    evidence: str | None = None

    def route(self, operation: str) -> list[Hop]:
        """Return the hops of an operation."""
        return self.operations.get(operation, self.operations[DEFAULT])


def load_backend(name: str, *, beside: Path | None = None) -> BackendFile:
    """Read a backend by shipped name or path. Raises `FileFaults` with every fault of the file."""
    file = read_yaml(resolve(name, FOLDER, what="backend", beside=beside))
    faults = _route_faults(file)
    try:
        backend = validate(BackendFile, file)
    except FileFaults as error:
        raise FileFaults([*error.faults, *faults]) from None
    if faults:
        raise FileFaults(faults)
    return backend


def _route_faults(file: YamlFile) -> list[Fault]:
    """Return what pydantic cannot see: names that must exist, and hops that would share one draw."""
    stations, operations = file.data.get("stations"), file.data.get("operations")
    if not isinstance(stations, dict) or not isinstance(operations, dict):
        return []
    faults = []
    if DEFAULT not in operations:
        faults.append(
            file.fault(("operations", DEFAULT), "is missing", "operations without a route of their own need it")
        )
    for operation, route in operations.items():
        if operation not in (DEFAULT, *OPERATIONS):
            near = suggestion(operation, OPERATIONS)
            faults.append(file.fault(("operations", operation), "is not an operation", "", near or _all_operations()))
        faults += _hop_faults(file, operation, route, list(stations))
    return faults


def _all_operations() -> str:
    return f"operations are {', '.join(OPERATIONS)}"


def _hop_faults(file: YamlFile, operation: str, route: object, stations: list[str]) -> list[Fault]:
    hops = [hop for hop in route if isinstance(hop, dict)] if isinstance(route, list) else []
    faults, seen = [], set()
    for index, hop in enumerate(hops):
        station, path = hop.get("station"), ("operations", operation, index, "station")
        if not isinstance(station, str):
            continue
        if station not in stations:
            allowed = f"stations are {', '.join(stations)}"
            faults.append(file.fault(path, f"names {station}", allowed, suggestion(station, stations)))
        if station in seen:
            faults.append(file.fault(path, f"visits {station} again", "an operation visits a station once"))
        seen.add(station)
    if sum(hop.get("service") is None for hop in hops) > 1:
        hint = "give the others a service time"
        faults.append(
            file.fault(("operations", operation), "takes the page's own service time twice", "one hop may", hint)
        )
    return faults
