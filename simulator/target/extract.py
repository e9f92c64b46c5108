"""JSONPath (RFC 9535) compiled: the library decides what a path means, plain chains run without it.

A plain chain of names, indices, `[*]` and `[?@.name == true]`, which is nearly every path people write, becomes a
direct getter that finds what the library finds, in the same order; tests hold the two together on generated documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from jsonpath import JSONPath, JSONPathEnvironment, JSONPathError
from jsonpath.filter import BooleanLiteral, InfixExpression, RelativeFilterQuery
from jsonpath.segments import JSONPathChildSegment
from jsonpath.selectors import Filter, IndexSelector, NameSelector, WildcardSelector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jsonpath.filter import BaseExpression
    from jsonpath.selectors import JSONPathSelector

    from simulator.target.fields import Json

    Find: TypeAlias = Callable[[Json], list[Json]]

_ENVIRONMENT = JSONPathEnvironment(strict=True)


class Where(NamedTuple):
    """The step `[?@.name == wanted]`; without a name, `[*]`."""

    name: str | None
    wanted: bool


_ANY = Where(None, True)
Step: TypeAlias = str | int | Where


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
    _selects_all: bool

    def missing(self, document: Json) -> str:
        """Return `missing $.items` for a path that found nothing, or "" where nothing is a fair answer.

        Nothing is fair where the path is optional, where it selects from a list or an object that is empty (a search
        without hits), and where a filter took everything out.
        """
        if self.optional:
            return ""
        if self.singular:
            return f"missing {self.text}"
        container = _walk(document, self._prefix)
        if not container or not isinstance(container[0], list | dict):
            return f"missing {_written(self._prefix)}"
        return f"missing {self.text}" if self._selects_all and container[0] else ""


def compile_path(text: str) -> Path:
    """Compile a JSONPath, with `?` after it if it may find nothing. Raises `ValueError` that says what is wrong."""
    plain = text.removesuffix("?")
    if not plain.startswith("$"):
        raise ValueError("does not begin with $")
    try:
        path = _ENVIRONMENT.compile(plain)
    except (JSONPathError, RecursionError) as error:
        raise ValueError(str(error).splitlines()[0]) from None
    assert isinstance(path, JSONPath), "only the library's own extensions, off in strict mode, compile to anything else"
    steps = _steps(path)
    prefix = tuple(takewhile(lambda step: not isinstance(step, Where), steps))
    direct = len(steps) == len(path.segments)
    find = _direct_getter(tuple(steps)) if direct else _library_getter(path)
    selects_all = direct and all(step == _ANY for step in steps if isinstance(step, Where))
    return Path(plain, path.singular_query(), text != plain, find, prefix, selects_all)


def _steps(path: JSONPath) -> list[Step]:
    """Return the leading segments that are one name, one index, `[*]` or `[?@.name == true]`."""
    steps: list[Step] = []
    for segment in path.segments:
        if not isinstance(segment, JSONPathChildSegment) or len(segment.selectors) != 1:
            break
        step = _step(segment.selectors[0])
        if step is None:
            break
        steps.append(step)
    return steps


def _step(selector: JSONPathSelector) -> Step | None:
    if isinstance(selector, NameSelector):
        return selector.name
    if isinstance(selector, IndexSelector):
        return selector.index
    if isinstance(selector, WildcardSelector):
        return _ANY
    return _where(selector.expression.expression) if isinstance(selector, Filter) else None


def _where(test: BaseExpression) -> Where | None:
    """Return the step of `@.name == true`, or None for any other test."""
    if not isinstance(test, InfixExpression) or test.operator != "==":
        return None
    left, right = test.left, test.right
    if not isinstance(left, RelativeFilterQuery) or not isinstance(right, BooleanLiteral):
        return None
    names = _steps(left.path)
    if len(names) == len(left.path.segments) == 1 and isinstance(names[0], str):
        return Where(names[0], right.value)
    return None


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
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    if step.name is None:
        return children
    return [child for child in children if isinstance(child, dict) and child.get(step.name) is step.wanted]


def _walk(document: Json, steps: tuple[Step, ...]) -> list[Json]:
    nodes = [document]
    for step in steps:
        nodes = [child for node in nodes for child in _children(node, step)]
    return nodes


def _direct_getter(steps: tuple[Step, ...]) -> Find:
    """Return the fastest function for these steps: names only, names with one choice among them, or anything."""
    names = tuple(step for step in steps if isinstance(step, str))
    if len(names) == len(steps):
        return _chain(names)
    choices = [place for place, step in enumerate(steps) if isinstance(step, Where)]
    if len(choices) == 1 and len(names) == len(steps) - 1:
        return _column(names[: choices[0]], names[choices[0] :], steps)
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
    name, wanted = next(step for step in steps if isinstance(step, Where))

    def find(document: Json) -> list[Json]:
        here = document
        try:
            for outer in before:
                here = here[outer]
            if type(here) is list:
                if name is not None:
                    here = [record for record in here if record[name] is wanted]
                for get in getters:
                    here = map(get, here)
                return list(here)
        except (KeyError, TypeError):
            pass
        return _walk(document, steps)

    return find
