"""The published studies of load time and behaviour, as data: designs, figures, grades, contradictions."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulator.model.library import library_folder
from simulator.model.states import STATE_NAMES
from simulator.model.units import Duration, parse_duration_s
from simulator.model.yamlfile import read_yaml, validate

Design = Literal["slow-down", "sites", "session-average", "landing", "phones", "pages", "share"]
"""How a study saw its effect: `slow-down` randomised, `sites` compared sites, `session-average` and `landing` charts by
the load time of sessions or of landing pages, `phones` users by what their phone can do, `pages` page views; a `share`
alone compares nothing."""
Measure = Literal[
    "conversion", "pages", "articles", "bounce", "searches", "revenue", "time_to_click", "ga_time", "abandoned"
]
State = Literal[STATE_NAMES]  # type: ignore[valid-type] # a Literal of one tuple, so that the names stand once
Role = Literal["fitted", "predicted", "excluded"]


class Figure(BaseModel):
    """One published change: under a delay (negative: faster), or in a chart at a load time against another."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    role: Role
    measure: Measure
    change: Annotated[float, Field(description="relative, unless `unit` says otherwise")]
    unit: Literal["relative", "seconds a second"] = "relative"
    delay: str | None = None
    at: Duration | None = None
    against: Duration | None = None
    note: str = ""

    @property
    def delay_s(self) -> float:
        """The delay in seconds; below zero where the treatment was faster."""
        return parse_duration_s(self.delay) if self.delay is not None else 0.0


class Study(BaseModel):
    """One study with its figures; `base` is the load time that its delays were added to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    study: str
    design: Design
    conditions: str
    grade: Literal["A", "A-", "B", "C", "D"]
    source: str
    base: Duration | None = None
    delayed: Annotated[list[State], Field(description="the pages that were delayed; empty: all")] = []
    note: str = ""
    contradicts: list[str] = []
    figures: Annotated[list[Figure], Field(min_length=1)]

    @model_validator(mode="after")
    def _delays_have_a_base(self) -> Study:
        delayed = self.design in ("slow-down", "sites")
        if delayed and (self.base is None or any(figure.delay is None for figure in self.figures)):
            raise ValueError("a slow-down needs a base load, and each of its figures a delay")
        if self.base is not None and any(self.base + figure.delay_s < 0 for figure in self.figures):
            raise ValueError("no page loads in less than no time")
        if self.design in ("session-average", "landing") and any(
            f.at is None or f.against is None for f in self.figures
        ):
            raise ValueError("figures of a chart need `at` and `against`")
        return self


class StudyFile(BaseModel):
    """All studies."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    evidence: str
    studies: list[Study]

    @model_validator(mode="after")
    def _names_differ(self) -> StudyFile:
        names = [figure.id for study in self.studies for figure in study.figures]
        ids = [study.id for study in self.studies]
        if len(set(names)) < len(names) or len(set(ids)) < len(ids):
            raise ValueError("two studies or figures have the same id")
        unknown = {name for study in self.studies for name in study.contradicts} - set(ids)
        if unknown:
            raise ValueError(f"contradicts {', '.join(sorted(unknown))}, of which there is no study")
        return self


@cache
def studies() -> tuple[Study, ...]:
    """Return the shipped studies."""
    return tuple(validate(StudyFile, read_yaml(library_folder("personas") / "evidence" / "studies.yaml")).studies)
