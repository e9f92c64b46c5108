"""One mapped operation, compiled: what it sends and how its answer is read. The hot path of the load generator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from simulator.target.extract import Path, compile_path
from simulator.target.fields import EXTRACTED, Json
from simulator.target.headers import spelled
from simulator.target.template import fields_of, form, header_value, is_optional, json_body, parse, text, url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.target.context import Context
    from simulator.target.schema import Rest, TargetFile
    from simulator.target.template import Body, Text

ANY_SUCCESS = frozenset(range(200, 300))


@dataclass(slots=True, eq=False)
class Request:
    """A request ready to be sent; `url` is path and query, to be put behind the host."""

    operation: str
    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None
    timeout_s: float
    expect: frozenset[int]


@dataclass(slots=True, eq=False)
class Skipped:
    """A call that cannot or must not be made, and why; no request was sent."""

    operation: str
    reason: str


class Answer:
    """What an answer said. `error` is "" for a good one, else a short name such as `status 500` or `missing $.items`.

    `extracted` maps names to values; where a path may find many, to the tuple of all candidates, never empty.
    """

    __slots__ = ("_document", "_evidence", "error", "extracted", "operation")

    def __init__(
        self,
        operation: str,
        error: str = "",
        extracted: dict[str, Json] | None = None,
        document: Json = None,
        evidence: Mapping[str, Path] | None = None,
    ) -> None:
        self.operation = operation
        self.error = error
        self.extracted = extracted or {}
        self._document = document
        self._evidence = evidence or {}

    @property
    def ok(self) -> bool:
        """Whether the answer is what the target file expects."""
        return not self.error

    def observe(self, name: str) -> Json:
        """Return one piece of evidence, read only now: the value, a list where the path may find many, or None."""
        path = self._evidence.get(name)
        if path is None:
            return None
        found = path.find(self._document)
        if path.singular:
            return found[0] if found else None
        return found

    @property
    def evidence(self) -> dict[str, Json]:
        """All evidence whose path found something; a null found there is kept."""
        found = {name: path.find(self._document) for name, path in self._evidence.items()}
        return {
            name: values[0] if self._evidence[name].singular else values for name, values in found.items() if values
        }


class Call:
    """A compiled `Rest` operation."""

    __slots__ = (
        "_body", "_expect", "_extract", "_fixed_headers", "_guarded", "_headers", "_needs", "_reads", "_timeout_s",
        "_url", "evidence", "method", "once", "operation", "placement",
    )  # fmt: skip

    def __init__(self, operation: str, rest: Rest, file: TargetFile) -> None:
        self.operation = operation
        self.method = rest.method
        self.placement = rest.placement
        self.once = rest.once is not None
        self.evidence = {name: compile_path(path) for name, path in rest.evidence if path is not None}
        self._extract = [(name, compile_path(path)) for name, path in rest.extract.items()]
        self._reads = bool(self._extract or self.evidence)
        self._needs = tuple(rest.needs)
        self._guarded = bool(self._needs or self.once)
        self._expect = frozenset(rest.expect.status) if rest.expect else ANY_SUCCESS
        self._timeout_s = file.timeout if rest.timeout is None else rest.timeout
        self._url = url(rest.path, rest.query)
        self._body = _compile_body(rest)
        self._fixed_headers, self._headers = _compile_headers(rest, file)

    def build(self, context: Context) -> Request | Skipped:
        """Return the request, or why there is none."""
        if self._guarded and (reason := self._refusal(context)):
            return Skipped(self.operation, reason)
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
        return Request(self.operation, self.method, target, headers, body, self._timeout_s, self._expect)

    def read(self, status: int, body: bytes) -> Answer:
        """Return what an answer says. Never raises, whatever the target sent."""
        if status not in self._expect:
            return Answer(self.operation, f"status {status}")
        if not self._reads:
            return Answer(self.operation)
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            return Answer(self.operation, "not json")
        extracted: dict[str, Json] = {}
        for name, path in self._extract:
            found = path.find(document)
            if None in found:
                found = [value for value in found if value is not None]
            if found:
                extracted[name] = found[0] if path.singular else tuple(found)
            elif error := path.missing(document):
                return Answer(self.operation, error, {}, document, self.evidence)
        return Answer(self.operation, "", extracted, document, self.evidence)

    def _refusal(self, context: Context) -> str:
        for consent in self._needs:
            if consent not in context.consents:
                return f"no {consent} consent"
        return "already made in this visit" if self.once and self.operation in context.made else ""


def _why_missing(field: str) -> str:
    if field.startswith("place."):
        return "no location consent"
    return f"{field} is not known yet" if field.startswith(EXTRACTED) else f"{field} is not known"


def _compile_body(rest: Rest) -> Body | None:
    if rest.body is not None:
        return json_body(rest.body)
    return form(rest.form) if rest.form else None


def _compile_headers(rest: Rest, file: TargetFile) -> tuple[dict[str, str], list[tuple[str, Text, bool]]]:
    """Return the headers that never change, and (name, text, may be left out) of those that do."""
    templates: dict[str, Any] = {}
    if rest.body is not None or rest.form:
        form_type = "application/x-www-form-urlencoded"
        templates["Content-Type"] = form_type if rest.body is None else "application/json"
    templates |= {spelled(name): value for name, value in (file.headers | rest.headers).items()}
    fixed, rendered = {}, []
    for name, template in templates.items():
        parts = parse(template)
        if fields_of(parts):
            rendered.append((name, text(parts, header_value), is_optional(parts)))
        else:
            fixed[name] = header_value("".join(map(str, parts)))
    if file.auth.kind == "bearer":
        # Whoever has no token yet is anonymous, which is no reason not to ask.
        rendered.append(("Authorization", text(parse(f"Bearer {file.auth.token}"), header_value), True))
    return fixed, rendered
