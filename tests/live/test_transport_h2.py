"""HTTP/2 with the `httpx` transport, against a server on the h2 library."""

from __future__ import annotations

import pytest

from simulator.target.call import Request
from simulator.worlds.live.transport import BaseUrl, Connection, Link, Memory

TIMEOUT_S = 20.0


def asked(path, method="GET", body=None, headers=None):
    """Return a request."""
    return Request("home", method, path, headers or {"User-Agent": "phone"}, body, TIMEOUT_S, frozenset({200}))


@pytest.fixture
def h2shop(h2server, trusted):
    """Open a shop that speaks HTTP/2."""
    with h2server.H2Shop(trusted) as opened:
        yield opened


@pytest.fixture
def visitor(h2shop):
    """Open a visitor's connection to it."""
    opened = Connection(BaseUrl(h2shop.url, transport="httpx"))
    yield opened
    opened.close()


def test_a_visit_shares_one_connection(visitor, h2shop):
    """Requests of a visit are streams of one HTTP/2 connection, with cookies and bodies as in HTTP/1.1."""
    assert visitor.send(asked("/one"), TIMEOUT_S).body == b'{"path": "/one"}'
    reply = visitor.send(asked("/echo", "POST", b"x" * 200_000), TIMEOUT_S)
    assert (reply.body, reply.version) == (b"x" * 200_000, "HTTP/2")
    assert h2shop.connections == 1
    _, _, headers, _ = h2shop.asked[1]
    assert headers[b"cookie"] == b"a=1; b=2"
    assert headers[b"content-length"] == b"200000"
    assert b"connection" not in headers


def test_large_answers_pass_the_flow_control(visitor, h2server):
    """An answer larger than every window comes whole."""
    reply = visitor.send(asked("/huge"), TIMEOUT_S)
    assert (reply.error, len(reply.body)) == ("", h2server.HUGE_BYTES)


def test_a_stream_that_is_reset_is_a_named_error(visitor):
    """RST_STREAM and GOAWAY are errors by name, and the next request works again."""
    for path in ("/reset", "/goaway"):
        assert visitor.send(asked(path), TIMEOUT_S).error in {"bad http", "connection closed"}
        assert visitor.send(asked("/one"), TIMEOUT_S).status == 200


def test_a_returning_shopper_resumes_tls_on_h2(h2shop):
    """The server itself says that the second connection resumed the first one's session."""
    base, memory = BaseUrl(h2shop.url, transport="httpx"), Memory()
    for _ in range(2):
        visitor = Connection(base, memory)
        visitor.send(asked("/one"), TIMEOUT_S)
        visitor.close()
    assert h2shop.resumed == [False, True]


def test_the_fast_transport_stays_with_http_1(h2shop):
    """`fast` does not offer HTTP/2 to a server that would take it."""
    visitor = Connection(BaseUrl(h2shop.url, transport="fast"))
    assert visitor.send(asked("/one"), TIMEOUT_S).error != ""
    visitor.close()
    assert h2shop.asked == []


def test_h2_runs_through_a_link(h2shop):
    """On a phone's link HTTP/2 takes four round trips for the first answer, and one for the next."""
    link = Link()
    link.turn(100.0, 8_000.0, 2_000.0)
    visitor = Connection(BaseUrl(h2shop.url, transport="httpx"), None, link)
    first, second = (visitor.send(asked("/one"), TIMEOUT_S) for _ in range(2))
    huge = visitor.send(asked("/huge"), TIMEOUT_S)
    visitor.close()
    assert first.done_s - first.sent_s == pytest.approx(0.4, rel=0.25)
    assert second.done_s - second.sent_s == pytest.approx(0.1, rel=0.4)
    assert huge.done_s - huge.sent_s == pytest.approx(2.1 + 0.2, rel=0.15)
