"""Values that wander: seen in an answer, sent by a later request. Each becomes a capture and a field."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from selectolax.lexbor import LexborHTMLParser

from simulator.target.imports.guess import field_for, member
from simulator.target.imports.seen import Seen, snake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.target.fields import Json

SHORTEST = 4
"""Characters below which a value is taken for a coincidence: 1, true, GB."""
MOST_VALUES = 20_000
_DEEPEST = 40
_STATUS_HEADERS = frozenset(
    ["date", "content-length", "content-type", "server", "expires", "last-modified", "cache-control", "vary", "age"]
)
_COMMON = frozenset({"true", "false", "null", "none", "utf-8", "application/json", "desc", "asc", "default"})


Names: TypeAlias = dict[str, tuple[str, str]]
"""Who owns each name of a capture: (request, place)."""


class Told(NamedTuple):
    """What an answer told: its JSON, its headers, its HTML."""

    document: Json
    headers: list[tuple[str, str]]
    html: str


class Origin(NamedTuple):
    """Where a value was told: by which request, at which place, under what name."""

    seen: Seen
    place: Json
    name: str


def wander(entries: list[tuple[Seen, Told]]) -> None:
    """Mark in each request what earlier answers told: `fixed` of the request, `captures` of who told it.

    A value that a later answer told again is taken from there: tokens change, and the last one counts.
    """
    known: dict[str, Origin] = {}
    names: Names = {}
    for seen, told in entries:
        _mark(seen, known, names)
        for value, place, name in _values(told):
            if len(known) < MOST_VALUES and _is_telling(value):
                before = known.get(value)
                # What a list of products and the product itself both tell is taken from the list that was first.
                if before is None or "token" in name or "csrf" in name:
                    known[value] = Origin(seen, place, name)


def _is_telling(value: str) -> bool:
    return len(value) >= SHORTEST and value.lower() not in _COMMON and not value.isspace()


def _mark(seen: Seen, known: dict[str, Origin], names: Names) -> None:
    for name, value in list(seen.headers.items()):
        if isinstance(value, str):
            prefix = "Bearer " if value.startswith("Bearer ") else ""
            if origin := known.get(value.removeprefix("Bearer ")):
                seen.fixed[name] = prefix + _capture(origin, names)
    seen.path = "/".join(_segment(part, number, seen, known, names) for number, part in enumerate(seen.path.split("/")))
    for name, value in [*seen.query.items(), *(seen.form or {}).items()]:
        if isinstance(value, str) and value in known and not _is_word(name):
            seen.fixed[name] = _capture(known[value], names)
    # Of a GraphQL body only the variables are looked through; the document has no values.
    body = seen.graphql.get("variables") if seen.graphql else seen.body
    for name, value in _strings(body, ""):
        if value in known and not _is_word(name):
            seen.fixed[value] = _capture(known[value], names)


def _is_word(name: str) -> bool:
    """Return whether a name says what a shopper types or is, which no answer needs to tell."""
    guessed = field_for(name)
    return bool(guessed) and not guessed.startswith("{extracted.") and guessed not in {"{shopper.id}", "{visit.id}"}


def _segment(part: str, number: int, seen: Seen, known: dict[str, Origin], names: Names) -> str:
    if number == 0 or not part:
        return part
    origin = known.get(part)
    looks_like_id = bool(re.search(r"\d", part)) or len(part) > 15
    if origin and (looks_like_id or origin.name in {"sku", "id", "handle", "slug"}):
        name = f"p{number}"
        seen.fixed[name] = _capture(origin, names)
        return f"{{{name}}}"
    return part.replace("{", "").replace("}", "")


def _capture(origin: Origin, names: Names) -> str:
    """Return the field of an origin, and have its request capture it.

    A name belongs to one request and one place, so that no value takes another's; only products' ids may come from
    several, since any product will do.
    """
    base = origin.name or "value"
    path = [part for part in origin.seen.path.split("/") if part and not part.startswith("{")]
    longer = f"{snake(path[-1]) if path else 'page'}_{base}"
    owner = (origin.seen.title, str(origin.place))
    for name in (base, longer, *(f"{longer}_{n}" for n in range(2, MOST_VALUES))):
        if names.setdefault(name, owner) == owner or (name == "sku" and name not in origin.seen.captures):
            origin.seen.captures[name] = origin.place
            return f"{{extracted.{name}}}"
    raise AssertionError("a name is left")


def _values(told: Told) -> Iterator[tuple[str, Json, str]]:
    """Yield (value, place, name) of everything that an answer told."""
    yield from _members(told.document, "$", "value", 0)
    for name, value in told.headers:
        if name.lower() == "set-cookie":
            key, _, rest = value.partition("=")
            yield rest.partition(";")[0].strip(), {"cookie": key.strip()}, snake(key)
        elif name.lower() not in _STATUS_HEADERS:
            yield value, {"header": name}, snake(name)
    if told.html:
        yield from _in_html(told.html)


def _members(node: Json, path: str, name: str, depth: int) -> Iterator[tuple[str, Json, str]]:
    if depth > _DEEPEST:
        return
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _members(value, f"{path}{member(str(key))}", snake(str(key)) or "value", depth + 1)
    elif isinstance(node, list):
        # Any element would do as well as the one that was tapped: all of them are candidates.
        for value in node:
            yield from _members(value, f"{path}[*]", name, depth + 1)
    elif isinstance(node, str):
        yield node, path, name
    elif isinstance(node, int) and not isinstance(node, bool):
        yield str(node), path, name


def _in_html(html: str) -> Iterator[tuple[str, Json, str]]:
    """Yield what hidden fields and meta elements tell: where pages keep their CSRF tokens."""
    tree = LexborHTMLParser(html)
    for tag, attribute in (("input", "value"), ("meta", "content")):
        for node in tree.css(f"{tag}[name]"):
            name, value = node.attributes.get("name"), node.attributes.get(attribute)
            if name and value and '"' not in name and (tag == "meta" or node.attributes.get("type") == "hidden"):
                yield value, {"css": f'{tag}[name="{name}"]', "attribute": attribute}, snake(name)


def _strings(node: Json, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _strings(value, str(key))
    elif isinstance(node, list):
        for value in node:
            yield from _strings(value, name)
    elif isinstance(node, str):
        yield name, node
