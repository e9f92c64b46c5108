"""OpenAPI 3.0 and 3.1 to a first target file. References are resolved by `referencing`, inside the document only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from simulator.model.faults import one_fault
from simulator.target.imports.draft import Draft, choose, finish, request_of
from simulator.target.imports.seen import MOST_SEEN, Seen, snake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from referencing import Resource
    from referencing._core import Resolver

    from simulator.target.fields import Json

METHODS = ("get", "post", "put", "patch", "delete")
DEEPEST, MOST_MEMBERS = 8, 100
"""How far samples follow a schema: deeper members of an answer are hardly anybody's evidence."""
_MADE_UP = {"string": "text", "integer": 1, "number": 1.0, "boolean": True}
_COMBINED = ("allOf", "oneOf", "anyOf")


class Spec:
    """A description whose references can be looked up; what could not be is told once each."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        resource: Resource[Any] = DRAFT202012.create_resource(data)
        self._resolver: Resolver[Any] = Registry().with_resource("", resource).resolver()
        self.left_out: dict[str, str] = {}

    def follow(self, node: Json) -> tuple[Json, str]:
        """Return (what a node stands for, the last reference that led there); nothing where that cannot be said."""
        name, seen = "", set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            name = node["$ref"]
            if name in seen:
                self.left_out[name] = "refers to itself alone"
                return {}, name
            seen.add(name)
            if not name.startswith("#"):
                self.left_out[name] = "stands in another document, which is not read"
                return {}, name
            try:
                node = self._resolver.lookup(name).contents
            except (Unresolvable, ValueError, KeyError, TypeError):
                self.left_out[name] = "is nowhere in this document"
                return {}, name
        return node, name

    def sample(self, schema: Json, trail: tuple[str, ...] = ()) -> Json:
        """Return a value of a schema, its own example first. A cycle ends where it would begin again."""
        schema, name = self.follow(schema)
        if not isinstance(schema, dict) or len(trail) > DEEPEST:
            return None
        if name:
            if name in trail:
                self.left_out.setdefault(name, "goes round in a circle; followed once")
                return None
            trail = (*trail, name)
        for key in ("example", "default", "const"):
            if schema.get(key) is not None:
                return schema[key]
        for key in ("examples", "enum"):
            if isinstance(schema.get(key), list) and schema[key]:
                return schema[key][0]
        return self._made_up(schema, trail)

    def _made_up(self, schema: dict[str, Any], trail: tuple[str, ...]) -> Json:
        combined: dict[str, Json] = {}
        for key in _COMBINED:
            parts = schema.get(key)
            for part in (parts if key == "allOf" else parts[:1]) if isinstance(parts, list) else ():
                value = self.sample(part, (*trail, ""))
                if not isinstance(value, dict):
                    return value if not combined and "properties" not in schema else combined
                combined |= value
        kind = schema.get("type")
        kind = next((one for one in kind if one != "null"), None) if isinstance(kind, list) else kind
        members = schema.get("properties")
        if isinstance(members, dict) or kind == "object" or combined:
            some = list(members.items())[:MOST_MEMBERS] if isinstance(members, dict) else []
            return combined | {str(key): self.sample(value, (*trail, "")) for key, value in some}
        if kind == "array" or "items" in schema:
            value = self.sample(schema.get("items"), (*trail, ""))
            return [] if value is None else [value]
        return _MADE_UP.get(str(kind))


def draft_openapi(data: Json, name: str) -> Draft:
    """Return a draft from a parsed description. Raises `FileFaults` where it is none that can be read."""
    _check_version(data, name)
    spec = Spec(data)
    seen, left_out = [], []
    for one in _seen(spec):
        if isinstance(one, Seen):
            seen.append(one)
        else:
            left_out.append(one)
    chosen, rest = choose(seen[:MOST_SEEN])
    left_out += [(one.title, why) for one, why in rest]
    title = str(_mapping(data.get("info")).get("title") or name)
    file: dict[str, Json] = {"target": snake(title) or "imported", "describe": " ".join(title.split())}
    draft = Draft(file)
    prefix = _place(spec, draft)
    _credentials(spec, draft)
    draft.data["operations"] = {}
    for operation, one in chosen.items():
        title = one.title
        one.path = prefix + one.path
        draft.data["operations"][operation] = request_of(operation, one, draft)
        draft.mapped.append((operation, title))
    _bearer(draft)
    finish(draft)
    draft.left_out = [*left_out, *spec.left_out.items()]
    return draft


def _check_version(data: Json, name: str) -> None:
    if not isinstance(data, dict):
        raise one_fault(name, "holds no mapping", "an OpenAPI description is needed")
    if "swagger" in data:
        raise one_fault(
            name,
            f"is OpenAPI {data['swagger']}",
            "3.0 and 3.1 can be read",
            "convert it first, as with `npx swagger2openapi` or the Swagger editor's Convert",
        )
    if not re.fullmatch(r"3\.[01](\..*)?", str(data.get("openapi", ""))):
        found = f"is OpenAPI {data['openapi']}" if "openapi" in data else "says no `openapi` version"
        raise one_fault(name, found, "3.0 and 3.1 can be read")
    if not isinstance(data.get("paths"), dict) or not data["paths"]:
        raise one_fault(name, "describes no paths", "a target needs requests to map")


def _seen(spec: Spec) -> Iterator[Seen | tuple[str, str]]:
    """Yield each request of the description, or (what it is, why it cannot be used)."""
    for path, item in spec.data["paths"].items():
        node, _ = spec.follow(item)
        if not isinstance(node, dict) or not node or not str(path).startswith("/"):
            yield str(path), "is no path with operations"
            continue
        shared = node.get("parameters")
        for method in METHODS:
            operation = node.get(method)
            if isinstance(operation, dict):
                try:
                    yield _request(spec, method, str(path), operation, shared)
                except (TypeError, ValueError, AttributeError, RecursionError) as error:
                    yield f"{method.upper()} {path}", f"cannot be read ({type(error).__name__}: {error})"


def _request(spec: Spec, method: str, path: str, operation: dict[str, Any], shared: Json) -> Seen:
    seen = Seen(method.upper(), path)
    tags = _listed(operation.get("tags"))
    seen.words = " ".join(str(word) for word in (operation.get("operationId", ""), operation.get("summary", ""), *tags))
    required = set()
    for parameter in _listed(shared) + _listed(operation.get("parameters")):
        given, _ = spec.follow(parameter)
        if not isinstance(given, dict) or "name" not in given:
            continue
        place, name = given.get("in"), str(given["name"])
        known = given.get("example", _given(spec, given.get("schema")))
        if place == "query":
            seen.query[name] = known
        elif (
            place == "header"
            and given.get("required")
            and name.lower() not in {"authorization", "accept", "content-type"}
        ):
            seen.headers[name] = known
        if given.get("required"):
            required.add(name)
    _body(spec, operation, seen, required)
    seen.status, seen.answer = _answer(spec, operation)
    seen.required = frozenset(required)
    return seen


def _mapping(node: Json) -> dict[str, Json]:
    return node if isinstance(node, dict) else {}


def _listed(node: Json) -> list[Json]:
    return node if isinstance(node, list) else []


def _given(spec: Spec, schema: Json) -> Json:
    """Return a value that the schema itself names; None where it would have to be made up."""
    node, _ = spec.follow(schema)
    if not isinstance(node, dict):
        return None
    listed = next((node[key][0] for key in ("examples", "enum") if isinstance(node.get(key), list) and node[key]), None)
    return next((node[key] for key in ("example", "default", "const") if node.get(key) is not None), listed)


def _body(spec: Spec, operation: dict[str, Any], seen: Seen, required: set[str]) -> None:
    node, _ = spec.follow(operation.get("requestBody"))
    content = node.get("content") if isinstance(node, dict) else None
    if not isinstance(content, dict):
        return
    kind = next((name for name in content if "json" in name), next(iter(content), ""))
    media = content.get(kind) or {}
    sample = media.get("example") if media.get("example") is not None else spec.sample(media.get("schema"))
    schema, _ = spec.follow(media.get("schema"))
    required |= set(schema.get("required") or []) if isinstance(schema, dict) else set()
    if "json" in kind:
        seen.body = sample if sample is not None else {}
    elif "urlencoded" in kind and isinstance(sample, dict):
        seen.form = sample


def _answer(spec: Spec, operation: dict[str, Any]) -> tuple[int, Json]:
    """Return (status, sample) of the good answer; of a range, as 2XX, its first."""
    answers = _mapping(operation.get("responses"))
    good = sorted(str(status) for status in answers if re.fullmatch(r"2(\d\d|XX)", str(status), re.IGNORECASE))
    if not good:
        return 200, None
    node, _ = spec.follow(next(answer for status, answer in answers.items() if str(status) == good[0]))
    content = node.get("content") if isinstance(node, dict) else None
    media = (
        next((media for kind, media in content.items() if "json" in kind), None) if isinstance(content, dict) else None
    )
    if not isinstance(media, dict):
        return int(good[0].upper().replace("XX", "00")), None
    sample = media.get("example") if media.get("example") is not None else spec.sample(media.get("schema"))
    return int(good[0].upper().replace("XX", "00")), sample


def _place(spec: Spec, draft: Draft) -> str:
    """Set the host from the first server, variables filled in; return the path that all requests begin with."""
    servers = spec.data.get("servers")
    first = servers[0] if isinstance(servers, list) and servers and isinstance(servers[0], dict) else {}
    url = str(first.get("url") or "")
    variables = _mapping(first.get("variables"))
    for name, variable in variables.items():
        url = url.replace(f"{{{name}}}", str(variable.get("default", "") if isinstance(variable, dict) else ""))
    match = re.fullmatch(r"(https?://[^/{}?#]+)?(/[^{}?#]*)?", url.rstrip("/"))
    if not match or not (match[1] or match[2]):
        draft.human.append("host: the description names no server that can be used; give --host")
        return ""
    if match[1]:
        draft.data["host"] = match[1]
        draft.human.append(f"host: {match[1]} is where requests go unless --host says otherwise; is it yours to load?")
    else:
        draft.human.append("host: the description names only a path; give --host")
    return match[2] or ""


def _credentials(spec: Spec, draft: Draft) -> None:
    """Set `auth` from the description's security schemes; secrets come from the environment."""
    schemes = _mapping(_mapping(spec.data.get("components")).get("securitySchemes"))
    for name, scheme in schemes.items():
        node, _ = spec.follow(scheme)
        if not isinstance(node, dict):
            continue
        kind, place = node.get("type"), node.get("in")
        if kind == "apiKey" and place in {"header", "query"}:
            draft.data["auth"] = {"kind": "api_key", place: str(node.get("name")), "key": "${env:TARGET_API_KEY}"}
            draft.human.append(f"auth.key: set TARGET_API_KEY to the key of {name}")
            return
        if kind == "apiKey" and place == "cookie":
            draft.data["auth"] = {"kind": "cookie"}
            return
        if kind == "http" and str(node.get("scheme")).lower() == "basic":
            draft.data["auth"] = {"kind": "basic", "user": "${env:TARGET_USER}", "password": "${env:TARGET_PASSWORD}"}
            draft.human.append("auth: set TARGET_USER and TARGET_PASSWORD")
            return
        if kind in {"oauth2", "openIdConnect"} or (kind == "http" and str(node.get("scheme")).lower() == "bearer"):
            draft.data["auth"] = {"kind": "bearer", "token": "${env:TARGET_TOKEN}"}
            return


def _bearer(draft: Draft) -> None:
    """Take the bearer token from a session or login that tells one; else it comes from the environment."""
    if draft.data.get("auth", {}).get("kind") != "bearer":
        return
    if any("session" in rest.get("extract", {}) for rest in draft.data["operations"].values()):
        draft.data["auth"] = {"kind": "bearer", "token": "{extracted.session}"}
        draft.human.append("auth.token: taken from the answer that seems to tell it; is it the right one?")
    else:
        draft.human.append("auth.token: no answer tells a token; set TARGET_TOKEN")
