"""The HAR that a browser would have exported of a recorded load: with Chrome's own fields (T2) or without (T1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.page.recording import Load, Request

START = datetime(2026, 1, 5, tzinfo=UTC)
MIMES = {
    "document": "text/html", "style": "text/css", "script": "text/javascript", "image": "image/png",
    "font": "font/woff2", "fetch": "application/json",
}  # fmt: skip
TYPES = {
    "document": "document",
    "style": "stylesheet",
    "script": "script",
    "image": "image",
    "font": "font",
    "fetch": "fetch",
}
VERSIONS = {"h1": "http/1.1", "h2": "h2", "h3": "h3"}


def har_of(load: Load, *, chrome: bool) -> dict[str, Any]:
    """Return a HAR 1.2 of a load."""
    entries = [_entry(load, one, chrome=chrome) for one in load.requests]
    creator = {"name": "WebInspector" if chrome else "Exporter", "version": "1"}
    page = {
        "id": "page_1",
        "startedDateTime": START.isoformat(),
        "title": "",
        "pageTimings": {"onLoad": load.seen.load_ms},
    }
    return {"log": {"version": "1.2", "creator": creator, "pages": [page], "entries": entries}}


def _entry(load: Load, one: Request, *, chrome: bool) -> dict[str, Any]:
    receive = max(one.end_ms - one.start_ms - one.wait_ms, 0.0)
    timings = {"blocked": 0, "dns": -1, "connect": -1, "ssl": -1, "send": 0, "wait": one.wait_ms, "receive": receive}
    parent = one.initiator.request
    response = {
        "status": 200, "statusText": "", "httpVersion": VERSIONS[one.protocol], "cookies": [], "headers": [],
        "content": {"size": one.wire_bytes, "mimeType": MIMES.get(one.kind, "")}, "redirectURL": "",
        "headersSize": -1 if chrome else 200, "bodySize": -1 if chrome else max(one.wire_bytes - 200, 0),
    }  # fmt: skip
    entry: dict[str, Any] = {
        "startedDateTime": (START + timedelta(milliseconds=one.start_ms)).isoformat(),
        "time": one.wait_ms + receive,
        "request": {"method": "GET", "url": one.url, "httpVersion": VERSIONS[one.protocol], "headers": [],
                    "cookies": [], "queryString": [], "headersSize": one.sent_bytes, "bodySize": 0},
        "response": response, "cache": {}, "timings": timings, "pageref": "page_1",
    }  # fmt: skip
    if chrome:
        response["_transferSize"] = one.wire_bytes
        entry["_priority"], entry["_resourceType"] = one.priority, TYPES.get(one.kind, "other")
        url = load.requests[parent].url if parent is not None else load.requests[0].url
        kind = one.initiator.kind
        entry["_initiator"] = (
            {"type": "script", "stack": {"callFrames": [{"url": url}]}}
            if kind == "script"
            else {"type": kind, "url": url}
        )
    return entry
