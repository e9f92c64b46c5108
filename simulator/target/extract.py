"""JSONPath (RFC 9535) compiled: the library decides what a path means, plain chains run without it.

A plain chain of names, indices and `[*]`, which is nearly every path people write, becomes a direct getter that finds
what the library finds, in the same order; tests hold the two together on generated documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from jsonpath import JSONPath, JSONPathEnvironment, JSONPathError
from jsonpath.segments import JSONPathChildSegment
from jsonpath.selectors import IndexSelector, NameSelector, WildcardSelector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from simulator.target.fields import Json

    Find: TypeAlias = Callable[[Json], list[Json]]

_ENVIRONMENT = JSONPathEnvironment(strict=True)


class _Wildcard:
    """The step `[*]`."""


_ANY = _Wildcard()
Step: TypeAlias = str | int | _Wildcard


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled path.

    `find` returns every value found. `singular` paths find one at most; others find candidates. `optional` ones,
    written with `?` after them, may find nothing.
    """

    text: str
    singular: bool
    optional: bool
    find: Find
    _prefix: tuple[Step, ...]
    _direct: bool

    def missing(self, document: Json) -> str:
        """Return `missing $.items` for a path that found nothing, or "" where nothing is a fair answer.

        Nothing is fair where the path is optional, or where it selects from a list or an object that is empty (a search
        without hits).
        """
        if self.optional:
            return ""
        if self.singular:
            return f"missing {self.text}"
        container = _walk(document, self._prefix)
        if not container or not isinstance(container[0], list | dict):
            return f"missing {_written(self._prefix)}"
        return f"missing {self.text}" if self._direct and container[0] else ""


def compile_path(text: str) -> Path:
    """Compile a JSONPath, with `?` after it if it may find nothing. Raises `ValueError` that says what is wrong."""
    plain = text.removesuffix("?")
    try:
        path = _ENVIRONMENT.compile(plain)
    except (JSONPathError, RecursionError) as error:
        raise ValueError(str(error).splitlines()[0]) from None
    assert isinstance(path, JSONPath), "only the library's own extensions, off in strict mode, compile to anything else"
    steps = _steps(path)
    prefix = tuple(steps[: steps.index(_ANY)] if _ANY in steps else steps)
    direct = len(steps) == len(path.segments)
    find = _direct_getter(tuple(steps)) if direct else _library_getter(path)
    return Path(plain, path.singular_query(), text != plain, find, prefix, direct)


def _steps(path: JSONPath) -> list[Step]:
    """Return the leading segments that are one name, one index or `[*]`."""
    steps: list[Step] = []
    for segment in path.segments:
        if not isinstance(segment, JSONPathChildSegment) or len(segment.selectors) != 1:
            break
        selector = segment.selectors[0]
        if isinstance(selector, NameSelector):
            steps.append(selector.name)
        elif isinstance(selector, IndexSelector):
            steps.append(selector.index)
        elif isinstance(selector, WildcardSelector):
            steps.append(_ANY)
        else:
            break
    return steps


def _written(steps: Iterable[Step]) -> str:
    """Return steps as a path."""
    names = (f".{step}" if isinstance(step, str) and step.isidentifier() else f"[{step!r}]" for step in steps)
    return f"${''.join(names)}"


def _library_getter(path: JSONPath) -> Find:
    def find(document: Json) -> list[Json]:
        # The library would parse a string as JSON again; nothing can be selected from one.
        if isinstance(document, str):
            return []
        try:
            return path.findall(document)
        except (JSONPathError, RecursionError):
            return []

    return find


def _children(node: Json, step: Step) -> Iterable[Json]:
    if isinstance(step, str):
        return (node[step],) if isinstance(node, dict) and step in node else ()
    if isinstance(step, int):
        return (node[step],) if isinstance(node, list) and -len(node) <= step < len(node) else ()
    if isinstance(node, list):
        return node
    return node.values() if isinstance(node, dict) else ()


def _walk(document: Json, steps: tuple[Step, ...]) -> list[Json]:
    nodes = [document]
    for step in steps:
        nodes = [child for node in nodes for child in _children(node, step)]
    return nodes


def _direct_getter(steps: tuple[Step, ...]) -> Find:
    """Return the fastest function for these steps: names only, names with one `[*]` among them, or anything."""
    names = tuple(step for step in steps if isinstance(step, str))
    if len(names) == len(steps):
        return _chain(names)
    place = steps.index(_ANY) if _ANY in steps else -1
    if place >= 0 and len(names) == len(steps) - 1:
        return _column(names[:place], names[place:], steps)
    return lambda document: _walk(document, steps)


def _chain(names: tuple[str, ...]) -> Find:
    def find(document: Json) -> list[Json]:
        try:
            for name in names:
                document = document[name]
        except (KeyError, TypeError):  # TypeError: a string, number, list or null has no names
            return []
        return [document]

    return find


def _column(before: tuple[str, ...], after: tuple[str, ...], steps: tuple[Step, ...]) -> Find:
    """Read one column of a list of records; whatever is not that regular goes the slow way."""
    getters = [itemgetter(name) for name in after]

    def find(document: Json) -> list[Json]:
        here = document
        try:
            for name in before:
                here = here[name]
            if type(here) is list:
                for get in getters:
                    here = map(get, here)
                return list(here)
        except (KeyError, TypeError):
            pass
        return _walk(document, steps)

    return find
