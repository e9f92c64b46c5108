"""One mapped operation, compiled: what it sends. The hot path of the load generator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from simulator.target.answers import Reader
from simulator.target.fields import ACCOUNT, CURSOR, EXTRACTED, NUMBER
from simulator.target.follow import Follow
from simulator.target.headers import spelled
from simulator.target.signing import auth_header, render_header
from simulator.target.template import fields_of, form, header_value, is_optional, json_body, parse, text, url

if TYPE_CHECKING:
    from simulator.target.answers import Answer
    from simulator.target.context import Context
    from simulator.target.schema import Rest, TargetFile
    from simulator.target.template import Body, Text

JSON_TYPE, FORM_TYPE = "application/json", "application/x-www-form-urlencoded"


@dataclass(slots=True, eq=False)
class Request:
    """A request ready to be sent; `url` is path and query, to be put behind the host.

    `nth` counts, from 1, the requests that one call takes: parts of a long answer, or looks at what is not there yet.
    """

    operation: str
    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None
    timeout_s: float
    expect: frozenset[int]
    nth: int = 1


@dataclass(slots=True, eq=False)
class Skipped:
    """A call that cannot or must not be made, and why; no request was sent."""

    operation: str
    reason: str


class Call:
    """A compiled `Rest` operation."""

    __slots__ = (
        "_body", "_fixed_headers", "_follow", "_guarded", "_headers", "_needs", "_timeout_s", "_url", "evidence",
        "method", "once", "operation", "placement", "reader", "rest",
    )  # fmt: skip

    def __init__(self, operation: str, rest: Rest, file: TargetFile) -> None:
        self.operation, self.rest = operation, rest
        self.method = method_of(rest)
        self.placement = rest.placement
        self.once = rest.once
        self.reader = Reader(operation, rest)
        self.evidence = self.reader.evidence
        self._follow = Follow(rest) if rest.paging or rest.poll else None
        self._needs = tuple(rest.needs)
        self._guarded = bool(self._needs or self.once)
        self._timeout_s = file.timeout if rest.timeout is None else rest.timeout
        key = {file.auth.query: file.auth.key or ""} if file.auth.kind == "api_key" and file.auth.query else {}
        self._url = url(rest.path, rest.query | key)
        self._body = _compile_body(rest)
        self._fixed_headers, self._headers = _compile_headers(rest, file)

    def build(self, context: Context) -> Request | Skipped:
        """Return the request, or why there is none."""
        if self._guarded and (reason := self._refusal(context)):
            return Skipped(self.operation, reason)
        return self._built(context, 1)

    def _built(self, context: Context, nth: int) -> Request | Skipped:
        values = context.values
        headers = {**context.headers, **self._fixed_headers}
        try:
            for name, render, optional in self._headers:
                try:
                    headers[name] = render(values)
                except KeyError:
                    if not optional:
                        raise
            body = self._body(values) if self._body else None
            target = self._url(values)
        except KeyError as missing:
            return Skipped(self.operation, _why_missing(missing.args[0]))
        expect = self.reader.expect
        return Request(self.operation, self.method, target, headers, body, self._timeout_s, expect, nth)

    @property
    def follows(self) -> bool:
        """Whether it may take more than one request."""
        return self._follow is not None

    def again(self, request: Request, answer: Answer, context: Context, base_url: str) -> tuple[Request, float] | None:
        """Return the next request of the same call and the seconds to wait before it, or None where it is over."""
        if self._follow is None:
            return None
        step = self._follow.step(request, answer, context, base_url)
        if step is None:
            return None
        if step.url:
            following: Request | Skipped = self._built(context, request.nth + 1)
            if isinstance(following, Request):
                following.url = step.url
        else:
            values = context.values
            try:
                values[NUMBER] = request.nth + 1 if self.rest.paging else 1
                if step.cursor is not None:
                    values[CURSOR] = step.cursor
                following = self._built(context, request.nth + 1)
            finally:
                values[NUMBER] = 1
                values.pop(CURSOR, None)
        return None if isinstance(following, Skipped) else (following, step.wait_s)

    def _refusal(self, context: Context) -> str:
        for consent in self._needs:
            if consent not in context.consents:
                return f"no {consent} consent"
        done = self.once and self.operation in context.made
        return f"already made {'in this visit' if self.once == 'visit' else 'by this shopper'}" if done else ""


def method_of(rest: Rest) -> str:
    """Return the method of a request: the file's, else what its body asks for."""
    return rest.method or ("POST" if rest.graphql else "GET")


def _why_missing(field: str) -> str:
    if field.startswith("place."):
        return "no location consent"
    if field.startswith(ACCOUNT):
        return "no account is left"
    if field == "event.name":
        return "the target has no name for this event"
    return f"{field} is not known yet" if field.startswith(EXTRACTED) else f"{field} is not known"


def _compile_body(rest: Rest) -> Body | None:
    if rest.body is not None:
        return json_body(rest.body)
    if rest.graphql is not None:
        return _graphql(rest)
    if rest.text is not None:
        render = text(parse(rest.text))
        return lambda values: render(values).encode()
    return form(rest.form) if rest.form else None


def _graphql(rest: Rest) -> Body:
    """Return the body by GraphQL over HTTP: `query`, `variables`, `operationName`. The document holds no fields."""
    assert rest.graphql is not None
    named = {"operationName": rest.graphql.operation} if rest.graphql.operation else {}
    head = orjson.dumps({"query": rest.graphql.query, **named})
    if not rest.graphql.variables:
        return lambda _: head
    variables, begun = json_body(rest.graphql.variables), head[:-1] + b',"variables":'
    return lambda values: begun + variables(values) + b"}"


def content_type(rest: Rest) -> str | None:
    """Return the type of a request's body, unless the file's headers name it."""
    if rest.body is not None or rest.graphql is not None:
        return JSON_TYPE
    return FORM_TYPE if rest.form else None


def _compile_headers(rest: Rest, file: TargetFile) -> tuple[dict[str, str], list[tuple[str, Text, bool]]]:
    """Return the headers that never change, and (name, text, may be left out) of those that do."""
    kind = content_type(rest)
    templates: dict[str, Any] = {"Content-Type": kind} if kind else {}
    templates |= {spelled(name): value for name, value in (file.headers | rest.headers).items()}
    fixed, rendered = {}, []
    for name, template in templates.items():
        parts = parse(template)
        if fields_of(parts):
            rendered.append((name, text(parts, header_value), is_optional(parts)))
        else:
            fixed[name] = header_value("".join(map(str, parts)))
    if (who := auth_header(file.auth)) is not None:
        name, parts, finish = who
        value = render_header(parts, finish)
        if isinstance(value, str):
            fixed.setdefault(name, value)
        else:
            # Whoever has no token yet is anonymous, which is no reason not to ask.
            rendered.append((name, value, True))
    return fixed, rendered
