"""The transport alone: what goes over the wire, and a short name for everything that can go wrong there."""

from __future__ import annotations

import gzip
import socket
import ssl
import zlib

import brotli
import gevent
import httpcore
import pytest
import zstandard
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError

from simulator.model.devices import device_table
from simulator.target.call import Request
from simulator.target.headers import accept_encoding
from simulator.worlds.live.transport import TRANSPORTS, BaseUrl, Connection, decoded, error_name

TIMEOUT_S = 5.0


def asking(path="/api/home", method="GET", headers=None, body=None):
    """Return a request of an operation that does not matter here."""
    return Request("home", method, path, headers or {}, body, TIMEOUT_S, frozenset({200}))


@pytest.fixture(params=TRANSPORTS)
def connection(shop, request):
    """Open a visitor's connection to the recording shop, on each transport."""
    opened = Connection(BaseUrl(shop.url, transport=request.param))
    yield opened
    opened.close()


@pytest.fixture
def send(connection):
    """Return a function that sends a request and returns the reply."""
    return lambda *args, timeout_s=TIMEOUT_S, **more: connection.send(asking(*args, **more), timeout_s)


def refused_port():
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_an_answer_comes_whole(send, recording, shop):
    """The status, the body, its size on the wire and both times of an answer are told."""
    shop.behave["home"] = recording.body(b"x" * 300_000)
    reply = send()
    assert (reply.status, reply.error, len(reply.body), reply.wire_bytes) == (200, "", 300_000, 300_000)
    assert reply.sent_s < reply.done_s


def test_one_connection_serves_a_whole_visit(send, shop):
    """Requests of a visit share one connection, kept alive."""
    for path in ("/api/home", "/api/search", "/api/cart"):
        assert send(path).status == 200
    assert {asked.connection for asked in shop.asked} == {1}


def test_each_visitor_has_a_connection_of_their_own(shop):
    """Two connections never share a socket, even to the same address."""
    base = BaseUrl(shop.url)
    for visitor in (Connection(base), Connection(base)):
        assert visitor.send(asking(), TIMEOUT_S).status == 200
        visitor.close()
    assert sorted(asked.connection for asked in shop.asked) == [1, 2]


def test_the_head_is_exactly_what_was_asked_for(send, shop):
    """Nothing is added to a request but Host; each header stands once."""
    send(headers={"User-Agent": "phone", "X-Two": "two words"})
    (asked,) = shop.asked
    assert asked.headers == {"host": shop.url.removeprefix("http://"), "user-agent": "phone", "x-two": "two words"}
    assert asked.lines == len(asked.headers)


@pytest.mark.parametrize(("method", "length"), [("POST", "0"), ("PUT", "0"), ("PATCH", "0"), ("GET", None)])
def test_an_empty_body_has_a_length_where_a_body_is_meant(send, shop, method, length):
    """POST, PUT and PATCH say Content-Length 0 for an empty body, GET says nothing (RFC 9112 section 6.3)."""
    send(method=method)
    assert shop.asked[0].headers.get("content-length") == length


def test_a_body_arrives_as_it_is(send, shop):
    """The bytes of a body arrive unchanged, with their length in bytes."""
    data = '{"name": "Ångström 東京"}'.encode()
    send(method="POST", body=data)
    assert (shop.asked[0].body, shop.asked[0].headers["content-length"]) == (data, str(len(data)))


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        ("tok\r\nX-Evil: 1", "tokX-Evil: 1"),
        ("tok\nX-Evil: 1", "tokX-Evil: 1"),
        ("tok\r\n\r\nGET /evil HTTP/1.1\r\n", "tokGET /evil HTTP/1.1"),
    ],
)
def test_no_value_can_add_a_header_or_a_request(send, shop, value, arrives):
    """A token captured from an answer cannot break out of its header, whatever it holds."""
    assert send(headers={"Authorization": value}).status == 200
    (asked,) = shop.asked
    assert asked.headers["authorization"] == arrives
    assert "x-evil" not in asked.headers


def test_a_target_below_a_path_is_called_there(shop):
    """The path of a base URL stands before every request's, as in `target check`."""
    visitor = Connection(BaseUrl(f"{shop.url}/shop/v2/"))
    assert visitor.send(asking("/api/home?q=1"), TIMEOUT_S).status == 200
    visitor.close()
    assert (shop.asked[0].path, shop.asked[0].query) == ("/shop/v2/api/home", {"q": "1"})


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://shop.example", "shop.example"),
        ("http://shop.example:8080/path", "shop.example:8080"),
        ("http://user:secret@shop.example", "shop.example"),
        ("https://[::1]:8443", "[::1]:8443"),
    ],
)
def test_host_is_the_place_and_no_more(url, host):
    """`Host` holds name and port as the URL has them, and never a password."""
    assert BaseUrl(url).host_header == host


COOKIES = {
    "a cookie returns": (["sid=abc; Path=/; HttpOnly; SameSite=Lax"], "sid=abc"),
    "several cookies return in order": (["a=1", "b=2; Secure"], "a=1; b=2"),
    "a cookie is replaced by its next value": (["a=1", "a=2"], "a=2"),
    "attributes that are new do no harm": (["a=1; Secure; Partitioned; Path=/"], "a=1"),
    "an attribute is no cookie": (["a=1; Priority=High; Path=/"], "a=1"),
    "a value returns as it was sent": (['a="x y\\054z"; Path=/'], 'a="x y\\054z"'),
    "a value may hold =": (["a=b=c"], "a=b=c"),
    "Max-Age 0 takes a cookie back": (["a=1", "b=2", "a=; Max-Age=0"], "b=2"),
    "a negative Max-Age takes it back": (["a=1; Path=/", "a=; max-age=-1; Path=/"], None),
    "a date long past takes it back": (["a=1", "a=x; expires=Thu, 01 Jan 1970 00:00:00 GMT"], None),
    "a long life does not": (["a=1; Max-Age=31536000"], "a=1"),
    "what is no cookie is passed over": (["nonsense", "=x", "a=1"], "a=1"),
}


@pytest.mark.parametrize("promise", COOKIES)
def test_cookies(send, recording, shop, promise):
    """Cookies of a visit return with its next request, as RFC 6265 has it."""
    lines, returned = COOKIES[promise]
    shop.behave["home"] = lambda handler, _asked: recording.answer(
        handler, {}, headers=[("Set-Cookie", line) for line in lines]
    )
    send()
    send("/api/cart")
    assert shop.asked[1].headers.get("cookie") == returned


def test_a_new_visit_brings_no_cookies(shop):
    """Cookies belong to one visit: the next connection begins without any."""
    base = BaseUrl(shop.url)
    for path in ("/api/session", "/api/home"):
        visitor = Connection(base)
        visitor.send(asking(path), TIMEOUT_S)
        visitor.close()
    assert "cookie" not in shop.asked[1].headers


TEXT = b'{"items": []}' * 50
RAW_DEFLATE = zlib.compress(TEXT)
ENCODED = {
    "gzip": gzip.compress(TEXT),
    "GZIP": gzip.compress(TEXT),
    "deflate": RAW_DEFLATE,
    "raw deflate": zlib.compress(TEXT, wbits=-15),
    "br": brotli.compress(TEXT),
    "zstd": zstandard.compress(TEXT),
    "gzip, br": brotli.compress(gzip.compress(TEXT)),
    "identity": TEXT,
    "": TEXT,
}


def test_no_phone_accepts_what_we_cannot_read():
    """Every coding that a shipped device's browser takes has a test below; new Chromes take zstd, old ones do not."""
    taken = [(device, accept_encoding(device)) for device in device_table().devices]
    assert {coding.strip() for _, codings in taken for coding in codings.split(",")} <= set(ENCODED)
    chromes = {int(one.browser_version.split(".")[0]): "zstd" in said for one, said in taken if one.browser == "chrome"}
    assert chromes[119] is False
    assert chromes[149] is True


@pytest.mark.parametrize("encoding", ENCODED)
def test_what_a_phone_accepts_can_be_read(encoding):
    """Every encoding that our phones say they accept is decoded."""
    assert decoded(ENCODED[encoding], encoding.removeprefix("raw ")) == (TEXT, "")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_body_that_is_not_what_it_says_is_an_error(encoding):
    """A body that cannot be decoded is an error with the encoding's name, and never content."""
    assert decoded(b"\xff\xfe\xfd", encoding) == (b"", f"bad {encoding}")


def test_an_empty_body_needs_no_decoding():
    """An answer without a body is good, whatever encoding its head names."""
    assert decoded(b"", "gzip") == (b"", "")


def test_compressed_answers_are_read_and_counted_as_sent(send, recording, shop):
    """Content is decoded, while the bytes counted are those on the wire."""
    shop.behave["home"] = recording.body(ENCODED["br"], Content_Encoding="br")
    reply = send()
    assert (reply.body, reply.wire_bytes) == (TEXT, len(ENCODED["br"]))


FAULTS = {
    "close": "connection closed",
    "reset": "connection closed",
    "garbage": "bad http",
    "truncated": "answer cut short",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_answer_is_a_named_error(send, recording, shop, fault):
    """What is no answer is told by a short name, with status 0, and never raised; the next request works again."""
    shop.behave["home"] = getattr(recording, fault)
    reply = send()
    assert (reply.status, reply.body, reply.error) == (0, b"", FAULTS[fault])
    assert send("/api/cart").status == 200


def test_an_answer_that_never_comes_ends_in_time(send, recording, shop):
    """A request is given up at its limit, not when the server is pleased to answer."""
    shop.behave["home"] = recording.hang
    reply = send(timeout_s=0.2)
    assert (reply.status, reply.error) == (0, "timeout")
    assert 0.2 <= reply.done_s - reply.sent_s < 2.0


def test_an_answer_that_drips_ends_in_time(send, shop):
    """The limit holds for the whole answer: a server that sends a byte now and then cannot hold a request."""

    def drip(handler, _asked):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not handler.server.closing.wait(0.03):
            try:
                handler.wfile.write(b".")
                handler.wfile.flush()
            except OSError:
                break
        handler.close_connection = True

    shop.behave["home"] = drip
    reply = send(timeout_s=0.25)
    assert reply.error == "timeout"
    assert reply.done_s - reply.sent_s < 2.0


def test_after_a_timeout_the_late_answer_is_nobodys(send, recording, shop):
    """A request that was given up takes its connection with it: its late answer is not the next one's."""
    shop.behave["home"] = recording.slow(0.3)
    assert send(timeout_s=0.1).error == "timeout"
    reply = send("/products/A-3")
    assert b"A-3" in reply.body
    assert [asked.connection for asked in shop.asked] == [1, 2]


def test_nobody_listening_is_a_named_error():
    """A closed port is `connection refused`."""
    visitor = Connection(BaseUrl(f"http://127.0.0.1:{refused_port()}"))
    assert visitor.send(asking(), TIMEOUT_S).error == "connection refused"


def test_a_plain_server_is_no_tls_server(shop):
    """TLS with a server that speaks none is `tls failed`."""
    visitor = Connection(BaseUrl(shop.url.replace("http:", "https:")))
    assert visitor.send(asking(), TIMEOUT_S).error == "tls failed"


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (HTTPConnectionClosed("closed"), "connection closed"),
        (ConnectionResetError(), "connection closed"),
        (BrokenPipeError(), "connection closed"),
        (HTTPParseError("bad"), "bad http"),
        (TimeoutError(), "connect timeout"),
        (ssl.SSLError(), "tls failed"),
        (ConnectionRefusedError(111, "refused"), "connection refused"),
        (OSError(24, "too many"), "too many open files"),
        (socket.gaierror(-2, "name"), "no such host"),
        (OSError(113, "no route"), "no connection"),
        (ssl.SSLCertVerificationError("not trusted"), "certificate not trusted"),
        (httpcore.RemoteProtocolError("bad"), "bad http"),
        (ValueError("a defect of ours"), ""),
        (KeyboardInterrupt(), ""),
    ],
)
def test_every_fault_of_the_network_has_a_name(error, name):
    """Names are short and do not vary with the machine; what is no fault of the network has none and is raised."""
    assert error_name(error) == name


def test_a_connection_that_idled_out_is_opened_again(send, recording, shop):
    """A server may close an idle connection: a GET that meets it is sent again and is no error."""

    def last_on_this_connection(handler, asked):
        recording.shop_like(handler, asked)
        handler.close_connection = True  # without saying so

    shop.behave["home"] = last_on_this_connection
    assert send().status == 200
    gevent.sleep(0.05)
    assert send("/api/cart").error == ""
    assert [asked.connection for asked in shop.asked] == [1, 2]


def test_an_order_is_never_sent_twice(send, recording, shop):
    """A POST that meets a closed connection is an error: nobody knows whether the first one was taken."""
    send("/api/cart")
    shop.behave["purchase"] = recording.close
    assert send("/api/purchase", method="POST", body=b"{}").error == "connection closed"
    assert len(shop.of("purchase")) == 1


def test_an_answer_that_says_close_is_believed(send, recording, shop):
    """`Connection: close` is followed by a new connection."""
    shop.behave["home"] = recording.body(b"{}", Connection="close")
    assert send().status == 200
    assert send("/api/cart").status == 200
    assert [asked.connection for asked in shop.asked] == [1, 2]


def test_an_early_hint_is_not_the_answer(send, recording, shop):
    """Interim answers (1xx) are passed over."""
    shop.behave["home"] = recording.raw(
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    )
    reply = send()
    assert (reply.status, reply.body) == (200, b"{}")


def test_chunked_answers_are_read(send, recording, shop):
    """An answer without a length, in chunks, comes whole."""
    shop.behave["home"] = recording.raw(
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n3\r\n 1}\r\n0\r\n\r\n'
    )
    assert send().body == b'{"a": 1}'


@pytest.mark.usefixtures("trusted")
def test_a_tls_target_is_called_on_one_connection(tls_shop):
    """HTTPS works as HTTP does, the certificate being one that this machine trusts."""
    visitor = Connection(BaseUrl(tls_shop.url.replace("http:", "https:")))
    assert [visitor.send(asking(path), TIMEOUT_S).status for path in ("/api/home", "/api/cart")] == [200, 200]
    visitor.close()
    assert {asked.connection for asked in tls_shop.asked} == {1}


def test_a_certificate_that_nobody_trusts_is_refused(tls_shop):
    """A shop whose certificate this machine does not trust is told by that name, and is sent nothing."""
    visitor = Connection(BaseUrl(tls_shop.url.replace("http:", "https:")))
    assert visitor.send(asking(), TIMEOUT_S).error == "certificate not trusted"
    assert tls_shop.asked == []


@pytest.mark.usefixtures("trusted")
def test_the_certificates_of_the_machine_are_read_once(tls_shop):
    """Every visit shares one TLS context; only connections are their own."""
    base = BaseUrl(tls_shop.url.replace("http:", "https:"))
    assert base.context is base.context
