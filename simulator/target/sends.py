"""Which of a shopper's fields each request of a target carries, headers and credentials included."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simulator.target.fields import ALL, EXTRACTED
from simulator.target.places import written
from simulator.target.schema import at_path
from simulator.target.template import fields_of, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.target.fields import Json
    from simulator.target.request import Target
    from simulator.target.schema import Place, Rest, TargetFile
    from simulator.target.template import Field


class Sends(NamedTuple):
    """Names of fields: all that a request may carry, and those in its path; whether one is an attribution token."""

    fields: frozenset[str]
    in_path: frozenset[str]
    token: bool


def sends_of(target: Target) -> dict[str, Sends]:
    """Return what each operation and each reading of a target sends."""
    file = target.file
    rests = dict(file.operations) | {f"readings.{name}": rest for name, rest in file.readings.items()}
    tokens = token_fields(target)
    return {name: _sends(rest, file, tokens) for name, rest in rests.items()}


def token_fields(target: Target) -> frozenset[str]:
    """Return the fields that hold attribution tokens: what is extracted from where an answer shows one."""
    file = target.file
    return frozenset(
        EXTRACTED + name
        for rest in (*file.operations.values(), *file.readings.values())
        if rest.evidence.token is not None
        for name, place in rest.extract.items()
        if _spot(place) == _spot(rest.evidence.token)
    )


def named_by(rest: Rest) -> frozenset[str]:
    """Return the fields that a request itself names, without what its credentials and the file's headers carry."""
    return frozenset(name for part in _parts(rest) for name in _names(part))


def _spot(place: Place | str) -> str:
    return written(at_path(place) if isinstance(place, str) else place)


def _sends(rest: Rest, file: TargetFile, tokens: frozenset[str]) -> Sends:
    in_path = frozenset(_names(rest.path))
    parts = [*_parts(rest), file.headers]
    fields = {name for part in parts for name in _names(part)} | _credentials(file)
    return Sends(frozenset(fields), in_path, bool(tokens & fields))


def _credentials(file: TargetFile) -> set[str]:
    """Return the fields by which the target knows a caller; a session stands for what the opening told it."""
    auth = file.auth
    found = {name for part in (auth.user, auth.password, auth.key) if part for name in _names(part)}
    if auth.kind == "bearer":
        found |= set(_names(auth.token))
    if auth.kind in {"bearer", "cookie"}:
        for name in ("session", "identify", "login"):
            if name in file.operations:
                opening = file.operations[name]
                found |= {field for part in (opening.body, opening.form, opening.query) for field in _names(part)}
    return found


def needed_by(rest: Rest) -> list[str]:
    """Return the fields without which a request cannot be made, in the order in which it names them."""
    found = [field.name for part in _parts(rest) for field in _fields(part) if not field.optional]
    return [name.removesuffix(ALL) for name in dict.fromkeys(found)]


def _parts(rest: Rest) -> list[Json]:
    variables = rest.graphql.variables if rest.graphql else None
    return [rest.path, rest.query, rest.form, rest.headers, rest.body, rest.text, variables]


def _names(tree: Json) -> Iterator[str]:
    yield from (field.name.removesuffix(ALL) for field in _fields(tree))


def _fields(tree: Json) -> Iterator[Field]:
    if isinstance(tree, str):
        yield from fields_of(parse(tree))
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from _fields(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _fields(value)
