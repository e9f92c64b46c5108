"""Reading a scenario with everything it names; all faults of all files at once, before anything is written."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from simulator.analysis.thresholds import Threshold, ThresholdError, parse_thresholds
from simulator.journey.arms import CONTROL, compile_arms
from simulator.journey.plan import Plan, open_plan
from simulator.journey.tables import Names
from simulator.model.faults import Fault, FileFaults, all_or_faults
from simulator.model.library import resolve
from simulator.model.persona import PopulationSpec, load_population
from simulator.model.population import Population, Roster, compile_population
from simulator.model.yamlfile import YamlFile, read_yaml, validate
from simulator.page.card import Pages, compile_pages, page_file
from simulator.scenario.schema import Arm, ScenarioFile
from simulator.target.request import Target, load_target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray


FOLDER = "personas/scenarios"
COMMAND_LINE = "command line"
"""Where the faults of overriding values are said to be."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario with all it names, read and compiled; `name` and `overrides` are what it was loaded with."""

    name: str
    overrides: Mapping[str, Any]
    spec: ScenarioFile
    personas: PopulationSpec
    population: Population
    roster: Roster
    pages: Pages
    arms: NDArray[Any]
    arm_names: tuple[str, ...]
    target: Target
    thresholds: tuple[Threshold, ...]

    @property
    def names(self) -> Names:
        """The dictionaries of this run's tables."""
        return Names(self.roster, self.arm_names)

    def plan(self, times: float = 1.0) -> Plan:
        """Return the open model's arrivals at `times` the scenario's rates."""
        spec = self.spec
        profile = spec.arrivals.profile(spec.duration, times)
        return open_plan(profile, spec.seed, self.arms, even=spec.arrivals.spacing == "even")

    def resolved(self) -> dict[str, Any]:
        """Return the scenario as plain values, with every default filled in; it can be read back as it stands."""
        return self.spec.model_dump(mode="json", by_alias=True, exclude_none=True)

    def digest(self) -> str:
        """Return the SHA-256 of everything that decides the plan and the behaviour: scenario, personas, tables."""
        parts = [self.resolved(), [persona.merged.data for persona in self.personas.personas]]
        text = json.dumps([parts, list(self.personas.weights), page_file().model_dump(mode="json")], sort_keys=True)
        arrays = [array for part in (self.population, self.pages) for array in part]
        return hashlib.sha256(b"".join([text.encode(), *(array.tobytes() for array in arrays)])).hexdigest()


def load_scenario(name: str, overrides: Mapping[str, Any] | None = None) -> Scenario:
    """Read a scenario by shipped name or path; `overrides` replace top-level fields, as a command line does.

    Raises `FileFaults` with every fault of the scenario, its population, personas, target and thresholds.
    """
    path = resolve(name, FOLDER, what="scenario")
    file = read_yaml(path)
    given = dict(overrides or {})
    try:
        spec, _, personas, target = all_or_faults(
            lambda: validate(ScenarioFile, file, file.data | given),
            lambda: _thresholds(file, file.data | given, None),
            lambda: _named(file, file.data | given, "population", load_population, path.parent),
            lambda: _named(file, file.data | given, "target", load_target, path.parent),
        )
        # Once more, now that the names are known that a label may have.
        thresholds = _thresholds(file, file.data | given, known_names(spec, personas, target))
    except FileFaults as error:
        raise FileFaults(_placed(fault, file, given) for fault in error.faults) from None
    population, roster = compile_population(personas, spec.reference)
    arms = all_arms(spec.arms)
    return Scenario(
        name,
        given,
        spec,
        personas,
        population,
        roster,
        compile_pages(page_file(), instant=spec.pages == "instant"),
        compile_arms([(arm.name, arm.share, arm.delay, arm.pull) for arm in arms]),
        tuple(arm.name for arm in arms),
        target,
        tuple(thresholds),
    )


def all_arms(arms: list[Arm]) -> list[Arm]:
    """Return the arms with `control` first; it gets the share that the others leave."""
    others = [arm for arm in arms if arm.name != CONTROL]
    left = max(0.0, 1.0 - sum(arm.share for arm in others))
    return [Arm(name=CONTROL, share=left), *others]


def _placed(fault: Fault, file: YamlFile, given: Mapping[str, Any]) -> Fault:
    """Return a fault of an overriding value as one of the command line: the file never said it."""
    overridden = fault.file == file.name and fault.path.partition(".")[0] in given
    return replace(fault, file=COMMAND_LINE, line=0) if overridden else fault


def known_names(spec: ScenarioFile, personas: PopulationSpec, target: Target) -> dict[str, list[str]]:
    """Return the names that labels of thresholds may have in this scenario."""
    return {
        "persona": [persona.name for persona in personas.personas],
        "arm": [arm.name for arm in all_arms(spec.arms)],
        "operation": list(target.operations),
    }


def _thresholds(file: YamlFile, data: Mapping[str, Any], known: Mapping[str, list[str]] | None) -> list[Threshold]:
    """Return the thresholds; what is no list of texts is the schema's to refuse."""
    texts = data.get("thresholds", [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        return []
    try:
        return parse_thresholds(texts, known)
    except ThresholdError as error:
        raise FileFaults(
            file.fault(("thresholds", index), found, allowed, hint) for index, found, allowed, hint in error.problems
        ) from None


def _named(file: YamlFile, data: Mapping[str, Any], key: str, load: Callable[..., Any], beside: Path) -> Any:  # noqa: ANN401
    """Load what `key` names; a name that leads nowhere is a fault of whoever named it, not of a file called so."""
    name = data.get(key, ScenarioFile.model_fields[key].default)
    if not isinstance(name, str):
        return None
    try:
        return load(name, beside=beside)
    except FileFaults as error:
        raise FileFaults(
            file.fault((key,), f"{name} {f.found}", f.allowed, f.hint) if f.is_of_file(name) else f
            for f in error.faults
        ) from None
