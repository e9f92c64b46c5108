"""YAML 1.2 files with the line of every value; duplicate keys and syntax errors are faults like any other."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarbool import ScalarBoolean

from simulator.model.faults import Fault, FileFaults, one_fault, suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=BaseModel)
Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A parsed file: `data` in plain Python values, `lines` the line (from 1) of each path in it."""

    name: str
    data: dict[str, Any]
    lines: dict[Path_, int] = field(default_factory=dict)

    def line(self, path: Sequence[str | int]) -> int:
        """Return the line of `path`, or of the nearest ancestor that stands in the file."""
        key = tuple(path)
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)

    def fault(self, path: Sequence[str | int], found: str, allowed: str = "", hint: str = "") -> Fault:
        """Return a fault at `path` of this file."""
        return Fault(self.name, self.line(path), ".".join(map(str, path)), found, allowed, hint)


def read_yaml(path: Path, *, shown: str | None = None) -> YamlFile:
    """Read one mapping from `path`; `shown` is the name used in faults.

    Raises `FileFaults` for a missing or unreadable file, a syntax error, a duplicate key or a top level that is no
    mapping.
    """
    name = shown or shown_name(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise one_fault(name, "does not exist", "a YAML file is needed", "check the name and the folder") from None
    except (OSError, UnicodeDecodeError) as error:
        raise one_fault(name, f"cannot be read ({error})", "a UTF-8 text file is needed") from None
    data, lines = _parsed(name, text)
    return YamlFile(name, _copied(data), lines)


@lru_cache(maxsize=128)
def _parsed(name: str, text: str) -> tuple[dict[str, Any], dict[Path_, int]]:
    """Return a text's values and lines: parsing takes tens of milliseconds, and many name the same files."""
    try:
        tree = YAML(typ="rt", pure=True).load(text)
    except YAMLError as error:
        raise FileFaults([_syntax_fault(name, error)]) from None
    if not isinstance(tree, CommentedMap):
        raise one_fault(name, f"holds {_kind(tree)}", "must hold a mapping of keys to values")
    lines: dict[Path_, int] = {}
    return _plain(tree, (), lines), lines


def _copied(value: Any) -> Any:  # noqa: ANN401 - any value of a file
    """Return the same values in mappings and lists of the caller's own."""
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


def shown_name(path: Path) -> str:
    """Return `path` relative to the working folder where it lies below it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _syntax_fault(name: str, error: YAMLError) -> Fault:
    line = error.problem_mark.line + 1 if isinstance(error, MarkedYAMLError) and error.problem_mark else 0
    problem = (getattr(error, "problem", None) or str(error)).splitlines()[0]
    hint = "each key may stand once" if "duplicate key" in problem else "check indentation, colons and quotes"
    return Fault(name, line, "", f"is not valid YAML: {problem}", "", hint)


def _plain(node: Any, path: Path_, lines: dict[Path_, int]) -> Any:  # noqa: ANN401 - YAML holds anything
    """Turn ruamel's node into plain Python values and note the line of every path."""
    if isinstance(node, CommentedMap):
        for key in node:
            # A key that comes by `<<` stands elsewhere; it is said to be where its mapping begins.
            position = (node.lc.data or {}).get(key, (node.lc.line,))
            lines[(*path, str(key))] = position[0] + 1
        return {str(key): _plain(value, (*path, str(key)), lines) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        for index in range(len(node)):
            lines[(*path, index)] = node.lc.item(index)[0] + 1
        return [_plain(value, (*path, index), lines) for index, value in enumerate(node)]
    if isinstance(node, ScalarBoolean):
        return bool(node)
    for plain in (bool, int, float, str):
        if isinstance(node, plain):
            return plain(node)
    return node if node is None else str(node)


def validate(model: type[Model], file: YamlFile, data: dict[str, Any] | None = None) -> Model:
    """Validate `data` (default: the whole file) against a pydantic model; raise every fault at once."""
    try:
        return model.model_validate(file.data if data is None else data)
    except ValidationError as error:
        raise FileFaults(pydantic_faults(error, file, model)) from None


def pydantic_faults(error: ValidationError, file: YamlFile, model: type[BaseModel]) -> list[Fault]:
    """Turn pydantic's errors into faults with lines and suggestions."""
    faults = []
    for item in _without_other_kinds(error.errors(include_url=False)):
        path = _path_in_file(_without_tag(item["loc"], item["input"]), file)
        if item["type"] == "extra_forbidden":
            allowed = known_keys(model, item["loc"][:-1])
            faults.append(
                file.fault(
                    path,
                    "is not a known key",
                    f"allowed are {', '.join(allowed)}" if allowed else "",
                    suggestion(str(item["loc"][-1]), allowed),
                )
            )
        elif item["type"] == "missing":
            faults.append(file.fault(path, "is missing", "this key is required"))
        elif item["type"] in {"union_tag_invalid", "union_tag_not_found"}:
            faults.append(_tag_fault(item["ctx"], path, file))
        elif item["type"] in _NO_MAPPING:
            faults.append(file.fault(path, f"is {_short(item['input'])}", "must be a mapping of keys to values"))
        else:
            found = f"is {_short(item['input'])}"
            faults.append(file.fault(path, found, item["msg"].removeprefix("Value error, ")))
    return faults


def _without_other_kinds(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out that a mapping is not the word that could stand there too, where something in the mapping is wrong."""
    return [
        one
        for one in errors
        if one["type"] != "literal_error"
        or not isinstance(one["input"], dict)
        or not any(other is not one and other["loc"][: len(one["loc"]) - 1] == one["loc"][:-1] for other in errors)
    ]


_NO_MAPPING = {"model_type", "model_attributes_type", "dict_type"}


def _tag_fault(context: Mapping[str, Any], path: Path_, file: YamlFile) -> Fault:
    """Return what is wrong with the key that says of which kind a value is, as `dist` of a distribution."""
    key = str(context["discriminator"]).strip("'")
    if "tag" not in context:
        return file.fault((*path, key), "is missing", "this key is required")
    tag, allowed = str(context["tag"]), str(context["expected_tags"]).replace("'", "")
    return file.fault((*path, key), f"is {tag}", f"allowed are {allowed}", suggestion(tag, allowed.split(", ")))


def known_keys(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """Return the keys allowed at `loc` below `model`; empty when that place is not a model."""
    here: Any = model
    for part in loc:
        here = _child_model(here, part)
    if isinstance(here, type) and issubclass(here, BaseModel):
        return [info.alias or name for name, info in here.model_fields.items()]
    return []


def _child_model(model: Any, part: str | int) -> Any:  # noqa: ANN401 - walks type annotations
    if isinstance(model, type) and issubclass(model, BaseModel) and part in model.model_fields:
        return _model_in(model.model_fields[str(part)].annotation)
    return model if not (isinstance(model, type) and issubclass(model, BaseModel)) else _model_in(model)


def _model_in(annotation: Any) -> Any:  # noqa: ANN401 - walks type annotations
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_in(argument)
        if found is not None:
            return found
    return None


def _path_in_file(loc: Sequence[str | int], file: YamlFile) -> Path_:
    """Drop the parts of pydantic's location that name a union member rather than a key."""
    path: Path_ = ()
    for part in loc[:-1]:
        if (*path, part) in file.lines:
            path = (*path, part)
    if not loc:
        return path
    return (*path, *loc[-1:]) if (*path, loc[-1]) in file.lines or not _is_type_tag(loc[-1]) else path


def _without_tag(loc: Sequence[str | int], value: object) -> Sequence[str | int]:
    """Drop a last part that names the kind of `value` (pydantic's tag of a union) rather than a key."""
    is_tag = len(loc) > 1 and isinstance(value, dict) and loc[-1] in value.values() and loc[-1] not in value
    return loc[:-1] if is_tag else loc


def _is_type_tag(part: str | int) -> bool:
    return isinstance(part, str) and any(mark in part for mark in "[(")


def _short(value: Any) -> str:  # noqa: ANN401 - any value of a file
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _kind(value: Any) -> str:  # noqa: ANN401 - any value of a file
    return {type(None): "nothing", CommentedSeq: "a list"}.get(type(value), f"one value, {_short(value)}")
