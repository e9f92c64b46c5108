"""What a browser does above HTTP: caches, redirects, cookies that outlive a visit, resumed TLS; on both transports."""

from __future__ import annotations

import gzip
from time import perf_counter

import gevent
import pytest

from simulator.target.call import Request
from simulator.worlds.live.returning import Returning
from simulator.worlds.live.transport import TRANSPORTS, BaseUrl, Connection, Memory
from simulator.worlds.live.transport.cache import ENTRY_BYTES, SHOPPER_BYTES, Budget, Cache, directives, fresh_s

TIMEOUT_S = 10.0
LATER = "Fri, 22 Nov 2126 08:00:00 GMT"


def asked(path="/api/home", method="GET", headers=None, body=None):
    """Return a request."""
    return Request("home", method, path, headers or {}, body, TIMEOUT_S, frozenset({200}))


@pytest.fixture(params=TRANSPORTS)
def base(shop, request):
    """Return the shop's address for each transport."""
    return BaseUrl(shop.url, transport=request.param)


@pytest.fixture
def visitor(base):
    """Open a visitor's connection."""
    opened = Connection(base)
    yield opened
    opened.close()


def said(shop, recording, content=b"content", **headers):
    """Let the shop answer with these headers; `_` in their names stands for `-`."""
    shop.behave["home"] = recording.body(content, **headers)


FRESH = {
    "max-age": {"Cache_Control": "max-age=60"},
    "private max-age": {"Cache_Control": "private, max-age=60"},
    "Expires": {"Expires": LATER},
    "a tenth of the time since it changed": {
        "Last_Modified": "Sat, 22 Nov 2025 08:00:00 GMT",
        "Date": "Sun, 22 Nov 2026 08:00:00 GMT",
    },
}
ASKED_AGAIN = {
    "nothing said": {},
    "no-store": {"Cache_Control": "no-store, max-age=60"},
    "no-cache": {"Cache_Control": "no-cache", "ETag": '"1"'},
    "max-age 0": {"Cache_Control": "max-age=0", "ETag": '"1"'},
    "over already": {"Expires": "0", "ETag": '"1"'},
    "old when it came": {"Cache_Control": "max-age=60", "Age": "61"},
    "varies with everything": {"Cache_Control": "max-age=60", "Vary": "*"},
}


@pytest.mark.parametrize("rule", FRESH)
def test_what_is_fresh_is_not_asked_for_again(visitor, shop, recording, rule):
    """A fresh answer comes from the visitor's own cache, whole and at once, and the shop hears nothing of it."""
    said(shop, recording, **FRESH[rule])
    first, second = visitor.send(asked(), TIMEOUT_S), visitor.send(asked(), TIMEOUT_S)
    assert len(shop.asked) == 1
    assert (second.status, second.body, second.from_cache, second.wire_bytes) == (200, first.body, True, 0)
    assert not first.from_cache


@pytest.mark.parametrize("rule", ASKED_AGAIN)
def test_what_is_not_fresh_is_asked_for_again(visitor, shop, recording, rule):
    """What must not be kept, or is over, is asked for each time."""
    said(shop, recording, **ASKED_AGAIN[rule])
    replies = [visitor.send(asked(), TIMEOUT_S) for _ in range(2)]
    assert len(shop.asked) == 2
    assert not any(reply.from_cache for reply in replies)


def unless_known(recording, tag, content):
    """Return a behaviour that answers 304 to whoever knows the tag."""

    def behave(handler, request):
        if request.headers.get("if-none-match") == tag:
            handler.send_response(304)
            handler.send_header("ETag", tag)
            handler.send_header("Cache-Control", "max-age=60")
            handler.end_headers()
            return
        headers = [("ETag", tag), ("Cache-Control", "no-cache"), ("Content-Encoding", "gzip")]
        recording.answer(handler, headers=headers, body=gzip.compress(content))

    return behave


def test_what_still_holds_is_not_sent_again(visitor, shop, recording):
    """A 304 stands for the answer that is kept, decoded; it renews how long that is fresh."""
    shop.behave["home"] = unless_known(recording, '"v1"', b"the same")
    replies = [visitor.send(asked(), TIMEOUT_S) for _ in range(3)]
    assert [reply.body for reply in replies] == [b"the same"] * 3
    assert [reply.status for reply in replies] == [200] * 3
    assert [reply.wire_status for reply in replies] == [200, 304, 0]
    assert replies[1].wire_bytes == 0
    assert [request.headers.get("if-none-match") for request in shop.asked] == [None, '"v1"']


def test_answers_that_vary_are_each_visitors_own_language(visitor, shop, recording):
    """What varies by a header is used again for the same header alone."""
    said(shop, recording, Cache_Control="max-age=60", Vary="Accept-Language")
    for language in ("de", "de", "fr"):
        visitor.send(asked(headers={"Accept-Language": language}), TIMEOUT_S)
    assert [request.headers["accept-language"] for request in shop.asked] == ["de", "fr"]


def test_a_change_makes_what_is_kept_worthless(visitor, shop, recording):
    """A POST to a URL makes its next GET ask again (RFC 9111 section 4.4)."""
    said(shop, recording, Cache_Control="max-age=60")
    for method in ("GET", "POST", "GET"):
        visitor.send(asked(method=method, body=b"{}" if method == "POST" else None), TIMEOUT_S)
    assert [request.method for request in shop.asked] == ["GET", "POST", "GET"]


def test_who_asks_for_something_new_gets_it(visitor, shop, recording):
    """A request that says Cache-Control itself is always sent."""
    said(shop, recording, Cache_Control="max-age=60")
    visitor.send(asked(), TIMEOUT_S)
    visitor.send(asked(headers={"Cache-Control": "no-cache"}), TIMEOUT_S)
    assert len(shop.asked) == 2


def test_a_returning_shopper_keeps_cache_and_cookies(base, shop, recording):
    """The next visit has a new connection, and brings what is fresh and every cookie whose life is not over."""
    shop.behave["session"] = lambda handler, _asked: recording.answer(
        handler, {}, headers=[("Set-Cookie", "brief=1; Path=/"), ("Set-Cookie", "lasting=2; Path=/; Max-Age=600")]
    )
    said(shop, recording, Cache_Control="max-age=60")
    memory = Memory()
    for _ in range(2):
        visit = Connection(base, memory)
        replies = [visit.send(asked(path), TIMEOUT_S) for path in ("/api/home", "/api/session", "/api/cart")]
        visit.close()
    assert replies[0].from_cache
    assert [request.headers.get("cookie") for request in shop.of("session")] == [None, "brief=1; lasting=2"]
    assert {request.connection for request in shop.asked} == {1, 2}


def test_memory_is_bounded_over_all_shoppers():
    """Who has not come for longest is forgotten first, and their cache's bytes are free again."""
    budget = Budget()
    returning = Returning(lambda: Memory(budget), lambda _shopper, _visit: True, most=10)
    for shopper in range(50):
        returning.take(shopper, 0).cache.keep("/", {}, {"cache-control": "max-age=60"}, bytes(1_000), 0.0)
    assert len(returning) == 10
    assert budget.left_bytes == Budget().left_bytes - 10 * (1_000 + ENTRY_BYTES)
    assert returning.take(0, 1).cache.find("/", {}) is None


def test_a_cache_is_bounded():
    """A visitor's cache gives up what was not used for longest, and never holds more than its share or the budget's."""
    budget = Budget(3 * SHOPPER_BYTES // 2)
    caches = [Cache(budget) for _ in range(2)]
    for cache in caches:
        for number in range(40):
            cache.keep(f"/{number}", {}, {"cache-control": "max-age=60"}, bytes(50_000), 0.0)
    kept = [sum(cache.find(f"/{number}", {}) is not None for number in range(40)) for cache in caches]
    assert kept[0] == SHOPPER_BYTES // (50_000 + ENTRY_BYTES)
    assert 0 < kept[1] < kept[0]
    assert budget.left_bytes >= 0
    assert caches[0].find("/39", {}) is not None
    assert caches[0].find("/0", {}) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"cache-control": "max-age=10", "expires": LATER}, 10),
        ({"cache-control": 'max-age="10"', "age": "4"}, 6),
        ({"cache-control": "max-age=nonsense"}, 0),
        ({"expires": "Sun, 22 Nov 2026 08:01:00 GMT", "date": "Sun, 22 Nov 2026 08:00:00 GMT"}, 60),
        ({"last-modified": "Sun, 22 Nov 2026 07:00:00 GMT", "date": "Sun, 22 Nov 2026 08:00:00 GMT"}, 360),
        ({"last-modified": "yesterday", "date": "Sun, 22 Nov 2026 08:00:00 GMT"}, 0),
        ({"cache-control": "no-cache, max-age=10"}, 0),
    ],
)
def test_freshness_is_rfc_9111s(headers, seconds):
    """Max-age goes before Expires, Expires before a guess, and Age is taken off."""
    assert fresh_s(headers, directives(headers.get("cache-control", ""))) == seconds


def to(location, status=302):
    """Return a behaviour that leads elsewhere."""

    def behave(handler, _asked):
        handler.send_response(status)
        handler.send_header("Location", location)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return behave


@pytest.mark.parametrize("location", ["/api/cart?x=1", "cart?x=1", "{url}/api/cart?x=1#top"])
def test_redirects_are_followed(visitor, shop, location):
    """A redirect is followed wherever it is written from, on the same connection; cookies go along."""
    shop.behave["home"] = to(location.format(url=shop.url))
    reply = visitor.send(asked(), TIMEOUT_S)
    assert (reply.status, reply.redirects) == (200, 1)
    assert [(request.path, request.query) for request in shop.asked] == [("/api/home", {}), ("/api/cart", {"x": "1"})]
    assert {request.connection for request in shop.asked} == {1}


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [(301, "GET", b""), (302, "GET", b""), (303, "GET", b""), (307, "POST", b"{}"), (308, "POST", b"{}")],
)
def test_a_redirect_changes_the_method_as_browsers_do(visitor, shop, status, method, body):
    """After 301, 302 and 303 a POST is a GET without a body; after 307 and 308 it is sent as it was."""
    shop.behave["home"] = to("/api/cart", status)
    visitor.send(asked(method="POST", body=b"{}", headers={"Content-Type": "application/json"}), TIMEOUT_S)
    (followed,) = shop.of("cart")
    assert (followed.method, followed.body) == (method, body)
    assert ("content-type" in followed.headers) == (method == "POST")


def test_only_named_hosts_are_called(recording, shop):
    """A redirect to another host is followed where that host is allowed, without our token; else it is an error."""
    with recording.Shop() as other:
        shop.behave["home"] = to(f"{other.url}/api/cart")
        place = ("127.0.0.1", other.server_address[1])
        for allowed, error in (((), "redirect elsewhere"), ((place,), "")):
            visitor = Connection(BaseUrl(shop.url, allowed=allowed))
            reply = visitor.send(asked(headers={"Authorization": "Bearer secret", "X-Own": "1"}), TIMEOUT_S)
            visitor.close()
            assert reply.error == error
        (followed,) = other.asked
    assert "authorization" not in followed.headers
    assert followed.headers["x-own"] == "1"


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_returning_shopper_resumes_tls(tls_shop, transport):
    """The first connection shakes hands in full; the next visit's resumes its session; a stranger's does not."""
    base = BaseUrl(tls_shop.url.replace("http:", "https:"), transport=transport)
    memory = Memory()
    resumed = []
    for who in (memory, memory, Memory()):
        visitor = Connection(base, who)
        assert visitor.send(asked(), TIMEOUT_S).status == 200
        resumed.append(visitor._tls.resumed)  # noqa: SLF001 - the wire knows
        visitor.close()
    assert resumed == [False, True, False]


def test_certificates_may_go_unlooked_at(tls_shop):
    """Without `verify` a certificate that nobody trusts is accepted."""
    visitor = Connection(BaseUrl(tls_shop.url.replace("http:", "https:"), verify=False))
    assert visitor.send(asked(), TIMEOUT_S).status == 200
    visitor.close()


def test_the_split_adds_up(visitor, shop, recording):
    """DNS, connection, TLS, wait and receive together are the whole request, wherever the time went."""
    shop.behave["home"] = recording.slow(0.1)
    reply = visitor.send(asked(), TIMEOUT_S)
    whole_us = (reply.done_s - reply.sent_s) * 1e6
    assert sum(reply.split) == pytest.approx(whole_us, abs=2_000 + 0.05 * whole_us)
    assert reply.split.wait_us > 100_000
    assert reply.split.connect_us > 0
    assert visitor.send(asked("/api/cart"), TIMEOUT_S).split[:3] == (0, 0, 0)


def test_a_cached_answer_takes_no_time(visitor, shop, recording):
    """Ten thousand fresh answers come in less than a second: no socket, no timer."""
    said(shop, recording, Cache_Control="max-age=60")
    visitor.send(asked(), TIMEOUT_S)
    begun_s = perf_counter()
    for _ in range(2_000):
        visitor.send(asked(), TIMEOUT_S)
    assert perf_counter() - begun_s < 1.0
    gevent.sleep(0)
    assert len(shop.asked) == 1
