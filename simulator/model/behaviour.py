"""Behaviour presets: how strongly shoppers react to waiting, laid over the personas without making them all alike.

A preset's levels are those of the shopper whom all personas start from, `base_mobile`. Each persona keeps its ratio to
them and its stages: who is half as patient as the base stays so under every preset. A form (shape, frailty, feedback …)
that a preset gives holds for everybody; one that it does not give is each persona's own.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, Field, model_validator

from simulator.model.faults import COMMAND_LINE, Fault, FileFaults
from simulator.model.library import resolve, shipped
from simulator.model.persona import find_persona, load_persona
from simulator.model.schema import Section
from simulator.model.units import Duration, Share
from simulator.model.yamlfile import read_yaml, validate

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.model.persona import Persona, PopulationSpec
    from simulator.model.schema import PersonaFile

FOLDER = "personas/behaviour"
BASE = "base_mobile"
"""The persona whose levels a preset's are."""
CONSENSUS = "causal-consensus"
"""The preset of whoever names none: the personas as they stand."""
BANNER = (
    "OBSERVATIONAL BEHAVIOUR: the preset {name} takes a curve that was only observed for what waiting does. Such curves"
    " mix waiting with slow phones, hurried people and bots, and imply 3 to 30 times what randomised slow-downs found:"
    " what is played with it is no prediction."
)
Kind = Literal["causal", "null", "sensitivity", "fitted", "observational"]
Level = Annotated[float, Field(ge=0)]
Interval = Annotated[list[Level], Field(min_length=2, max_length=2)]
Part = TypeVar("Part", bound=BaseModel)


class PatienceLevel(Section):
    """Leaving while a page loads: cumulative hazard `hazard_per_s · w^shape` for the base shopper on browsing pages."""

    hazard_per_s: Annotated[float, Field(ge=0, description="of the base shopper; personas keep their ratio to it")]
    shape: Annotated[float | None, Field(gt=0, description="of everybody; absent: each persona's own")] = None
    frailty_variance: Annotated[float | None, Field(ge=0, description="of everybody; absent: each persona's own")] = (
        None
    )
    feedback: Annotated[Share | None, Field(description="of everybody; absent: each persona's own")] = None


class PutOffLevel(Section):
    """Leaving after a slow page, what is remembered of it, and how much longer a slow page is looked at."""

    per_log_load: Annotated[float, Field(ge=0, description="of the base shopper; personas keep their ratio to it")]
    memory: Annotated[float, Field(ge=0, description="of the base shopper; personas keep their ratio to it")]
    memory_decay: Annotated[float | None, Field(ge=0, lt=1)] = None
    tau: Duration | None = None
    dwell: Annotated[
        float | None, Field(ge=0, le=10, description="seconds looked longer for each second of loading; of everybody")
    ] = None


class BudgetLevel(Section):
    """What waiting does to the time budget of a visit."""

    waiting: Annotated[Share | None, Field(description="share of waiting that it is charged with; of everybody")] = None


class BehaviourFile(Section):
    """A preset: how shoppers react to waiting, and what its numbers rest on."""

    behaviour: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    describe: str
    kind: Annotated[
        Kind, Field(description="observational ones are played only where `observational` is said to be meant")
    ]
    patience: PatienceLevel
    put_off: PutOffLevel
    budget: BudgetLevel = BudgetLevel()
    intervals: Annotated[
        dict[str, Interval], Field(description="95 % intervals by dotted name, as `patience.hazard_per_s: [0, 0.02]`")
    ] = Field(default_factory=dict)
    identifiable: Annotated[
        dict[str, str], Field(description="of a fit: what each number was found from, or why it could not be")
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _intervals_are_of_numbers(self) -> BehaviourFile:
        for name, (low, high) in self.intervals.items():
            section, _, key = name.partition(".")
            if getattr(getattr(self, section, None), key, None) is None:
                raise ValueError(f"intervals: {name} is not a number of this preset")
            if low > high:
                raise ValueError(f"intervals: {name} ends below its beginning")
        return self


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A preset, read."""

    spec: BehaviourFile

    @property
    def name(self) -> str:
        """The preset's name."""
        return self.spec.behaviour

    @property
    def observational(self) -> bool:
        """Whether it takes an observed curve for an effect."""
        return self.spec.kind == "observational"

    @property
    def digest(self) -> str:
        """The SHA-256 of its numbers."""
        numbers = self.spec.model_dump(mode="json", include={"patience", "put_off", "budget"})
        return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()

    def assumed(self) -> str:
        """Return the sentence for a list of what is assumed."""
        return f"reaction to waiting: the behaviour preset {self.name}. {self.spec.describe}"

    def as_json(self) -> dict[str, Any]:
        """Return what a manifest says of it."""
        return {"name": self.name, "kind": self.spec.kind, "digest": self.digest}

    def at(self, **numbers: float) -> Behaviour:
        """Return it with other numbers, by dotted name with `__` for the dot, as `patience__hazard_per_s=0.01`."""
        spec = self.spec
        for name, value in numbers.items():
            section, _, key = name.partition("__")
            spec = spec.model_copy(update={section: getattr(spec, section).model_copy(update={key: value})})
        return Behaviour(spec)


def load_behaviour(name: str, *, beside: Path | None = None) -> Behaviour:
    """Read a preset by shipped name or path. Raises `FileFaults`."""
    file = read_yaml(resolve(name, FOLDER, what="behaviour preset", beside=beside))
    return Behaviour(validate(BehaviourFile, file))


def unmeant(behaviour: Behaviour, *, meant: bool) -> list[str]:
    """Return (found, allowed, hint) of a preset that takes an observed curve for an effect unless that is meant."""
    if meant or not behaviour.observational:
        return []
    return [
        f"{behaviour.name} takes an observed curve for what waiting does",
        "such presets are played only where that is meant",
        "give --observational, or `observational: true` in the scenario",
    ]


def refuse_unmeant(behaviour: Behaviour, *, meant: bool) -> None:
    """Raise `FileFaults` for a preset of the command line that takes an observed curve for an effect unmeant."""
    if wrong := unmeant(behaviour, meant=meant):
        raise FileFaults([Fault(COMMAND_LINE, 0, "behaviour", *wrong)])


def shipped_behaviours() -> tuple[str, ...]:
    """Return the names of the shipped presets."""
    return tuple(shipped(FOLDER))


@cache
def base_shopper() -> PersonaFile:
    """Return the persona whose levels a preset's are."""
    return load_persona(find_persona(BASE)).spec


def apply(behaviour: Behaviour, population: PopulationSpec) -> PopulationSpec:
    """Return the population as it reacts under a preset; nothing else about it changes.

    Numbers that a preset leaves as they are stay so to the last bit.
    """
    return replace(population, personas=tuple(_applied(behaviour.spec, one) for one in population.personas))


def _applied(preset: BehaviourFile, persona: Persona) -> Persona:
    base, spec = base_shopper(), persona.spec
    hazard = preset.patience.hazard_per_s / base.patience.hazard_per_s
    put_off = preset.put_off.per_log_load / base.put_off.per_log_load
    memory = preset.put_off.memory / base.put_off.memory
    patience = _with(spec.patience, preset.patience, hazard_per_s=spec.patience.hazard_per_s * hazard)
    after = _with(
        spec.put_off,
        preset.put_off,
        per_log_load=spec.put_off.per_log_load * put_off,
        memory=spec.put_off.memory * memory,
    )
    budget = _with(spec.budget, preset.budget)
    return replace(persona, spec=spec.model_copy(update={"patience": patience, "put_off": after, "budget": budget}))


def _with(section: Part, forms: BaseModel, **levels: float) -> Part:
    """Return a persona's section with these levels, and those forms that a preset gives."""
    given = {key: value for key, value in forms if value is not None and key not in {"evidence", *levels}}
    return section.model_copy(update=given | levels)
