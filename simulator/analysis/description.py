"""What there is to say of a data set, in plain values. Times are seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.analysis.theory import Theory


@dataclass(frozen=True, slots=True)
class TableCount:
    """One table: its rows, bytes, files and columns; `also` where it is none of the three that every world writes."""

    name: str
    kind: str
    rows: int
    bytes: int
    files: int
    columns: int
    also: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the funnel, as a share of all visits and of the step before."""

    name: str
    visits: int
    of_all: float
    of_previous: float


@dataclass(frozen=True, slots=True)
class Cell:
    """Visits that landed with a device on a network; medians are seconds, None where no page was seen."""

    device: str
    network: str
    visits: int
    load_p50_s: float | None


@dataclass(frozen=True, slots=True)
class Thinking:
    """Think times of a persona on one page, in seconds; `theory` are the quantiles of the persona's file."""

    page: str
    n: int
    seen: dict[str, float | None]
    theory: dict[str, float] | None


@dataclass(frozen=True, slots=True)
class PersonaData:
    """One persona's visits beside the closed form of undisturbed ones; `disturbed` left for another cause than done."""

    name: str
    visits: int
    causes: dict[str, float]
    disturbed: float
    figures: dict[str, float | None]
    pages: dict[str, int | None]
    engaged: dict[str, float | None]
    theory: Theory | None
    thinking: list[Thinking]


@dataclass(frozen=True, slots=True)
class Description:
    """Everything `footfall describe` says. Times are seconds; `arm` is the arm that all but `counts` are of."""

    folder: str
    name: str | None
    world: str | None
    seed: int | None
    reference: str | None
    footfall: str | None
    notes: list[str]
    arms: dict[str, int]
    arm: str | None
    counts: dict[str, int]
    tables: list[TableCount]
    funnel: list[Step]
    spacing: str
    sessions: list[int]
    week: list[list[int]] | None
    causes: dict[str, float]
    devices: list[Cell]
    models: list[Cell]
    personas: list[PersonaData]
