"""How a persona inherits: one parent, then mixins in order; maps merge, lists replace, null deletes, {scale: x} scales.

Every value remembers the file it came from, so that `footfall persona show` can say so. What a file says about itself
(its name, its description, its own evidence) is not inherited.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.model.faults import FileFaults
from simulator.model.library import resolve
from simulator.model.units import parse_duration_s
from simulator.model.yamlfile import read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from simulator.model.faults import Fault, KeyPath
    from simulator.model.yamlfile import YamlFile

FOLDER = "personas/shoppers"
_PARENTS = frozenset({"extends", "mixins"})
_OWN = frozenset({"persona", "describe", "evidence"})
# A distribution, a mix or a row of a journey is one thing: half of an old one and half of a new one is neither.
_WHOLE = {
    ("journey", "entry"), ("place", "countries"), ("place", "cities"), ("device", "tier"), ("device", "os"),
    ("network", "situations"), ("acquisition", "channels"), ("acquisition", "returning"),
}  # fmt: skip
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


def merge_persona(path: Path, *, onto: Path | None = None) -> Merged:
    """Read a persona with everything it inherits; a mixin is laid `onto` a persona to be one.

    Raises `FileFaults` for missing parents, for cycles and where there is nothing to scale.
    """
    merged = _merge(path, ())
    if onto is not None:
        layers = _Layers()
        layers.lay(_merge(onto, ()))
        layers.lay(merged)
        merged = Merged(layers.data, layers.origins, merged.file)
    data = _without_nulls(merged.data)
    faults = [merged.origin(at).fault(at, *what) for at, what in _unscaled(data, ())]
    if faults:
        raise FileFaults(faults)
    return Merged(data, merged.origins, merged.file)


def is_mixin(file: YamlFile) -> bool:
    """Return whether a file is a part of personas rather than one: it has neither a name nor a parent."""
    return not {"persona", "extends"} & set(file.data)


def _merge(path: Path, chain: tuple[Path, ...]) -> Merged:
    """Merge one file; `chain` holds the files that led to it, each the child of the next."""
    file = read_yaml(path)
    chain = (*chain, path.resolve())
    layers, faults = _Layers(), []
    for key, parent in _parents(file):
        try:
            found = resolve(parent, FOLDER, what="persona", beside=path.parent)
            if found.resolve() in chain:
                faults.append(_circle(file, key, chain, found))
            else:
                layers.lay(_merge(found, chain), without=_OWN)
        except FileFaults as error:
            faults += [file.fault(key, f.found, f.allowed, f.hint) if f.is_of_file(parent) else f for f in error.faults]
    if faults:
        raise FileFaults(dict.fromkeys(faults))
    layers.lay(Merged(file.data, {}, file), without=_PARENTS)
    return Merged(layers.data, layers.origins, file)


def _circle(file: YamlFile, key: KeyPath, chain: tuple[Path, ...], found: Path) -> Fault:
    names = " → ".join(path.stem for path in (*chain[chain.index(found.resolve()) :], found))
    return file.fault(key, f"goes in a circle: {names}", "a persona cannot inherit itself")


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


class _Layers:
    """A persona while it is put together, from the bottom up."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = {}
        self.origins: dict[KeyPath, YamlFile] = {}

    def lay(self, top: Merged, *, without: frozenset[str] = frozenset()) -> None:
        """Lay `top` on what is there, its keys `without` left out."""
        over = {key: value for key, value in top.data.items() if key not in without}
        self._lay(self.data, over, (), lambda path: top.origins.get(path, top.file))

    def _lay(
        self, base: dict[str, Any], over: dict[str, Any], path: KeyPath, origin: Callable[[KeyPath], YamlFile]
    ) -> None:
        for key, value in over.items():
            here, old = (*path, key), base.get(key)
            if value is None and key in base:
                del base[key]
                self._forget(here, old)
            elif _is_scale(value) and (scaled := _scaled(old, value["scale"])) is not None:
                base[key] = scaled
            elif isinstance(value, dict) and isinstance(old, dict) and not _is_whole(here, value):
                self._lay(old, value, here, origin)
            elif isinstance(value, dict):
                base[key] = {}
                self._forget(here, old)
                self._lay(base[key], value, here, origin)
            else:
                base[key] = value
                self._forget(here, old)
            self.origins[here] = origin(here)

    def _forget(self, path: KeyPath, old: object) -> None:
        """Drop the origins of a value that is no more; only below a mapping there are others than its own."""
        self.origins.pop(path, None)
        if isinstance(old, dict):
            for known in [known for known in self.origins if known[: len(path)] == path]:
                del self.origins[known]


def _is_whole(path: KeyPath, value: dict[str, Any]) -> bool:
    return "dist" in value or path in _WHOLE or path[:-1] in _WHOLE_BELOW


def _is_scale(value: object) -> bool:
    return isinstance(value, dict) and set(value) == {"scale"}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _scaled(old: Any, factor: Any) -> Any:  # noqa: ANN401 - numbers, durations, or a factor that waits for a number
    """Return a number, a duration or another factor times `factor`; nothing where there is none of these."""
    if not _is_number(factor):
        return None
    if _is_number(old):
        return old * factor
    if _is_scale(old) and _is_number(old["scale"]):
        return {"scale": old["scale"] * factor}
    try:
        return f"{parse_duration_s(old) * factor:.12g}s"
    except ValueError:
        return None


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - any value of a file
    """Return the value without keys that delete what was not there anyway."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return value


def _unscaled(value: Any, path: KeyPath) -> list[tuple[KeyPath, tuple[str, str]]]:  # noqa: ANN401 - as above
    """Return where a `{scale: x}` is left, and what to say of it."""
    if not isinstance(value, dict):
        return []
    if path and _is_scale(value):
        if not _is_number(value["scale"]):
            return [((*path, "scale"), (f"is {value['scale']!r}", "must be a number"))]
        return [(path, ("has nothing to scale", "a parent must give a number or a duration here"))]
    return [found for key, inner in value.items() for found in _unscaled(inner, (*path, key))]
