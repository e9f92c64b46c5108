"""HAR 1.2 of sampled visits: one file a visit, `har/SHOPPER-VISIT.har`, to be looked at in a browser's tools.

The format is Jan Odvarko's (http://www.softwareishard.com/blog/har-12-spec). Secrets are redacted wherever they stand,
and so is what the headers for credentials held, in bodies and URLs too. Instants are the run's own clock.
"""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from simulator import __version__
from simulator.journey.records import CAUSES, NEVER_US
from simulator.model.states import STATE_NAMES
from simulator.page.card import OPERATIONS, PLACEMENTS
from simulator.runfolder.files import whole_file
from simulator.target.redaction import redacted, redacted_bytes, redacted_tree
from simulator.worlds.live.listening import Listener

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from simulator.worlds.live.listening import Exchange
    from simulator.worlds.live.views.samples import Sample
    from simulator.worlds.live.walk import Walk

FOLDER = "har"
MOST_BODY_BYTES = 65_536
"""More of a body is left out."""
MOST_VISITS = 1_000
"""No more visits are written: it is a sample to look at."""
CREDENTIALS = frozenset(("authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token"))
REDACTED = "(redacted)"
_SHORTEST_TOKEN = 8
_TEXT = ("text/", "application/json", "application/xml", "application/javascript", "application/x-www-form-urlencoded")


class Visits(Listener):
    """Keeps the exchanges of sampled visits until each is over, and writes its file."""

    def __init__(
        self, sample: Sample, personas: Sequence[str], base_url: str, reference: datetime, folder: Path
    ) -> None:
        self._sample, self._personas, self._base_url, self._reference = sample, personas, base_url, reference
        self._folder = folder / FOLDER
        self._open: dict[tuple[int, int], _Visit] = {}
        self.written = 0

    def asked(self, exchange: Exchange) -> None:
        """Keep a request of a sampled visit."""
        visit = self._of(exchange.stamp.shopper, exchange.stamp.visit)
        if visit:
            visit.asked(exchange)

    def shown(self, walk: Walk) -> None:
        """Keep a page of a sampled visit."""
        visit = self._of(int(walk.visit["shopper"][0]), int(walk.visit["visit"][0]))
        if visit:
            visit.shown(walk)

    def ended(self, walk: Walk) -> None:
        """Write a visit's file."""
        key = int(walk.visit["shopper"][0]), int(walk.visit["visit"][0])
        visit = self._open.pop(key, None)
        if visit is None:
            return
        self.written += 1
        persona = self._personas[int(walk.shopper["persona"][0])]
        about = f"shopper {key[0]}, visit {key[1]}, {persona}; ended: {CAUSES[int(walk.visit['cause'][0])]}"
        with whole_file(self._folder / f"{key[0]}-{key[1]}.har") as partial:
            partial.write_text(visit.text(about), encoding="utf-8")

    def _of(self, shopper: int, visit: int) -> _Visit | None:
        key = shopper, visit
        found = self._open.get(key)
        if found is None and self.written + len(self._open) < MOST_VISITS and self._sample.has(*key):
            found = self._open[key] = _Visit(self._base_url, self._reference)
        return found


class _Visit:
    """The pages and entries of one visit."""

    def __init__(self, base_url: str, reference: datetime) -> None:
        self._base_url, self._reference = base_url, reference
        self._pages: dict[str, dict[str, Any]] = {}
        self._entries: list[dict[str, Any]] = []
        self._credentials: set[str] = set()

    def asked(self, exchange: Exchange) -> None:
        page = f"step-{exchange.stamp.step}"
        self._page(page, STATE_NAMES[exchange.stamp.state], exchange.sent_us)
        request, reply = exchange.request, exchange.reply
        self._credentials.update(_credentials(request.headers), _credentials(reply.headers))
        self._entries.append(
            {
                "pageref": page,
                "startedDateTime": self._instant(exchange.sent_us),
                "time": (exchange.done_us - exchange.sent_us) / 1e3,
                "request": _request(exchange, self._base_url),
                "response": _response(exchange),
                "cache": {},
                "timings": _timings(exchange),
                "comment": f"{OPERATIONS[exchange.operation]}, {PLACEMENTS[exchange.placement]}",
            }
        )

    def shown(self, walk: Walk) -> None:
        event, visit = walk.event[0], walk.visit[0]
        load_us = int(event["load_us"])
        begun_us = int(event["at_us"])
        page = self._page(f"step-{int(visit['pages']) - 1}", STATE_NAMES[int(event["state"])], begun_us)
        page["pageTimings"]["onLoad"] = load_us / 1e3 if load_us < NEVER_US else -1

    def _page(self, name: str, title: str, at_us: int) -> dict[str, Any]:
        fresh = {
            "startedDateTime": self._instant(at_us),
            "id": name,
            "title": title,
            "pageTimings": {"onContentLoad": -1, "onLoad": -1},
        }
        return self._pages.setdefault(name, fresh)

    def _instant(self, at_us: int) -> str:
        return (self._reference + timedelta(microseconds=at_us)).isoformat(timespec="milliseconds")

    def text(self, about: str) -> str:
        """Return the file, in which no credential of the visit stands."""
        log = {
            "version": "1.2",
            "creator": {"name": "footfall", "version": __version__},
            "pages": list(self._pages.values()),
            "entries": sorted(self._entries, key=lambda entry: str(entry["startedDateTime"])),
            "comment": about,
        }
        text = json.dumps({"log": redacted_tree(log)}, indent=1, ensure_ascii=False)
        for token in sorted(self._credentials, key=len, reverse=True):
            text = text.replace(json.dumps(token, ensure_ascii=False)[1:-1], REDACTED)
        return text + "\n"


def _request(exchange: Exchange, base_url: str) -> dict[str, Any]:
    request = exchange.request
    found: dict[str, Any] = {
        "method": request.method,
        "url": base_url + request.url,
        "httpVersion": exchange.reply.version,
        "cookies": [],
        "headers": _headers(request.headers),
        "queryString": [
            {"name": name, "value": value}
            for name, value in parse_qsl(urlsplit(request.url).query, keep_blank_values=True)
        ],
        "headersSize": -1,
        "bodySize": len(request.body or b""),
    }
    if request.body is not None:
        mime = next((value for name, value in request.headers.items() if name.lower() == "content-type"), "")
        found["postData"] = {"mimeType": mime, "text": redacted_bytes(request.body).decode("utf-8", "replace")}
    return found


def _response(exchange: Exchange) -> dict[str, Any]:
    reply = exchange.reply
    headers = {str(name).lower(): value for name, value in reply.headers.items()}
    mime = str(headers.get("content-type", ""))
    return {
        "status": reply.wire_status,
        "statusText": _phrase(reply.wire_status),
        "httpVersion": reply.version,
        "cookies": [],
        "headers": _headers(reply.headers),
        "content": _content(reply.body, mime),
        "redirectURL": str(headers.get("location", "")),
        "headersSize": -1,
        "bodySize": reply.wire_bytes if reply.status else -1,
        "comment": exchange.error,
    }


def _phrase(status: int) -> str:
    return next((known.phrase for known in HTTPStatus if known == status), "")


def _content(body: bytes, mime: str) -> dict[str, Any]:
    """Return a body as HAR has it; secrets go before anything is cut off, so that no half of one stays."""
    clean = redacted_bytes(body)
    found: dict[str, Any] = {"size": len(body), "mimeType": mime}
    if len(clean) > MOST_BODY_BYTES:
        found["comment"] = f"the first {MOST_BODY_BYTES} bytes"
        clean = clean[:MOST_BODY_BYTES]
    if not clean:
        return found
    if mime.startswith(_TEXT) or "+json" in mime or "+xml" in mime:
        return found | {"text": clean.decode("utf-8", "replace")}
    return found | {"text": b64encode(clean).decode(), "encoding": "base64"}


def _headers(headers: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {"name": name, "value": REDACTED if name.lower() in CREDENTIALS else redacted(value)}
        for name, value in _fields(headers)
    ]


def _fields(headers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (name, value) of each line; the transport gives cookies of one answer as lines of one text."""
    for name, value in headers.items():
        for one in value if isinstance(value, list) else str(value).split("\n"):
            yield str(name), str(one)


def _credentials(headers: Mapping[str, Any]) -> Iterator[str]:
    """Yield what headers for credentials hold: tokens, and values of cookies; short ones are found everywhere."""
    for name, value in _fields(headers):
        if name.lower() in CREDENTIALS:
            first = value.partition(";")[0] if name.lower() == "set-cookie" else value
            for part in first.split(";"):
                token = part.partition("=")[2] if "cookie" in name.lower() else part.rpartition(" ")[2]
                if len(token.strip()) >= _SHORTEST_TOKEN:
                    yield token.strip()


def _timings(exchange: Exchange) -> dict[str, float]:
    """Return where the time went; of a request that the end of the run cut, all of it is waiting."""
    split = exchange.reply.split
    whole_ms = (exchange.done_us - exchange.sent_us) / 1e3
    if not any(split):
        return {"blocked": -1, "dns": -1, "connect": -1, "ssl": -1, "send": 0, "wait": whole_ms, "receive": 0}
    known_us = split.dns_us + split.connect_us + split.tls_us + split.wait_us + split.receive_us
    fresh = split.connect_us > 0
    return {
        "blocked": max(0.0, whole_ms - known_us / 1e3),
        "dns": split.dns_us / 1e3 if fresh else -1,
        "connect": (split.connect_us + split.tls_us) / 1e3 if fresh else -1,
        "ssl": split.tls_us / 1e3 if split.tls_us else -1,
        "send": 0,
        "wait": split.wait_us / 1e3,
        "receive": split.receive_us / 1e3,
    }
