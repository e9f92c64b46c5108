"""A recorded browser session (HAR 1.2) to a first target file; what wanders from answers to requests is captured."""

from __future__ import annotations

import base64
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from simulator.model.faults import one_fault
from simulator.target.imports.correlate import Told, wander
from simulator.target.imports.draft import NO_OPERATION, Draft, choose, finish, request_of
from simulator.target.imports.seen import MOST_SEEN, Seen, snake

if TYPE_CHECKING:
    from simulator.target.fields import Json

_STATIC = re.compile(r"\.(png|jpe?g|gif|webp|avif|svg|ico|css|m?js|map|woff2?|ttf|otf|mp4|webm|wasm)$", re.IGNORECASE)
_BROWSER = frozenset(
    [
        "accept",
        "accept-encoding",
        "accept-language",
        "access-control-request-headers",
        "access-control-request-method",
        "cache-control",
        "connection",
        "content-length",
        "content-type",
        "cookie",
        "dnt",
        "host",
        "if-modified-since",
        "if-none-match",
        "origin",
        "pragma",
        "priority",
        "purpose",
        "referer",
        "save-data",
        "te",
        "upgrade-insecure-requests",
        "user-agent",
        "device-memory",
        "downlink",
        "ect",
        "rtt",
        "baggage",
        "traceparent",
        "tracestate",
        "x-forwarded-for",
        "x-footfall-run",
    ]
)
"""Headers that the shopper's phone sends, or the transport; the file names only what is the target's own."""
_SECRET = re.compile(
    r"authorization|token|secret|api[-_]?key|password|passwd|session|csrf|xsrf|credential", re.IGNORECASE
)


class Entry(NamedTuple):
    """One usable entry: the request as it was, and what it was told."""

    seen: Seen
    host: str
    told: Told


def draft_har(data: Json, name: str) -> Draft:
    """Return a draft from a parsed HAR. Raises `FileFaults` where it is none."""
    log = data.get("log") if isinstance(data, dict) else None
    raw = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(raw, list):
        raise one_fault(name, "has no log.entries", "a HAR 1.2 recording is needed")
    left_out: Counter[tuple[str, str]] = Counter()
    entries = [entry for one in raw[:MOST_SEEN] if (entry := _entry(one, left_out)) is not None]
    if len(raw) > MOST_SEEN:
        left_out[f"{len(raw) - MOST_SEEN} entries", f"beyond the first {MOST_SEEN}"] += 1
    if not entries:
        raise one_fault(name, "holds no request with an answer that can be used", "record a visit to the shop's pages")
    host = _main_host(entries)
    for entry in entries:
        if entry.host != host:
            left_out[f"{entry.seen.method} {entry.host}{entry.seen.path}", "another host"] += 1
    entries = [entry for entry in entries if entry.host == host]
    file = {"target": snake(urlsplit(host).hostname or "recorded"), "describe": "Made from a recorded session"}
    draft = Draft(file | {"host": host})
    draft.human.append(f"host: {host} is where requests go unless --host says otherwise; is it yours to load?")
    _fill(draft, entries, left_out)
    draft.left_out = [(what if count == 1 else f"{what} (×{count})", why) for (what, why), count in left_out.items()]
    return draft


def _fill(draft: Draft, entries: list[Entry], left_out: Counter[tuple[str, str]]) -> None:
    wander([(entry.seen, entry.told) for entry in entries])
    chosen, rest = choose([entry.seen for entry in entries])
    mapped = {id(one) for one in chosen.values()}
    needed = _needed([entry.seen for entry in entries], mapped)
    draft.data["setup"] = {}
    draft.data["operations"] = {}
    for one in needed:
        called = next(name for n in range(MOST_SEEN) if (name := f"step{n + 1}") not in draft.data["setup"])
        draft.data["setup"][called] = request_of(called, one, draft, section="setup")
        draft.mapped.append((f"setup.{called}", one.title))
        told = ", ".join(one.captures)
        draft.human.append(f"setup.{called}: made once, so all shoppers share its {told}; is that right?")
    for operation, one in chosen.items():
        if id(one) not in {id(other) for other in needed}:
            draft.data["operations"][operation] = request_of(operation, one, draft)
            draft.mapped.append((operation, one.title))
    if not draft.data["setup"]:
        del draft.data["setup"]
    _credentials(draft, [entry.seen for entry in entries])
    finish(draft)
    for one, why in rest:
        if one not in needed:
            left_out[one.title, why if why == NO_OPERATION else "repeats what is mapped, or fits less well"] += 1


def _needed(seen: list[Seen], mapped: set[int]) -> list[Seen]:
    """Return requests that are no operation, but tell what a mapped one sends.

    Where a mapped one is the same request, it tells it instead.
    """
    for one in seen:
        twin = next((other for other in seen if id(other) in mapped and other.title == one.title), None)
        if id(one) not in mapped and twin is not None and not set(one.captures) & set(twin.captures):
            twin.captures |= one.captures
            one.captures = {}
    sent = " ".join(text for one in seen if id(one) in mapped for text in one.fixed.values())
    needed: list[Seen] = []
    for one in reversed(seen):
        if id(one) not in mapped and any(f"{{extracted.{name}}}" in sent for name in one.captures):
            needed.insert(0, one)
            sent += " ".join(one.fixed.values())
    return needed


def _credentials(draft: Draft, seen: list[Seen]) -> None:
    """Move `Authorization` into `auth`; a secret that no answer told comes from the environment."""
    requests = [*draft.data["operations"].values(), *draft.data.get("setup", {}).values()]
    for rest in requests:
        for name in list(rest.get("headers", {})):
            value = rest["headers"][name]
            if name.lower() == "authorization" and value.startswith("Bearer "):
                draft.data.setdefault("auth", {"kind": "bearer", "token": value.removeprefix("Bearer ")})
                del rest["headers"][name]
        if "headers" in rest and not rest["headers"]:
            del rest["headers"]
    if "auth" not in draft.data and any(entry.captures.get("session") for entry in seen):
        draft.data["auth"] = {"kind": "cookie"}


def _entry(raw: Json, left_out: Counter[tuple[str, str]]) -> Entry | None:
    """Return what can be used of one entry; else say why not."""
    try:
        request, response = raw["request"], raw["response"]
        parts = urlsplit(str(request["url"]))
        title = f"{request['method']} {parts.scheme}://{parts.netloc}{parts.path}"
        why = _useless(request, response, parts.path)
        if why:
            left_out[title, why] += 1
            return None
        return Entry(
            _seen(request, response, parts.path or "/", parts.query),
            f"{parts.scheme}://{parts.netloc}",
            _told(response),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        left_out["an entry", f"is not as HAR 1.2 has it ({type(error).__name__})"] += 1
        return None


def _useless(request: dict[str, Any], response: dict[str, Any], path: str) -> str:
    status = int(response.get("status") or 0)
    if request["method"] not in {"GET", "POST", "PUT", "PATCH", "DELETE"}:
        return f"method {request['method']}"
    if not str(request["url"]).startswith(("http://", "https://")):
        return "no HTTP"
    if _STATIC.search(path):
        return "a file that is the same for everybody"
    if status == 0:
        return "no answer was recorded"
    return f"status {status}" if status >= 400 else ""


def _seen(request: dict[str, Any], response: dict[str, Any], path: str, query: str) -> Seen:
    seen = Seen(request["method"], re.sub(r"[{}]", "", unquote(path)))
    seen.query = dict(parse_qsl(query, keep_blank_values=True))
    seen.status = int(response["status"])
    for header in request.get("headers") or []:
        name = str(header["name"])
        if not name.startswith(":") and name.lower() not in _BROWSER and not name.lower().startswith("sec-"):
            seen.headers[name] = str(header["value"])
    body = request.get("postData") or {}
    text, kind = body.get("text") or "", str(body.get("mimeType") or "")
    if "json" in kind and text:
        seen.body = orjson.loads(text)
        if isinstance(seen.body, dict) and isinstance(seen.body.get("query"), str) and "{" in seen.body["query"]:
            seen.graphql, seen.words = (
                seen.body,
                f"{seen.body.get('operationName') or ''} {_first_field(seen.body['query'])}",
            )
    elif "urlencoded" in kind:
        given = {str(one["name"]): str(one.get("value", "")) for one in body.get("params") or []}
        seen.form = given or dict(parse_qsl(text, keep_blank_values=True))
    _hide(seen)
    answer = _told(response)
    seen.answer = answer.document
    return seen


def _first_field(query: str) -> str:
    match = re.search(r"\{\s*(\w+)", query)
    return match[1] if match else ""


def _hide(seen: Seen) -> None:
    """Mark secrets by name, so that none is written down: what no answer told comes from the environment."""
    for name, value in [*seen.headers.items(), *seen.query.items()]:
        if _SECRET.search(name) and isinstance(value, str) and value:
            prefix = "Bearer " if value.startswith("Bearer ") else ""
            variable = f"TARGET_{snake(name).upper()}" if name.lower() != "authorization" else "TARGET_TOKEN"
            seen.fixed.setdefault(name, f"{prefix}${{env:{variable}}}")


def _told(response: dict[str, Any]) -> Told:
    content = response.get("content") or {}
    text = content.get("text") or ""
    raw = base64.b64decode(text) if content.get("encoding") == "base64" else text.encode("utf-8", "replace")
    headers = [(str(one["name"]), str(one["value"])) for one in response.get("headers") or []]
    try:
        document = orjson.loads(raw) if raw.lstrip()[:1] in {b"{", b"["} else None
    except orjson.JSONDecodeError:
        document = None
    is_html = "html" in str(content.get("mimeType") or "")
    return Told(document, headers, raw.decode("utf-8", "replace") if is_html else "")


def _main_host(entries: list[Entry]) -> str:
    """Return the host that answers most with JSON, or most of all."""
    weight: Counter[str] = Counter()
    for entry in entries:
        weight[entry.host] += 3 if entry.told.document is not None else 1
    return max(weight, key=lambda host: weight[host])
