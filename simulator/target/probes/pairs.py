"""Which value of an answer belongs to which item, and which ids and tokens a request carried."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from simulator.target.evidence import Fence
from simulator.target.fields import EXTRACTED
from simulator.target.places import written
from simulator.target.schema import at_path
from simulator.target.sends import named_by, token_fields
from simulator.target.template import getter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.target.fields import Json
    from simulator.target.probes.seen import Seen
    from simulator.target.request import Target
    from simulator.target.schema import Place, Rest

_EACH = re.compile(r"\[(\*|\?[^\]]*)\]|\.\*")
"""Where a JSONPath goes over a list."""


class Carried:
    """What the requests of a target carry of what earlier answers told, by operation.

    `ids` are all but attribution tokens. What an operation's own answer tells anew is left out: when it is looked at,
    the visit has learned the new value already.
    """

    def __init__(self, target: Target) -> None:
        tokens = token_fields(target)
        self.tokens: dict[str, tuple[str, ...]] = {}
        self.ids: dict[str, tuple[str, ...]] = {}
        for operation, rest in target.file.operations.items():
            told = {EXTRACTED + name for name in rest.extract}
            names = sorted(name for name in named_by(rest) if name.startswith(EXTRACTED) and name not in told)
            self.tokens[operation] = tuple(name for name in names if name in tokens)
            self.ids[operation] = tuple(name for name in names if name not in tokens)

    def tokens_of(self, seen: Seen) -> list[str]:
        """Return the attribution tokens that a request sent back."""
        return _values(seen, self.tokens.get(seen.operation, ()))

    def ids_of(self, seen: Seen) -> list[str]:
        """Return the ids that a request named."""
        return _values(seen, self.ids.get(seen.operation, ()))


def _values(seen: Seen, fields: Iterable[str]) -> list[str]:
    values = seen.visitor.context.values
    return [str(getter(field)(values)) for field in fields if field in values]


class Pairs:
    """Reads one piece of evidence beside `items`, for the operations of whose answers it says which is whose."""

    def __init__(self, target: Target, name: str) -> None:
        self._name, self._carried = name, Carried(target)
        rests = target.file.operations
        self._beside = {operation for operation, rest in rests.items() if _stand_together(rest, name)}
        self._single = {operation for operation, rest in rests.items() if _is_of_one(rest, name)}

    def readable(self, operation: str) -> bool:
        """Return whether anything can be read of an operation's answers."""
        return operation in self._beside or operation in self._single

    def of(self, seen: Seen) -> dict[str, Any]:
        """Return the value of each item of an answer; of a single thing under the ids that the request named."""
        found = seen.evidence.get(self._name)
        if not isinstance(found, tuple):
            return {}
        if seen.operation in self._beside:
            items = seen.evidence.get("items", ())
            return dict(zip(items, found, strict=True)) if len(items) == len(found) else {}
        if seen.operation in self._single and len(found) == 1:
            ids = self._carried.ids_of(seen)
            return {ids[0]: found[0]} if len(ids) == 1 else {}
        return {}


def _stand_together(rest: Rest, name: str) -> bool:
    """Return whether two paths go over the same list, and over no other below it."""
    lists = [_list_of(place) for place in (rest.evidence.items, getattr(rest.evidence, name))]
    return bool(lists[0]) and lists[0] == lists[1]


def _is_of_one(rest: Rest, name: str) -> bool:
    place = getattr(rest.evidence, name)
    return bool(_path(place)) and not _over_lists(place)


def _list_of(place: Place | str | None) -> str:
    """Return the list that a JSONPath goes over, or nothing."""
    text = _path(place)
    found = [*_EACH.finditer(text)]
    return text[: found[-1].end()] if found and ".." not in text else ""


def _over_lists(place: Place | str | None) -> bool:
    return ".." in _path(place) or bool(_EACH.search(_path(place)))


def _path(place: Place | str | None) -> str:
    if place is None:
        return ""
    spec = at_path(place) if isinstance(place, str) else place
    return written(spec) if spec.json_path is not None else ""


def shortened(value: Json, most: int = 8) -> Json:
    """Return a piece of evidence as JSON that can be told: of what is long the beginning, of a fence its numbers."""
    if isinstance(value, Fence):
        return value.country or list(value[:3])
    if not isinstance(value, tuple | list):
        return value
    return [*map(shortened, value[:most]), *(["…"] if len(value) > most else [])]
