"""`target import har`: what a browser recorded becomes a target that works, with nobody's secrets in it."""

from __future__ import annotations

import base64
import json
from urllib.parse import urlsplit

import httpx
import pytest

from simulator.model.faults import FileFaults
from simulator.storefront.app import build_app
from simulator.storefront.shop import open_shop
from simulator.target.check import walk
from simulator.target.imports.draft import checked, written
from simulator.target.imports.har import draft_har
from simulator.target.request import load_target

HOST = "http://shop.example"


def entry(method="GET", url="/", *, status=200, answer=None, sent=None, headers=(), got=(), mime="application/json"):
    """Return one entry of a HAR, as browsers write them."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    request = {"method": method, "url": url if "://" in url else HOST + url,
               "headers": [{"name": n, "value": v} for n, v in headers]}  # fmt: skip
    if isinstance(sent, dict):
        request["postData"] = {"mimeType": "application/json", "text": json.dumps(sent)}
    elif sent:
        request["postData"] = {"mimeType": "application/x-www-form-urlencoded", "text": sent}
    response = {"status": status, "headers": [{"name": n, "value": v} for n, v in got],
                "content": {"mimeType": mime, "text": text}}  # fmt: skip
    return {"request": request, "response": response}


def drafted(*entries):
    """Return the draft of a recording."""
    return draft_har({"log": {"version": "1.2", "entries": list(entries)}}, "session.har")


def recorded(target, app, transport_of):
    """Walk a target and return the HAR of what went over the wire."""
    entries, inner = [], transport_of(app)

    def handle(request: httpx.Request) -> httpx.Response:
        answer = inner.handle_request(request)
        body, got = request.read(), answer.read()
        one = entry(request.method, str(request.url), status=answer.status_code, answer="",
                    headers=request.headers.items(), got=answer.headers.items())  # fmt: skip
        kind = answer.headers.get("content-type", "")
        one["response"]["content"] = {"mimeType": kind, "encoding": "base64", "text": base64.b64encode(got).decode()}
        if body:
            one["request"]["postData"] = {"mimeType": request.headers["content-type"], "text": body.decode()}
        entries.append(one)
        return answer

    list(walk(target, HOST, transport=httpx.MockTransport(handle)))
    return {"log": {"version": "1.2", "entries": entries}}


def test_a_recorded_visit_becomes_a_target_that_works(tmp_path, transport_of):
    """A session in the embedded shop, recorded and imported, plays again in a fresh shop: all ids are captured."""
    shop = open_shop(tmp_path / "one.db", 1)
    har = recorded(load_target("storefront"), build_app(shop), transport_of)
    shop.close()
    draft = draft_har(har, "session.har")
    path = tmp_path / "mine.yaml"
    path.write_text(written(draft, "session.har"))
    assert checked(path) == []
    shop = open_shop(tmp_path / "two.db", 2)
    lines = {
        line.operation: line for line in walk(load_target(str(path)), HOST, transport=transport_of(build_app(shop)))
    }
    shop.close()
    assert {"session", "home", "search", "product", "recommend", "add_to_cart", "cart", "checkout", "payment",
            "purchase", "login", "track", "offers", "store_near"} <= set(lines)  # fmt: skip
    # A passkey's signature is of one challenge: no recording holds the next one.
    assert {name: line.problem for name, line in lines.items() if line.problem} == {"auth_finish": "status 401"}
    text = path.read_text()
    told = [one["response"]["content"]["text"] for one in har["log"]["entries"]]
    session = json.loads(base64.b64decode(told[1]))["session"]
    assert session not in text


CAPTURES = {
    "a bearer token from JSON": (
        entry("POST", "/session", answer={"token": "tok-12345"}),
        entry("GET", "/search?q=boots", answer={}, headers=[("Authorization", "Bearer tok-12345")]),
        lambda data: data["auth"] == {"kind": "bearer", "token": "{extracted.token}"},
    ),
    "a CSRF token from a hidden field": (
        entry("GET", "/", answer='<form><input type="hidden" name="csrf" value="a1b2c3d4"></form>', mime="text/html"),
        entry("POST", "/cart/add", answer={}, sent="csrf=a1b2c3d4&sku=A-1"),
        lambda data: data["operations"]["add_to_cart"]["form"] == {"csrf": "{extracted.csrf}", "sku": "sku"},
    ),
    "a CSRF token from a cookie": (
        entry("GET", "/", answer={}, got=[("Set-Cookie", "XSRF-TOKEN=x9x9x9; Path=/")]),
        entry("POST", "/cart/add", answer={}, sent={"quantity": 1}, headers=[("X-XSRF-TOKEN", "x9x9x9")]),
        lambda data: data["operations"]["home"]["extract"] == {"xsrf_token": {"cookie": "XSRF-TOKEN"}}
        and data["operations"]["add_to_cart"]["headers"] == {"X-XSRF-TOKEN": "{extracted.xsrf_token}"},
    ),
    "a token from a header": (
        entry("GET", "/", answer={}, got=[("X-Request-Token", "r0r0r0")]),
        entry("GET", "/search?q=a&t=r0r0r0", answer={}),
        lambda data: data["operations"]["search"]["query"]["t"] == "{extracted.x_request_token}",
    ),
    "an id of a list in a path": (
        entry("GET", "/recommendations", answer={"items": [{"sku": "AB-100"}, {"sku": "AB-200"}]}),
        entry("GET", "/products/AB-200", answer={"sku": "AB-200"}),
        lambda data: data["operations"]["product"]["path"] == "/products/{extracted.sku}"
        and data["operations"]["recommend"]["extract"]["sku"] == "$.items[*].sku",
    ),
    "variables of GraphQL": (
        entry("POST", "/graphql", answer={"data": {"search": [{"id": "gid-55"}]}},
              sent={"operationName": "Search", "query": "query Search($q: String) { search(q: $q) { id } }",
                    "variables": {"q": "boots"}}),
        entry("POST", "/graphql", answer={"data": {"product": {"id": "gid-55"}}},
              sent={"operationName": "Recommend", "query": "query R($id: ID) { recommend(id: $id) { id } }",
                    "variables": {"id": "gid-55"}}),
        lambda data: data["operations"]["recommend"]["graphql"]["variables"] == {"id": "{extracted.id}"}
        and data["operations"]["search"]["graphql"]["variables"] == {"q": "{page.query}"},
    ),
    "a step that is no operation": (
        entry("GET", "/bootstrap.php", answer={"nonce": "n0n0n0n0"}),
        entry("GET", "/search?q=a&nonce=n0n0n0n0", answer={}),
        lambda data: data["setup"] == {"step1": {"path": "/bootstrap.php", "extract": {"nonce": "$.nonce"}}}
        and data["operations"]["search"]["query"]["nonce"] == "{extracted.nonce}",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("first", "second", "holds"), CAPTURES.values(), ids=CAPTURES)
def test_what_wanders_is_captured(first, second, holds, tmp_path):
    """A value of an answer that a later request sends becomes a capture there and a field here; the file is valid."""
    draft = drafted(first, second)
    assert holds(draft.data), draft.data
    path = tmp_path / "mine.yaml"
    path.write_text(written(draft, "session.har"))
    assert checked(path) == []


def test_no_secret_is_written_down():
    """Passwords, addresses, tokens that no answer told, and cookies of the recording stay in the recording."""
    draft = drafted(
        entry("POST", "/login", answer={}, sent={"email": "me@home.example", "password": "hunter2!"}),
        entry("GET", "/search?q=b&api_key=SECRET-1", answer={},
              headers=[("Cookie", "sid=SECRET-2"), ("Authorization", "Bearer SECRET-3"), ("X-Api-Token", "SECRET-4")]),
    )  # fmt: skip
    text = written(draft, "session.har")
    assert "SECRET" not in text
    assert "hunter2" not in text
    assert "me@home" not in text
    assert "${env:TARGET_TOKEN}" in text


def test_what_is_left_out_is_said():
    """Pictures, other hosts, failures and what is no operation are listed, each with its reason."""
    draft = drafted(
        entry("GET", "/search?q=b", answer={"items": []}),
        entry("GET", "/logo.png", answer=""),
        entry("GET", "https://ads.example/pixel", answer=""),
        entry("GET", "/search?q=c", status=503, answer={}),
        entry("GET", "/xyzzy", answer={}),
        entry("OPTIONS", "/search", answer={}),
        {"request": {}},
    )
    assert dict(draft.left_out) == {
        "GET http://shop.example/logo.png": "a file that is the same for everybody",
        "GET https://ads.example/pixel": "another host",
        "GET http://shop.example/search": "status 503",
        "GET /xyzzy": "no operation that we know",
        "OPTIONS http://shop.example/search": "method OPTIONS",
        "an entry": "is not as HAR 1.2 has it (KeyError)",
    }


NO_HARS = {
    "a list": [],
    "no log": {"entries": []},
    "nothing in it": {"log": {"entries": []}},
    "nothing but rubbish": {"log": {"entries": [None, 3, {"request": {"url": 5}, "response": []}]}},
}


@pytest.mark.parametrize("data", NO_HARS.values(), ids=NO_HARS)
def test_what_is_no_har_is_refused(data):
    """A file of another shape is a fault, never a traceback."""
    with pytest.raises(FileFaults):
        draft_har(data, "session.har")


def test_the_words_of_a_recording_cannot_break_the_file(tmp_path):
    """Braces, quotes, line breaks and right-to-left text of a recording come out as they went in."""
    odd = "a{b}\"c'\n# d: [قميص]"
    draft = drafted(
        entry("POST", "/search", answer={"items": [{"sku": "A"}]}, sent={"filter": odd, "k{e}y": {"x": odd}})
    )
    path = tmp_path / "mine.yaml"
    path.write_text(written(draft, "x\n- y.har"))
    assert checked(path) == []
    target = load_target(str(path))
    sent = []

    def handle(request):
        sent.append(json.loads(request.content))
        return httpx.Response(200, json={"items": [{"sku": "A"}]})

    list(walk(target, HOST, transport=httpx.MockTransport(handle)))
    assert sent == [{"filter": odd, "k{e}y": {"x": odd}}]
    assert urlsplit(target.host).hostname == "shop.example"
