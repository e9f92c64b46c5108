"""Reading personas and populations: inheritance resolved, everything validated, all faults at once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from simulator.model.devices import device_table
from simulator.model.faults import Fault, FileFaults
from simulator.model.library import resolve, shipped
from simulator.model.merge import FOLDER, Merged, merge_persona
from simulator.model.places import city_table
from simulator.model.problems import section_problems
from simulator.model.schema import PersonaFile, PopulationFile, PushMessages
from simulator.model.yamlfile import YamlFile, pydantic_faults, read_yaml, validate

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.model.faults import KeyPath

POPULATIONS = "personas/populations"


@dataclass(frozen=True, slots=True)
class Persona:
    """A resolved persona and the file that gave each of its fields."""

    spec: PersonaFile
    merged: Merged

    @property
    def name(self) -> str:
        """The persona's name."""
        return self.spec.persona

    def origin(self, path: KeyPath) -> str:
        """Return `file:line` of the field at `path`."""
        file = self.merged.origin(path)
        return f"{file.name}:{file.line(path)}"


@cache
def place_countries() -> tuple[str, ...]:
    """Return the countries that have cities."""
    return tuple(sorted({city.country for city in city_table()}))


def load_persona(path: Path, *, onto: Path | None = None) -> Persona:
    """Read one persona file with all it inherits; a mixin is laid `onto` a persona to be one.

    Raises `FileFaults` with every fault found.
    """
    merged = merge_persona(path, onto=onto)
    sections = _valid_sections(merged)
    problems = section_problems(sections, place_countries(), device_table().tiers())
    faults = [merged.origin(at).fault(at, *rest) for at, *rest in problems]
    try:
        spec = PersonaFile.model_validate(merged.data)
    except ValidationError as error:
        raise FileFaults([*_relocated(error, merged), *faults]) from None
    if faults:
        raise FileFaults(faults)
    return Persona(spec, merged)


def _valid_sections(merged: Merged) -> dict[str, object]:
    """Return those sections that are valid in themselves, so that one fault does not hide the others."""
    valid: dict[str, object] = {}
    for name, adapter in _section_kinds().items():
        with suppress(ValidationError):
            valid[name] = adapter.validate_python(merged.data.get(name))
    return valid


@cache
def _section_kinds() -> dict[str, TypeAdapter[Any]]:
    kinds: dict[str, Any] = {name: info.annotation for name, info in PersonaFile.model_fields.items()}
    return {name: TypeAdapter(kind) for name, kind in kinds.items()}


def _relocated(error: ValidationError, merged: Merged) -> list[Fault]:
    """Point each fault at the file that gave the value: it may be inherited."""
    lines = {path: file.line(path) for path, file in merged.origins.items()}
    moved = []
    for fault in pydantic_faults(error, YamlFile(merged.file.name, merged.data, lines), PersonaFile):
        path = _as_keys(fault.path, merged)
        moved.append(merged.origin(path).fault(path, fault.found, fault.allowed, fault.hint))
    return moved


def _as_keys(dotted: str, merged: Merged) -> KeyPath:
    """Turn a dotted path back into keys; list positions are numbers."""
    keys: list[str | int] = list(dotted.split("."))
    here: object = merged.data
    for index, key in enumerate(keys):
        if isinstance(here, list) and str(key).isdigit():
            keys[index] = int(key)
            here = here[int(key)] if int(key) < len(here) else None
        else:
            here = here.get(key) if isinstance(here, dict) else None
    return tuple(keys)


def find_persona(name: str, *, beside: Path | None = None) -> Path:
    """Return the file of a persona by shipped name or path."""
    return resolve(name, FOLDER, what="persona", beside=beside)


def complete_personas() -> dict[str, Path]:
    """Return the shipped files that are personas of their own, not bases or mixins."""
    names = {name: path for name, path in shipped(FOLDER).items() if not name.startswith(("base_", "with_"))}
    return dict(sorted(names.items()))


@cache
def base_messages() -> PushMessages:
    """Return what shoppers do with push messages unless their persona says otherwise: the shipped base's."""
    file = read_yaml(shipped(FOLDER)["base_mobile"])
    return PushMessages.model_validate(file.data["features"]["push"])


def _namesakes(file: YamlFile, files: list[str], personas: list[Persona]) -> list[Fault]:
    """Return a fault for each persona that is called like an earlier one: their names decide who gets whom."""
    names = [persona.name for persona in personas]
    return [
        file.fault(("personas", key), f"is called {name}, like {files[names.index(name)]}", "names must differ")
        for place, (key, name) in enumerate(zip(files, names, strict=True))
        if names.index(name) < place
    ]


@dataclass(frozen=True, slots=True)
class PopulationSpec:
    """A population file and its personas, in the order of their names."""

    name: str
    personas: tuple[Persona, ...]
    weights: tuple[float, ...]


def load_population(name: str, *, beside: Path | None = None) -> PopulationSpec:
    """Read a population and every persona in it. Raises `FileFaults` with every fault of every file."""
    file = read_yaml(path := resolve(name, POPULATIONS, what="population", beside=beside))
    named = file.data.get("personas")
    names = sorted(named) if isinstance(named, dict) else []
    personas, faults = _load_each(names, file, path.parent)
    try:
        spec = validate(PopulationFile, file)
    except FileFaults as error:
        raise FileFaults([*error.faults, *faults]) from None
    if not faults:
        faults = _namesakes(file, names, personas)
    if faults:
        raise FileFaults(faults)
    return PopulationSpec(spec.population, tuple(personas), tuple(spec.personas[n] for n in names))


def _load_each(names: list[str], file: YamlFile, beside: Path) -> tuple[list[Persona], list[Fault]]:
    """Return the personas of a population file, and each fault of those that cannot be read once."""
    personas, faults = [], []
    for name in names:
        try:
            personas.append(load_persona(find_persona(name, beside=beside)))
        except FileFaults as error:
            faults += [
                file.fault(("personas", name), f.found, f.allowed, f.hint) if f.is_of_file(name) else f
                for f in error.faults
            ]
    return personas, list(dict.fromkeys(faults))
