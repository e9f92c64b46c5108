"""How a persona inherits: one parent, then mixins in order; maps merge, lists replace, null deletes, {scale: x} scales.

Every leaf remembers the file it came from, so that `footfall persona show` can say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.model.faults import FileFaults
from simulator.model.library import resolve
from simulator.model.yamlfile import read_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.model.yamlfile import YamlFile

KeyPath = tuple[str | int, ...]
FOLDER = "personas/shoppers"
# A distribution, a mix or a row of a journey is one thing: half of an old one and half of a new one is neither.
_WHOLE = {("journey", "entry"), ("place", "countries"), ("device", "tier"), ("device", "os"), ("network", "situations")}
_WHOLE_BELOW = {("journey", "rows"), ("network", "mix")}


@dataclass(frozen=True, slots=True)
class Merged:
    """A resolved persona: `data` in plain values and for each path the file that gave it."""

    data: dict[str, Any]
    origins: dict[KeyPath, YamlFile]
    file: YamlFile

    def origin(self, path: KeyPath) -> YamlFile:
        """Return the file that gave `path` or its nearest ancestor."""
        while path and path not in self.origins:
            path = path[:-1]
        return self.origins.get(path, self.file)


def merge_persona(path: Path) -> Merged:
    """Read a persona with everything it inherits. Raises `FileFaults` for missing parents and for cycles."""
    return _merge(path, ())


def _merge(path: Path, chain: tuple[Path, ...]) -> Merged:
    file = read_yaml(path)
    if path.resolve() in chain:
        names = " → ".join(ancestor.stem for ancestor in (*chain, path))
        raise FileFaults([file.fault(("extends",), f"goes in a circle: {names}", "a persona cannot inherit itself")])
    own = {key: value for key, value in file.data.items() if key not in {"extends", "mixins"}}
    data: dict[str, Any] = {}
    origins: dict[KeyPath, YamlFile] = {}
    faults = []
    for key, parent in _parents(file):
        try:
            found = resolve(parent, FOLDER, what="persona", beside=path.parent)
            merged = _merge(found, (*chain, path.resolve()))
        except FileFaults as error:
            faults += [file.fault(key, f.found, f.allowed, f.hint) if f.file == parent else f for f in error.faults]
            continue
        _overlay(data, merged.data, origins, merged.origins, merged.file, ())
    if faults:
        raise FileFaults(faults)
    _overlay(data, own, origins, {}, file, ())
    return Merged(data, origins, file)


def _parents(file: YamlFile) -> list[tuple[KeyPath, str]]:
    extends, mixins = file.data.get("extends"), file.data.get("mixins", [])
    faults = []
    if extends is not None and not isinstance(extends, str):
        faults.append(file.fault(("extends",), f"is {extends!r}", "must be the name of one persona"))
    if not isinstance(mixins, list) or not all(isinstance(name, str) for name in mixins):
        faults.append(file.fault(("mixins",), f"is {mixins!r}", "must be a list of names"))
    if faults:
        raise FileFaults(faults)
    named: list[tuple[KeyPath, str]] = [(("extends",), extends)] if extends else []
    return named + [(("mixins", index), name) for index, name in enumerate(mixins)]


def _overlay(
    base: dict[str, Any],
    over: dict[str, Any],
    origins: dict[KeyPath, YamlFile],
    over_origins: dict[KeyPath, YamlFile],
    file: YamlFile,
    path: KeyPath,
) -> None:
    """Lay `over` on `base` in place, noting for each path which file it came from."""
    for key, value in over.items():
        here = (*path, key)
        origins[here] = over_origins.get(here, file)
        old = base.get(key)
        if value is None and key in base:
            del base[key]
        elif isinstance(value, dict) and set(value) == {"scale"} and isinstance(old, int | float):
            base[key] = old * value["scale"]
        elif isinstance(value, dict) and isinstance(old, dict) and not _is_whole(here, value):
            _overlay(old, value, origins, over_origins, file, here)
        elif isinstance(value, dict):
            base[key] = {}
            _overlay(base[key], value, origins, over_origins, file, here)
        else:
            base[key] = value


def _is_whole(path: KeyPath, value: dict[str, Any]) -> bool:
    return "dist" in value or path in _WHOLE or path[:-1] in _WHOLE_BELOW
