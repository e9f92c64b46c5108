"""What a HAR does not say, inferred: who asked for each file, how urgently, what work it makes, what is seen last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from simulator.page.load import SCRIPT_S_PER_KB
from simulator.page.recording import Initiator, Load, Request, Seen, Task
from simulator.page.reduce import places_of, script_class

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from simulator.page.har import Entry

COMMIT_MS, PARSE_MS, PARSE_MS_PER_KB, DRAW_MS = 15.0, 4.0, 0.1, 30.0
"""Work on the reference desktop (medians of the corpus's training pages, rounded)."""
FOUND_WITHIN_MS = 60.0
"""What starts so soon after the document's end was named by it."""
LEAST_HERO_BYTES = 10_000
PRIORITY = {
    "document": "VeryHigh", "style": "VeryHigh", "font": "VeryHigh", "script": "Low", "image": "Low", "fetch": "High",
    "media": "Low", "other": "Low",
}  # fmt: skip
"""Chromium's priorities by kind, of a script that holds nothing (web.dev, Fetch Priority)."""


class Known(NamedTuple):
    """The entries, which of them brings the document, what its text names and where, and which entry has each URL."""

    entries: Sequence[Entry]
    document: int
    places: Mapping[str, tuple[float, str, str]]
    at_url: Mapping[str, int]


def guessed(entries: Sequence[Entry], load_ms: float | None, warnings: list[str]) -> Load:
    """Return the load that the entries of a HAR were, the navigation's first."""
    document = document_of(entries)
    at_url = {one.url: number for number, one in reversed(list(enumerate(entries)))}
    known = Known(entries, document, places_of(entries[document].text, entries[document].url), at_url)
    requests = [_request(number, known) for number in range(len(entries))]
    hero = _hero(requests)
    if hero is not None:
        warnings.append(f"the largest content is taken to be {requests[hero].url[-60:]}")
    tasks = list(_tasks(known, requests))
    seen = Seen(ttfb_ms=None, fcp_ms=None, lcp_ms=None, load_ms=load_ms, idle_ms=max(one.end_ms for one in entries))
    return Load(
        requests=requests, tasks=tasks, seen=seen, lcp_kind="text" if hero is None else "image", lcp_request=hero
    )


def document_of(entries: Sequence[Entry]) -> int:
    """Return which entry brings the document: the first, or the last that it redirects to."""
    found = 0
    for number, one in enumerate(entries):
        if number and _leads(entries[found], one):
            found = number
    return found


def _leads(one: Entry, other: Entry) -> bool:
    """Return whether an entry redirects to another."""
    return bool(one.redirect) and urljoin(one.url, one.redirect) == other.url


def _request(number: int, known: Known) -> Request:
    one = known.entries[number]
    parts = urlsplit(one.url)
    initiator = _initiator(number, known)
    script = _script(one, initiator, known.places) if one.kind == "script" else None
    named = initiator.kind == "parser" and initiator.request == known.document
    blocking = named and (one.kind == "style" or script == "sync")
    priority = one.priority or ("High" if script == "sync" else PRIORITY[one.kind])
    return Request.model_validate(
        {
            "url": one.url,
            "host": parts.netloc,
            "kind": one.kind,
            "priority": priority,
            "protocol": one.protocol,
            "secure": parts.scheme == "https",
            "anonymous": one.kind == "font",
            "initiator": initiator,
            "blocking": blocking,
            "script": script,
            "start_ms": max(one.start_ms, 0.0),
            "wait_ms": one.wait_ms,
            "end_ms": max(one.end_ms, one.start_ms, 0.0),
            "sent_bytes": one.sent_bytes,
            "wire_bytes": one.wire_bytes or 1,
        }
    )


def _initiator(number: int, known: Known) -> Initiator:  # noqa: PLR0911 - one return a rule
    """Return who asked: what Chrome says, else a redirect, the document, the referring style sheet, or the time."""
    entries, document = known.entries, known.document
    one = entries[number]
    if number == 0:
        return Initiator(kind="other")
    redirected = [n for n in range(number) if _leads(entries[n], one)]
    if redirected:
        return Initiator(kind="redirect", request=redirected[-1])
    if one.url in known.places:
        return Initiator(kind="parser", request=document, at=known.places[one.url][0])
    said = str(one.initiator.get("type", ""))
    if said == "script":
        frames = (known.at_url.get(frame) for frame in _frames(one.initiator.get("stack")))
        parent = next((frame for frame in frames if frame is not None and frame < number), None)
        return Initiator(kind="script", request=_last(number, known, {"script"}) if parent is None else parent)
    parent = known.at_url.get(str(one.initiator.get("url", "")), known.at_url.get(one.referer))
    if parent is not None and document < parent < number and entries[parent].kind == "style":
        return Initiator(kind="parser", request=parent)
    soon = one.start_ms <= entries[document].end_ms + FOUND_WITHIN_MS and one.kind != "fetch"
    if said in {"parser", "preload"} or (not said and soon):
        return Initiator(kind="parser", request=document, at=min(number / len(entries), 1.0))
    return Initiator(kind="script", request=_last(number, known, {"script", "fetch"}))


def _last(number: int, known: Known, kinds: set[str]) -> int:
    """Return the last answer of these kinds that was complete when a request began; the document when there is none."""
    entries = known.entries
    ended = [(entries[n].end_ms, n) for n in range(number) if entries[n].kind in kinds]
    return max((one for one in ended if one[0] <= entries[number].start_ms), default=(0.0, known.document))[1]


def _frames(stack: Mapping[str, Any] | None) -> Iterator[str]:
    while stack:
        yield from (str(frame.get("url", "")) for frame in stack.get("callFrames", ()))
        stack = stack.get("parent")


def _script(one: Entry, initiator: Initiator, places: Mapping[str, Any]) -> str:
    """Return how a script holds the parser: its tag says, else Chrome's priority, else it is taken to hold nothing."""
    if one.url in places:
        return script_class(one.url, initiator, places)
    if initiator.kind != "parser":
        return "async"
    return "sync" if one.priority in {"High", "VeryHigh"} else "defer"


def _hero(requests: Sequence[Request]) -> int | None:
    """Return the largest image, or None when none is large: then text is the largest content."""
    images = [(one.wire_bytes, -number) for number, one in enumerate(requests) if one.kind == "image"]
    size, number = max(images, default=(0, 0))
    return -number if size >= LEAST_HERO_BYTES else None


def _tasks(known: Known, requests: Sequence[Request]) -> Iterator[Task]:
    """Yield the work that the page is taken to make: commit, parsing, first drawing, and each script by its size."""
    entries, document = known.entries, known.document
    of_document = ("parser", document)
    named = [n for n, one in enumerate(requests) if (one.initiator.kind, one.initiator.request) == of_document]
    clock = entries[document].end_ms
    yield Task(start_ms=clock, ms=COMMIT_MS, kind="commit", sends=named)
    parse_ms = PARSE_MS + PARSE_MS_PER_KB * entries[document].content_bytes / 1e3
    yield Task(start_ms=clock + COMMIT_MS, ms=parse_ms, kind="parse")
    drawn = max([clock + COMMIT_MS + parse_ms, *(one.end_ms for one in requests if one.blocking)])
    yield Task(start_ms=drawn, ms=DRAW_MS, kind="render")
    scripts = [(one.end_ms, number) for number, one in enumerate(requests) if one.kind == "script"]
    for end_ms, number in sorted(scripts):
        size = max(entries[number].content_bytes, entries[number].wire_bytes or 0)
        asked = [
            n for n, one in enumerate(requests) if one.initiator.kind == "script" and one.initiator.request == number
        ]
        work_ms = 1e3 * SCRIPT_S_PER_KB * size / 1e3
        yield Task(start_ms=max(end_ms, drawn), ms=work_ms, kind="script", needs=[number], sends=asked)
