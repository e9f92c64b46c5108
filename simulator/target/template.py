"""Templates: text and JSON with `{fields}`, compiled once a target and rendered for every request.

A template is compiled to a constant where it names no field, else to a function of a shopper's values. A field that has
no value raises `KeyError` with its name, so nothing is ever sent as "None"; `{field?}` leaves its parameter, header or
JSON member out instead. `{{` and `}}` stand for braces, `${env:NAME}` for what the environment has under NAME.
"""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from urllib.parse import quote

import orjson

from simulator.target.fields import ALL, EXTRACTED, PICK, Json
from simulator.target.redaction import HEADER_SAFE
from simulator.target.secrets import REFERENCE, resolved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Values: TypeAlias = dict[str, Json]
    Quote: TypeAlias = Callable[[Json], str]
    Text: TypeAlias = Callable[[Values], str]
    Body: TypeAlias = Callable[[Values], bytes]

_PIECE = re.compile(rf"({REFERENCE.pattern})|(\{{\{{|\}}\}})|\{{([^{{}}]*)\}}|([{{}}])")
_NAME = re.compile(r"[a-z]\w*(\.\w+)+\??", re.ASCII)
_PLAIN = re.compile(r"[\w.~-]*", re.ASCII).fullmatch
"""The characters that RFC 3986 never asks to quote."""
_PATH_SAFE = "/:@!$&'()*+,;=~%"


class Field(NamedTuple):
    """A field in a template."""

    name: str
    optional: bool


Parts: TypeAlias = tuple[str | Field, ...]


def parse(text: str) -> Parts:
    """Split a template into literal text and fields. Raises `ValueError` that says what is wrong."""
    parts: list[str | Field] = []
    end = 0
    for match in _PIECE.finditer(text):
        parts.append(text[end : match.start()])
        end = match.end()
        reference, _, brace, name, lone = match.groups()
        if lone:
            raise ValueError(f"has a {lone} that belongs to no field; {lone}{lone} stands for the brace itself")
        if reference:
            parts.append(resolved(reference))
        elif brace:
            parts.append(brace[0])
        elif not _NAME.fullmatch(name):
            raise ValueError(f"names {{{name}}}, which is no field; {{{{ stands for the brace itself")
        else:
            parts.append(Field(name.removesuffix("?"), name.endswith("?")))
    return tuple(part for part in (*parts, text[end:]) if part)


def fields_of(parts: Parts) -> list[Field]:
    """Return the fields of a parsed template."""
    return [part for part in parts if isinstance(part, Field)]


def is_optional(parts: Parts) -> bool:
    """Return whether a missing value leaves the whole thing out."""
    return any(field.optional for field in fields_of(parts))


def getter(name: str) -> Callable[[Values], Json]:
    """Return what reads a field of a context's values.

    Of extracted candidates, a tuple, the context's integer chooses one.
    `extracted.name.all` is all of them, as a list.
    """
    if not name.startswith(EXTRACTED):
        return itemgetter(name)
    if name.endswith(ALL):
        known = name.removesuffix(ALL)
        return lambda values: list(values[known]) if type(values[known]) is tuple else [values[known]]

    def chosen(values: Values) -> Json:
        value = values[name]
        return value[values[PICK] % len(value)] if type(value) is tuple else value

    return chosen


def as_text(value: Json) -> str:
    """Return a value as text: JSON's spelling of everything but strings."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def quoted(value: Json) -> str:
    """Return a value for a URL or a form, percent-encoded where RFC 3986 asks for it."""
    text = value if type(value) is str else as_text(value)
    return text if _PLAIN(text) else quote(text, safe="")


def header_value(value: Json) -> str:
    """Return a value for a header: what is not printable ASCII is percent-encoded, so no value can add a header."""
    text = as_text(value)
    return text if text.isascii() and text.isprintable() else quote(text, safe=HEADER_SAFE)


def text(parts: Iterable[str | Field], quote_field: Quote = as_text) -> Text:
    """Compile parts to one text; `quote_field` is applied to fields only."""
    literal, getters = [""], []
    for part in parts:
        if isinstance(part, Field):
            getters.append(getter(part.name))
            literal.append("")
        else:
            literal[-1] += part
    before, after = literal[0], literal[-1]
    if not getters:
        return lambda _: before
    if len(getters) == 1:
        get = getters[0]
        return lambda values: before + quote_field(get(values)) + after
    pattern = "%s".join(piece.replace("%", "%%") for piece in literal)
    return lambda values: pattern % tuple([quote_field(get(values)) for get in getters])


def url(path: str, query: Mapping[str, str]) -> Text:
    """Compile a path and its query. Parameters whose optional field is missing are left out; they come last."""
    literal = [quote(part, safe=_PATH_SAFE) if isinstance(part, str) else part for part in parse(path)]
    return _pairs(literal, "?", query)


def form(fields: Mapping[str, str]) -> Body:
    """Compile a urlencoded body."""
    render = _pairs([], "", fields)
    return lambda values: render(values).encode()


def _pairs(head: list[str | Field], joint: str, pairs: Mapping[str, str]) -> Text:
    """Compile `head`, then `joint` and name=value pairs joined by &."""
    required, optional = list(head), []
    for name, template in pairs.items():
        parts = [quote(part, safe="") if isinstance(part, str) else part for part in parse(template)]
        if is_optional(tuple(parts)):
            optional.append((f"{quote(name, safe='')}=", text(parts, quoted)))
        else:
            required += [f"{joint}{quote(name, safe='')}=", *parts]
            joint = "&"
    fixed = text(required, quoted)
    return _with_optional(fixed, joint, optional) if optional else fixed


def _with_optional(fixed: Text, joint: str, optional: list[tuple[str, Text]]) -> Text:
    def render(values: Values) -> str:
        out, mark = fixed(values), joint
        for label, part in optional:
            try:
                out += mark + label + part(values)
            except KeyError:
                continue
            mark = "&"
        return out

    return render


class _Node(NamedTuple):
    """A compiled JSON value: a constant, or a function of the values; `optional` may be left out of its parent."""

    constant: bool
    optional: bool
    value: Json
    render: Callable[[Values], Json]


def json_body(tree: Json) -> Body:
    """Compile a JSON body. A string that is exactly one field becomes the field's value with its type."""
    node = _node(tree)
    if node.constant:
        body = orjson.dumps(node.value)
        return lambda _: body
    render, dump = node.render, orjson.dumps
    return lambda values: dump(render(values))


def _constant(value: Json) -> _Node:
    return _Node(True, False, value, lambda _: value)


def _node(tree: Json) -> _Node:
    if isinstance(tree, str):
        return _string(parse(tree))
    if isinstance(tree, dict):
        return _object([(resolved(key), _node(value)) for key, value in tree.items()])
    if isinstance(tree, list):
        return _array([_node(value) for value in tree])
    return _constant(tree)


def _string(parts: Parts) -> _Node:
    fields = fields_of(parts)
    if not fields:
        return _constant("".join(map(str, parts)))
    render = getter(fields[0].name) if len(parts) == 1 else text(parts)
    return _Node(False, is_optional(parts), None, render)


def _object(members: list[tuple[str, _Node]]) -> _Node:
    if all(node.constant for _, node in members):
        return _constant({key: node.value for key, node in members})
    pairs = [(key, node.render) for key, node in members]
    if not any(node.optional for _, node in members):
        return _Node(False, False, None, lambda values: {key: render(values) for key, render in pairs})

    def render(values: Values) -> Json:
        out = {}
        for key, node in members:
            try:
                out[key] = node.render(values)
            except KeyError:
                if not node.optional:
                    raise
        return out

    return _Node(False, False, None, render)


def _array(elements: list[_Node]) -> _Node:
    if all(node.constant for node in elements):
        return _constant([node.value for node in elements])

    def render(values: Values) -> Json:
        out = []
        for node in elements:
            try:
                out.append(node.render(values))
            except KeyError:
                if not node.optional:
                    raise
        return out

    return _Node(False, False, None, render)
