"""One visitor: requests one after another, with a browser's cookies, cache and redirects, over either transport."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from geventhttpclient.client import IDEMPOTENT_METHODS

from simulator.worlds.live.transport.encoding import decoded
from simulator.worlds.live.transport.engine import HttpxExchange
from simulator.worlds.live.transport.fast import FastExchange
from simulator.worlds.live.transport.faults import BAD_REDIRECT, CLOSED, ELSEWHERE, LOOP, AnswerFault, error_name
from simulator.worlds.live.transport.limit import Limit, OutOfTime
from simulator.worlds.live.transport.memory import Memory
from simulator.worlds.live.transport.place import place_of
from simulator.worlds.live.transport.reply import NO_ANSWER, Reply, Split
from simulator.worlds.live.transport.wire import TlsWire, open_wire

if TYPE_CHECKING:
    from simulator.target.request import Request
    from simulator.worlds.live.transport.answers import Exchange, RawAnswer
    from simulator.worlds.live.transport.link import Link
    from simulator.worlds.live.transport.place import BaseUrl, Place

REDIRECTS = frozenset((301, 302, 303, 307, 308))
MOST_REDIRECTS = 20
"""As every browser (Fetch standard, HTTP-redirect fetch)."""
NOT_MODIFIED = 304
US = 1e6


class Connection:
    """One visitor's connection: opened by the first request, kept alive until the visit ends.

    `memory` is what the visitor's phone has kept of earlier visits; with a `link`, all bytes go through it.
    """

    __slots__ = ("_asked_s", "_at", "_base", "_exchange", "_limit", "_link", "_spent_us", "_tls", "memory")

    def __init__(self, base: BaseUrl, memory: Memory | None = None, link: Link | None = None) -> None:
        self._base, self._link, self._limit = base, link, Limit()
        self.memory = Memory() if memory is None else memory
        self._exchange: Exchange | None = None
        self._at = base.place
        self._tls: TlsWire | None = None
        self._asked_s = 0.0
        self._spent_us = [0, 0, 0, 0, 0]
        """The split of the request under way."""

    def send(self, request: Request, timeout_s: float) -> Reply:
        """Send a request and read the whole answer, within `timeout_s`. Never raises for what the target did."""
        memory, method = self.memory, request.method
        sent_s = perf_counter()
        path = self._base.prefix + request.url
        stored = memory.cache.find(path, request.headers) if memory.cache and method == "GET" else None
        if stored and stored.fresh_until_s > sent_s and "Cache-Control" not in request.headers:
            return Reply(200, stored.headers, stored.content, 0, "", sent_s, sent_s, from_cache=True)
        headers = request.headers | stored.validators if stored else request.headers
        self._limit.begin(sent_s, timeout_s)
        self._spent_us = [0, 0, 0, 0, 0]
        try:
            raw, redirects = self._follow(method, path, headers, request.body)
            done_s = perf_counter()
        except BaseException as error:
            name = "timeout" if isinstance(error, OutOfTime) else error_name(error)
            done_s = perf_counter()
            self._note_times(done_s)
            self._hang_up()
            if not name:
                raise
            return Reply(NO_ANSWER, {}, b"", 0, name, sent_s, done_s, Split(*self._spent_us))
        finally:
            self._limit.end()
        status, split = raw.status, Split(*self._spent_us)
        how = split, status, redirects, False, raw.version
        if status == NOT_MODIFIED and stored:
            kept = memory.cache.renew(path, stored, raw.headers, done_s)
            return Reply(200, kept.headers, kept.content, 0, "", sent_s, done_s, *how)
        encoding = raw.headers.get("content-encoding")
        content, fault = decoded(raw.body, encoding) if encoding else (raw.body, "")
        if method == "GET":
            if status == 200 and not fault and not redirects:
                memory.cache.keep(path, request.headers, raw.headers, content, done_s)
        elif memory.cache and status < 400:
            memory.cache.forget(path)
        return Reply(status, raw.headers, content, len(raw.body), fault, sent_s, done_s, *how)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._hang_up()
        self._limit.close()

    def _follow(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> tuple[RawAnswer, int]:
        """Ask, and ask again where redirects lead; return the last answer and how many were followed."""
        place = self._base.place
        for followed in range(MOST_REDIRECTS + 1):
            raw = self._ask(place, method, path, headers, body)
            if raw.status not in REDIRECTS or "location" not in raw.headers:
                return raw, followed
            url = urljoin(f"{place.scheme}://{place.host_header}{path}", raw.headers["location"].split(", ")[0])
            leads_to = place_of(url)
            if leads_to is None:
                raise AnswerFault(BAD_REDIRECT)
            if not self._base.allows(leads_to):
                raise AnswerFault(ELSEWHERE)
            if leads_to[:3] != place[:3]:
                # Another origin never sees what was meant for the first one (Fetch standard).
                headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
            place, parts = leads_to, urlsplit(url)
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            if (raw.status == 303 and method != "HEAD") or (raw.status in (301, 302) and method == "POST"):
                method, body = "GET", None
                headers = {name: value for name, value in headers.items() if name.lower() != "content-type"}
        raise AnswerFault(LOOP)

    def _ask(self, place: Place, method: str, path: str, headers: dict[str, str], body: bytes | None) -> RawAnswer:
        """Ask once, on the open connection or a new one, and once more where the server had closed an idle one."""
        cookies = self.memory.cookies
        if cookies and (line := cookies.header(place.host, path, perf_counter())):
            headers = {**headers, "Cookie": line}
        exchange, reused = self._connected(place)
        try:
            raw = exchange.ask(method, path, headers, body)
        except Exception as error:
            if not reused or method not in IDEMPOTENT_METHODS or error_name(error) != CLOSED:
                raise
            self._note_times(perf_counter())
            self._hang_up()
            exchange, _ = self._connected(place)
            raw = exchange.ask(method, path, headers, body)
        self._note_times(perf_counter())
        if not raw.keeps:
            self._hang_up()
        if "set-cookie" in raw.headers:
            cookies.keep(raw.headers["set-cookie"].split("\n"), place.host, path, perf_counter())
        return raw

    def _connected(self, place: Place) -> tuple[Exchange, bool]:
        """Return the connection to a place and whether it was open before."""
        if self._exchange is not None and self._at[:3] == place[:3]:
            self._asked_s = perf_counter()
            return self._exchange, True
        self._hang_up()
        base, secure = self._base, place.scheme == "https"
        context = base.context if secure else None
        known, session = self.memory.sessions.get((place.host, place.port), (None, None))
        opened = open_wire(place, context, session if known is context else None, self._link)
        spent = self._spent_us
        spent[0] += round(opened.dns_s * US)
        spent[1] += round(opened.connect_s * US)
        spent[2] += round(opened.tls_s * US)
        self._at, self._tls = place, opened.tls
        exchange: Exchange
        if base.transport == "fast":
            exchange = FastExchange(opened.wire, place.host_header)
        else:
            exchange = HttpxExchange(opened.wire, place, h2=opened.tls is not None and opened.tls.speaks_h2)
        self._exchange, self._asked_s = exchange, perf_counter()
        return exchange, False

    def _hang_up(self) -> None:
        if self._exchange is not None:
            if self._tls is not None and (session := self._tls.session) is not None:
                self.memory.sessions[self._at.host, self._at.port] = (self._base.context, session)
            self._exchange.close()
            self._exchange = self._tls = None

    def _note_times(self, done_s: float) -> None:
        """Add the exchange that ends now to the split; one that never began has only set-up times."""
        if self._exchange is None or not self._asked_s:
            return
        first_s = self._exchange.first_s or done_s
        self._spent_us[3] += round((first_s - self._asked_s) * US)
        self._spent_us[4] += round((done_s - first_s) * US)
        self._asked_s = 0.0
