"""What an answer says: good or bad by the target file, what it tells later requests, and where its evidence stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.target.places import Finder, View
from simulator.target.redaction import redacted, redacted_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.target.fields import Json
    from simulator.target.schema import Rest

ANY_SUCCESS = frozenset(range(200, 300))
NOT_JSON = "not json"
MISSING, REFUSED = "missing ", "refused "
_LONGEST_NAME = 60
_LOOKED_AT = 65_536
"""Bytes of a bad answer in which secrets are looked for, before its beginning is shown."""
_NOTHING: View = View({}, b"null")


class Answer:
    """What an answer said. `error` is "" for a good one, else a short name such as `status 500` or `missing $.items`.

    `extracted` maps names to values; where a place may find many, to the tuple of all candidates, never empty.
    `sample` is the part of the answer that a name in `error` is about, where there is one. A `pending` answer says that
    what was asked for is not there yet, and that it will be asked for again.
    """

    __slots__ = ("error", "extracted", "mapped", "operation", "pending", "sample", "view")

    def __init__(
        self,
        operation: str,
        error: str = "",
        extracted: dict[str, Json] | None = None,
        view: View = _NOTHING,
        mapped: Mapping[str, Finder] | None = None,
        sample: Json = None,
    ) -> None:
        self.operation = operation
        self.error = error
        self.extracted = extracted or {}
        self.view = view
        self.mapped = mapped or {}
        self.sample = sample
        self.pending = False

    @property
    def ok(self) -> bool:
        """Whether the answer is what the target file expects; one that is only awaited is neither good nor bad."""
        return not self.error and not self.pending

    def found(self, name: str) -> list[Json]:
        """Return everything that the place of one piece of evidence finds; a body that is no JSON shows nothing."""
        finder = self.mapped.get(name)
        if finder is None:
            return []
        try:
            return finder.find(self.view)
        except ValueError:
            return []

    def observe(self, name: str) -> Json:
        """Return one piece of evidence as it stands: the value, a list where the place may find many, or None."""
        found = self.found(name)
        finder = self.mapped.get(name)
        if finder is None or finder.singular:
            return found[0] if found else None
        return found

    @property
    def evidence(self) -> dict[str, Json]:
        """All evidence whose place found something; a null found there is kept."""
        return {name: self.observe(name) for name in self.mapped if self.found(name)}


class Reader:
    """A compiled expectation: reads the answers of one operation."""

    __slots__ = ("_empty", "_expect", "_extract", "_graphql", "_parses", "_reads", "evidence", "operation")

    def __init__(self, operation: str, rest: Rest) -> None:
        self.operation = operation
        self.evidence = {name: Finder(place) for name, place in rest.evidence if place is not None}
        self._extract = [(name, Finder(place)) for name, place in rest.extract.items()]
        self._empty = [Finder(path) for path in (rest.expect.empty if rest.expect else ())]
        self._graphql = rest.graphql is not None
        self._expect = frozenset(rest.expect.status) if rest.expect and rest.expect.status else ANY_SUCCESS
        finders = [*self.evidence.values(), *(finder for _, finder in self._extract), *self._empty]
        self._parses = self._graphql or any(finder.reads_json for finder in finders)
        self._reads = bool(finders) or self._graphql

    @property
    def expect(self) -> frozenset[int]:
        """The statuses of a good answer."""
        return self._expect

    def read(self, status: int, headers: Mapping[str, Any], body: bytes) -> Answer:
        """Return what an answer says. Never raises, whatever the target sent."""
        if status not in self._expect:
            return Answer(self.operation, f"status {status}", view=View(headers, body))
        view = View(headers, body)
        if not self._reads:
            return Answer(self.operation, view=view)
        try:
            document = view.document if self._parses else None
        except ValueError:
            return Answer(self.operation, NOT_JSON, view=view, sample=_beginning(body))
        if self._graphql and (told := _graphql_error(document)):
            return Answer(self.operation, told[0], {}, view, self.evidence, told[1])
        for finder in self._empty:
            if refused := [value for value in finder.find(view) if value not in (None, "", [], {}, False)]:
                return Answer(self.operation, f"{REFUSED}{finder.text}", {}, view, self.evidence, refused[0])
        return self._extracted(view)

    def _extracted(self, view: View) -> Answer:
        extracted: dict[str, Json] = {}
        for name, finder in self._extract:
            found = finder.find(view)
            if None in found:
                found = [value for value in found if value is not None]
            if found:
                extracted[name] = found[0] if finder.singular else tuple(found)
            elif error := finder.missing(view):
                return Answer(self.operation, error, {}, view, self.evidence)
        return Answer(self.operation, "", extracted, view, self.evidence)


def _beginning(body: bytes) -> str:
    """Return what a body begins with; secrets go before it is cut, for half of one is not recognised later."""
    return redacted_bytes(body[:_LOOKED_AT])[:200].decode("utf-8", "replace")


def _graphql_error(document: Json) -> tuple[str, Json] | None:
    """Return (name, what it is about) of the first error of a GraphQL answer, or nothing (GraphQL spec, 7.1).

    The name is the error's `extensions.code` where it has one: messages differ from call to call.
    """
    if not isinstance(document, dict):
        return "graphql answer is no object", document
    errors = document.get("errors")
    if errors:
        first = errors[0] if isinstance(errors, list) else errors
        extensions = first.get("extensions") if isinstance(first, dict) else None
        code = extensions.get("code") if isinstance(extensions, dict) else None
        return redacted(f"graphql {code or 'error'}")[:_LONGEST_NAME], first
    return None if isinstance(document.get("data"), dict) else ("graphql answer has no data", document)
