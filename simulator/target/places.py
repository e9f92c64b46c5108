"""Where in an answer a value stands: a JSONPath, or a header, a cookie, a regular expression, a CSS selector."""

from __future__ import annotations

import re
from functools import cache
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any

import orjson
from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from simulator.target.extract import compile_path
from simulator.target.schema import Place, at_path
from simulator.target.secrets import resolved

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulator.target.fields import Json

    Find = Callable[["View"], list[Json]]

KINDS = ("json", "header", "cookie", "regex", "css")
"""What a place may be found by; `regex` may stand beside `header` and then reads the header's value."""
MOST_FOUND = 1_000
"""Values that one place yields at most from text; a page that repeats a pattern a million times is read no further."""


_UNREAD = object()
LONGEST_TEXT_BYTES = 2_000_000
"""How much of a body is read as text or HTML: expressions over more would hold up every other visit."""


class View:
    """An answer under several looks; each is made when it is first needed. Headers' names are lower case."""

    __slots__ = ("_document", "_html", "body", "headers")

    def __init__(self, headers: Mapping[str, Any], body: bytes) -> None:
        self.headers, self.body = headers, body
        self._document: Json = _UNREAD
        self._html: LexborHTMLParser | None = None

    @property
    def document(self) -> Json:
        """The body as JSON. Raises `ValueError` if it is none."""
        if self._document is _UNREAD:
            self._document = orjson.loads(self.body)
        return self._document

    @property
    def text(self) -> str:
        """The body's beginning as UTF-8 text; what is no UTF-8 is replaced."""
        return self.body[:LONGEST_TEXT_BYTES].decode("utf-8", "replace")

    @property
    def html(self) -> LexborHTMLParser:
        """The body as a tree of HTML."""
        if self._html is None:
            self._html = LexborHTMLParser(self.text)
        return self._html

    def header(self, name: str) -> list[str]:
        """Return the values of a header, each line its own; capitals do not matter."""
        value = self.headers.get(name)
        if value is None:
            value = next((given for key, given in self.headers.items() if key.lower() == name), None)
        if value is None:
            return []
        return [_text(one) for one in value] if isinstance(value, list | tuple) else [_text(value)]


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


class Finder:
    """A compiled place.

    `find` returns every value found, and raises `ValueError` where the body is no JSON and would have to be. `singular`
    places find one value at most, others candidates; `optional` ones may find nothing. `reads_json` is whether the
    body must be JSON.
    """

    __slots__ = ("_missing", "find", "optional", "reads_json", "singular", "text")

    def __init__(self, place: Place | str) -> None:
        spec = at_path(place) if isinstance(place, str) else place
        self.text, self.optional = written(spec), spec.optional
        self.reads_json = spec.json_path is not None
        self.singular = True
        self._missing: Callable[[Json], str] = lambda _: "" if self.optional else f"missing {self.text}"
        if spec.json_path is not None:
            self.find = self._by_path(spec.json_path)
        else:
            self.find = self._by_text(spec)
        if spec.equals is not None:
            self.find = _comparing(self.find, spec.equals)

    def _by_path(self, text: str) -> Find:
        path = compile_path(resolved(text))
        self.optional = self.optional or path.optional
        self.singular, self._missing, self.text = path.singular, path.missing, path.text
        find = path.find
        return lambda view: find(view.document)

    def _by_text(self, spec: Place) -> Find:
        if spec.css is not None:
            self.singular = not spec.every
            return _by_css(spec.css, spec.attribute, every=spec.every)
        if spec.cookie is not None:
            return _by_cookie(spec.cookie)
        if spec.header is not None:
            by_header = _by_header(spec.header)
            return _by_regex(spec.regex, by_header, every=False) if spec.regex else by_header
        assert spec.regex is not None
        self.singular = not spec.every
        return _by_regex(spec.regex, lambda view: [view.text], every=spec.every)

    def missing(self, view: View) -> str:
        """Return `missing $.items` for a place that found nothing, or "" where nothing is a fair answer."""
        if self.optional:
            return ""
        return self._missing(view.document if self.reads_json else None)


def written(spec: Place) -> str:
    """Return a place as messages have it: `$.items`, `header ETag`, `cookie sid`, `regex …`, `css …`."""
    if spec.json_path is not None:
        return spec.json_path.removesuffix("?")
    parts = [f"{kind} {getattr(spec, kind)}" for kind in ("header", "cookie", "css", "regex") if getattr(spec, kind)]
    return " ".join(parts)


def _by_header(name: str) -> Find:
    lower = name.lower()
    return lambda view: view.header(lower)[:1]


def _by_cookie(name: str) -> Find:
    def find(view: View) -> list[Json]:
        found = []
        for line in view.header("set-cookie"):
            # Not `SimpleCookie` alone: it forgets the whole line for one character that browsers take.
            key, given, value = line.partition(";")[0].partition("=")
            if given and key.strip() == name:
                found.append(_unquoted(value.strip()))
        return found[-1:]

    return find


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    try:
        jar = SimpleCookie(f"v={value}")
    except CookieError:
        return value
    return jar["v"].value if "v" in jar else value


def _by_regex(pattern: str, texts: Find, *, every: bool) -> Find:
    search = _compiled(pattern)

    def find(view: View) -> list[Json]:
        found: list[Json] = []
        for text in texts(view):
            for match in search.finditer(text):
                found.append(match[1] if search.groups else match[0])
                if not every or len(found) >= MOST_FOUND:
                    return found
        return found

    return find


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _by_css(selector: str, attribute: str | None, *, every: bool) -> Find:
    def find(view: View) -> list[Json]:
        nodes = view.html.css(selector)
        values = (node.text(strip=True) if attribute is None else node.attributes.get(attribute) for node in nodes)
        found = [value for value in values if value is not None]
        return found[:MOST_FOUND] if every else found[:1]

    return find


def _comparing(find: Find, wanted: Json) -> Find:
    choices = wanted if isinstance(wanted, list) else [wanted]

    def compare(view: View) -> list[Json]:
        return [value in choices for value in find(view)]

    return compare


def check_css(selector: str) -> str:
    """Return what is wrong with a CSS selector, or nothing."""
    try:
        LexborHTMLParser("<p></p>").css(selector)
    except (SelectolaxError, ValueError) as error:
        return str(error).splitlines()[0] or "does not parse"
    return ""


def check_regex(pattern: str) -> str:
    """Return what is wrong with a regular expression, or nothing."""
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        return str(error)
    return "has several groups; one at most says what is taken" if groups > 1 else ""
