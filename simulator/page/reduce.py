"""From a browser's visit to a recording's load: network events and the main thread's trace, reduced to what matters."""

from __future__ import annotations

import re
from itertools import dropwhile
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from simulator.page.recording import Initiator, Load, Request, Seen, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from simulator.page.visit import Visit

KINDS = {
    "Document": "document", "Stylesheet": "style", "Script": "script", "Image": "image", "Font": "font",
    "XHR": "fetch", "Fetch": "fetch", "EventSource": "fetch", "Media": "media",
}  # fmt: skip
SHORTEST_MS = 0.3
"""Shorter tasks in a row become one: a trace has thousands."""
HEAD_BYTES = 300
"""Of an answer, where the browser does not say (assumed)."""
RENDERS = frozenset(("UpdateLayoutTree", "Layout", "PrePaint", "Paint", "Layerize", "Commit", "ParseAuthorStyleSheet"))
SCRIPTS = frozenset(("EvaluateScript", "v8.compile"))
TAG = re.compile(r"<(script|link|img)\b([^>]*)>", re.IGNORECASE)
SOURCE = re.compile(r"""\b(?:src|href)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)


class Known(NamedTuple):
    """What requests are explained by.

    All of them, which one brings the document, which has each URL (of those before the document none explains
    another), what the document names and where, and what the page itself says of each.
    """

    raw: Sequence[Mapping[str, Any]]
    document: int
    at_url: Mapping[str, int]
    places: Mapping[str, tuple[float, str, str]]
    timings: Mapping[str, Mapping[str, Any]]


def load_of(visit: Visit) -> Load:
    """Return the load that a traced visit was. Raises `ValueError` when it has no document."""
    raw = list(_requests(visit))
    if not raw:
        raise ValueError("the page asked for nothing")
    start_s = raw[0]["timestamp"]
    document = max(index for index, one in enumerate(raw) if one["requestId"] == raw[0]["requestId"])
    known = Known(
        raw=raw,
        document=document,
        at_url={one["request"]["url"]: index for index, one in reversed(list(enumerate(raw))[document:])},
        places=places_of(visit.document, raw[document]["request"]["url"]),
        timings={entry["name"]: entry for entry in visit.resources},
    )
    requests = [_request(index, one, start_s, known) for index, one in enumerate(raw)]
    tasks = list(_tasks(visit.trace, start_s * 1e6, raw, known.at_url))
    seen = Seen(
        ttfb_ms=visit.ttfb_ms, fcp_ms=visit.fcp_ms, lcp_ms=visit.lcp_ms, load_ms=visit.load_ms, idle_ms=visit.idle_ms
    )
    url = visit.lcp["url"] if visit.lcp else ""
    return Load(
        requests=requests,
        tasks=tasks,
        seen=seen,
        lcp_kind=None if visit.lcp is None else "image" if url else "text",
        lcp_request=known.at_url.get(url) if url else None,
    )


def _requests(visit: Visit) -> Iterator[dict[str, Any]]:
    """Yield each request that was answered over the network, with its answer, end and last priority."""
    open_requests: dict[str, dict[str, Any]] = {}
    done: list[dict[str, Any]] = []
    for event in visit.network:
        method, params = event["method"].removeprefix("Network."), event["params"]
        one = open_requests.get(params.get("requestId", ""))
        if method == "requestWillBeSent" and params["request"]["url"].startswith(("http:", "https:")):
            if one is not None and "redirectResponse" in params:
                done.append(one | {"response": params["redirectResponse"], "end": params["timestamp"], "bytes": None})
            open_requests[params["requestId"]] = dict(params) | {"redirected": one is not None}
        elif one is None:
            continue
        elif method == "responseReceived":
            one["response"] = params["response"]
        elif method == "resourceChangedPriority":
            one["raised"] = params["newPriority"]
        elif method == "loadingFinished":
            done.append(one | {"end": params["timestamp"], "bytes": params["encodedDataLength"]})
            del open_requests[params["requestId"]]
        elif method == "loadingFailed":
            del open_requests[params["requestId"]]
    answered = (one for one in done if "response" in one and not one["response"].get("fromDiskCache"))
    yield from sorted(answered, key=lambda one: one["timestamp"])


def places_of(document: str, url: str) -> dict[str, tuple[float, str, str]]:
    """Return where the document names each URL: (share of its length, tag, attributes)."""
    found: dict[str, tuple[float, str, str]] = {}
    for match in TAG.finditer(document):
        source = SOURCE.search(match[2])
        if source is not None:
            named = urljoin(url, next(part for part in source.groups() if part is not None).replace("&amp;", "&"))
            found.setdefault(named, (match.end() / len(document), match[1].lower(), match[2].lower()))
    return found


def _request(index: int, one: Mapping[str, Any], start_s: float, known: Known) -> Request:
    url, response = one["request"]["url"], one["response"]
    parts, kind = urlsplit(url), KINDS.get(one.get("type", ""), "other")
    initiator = _initiator(index, one, known)
    timing = response.get("timing") or {}
    waited = max(timing.get("receiveHeadersStart", timing.get("receiveHeadersEnd", 0)) - timing.get("sendEnd", 0), 0.0)
    own = known.timings.get(url, {})
    script = script_class(url, initiator, known.places) if kind == "script" else None
    blocks = own.get("renderBlockingStatus") == "blocking" and (kind == "style" or script == "sync")
    start_ms = 1e3 * (one["timestamp"] - start_s)
    size = one["bytes"] if one["bytes"] is not None else response.get("encodedDataLength") or HEAD_BYTES
    return Request.model_validate(
        {
            "url": url,
            "host": parts.netloc,
            "kind": kind,
            "priority": one["request"].get("initialPriority", "Low"),
            "raised": one.get("raised"),
            "protocol": _protocol(response.get("protocol", "")),
            "secure": parts.scheme == "https",
            "anonymous": kind == "font" or one["request"].get("headers", {}).get("Sec-Fetch-Credentials") == "omit",
            "initiator": initiator,
            "blocking": blocks,
            "script": script,
            "start_ms": start_ms,
            "wait_ms": waited,
            "end_ms": max(1e3 * (one["end"] - start_s), start_ms),
            "sent_bytes": _sent_bytes(one),
            "wire_bytes": max(int(size), 0),
        }
    )


def _protocol(name: str) -> str:
    return "h2" if name == "h2" else "h3" if name.startswith("h3") else "h1"


def _sent_bytes(one: Mapping[str, Any]) -> int:
    headers = one["response"].get("requestHeaders") or one["request"].get("headers") or {}
    head = sum(len(key) + len(str(value)) + 4 for key, value in headers.items())
    return int(head + len(one["request"]["url"]) + len(one["request"].get("postData") or "") + 120)


def _initiator(index: int, one: Mapping[str, Any], known: Known) -> Initiator:
    """Return why a request was made; the browser names the document, a style sheet, or a script's stack."""
    if one["redirected"]:
        hops = (n for n in range(index) if known.raw[n]["requestId"] == one["requestId"])
        return Initiator(kind="redirect", request=max(hops, default=None))
    said, url = one.get("initiator") or {}, one["request"]["url"]
    kind = said.get("type", "other")
    if kind == "script":
        frames = list(_frames(said.get("stack")))
        parents = (known.at_url[frame] for frame in frames if frame in known.at_url)
        return Initiator(kind="script", request=_earlier(index, next(parents, None)))
    parent = known.at_url.get(said.get("url", ""))
    if index and url in known.places and parent in {known.document, None}:
        return Initiator(kind="parser", request=known.document, at=known.places[url][0])
    if kind in {"parser", "preload"}:
        return Initiator(kind="parser", request=_earlier(index, parent))
    return Initiator(kind="other", request=None)


def _earlier(index: int, parent: int | None) -> int | None:
    return parent if parent is not None and parent < index else None


def _frames(stack: Mapping[str, Any] | None) -> Iterator[str]:
    while stack:
        yield from (frame["url"] for frame in stack.get("callFrames", ()))
        stack = stack.get("parent")


def script_class(url: str, initiator: Initiator, places: Mapping[str, tuple[float, str, str]]) -> str:
    """Return how a script holds the parser."""
    place = places.get(url)
    if initiator.kind != "parser" or place is None or place[1] != "script":
        return "async"
    words = set(re.findall(r"[a-z]+", SOURCE.sub("", place[2])))
    return "async" if "async" in words else "defer" if words & {"defer", "module"} else "sync"


def _tasks(
    trace: Sequence[Mapping[str, Any]], start_us: float, raw: Sequence[Mapping[str, Any]], at_url: Mapping[str, int]
) -> Iterator[Task]:
    """Yield the main thread's tasks from the document's commit on.

    The commit is the task that tells of the document's own request: a new tab's blank document commits as well, and
    late on a busy machine.
    """
    at_id = {one["requestId"]: index for index, one in enumerate(raw)}
    document_id = raw[0]["requestId"]
    thread = _main_thread(trace, document_id)
    events = sorted(
        (e for e in trace if (e.get("pid"), e.get("tid")) == thread and e["ph"] in "XIi" and e["ts"] >= start_us),
        key=lambda e: (e["ts"], -e.get("dur", 0)),
    )
    all_tasks = (_task(group, start_us, at_id, at_url, document_id) for group in _groups(events))
    short: list[Task] = []
    for task in dropwhile(lambda one: one.kind != "commit", all_tasks):
        if task.ms < SHORTEST_MS and not task.sends and not task.needs:
            short.append(task)
            continue
        yield from _together(short)
        short.clear()
        yield task
    yield from _together(short)


def _groups(events: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Yield each task of the thread with what happened in it."""
    group: list[Mapping[str, Any]] = []
    end_us = 0.0
    for event in events:
        if event["name"] == "RunTask" and event["ts"] >= end_us:
            if group:
                yield group
            group, end_us = [], event["ts"] + event.get("dur", 0)
        if event["ts"] < end_us:
            group.append(event)
    if group:
        yield group


def _together(short: Sequence[Task]) -> Iterator[Task]:
    """Yield one task for many short ones in a row."""
    total = sum(task.ms for task in short)
    if total >= SHORTEST_MS:
        waited = sum(task.waited_ms for task in short)
        yield Task(start_ms=short[0].start_ms, ms=total, waited_ms=waited, kind="other")


def _main_thread(trace: Iterable[Mapping[str, Any]], document_id: str) -> tuple[int, int] | None:
    """Return (process, thread) that sent the document's request off."""
    return next(((event["pid"], event["tid"]) for event in trace if _sends(event) == document_id), None)


def _sends(event: Mapping[str, Any]) -> str:
    """Return the request that the page's thread says it has sent, or ""; of the document it says so at its commit."""
    data = (event.get("args") or {}).get("data") or {}
    return str(data.get("requestId", "")) if event["name"] == "ResourceSendRequest" else ""


def _task(
    group: Sequence[Mapping[str, Any]],
    start_us: float,
    at_id: Mapping[str, int],
    at_url: Mapping[str, int],
    document_id: str,
) -> Task:
    """Return one task."""
    names = {event["name"] for event in group}
    wall_ms = group[0].get("dur", 0) / 1e3
    ms = min(group[0].get("tdur", group[0].get("dur", 0)) / 1e3, wall_ms)
    sent = {_sends(event) for event in group}
    sends = {at_id[one] for one in sent if one in at_id and one != document_id}
    needs, scripts = [], []
    for event in group:
        data = (event.get("args") or {}).get("data") or (event.get("args") or {}).get("beginData") or {}
        if event["name"] == "ResourceFinish" and data.get("requestId") in at_id:
            needs.append(at_id[data["requestId"]])
        elif event["name"] in SCRIPTS and data.get("url") in at_url:
            scripts.append(at_url[data["url"]])
    renders = names & {"Paint", "Layout"} and not scripts
    kind = "commit" if document_id in sent else "script" if scripts else "parse" if "ParseHTML" in names else None
    kind = kind or ("render" if renders else "other")
    return Task.model_validate(
        {
            "start_ms": (group[0]["ts"] - start_us) / 1e3,
            "ms": ms,
            "waited_ms": wall_ms - ms,
            "kind": kind,
            "needs": sorted(set(scripts or needs)),
            "sends": sorted(sends),
        }
    )
