"""`target check`: one shopper through every operation, in an order that works, and nobody waits for a dead host."""

import socket
from datetime import UTC, datetime
from threading import Event

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from simulator.target.check import CheckLine, TargetUnreachable, reach, somebody, walk
from simulator.target.request import load_target
from simulator.target.schema import Evidence

HOST = "http://shop.example"
SHOP = """
track: {method: POST, path: /events, json: {type: "{event.type}", sku: "{extracted.viewed}"}}
product: {path: "/p/{extracted.sku}", extract: {viewed: $.sku}}
purchase: {method: POST, path: /orders, json: {cart: "{extracted.cart}"}}
home:
  path: /
  extract: {sku: "$.items[*].sku", cart: "$.cart?"}
  evidence: {items: "$.items[*].sku", subject: $.who, variant: $.arm}
cart: {path: /cart}
"""


async def front(_request: Request) -> JSONResponse:
    """Answer with two items, and for whom."""
    return JSONResponse({"items": [{"sku": "A"}, {"sku": "B"}], "who": "ff-0-0"})


async def product(request: Request) -> JSONResponse:
    """Answer with the product of the path."""
    return JSONResponse({"sku": request.path_params["sku"]})


async def broken(_request: Request) -> PlainTextResponse:
    """Fail."""
    return PlainTextResponse("no", 500)


APP = Starlette(
    routes=[
        Route("/", front),
        Route("/p/{sku}", product),
        Route("/cart", broken),
        Route("/events", front, methods=["POST"]),
    ]
)


@pytest.fixture
def lines(target_of, transport_of) -> dict[str, CheckLine]:
    """Return the lines of a walk through the small shop, in their order."""
    return {line.operation: line for line in walk(target_of(SHOP), HOST, transport=transport_of(APP))}


def test_everything_mapped_is_tried_once_in_an_order_that_works(lines):
    """What needs an earlier answer waits for it, whatever the order of the file."""
    assert list(lines) == ["home", "product", "cart", "track", "purchase"]


def test_a_good_answer_is_read_aloud(lines):
    """A line has the request, the status, the time, what was extracted and what evidence was seen, lacked, unmapped."""
    line = lines["home"]
    assert (line.method, line.url, line.status, line.ok, line.problem) == ("GET", "/", 200, True, "")
    assert line.elapsed_ms > 0
    assert line.extracted == {"sku": ("A", "B")}
    assert line.observable == {"items": ["A", "B"], "subject": "ff-0-0"}
    assert line.absent == ("variant",)
    assert {*line.observable, *line.absent, *line.unmapped} == set(Evidence.model_fields)


def test_a_bad_answer_is_named(lines):
    """A failing operation gets its line and stops nothing."""
    assert (lines["cart"].status, lines["cart"].problem, lines["cart"].ok) == (500, "status 500", False)


def test_what_cannot_be_asked_is_skipped_with_its_reason(lines):
    """An operation that needs what nobody extracted is told last, without a request."""
    line = lines["purchase"]
    assert (line.skipped, line.status, line.problem, line.ok) == (True, None, "extracted.cart is not known yet", False)


def test_setup_comes_first(target_of, transport_of):
    """Setup requests are made before any operation."""
    head = "setup:\n  cart: {path: /, extract: {cart: '$.items[0].sku'}}\n"
    seen = list(walk(target_of(SHOP, head), HOST, transport=transport_of(APP)))
    assert [line.operation for line in seen][:2] == ["setup.cart", "home"]
    assert not any(line.skipped for line in seen)


def test_markers_and_cookies_on_every_request(target_of):
    """Each request says that it is ours, and carries the cookies that earlier answers set."""
    seen = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"items": [{"sku": "A"}], "sku": "A"}, headers={"set-cookie": "sid=1; Path=/"})

    list(walk(target_of(SHOP), HOST, transport=httpx.MockTransport(handle)))
    assert len(seen) == 4
    for request in seen:
        assert request.headers["x-footfall-run"] == "check"
        assert request.headers["baggage"] == "synthetic_request=true,session.id=ff-0-0-0"
    assert [request.headers.get("cookie") for request in seen] == [None, "sid=1", "sid=1", "sid=1"]


FAILURES = {
    "nobody listens": (httpx.ConnectError("[Errno 111] Connection refused"), "[Errno 111] Connection refused"),
    "nobody answers": (httpx.ReadTimeout("timed out"), "no answer in time"),
    "the connection breaks": (httpx.RemoteProtocolError("Server disconnected"), "Server disconnected"),
}


@pytest.mark.parametrize(("error", "reason"), FAILURES.values(), ids=FAILURES)
def test_unreachable(target_of, error, reason):
    """When nobody answers the first request there is no walk, and the reason is told."""

    def handle(_request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(TargetUnreachable) as caught:
        list(walk(target_of(SHOP), HOST, transport=httpx.MockTransport(handle)))
    assert str(caught.value) == f"{HOST} is unreachable: {reason}"


def test_the_first_answer_is_waited_for_five_seconds_at_most(target_of):
    """A generous time limit of the file does not hold up the news that a host is dead."""
    limits = []

    def handle(request: httpx.Request) -> httpx.Response:
        limits.append(request.extensions["timeout"]["read"])
        return httpx.Response(200, json={"items": [{"sku": "A"}], "sku": "A"})

    list(walk(target_of(SHOP, "timeout: 60s\n"), HOST, transport=httpx.MockTransport(handle)))
    assert limits == [5.0, 60.0, 60.0, 60.0]


def test_a_failure_later_on_is_a_line(target_of):
    """Once somebody has answered, a broken connection is a fault of one operation."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/cart":
            raise httpx.ReadError("")
        return httpx.Response(200, json={"items": [{"sku": "A"}], "sku": "A"})

    seen = {line.operation: line for line in walk(target_of(SHOP), HOST, transport=httpx.MockTransport(handle))}
    assert (seen["cart"].status, seen["cart"].problem) == (None, "ReadError")
    assert seen["track"].ok


def test_refused_connections_are_told_at_once():
    """A port that nobody listens on is unreachable without waiting."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        with pytest.raises(TargetUnreachable, match="connection refused"):
            reach(host)


def test_a_slow_look_up_is_given_up(monkeypatch):
    """The time limit holds for the look-up of the name too, which has none of its own."""
    given_up = Event()

    def look_up(*_: object) -> socket.socket:
        given_up.wait(10)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", look_up)
    with pytest.raises(TargetUnreachable, match=r"no answer within 0\.01 s"):
        reach("http://slow.example", 0.01)
    given_up.set()


def test_a_host_is_a_base_url(target_of):
    """Anything else is a mistake of the caller, not of the target."""
    for host in ("shop.example:80", "http://shop.example:port", "http://[::1", "ftp://shop.example", "http://x/?q=1"):
        with pytest.raises(ValueError, match="must be a base URL"):
            list(walk(target_of(SHOP), host))


@pytest.mark.parametrize("hour", [0, 2, 3, 4, 5, 7, 12, 16, 22, 23])
def test_the_shipped_target_fits_the_shipped_shop(tmp_path, transport_of, hour):
    """Every operation of the storefront's file works and shows the evidence it promises, at every time of the day."""
    from simulator.storefront.app import build_app  # noqa: PLC0415 - the only test that needs the shop
    from simulator.storefront.shop import open_shop  # noqa: PLC0415 - same

    now = datetime(2026, 3, 4, hour, 30, tzinfo=UTC)
    shop = open_shop(tmp_path / "shop.db", 1, clock=lambda: now)
    try:
        target = load_target("storefront")
        who = somebody(target, now_ms=round(now.timestamp() * 1e3))
        seen = list(walk(target, HOST, who, transport=transport_of(build_app(shop))))
    finally:
        shop.close()
    assert {line.operation for line in seen} == {*target.setup, *target.operations}
    assert [(line.operation, line.problem, line.absent) for line in seen if not line.ok or line.absent] == []
