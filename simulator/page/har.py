"""HAR 1.2 (tier T1) and Chrome's, with initiators and priorities (tier T2): read, doubted, and made a load.

A HAR says what was asked for and how long it took, but neither who asked, nor what the main thread did, nor what was
seen. What is missing is inferred by the rules below; whatever could make a number wrong is a warning, and what would
make it meaningless is a fault.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import orjson

from simulator.model.faults import Fault, FileFaults, one_fault
from simulator.page.har_guess import document_of, guessed
from simulator.page.recording import MOST_REQUESTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from simulator.page.recording import Load

MANY_REQUESTS = 400
"""More than 98 % of home pages make (HTTP Archive)."""
MOST_UNKNOWN_SIZES = 0.05
"""Share of entries without a size above which nothing is predicted (page-speed study, 5d)."""
THROTTLED_MS, JUDGED_FROM = 100.0, 4
"""A capture none of whose answers came sooner was throttled, if its connections were quick; judged from so many on."""
BROWSERS = {"firefox": "Firefox", "webkit": "Safari", "safari": "Safari", "webinspector": "Chrome"}
NO_NETWORK = ("data:", "blob:", "about:", "chrome-extension:", "moz-extension:", "safari-extension:", "ws:", "wss:")


@dataclass
class Entry:
    """One entry of a HAR, in milliseconds from the document's start; None for what is not known."""

    url: str
    start_ms: float
    wait_ms: float
    end_ms: float
    connect_ms: float | None
    tls_ms: float | None
    wire_bytes: int | None
    content_bytes: int
    sent_bytes: int
    status: int
    mime: str
    kind: str
    protocol: str
    priority: str | None
    initiator: Mapping[str, Any]
    redirect: str
    referer: str
    text: str = ""
    blocking: bool | None = None


@dataclass
class Har:
    """A HAR made a load."""

    tier: Literal["T1", "T2"]
    url: str
    browser: str
    load: Load
    rtt_ms: float
    warnings: list[str] = field(default_factory=list)


def read_har(path: Path, data: bytes) -> Har:
    """Return a HAR as a load. Raises `FileFaults` when nothing honest can be predicted from it."""
    log = _log(path, data)
    warnings: list[str] = []
    raw = _first_page(log, warnings)
    entries = list(_entries(path, raw, warnings))
    _refuse(path, entries)
    entries.sort(key=lambda one: one.start_ms)
    while entries and entries[0].kind not in {"document", "other"}:
        warnings.append(f"{entries.pop(0).url[:60]} came before the document and is left out")
    if not entries:
        raise one_fault(
            str(path), "has no document", "the first entry must be the page itself", "record it from the start"
        )
    for one in entries[: document_of(entries) + 1]:
        one.kind = "document"
    start_ms = entries[0].start_ms
    for one in entries:
        one.start_ms, one.end_ms = one.start_ms - start_ms, one.end_ms - start_ms
    rtt_ms = _round_trip(entries)
    _doubt(log, entries, rtt_ms, warnings)
    _fill_sizes(path, entries, warnings)
    chrome = any(one.priority for one in entries) and any(one.initiator for one in entries)
    tier: Literal["T1", "T2"] = "T2" if chrome else "T1"
    load = guessed(entries, _seen_load(log), warnings)
    return Har(tier, entries[0].url, _browser(log), load, rtt_ms, warnings)


def _log(path: Path, data: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise one_fault(
            str(path), f"is no whole JSON ({error})", hint="was the file cut off? export it again"
        ) from None
    log = found.get("log") if isinstance(found, dict) else None
    if not isinstance(log, dict) or not isinstance(log.get("entries"), list):
        raise one_fault(str(path), "is no HAR", "an object `log` with a list `entries`", "see HAR 1.2")
    if not log["entries"]:
        raise one_fault(
            str(path), "has no entries", "at least the page itself", "open DevTools before loading the page"
        )
    return log


def _first_page(log: Mapping[str, Any], warnings: list[str]) -> list[Any]:
    """Return the entries of the first page; a HAR may hold several."""
    entries: list[Any] = log["entries"]
    pages = [page.get("id") for page in log.get("pages") or [] if isinstance(page, dict)]
    if len(pages) < 2:
        return entries
    mine = [one for one in entries if isinstance(one, dict) and one.get("pageref") in {pages[0], None}]
    warnings.append(
        f"it holds {len(pages)} pages; only the first, with {len(mine)} of {len(entries)} entries, is predicted"
    )
    return mine or entries


def _entries(path: Path, raw: list[Any], warnings: list[str]) -> Iterator[Entry]:
    """Yield each entry that went over the network; say what is left out."""
    faults, counts = [], {"failed": 0, "worker": 0}
    for number, one in enumerate(raw):
        try:
            entry = _entry(one)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            said = f"lacks {error}" if isinstance(error, KeyError) else f"is not as HAR 1.2 has it ({error})"
            faults.append(Fault(str(path), 0, f"log.entries.{number}", said, "url, startedDateTime, timings, response"))
            continue
        if entry.url.startswith(NO_NETWORK):
            continue
        worker = one.get("_fetchedViaServiceWorker") or one["response"].get("_fetchedViaServiceWorker")
        if worker and not number:
            raise one_fault(str(path), "its document came from a service worker", "a page from the network",
                            "capture it in a private window, or with Bypass for network")  # fmt: skip
        if entry.status <= 0 or worker:
            counts["worker" if worker else "failed"] += 1
            continue
        yield entry
    if faults:
        raise FileFaults(faults[:10])
    if counts["failed"]:
        warnings.append(f"{counts['failed']} requests failed or were blocked when it was captured and are left out")
    if counts["worker"]:
        warnings.append(
            f"{counts['worker']} answers came from a service worker and are left out: a first visit asks for them"
        )


def _entry(one: Mapping[str, Any]) -> Entry:
    request, response, timings = one["request"], one["response"], one["timings"]
    url = str(request["url"])
    start_ms = 1e3 * datetime.fromisoformat(str(one["startedDateTime"])).timestamp()
    total = float(one.get("time") or sum(max(float(value or 0), 0.0) for key, value in timings.items() if key != "ssl"))
    headers = {str(h["name"]).lower(): str(h["value"]) for h in request.get("headers") or []}
    content = response.get("content") or {}
    mime = str(content.get("mimeType") or "").split(";")[0].strip().lower()
    return Entry(
        url=url,
        start_ms=start_ms,
        wait_ms=max(float(timings.get("wait") or 0), 0.0),
        end_ms=start_ms + max(total, 0.0),
        connect_ms=_known(timings.get("connect")),
        tls_ms=_known(timings.get("ssl")),
        wire_bytes=_wire_bytes(response, content),
        content_bytes=max(int(content.get("size") or 0), 0),
        sent_bytes=max(int(request.get("headersSize") or -1), 300) + max(int(request.get("bodySize") or 0), 0),
        status=int(response.get("status") or 0),
        mime=mime,
        kind=_kind(str(one.get("_resourceType") or ""), mime, url),
        protocol=_protocol(str(response.get("httpVersion") or request.get("httpVersion") or "")),
        priority=one.get("_priority"),
        initiator=one.get("_initiator") or {},
        redirect=str(response.get("redirectURL") or ""),
        referer=headers.get("referer", ""),
        text=str(content.get("text") or "") if mime == "text/html" and content.get("encoding") != "base64" else "",
        blocking=None,
    )


def _known(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and value >= 0 else None


def _wire_bytes(response: Mapping[str, Any], content: Mapping[str, Any]) -> int | None:
    """Return head and body as sent: Chrome's `_transferSize`, else the sizes of the standard; None when nobody says."""
    transfer = _known(response.get("_transferSize"))
    if transfer:
        return int(transfer)
    head, body = _known(response.get("headersSize")) or 0.0, _known(response.get("bodySize"))
    empty = not int(content.get("size") or 0)
    if body or (body is not None and empty):
        return int(head + body) or 1
    return int(head) or 200 if empty and response.get("status") in {204, 301, 302, 303, 304, 307, 308} else None


def _kind(chrome: str, mime: str, url: str) -> str:
    named = {"stylesheet": "style", "xhr": "fetch", "fetch": "fetch", "document": "document", "script": "script",
             "image": "image", "font": "font", "media": "media"}  # fmt: skip
    if chrome in named:
        return named[chrome]
    end = urlsplit(url).path.rpartition(".")[2].lower()
    rules = (
        ("style", mime == "text/css" or end == "css"),
        ("script", "javascript" in mime or end in {"js", "mjs"}),
        ("image", mime.startswith("image/") or end in {"png", "jpg", "jpeg", "webp", "avif", "gif", "svg"}),
        ("font", "font" in mime or end in {"woff", "woff2", "ttf", "otf"}),
        ("media", mime.startswith(("video/", "audio/"))),
        ("fetch", mime.endswith("json")),
        ("document", mime == "text/html"),
    )
    return next((kind for kind, holds in rules if holds), "other")


def _protocol(version: str) -> str:
    name = version.lower()
    return "h3" if name.startswith(("h3", "http/3")) else "h2" if name in {"h2", "http/2", "http/2.0"} else "h1"


def _refuse(path: Path, entries: list[Entry]) -> None:
    if not entries:
        raise one_fault(
            str(path), "has no entry that went over the network", hint="capture it without cache or service worker"
        )
    if len(entries) > MOST_REQUESTS:
        raise one_fault(
            str(path), f"has {len(entries):,} requests", f"at most {MOST_REQUESTS:,}", "capture one page load alone"
        )
    unknown = sum(one.wire_bytes is None and not one.content_bytes for one in entries)
    if unknown > MOST_UNKNOWN_SIZES * len(entries):
        raise one_fault(str(path), f"{unknown} of {len(entries)} answers have no size",
                        f"at most {MOST_UNKNOWN_SIZES:.0%}", "export it from Chrome, or record the page")  # fmt: skip
    waits = sorted(one.wait_ms for one in entries)
    quick = [one.connect_ms for one in entries if one.connect_ms]
    if len(waits) >= JUDGED_FROM and waits[0] >= THROTTLED_MS and (not quick or min(quick) < waits[0] / 2):
        raise one_fault(
            str(path), f"looks captured with throttling: no answer came sooner than {waits[0]:.0f} ms",
            "a capture without throttling", "set DevTools to No throttling and capture it again",
        )  # fmt: skip


def _round_trip(entries: list[Entry]) -> float:
    """Return the least round trip that a handshake shows; TLS 1.3 takes one more (0 when no connection was opened)."""
    seen = [
        one.connect_ms - (one.tls_ms or 0.0) if one.connect_ms > (one.tls_ms or 0.0) else one.connect_ms
        for one in entries
        if one.connect_ms
    ]
    least = min((one.wait_ms for one in entries), default=0.0)
    return min(min(seen, default=0.0), least)


def _doubt(log: Mapping[str, Any], entries: list[Entry], rtt_ms: float, warnings: list[str]) -> None:
    """Warn of what makes the prediction worse."""
    browser = _browser(log)
    if browser.startswith(("Firefox", "Safari")):
        warnings.append(
            f"captured by {browser}, which says neither who asked for a file nor how urgently; both are guessed"
        )
    if len(entries) > MANY_REQUESTS:
        warnings.append(f"{len(entries):,} requests are more than one page load usually makes: was it a session?")
    if rtt_ms > THROTTLED_MS:
        warnings.append(f"captured over a slow network (round trip {rtt_ms:.0f} ms): server times are uncertain")
    warnings.append("a HAR holds no main-thread work and no paints: FCP and LCP are guesses, above 5 Mbit/s poor ones")


def _fill_sizes(path: Path, entries: list[Entry], warnings: list[str]) -> None:
    """Give each answer a size: its content's where the wire's is not known, which a cache may have hidden."""
    cached = [one for one in entries if one.wire_bytes is None and one.content_bytes]
    if 2 * len(cached) > len(entries):
        raise one_fault(str(path), f"{len(cached)} of {len(entries)} answers came from the cache or hide their size",
                        "a cold capture", "set Disable cache and capture it again")  # fmt: skip
    if cached:
        warnings.append(f"{len(cached)} answers came from the cache or hide their size; their content's size is taken")
    usual = int(median([one.wire_bytes for one in entries if one.wire_bytes is not None] or [1_000]))
    lost = 0
    for one in entries:
        if one.wire_bytes is None:
            lost += not one.content_bytes
            one.wire_bytes = one.content_bytes or usual
    if lost:
        warnings.append(f"{lost} answers have no size; the median of {usual:,} bytes is taken")


def _browser(log: Mapping[str, Any]) -> str:
    for key in ("browser", "creator"):
        named = log.get(key) or {}
        name = str(named.get("name", "")) if isinstance(named, dict) else ""
        for word, known in BROWSERS.items():
            if word in name.lower():
                return f"{known} {named.get('version', '')}".strip()
    return "unknown"


def _seen_load(log: Mapping[str, Any]) -> float | None:
    pages = log.get("pages") or []
    timings = pages[0].get("pageTimings", {}) if pages and isinstance(pages[0], dict) else {}
    return _known(timings.get("onLoad"))
