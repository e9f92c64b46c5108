"""Building requests and reading answers: the whole of a target without a network."""

import orjson
import pytest

from simulator.journey.records import NOT_SEEN
from simulator.model.devices import device_table
from simulator.target.fields import CREDENTIAL, CURSOR, FIELDS, PICK, STUCK_AT
from simulator.target.request import Request, Skipped

SHOP = """
session:
  method: POST
  path: /session
  json: {visitor: "{shopper.id}", analytics: "{consent.analytics}"}
  expect: {status: [201]}
  extract: {session: $.token}
  once: visit
home:
  path: /home
  query: {lat: "{place.lat?}"}
  extract: {sku: "$.items[*].sku"}
  evidence: {items: "$.items[*].sku", categories: "$.items[*].kind", geo_used: $.geo, subject: $.who}
product:
  path: /p/{extracted.sku}
  placement: lcp
  timeout: 2s
offers:
  path: /offers
  query: {lat: "{place.lat}"}
store_near:
  path: /stores
  needs: [location]
track:
  method: POST
  path: /events
  form: {type: "{event.type}"}
"""
BEARER = "auth: {kind: bearer}\nheaders: {accept: application/json, X-Country: '{shopper.country}'}\ntimeout: 7s\n"


@pytest.fixture
def shop(target_of):
    """Return the target of this file."""
    return target_of(SHOP, BEARER)


def home(skus=("A", "B"), **more):
    """Return a home page's body."""
    return orjson.dumps({"items": [{"sku": sku, "kind": "shoes"} for sku in skus]} | more)


def test_a_request_holds_all_that_is_sent(shop, shopper):
    """Method, URL, body, time limit and expectation come from the file; headers from phone, file and markers."""
    request = shop.build("session", shopper(shop))
    assert (request.operation, request.method, request.url) == ("session", "POST", "/session")
    assert orjson.loads(request.body) == {"visitor": "ff-2a-17", "analytics": True}
    assert (request.timeout_s, request.expect) == (7.0, frozenset({201}))
    assert request.headers["Accept"] == "application/json"
    assert request.headers["X-Country"] == "GB"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["baggage"] == "synthetic_request=true,session.id=ff-2a-17-0"
    assert request.headers["X-Footfall-Run"] == "run-1"
    assert "accept" not in request.headers


def test_the_token_is_sent_as_soon_as_it_is_known(shop, shopper):
    """Whoever has no session yet asks without one; afterwards every request carries it."""
    context = shopper(shop)
    assert "Authorization" not in shop.build("home", context).headers
    context.learn(shop.read("session", 201, {}, b'{"token": "T-1"}'))
    assert shop.build("home", context).headers["Authorization"] == "Bearer T-1"


def test_a_request_does_not_change_the_next_one(shop, shopper):
    """Headers are each request's own."""
    context = shopper(shop)
    shop.build("session", context).headers["X-Mine"] = "1"
    assert "X-Mine" not in shop.build("home", context).headers
    assert "Content-Type" not in shop.build("home", context).headers


def test_a_form(shop, shopper):
    """A form is sent as one."""
    context = shopper(shop)
    context.tell("view & buy", 5)
    request = shop.build("track", context)
    assert request.body == b"type=view%20%26%20buy"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_defaults_and_overrides(shop, shopper):
    """An operation's time limit and placement win over the file's and the page card's; any 2xx is good unless told."""
    context = shopper(shop)
    context.learn(shop.read("home", 200, {}, home()))
    request = shop.build("product", context)
    assert (request.timeout_s, request.body, request.expect) == (2.0, None, frozenset(range(200, 300)))
    assert (shop.placement("product"), shop.placement("home"), shop.placement("share")) == ("lcp", None, None)


SKIPS = {
    "an operation that is not mapped": ("share", {}, "not mapped"),
    "a value that no answer has told yet": ("product", {}, "extracted.sku is not known yet"),
    "an event that nobody told": ("track", {}, "event.type is not known"),
    "a position that is not shared": ("offers", {"consents": frozenset()}, "no location consent"),
    "a consent that the operation needs": ("store_near", {"consents": frozenset({"push"})}, "no location consent"),
}


@pytest.mark.parametrize(("operation", "changes", "reason"), SKIPS.values(), ids=SKIPS)
def test_skipped(shop, shopper, operation, changes, reason):
    """A call that cannot or must not be made is not made, and says why."""
    skipped = shop.build(operation, shopper(shop, **changes))
    assert isinstance(skipped, Skipped)
    assert (skipped.operation, skipped.reason) == (operation, reason)


def test_no_position_without_consent(shop, shopper):
    """Not even an optional parameter gives a position away."""
    assert shop.build("home", shopper(shop, consents=frozenset())).url == "/home"
    assert shop.build("home", shopper(shop)).url == "/home?lat=51.5"


def test_once_a_visit(shop, shopper):
    """A call made once a visit is repeated until it has worked, and then no more."""
    context = shopper(shop)
    context.learn(shop.read("session", 503, {}, b""))
    assert isinstance(shop.build("session", context), Request)
    context.learn(shop.read("session", 201, {}, b'{"token": "T"}'))
    assert shop.build("session", context).reason == "already made in this visit"
    assert isinstance(shop.build("session", shopper(shop, visit=1)), Request)


ANSWERS = {
    "good": (200, home(), ""),
    "the wrong status": (500, home(), "status 500"),
    "a redirect is not what was expected": (302, b"", "status 302"),
    "no JSON": (200, b"<html>", "not json"),
    "cut short": (200, home()[:-3], "not json"),
    "empty": (200, b"", "not json"),
    "no such list": (200, b'{"results": []}', "missing $.items"),
    "no hits are a fair answer": (200, home(()), ""),
    "records without the value": (200, b'{"items": [{"id": 1}]}', "missing $.items[*].sku"),
    "records of nulls": (200, b'{"items": [{"sku": null}]}', "missing $.items[*].sku"),
    "JSON of another shape": (200, b"[1, 2]", "missing $.items"),
    "a bare string": (200, b'"items"', "missing $.items"),
    "unicode and right-to-left text": (200, home(["\u202eقميص", "👟"]), ""),
    "bytes that are no UTF-8": (200, b'{"items": "\xff"}', "not json"),
    "nested without end": (200, b"[" * 100_000, "not json"),
}


@pytest.mark.parametrize(("status", "body", "error"), ANSWERS.values(), ids=ANSWERS)
def test_answers_are_judged_by_name(shop, status, body, error):
    """Whatever a target sends gets a short name and never an exception."""
    answer = shop.read("home", status, {}, body)
    assert (answer.error, answer.ok) == (error, not error)


def test_an_answer_that_nobody_reads_is_not_parsed(shop):
    """An operation without extraction and evidence is judged by its status alone."""
    assert shop.read("product", 204, {}, b"<not json>").ok


def test_a_bad_answer_teaches_nothing(shop, shopper):
    """What was known before a failed call is still known after it."""
    context = shopper(shop)
    context.learn(shop.read("home", 200, {}, home(["A"])))
    context.learn(shop.read("home", 500, {}, home(["B"])))
    context.learn(shop.read("home", 200, {}, home([])))
    assert shop.build("product", context).url == "/p/A"


def test_the_callers_integer_chooses_the_item(shop, shopper):
    """Extraction yields all candidates; the integer of the page decides which one is taken."""
    context = shopper(shop)
    answer = shop.read("home", 200, {}, home("ABC"))
    assert answer.extracted == {"sku": ("A", "B", "C")}
    context.learn(answer)
    chosen = []
    for pick in (0, 1, 2, 3, 10**12):
        context.turn_to(None, pick)
        chosen.append(shop.build("product", context).url)
    assert chosen == ["/p/A", "/p/B", "/p/C", "/p/A", f"/p/{'ABC'[10**12 % 3]}"]


def test_evidence(shop):
    """Evidence is what its paths find: null is something found, a missing member is not."""
    answer = shop.read("home", 200, {}, home("AB", geo=None))
    assert answer.evidence == {"items": ["A", "B"], "categories": ["shoes", "shoes"], "geo_used": None}
    assert (answer.observe("items"), answer.observe("subject"), answer.observe("price")) == (["A", "B"], None, None)
    assert shop.observable("home") == {"items", "categories", "geo_used", "subject"}


def test_relevance(shop, shopper):
    """Relevance is the share of what is shown that is of the favourite category, where that can be observed."""
    context = shopper(shop)
    mixed = orjson.dumps(
        {"items": [{"sku": n, "kind": kind} for n, kind in enumerate(["shoes", "toys", "bags", "shoes"])]}
    )
    assert context.relevance(shop.read("home", 200, {}, mixed)) == 0.5
    assert context.relevance(shop.read("home", 200, {}, home([]))) == NOT_SEEN
    assert context.relevance(shop.read("home", 500, {}, mixed)) == NOT_SEEN
    assert context.relevance(shop.read("product", 200, {}, mixed)) == NOT_SEEN


def test_the_targets_own_words(target_of, shopper):
    """A category is called what the target calls it, and searched with its words."""
    words = "categories:\n  shoes: {slug: schuhe, queries: [stiefel, rote schuhe]}\n"
    category = 'category: {path: "/c/{page.category}", evidence: {categories: "$[*]"}}'
    target = target_of(f'{category}\nsearch: {{path: /s, query: {{q: "{{page.query}}"}}}}', words)
    context = shopper(target)
    context.turn_to("shoes", 3)
    assert target.build("category", context).url == "/c/schuhe"
    assert target.build("search", context).url == "/s?q=rote%20schuhe"
    assert context.relevance(target.read("category", 200, {}, b'["schuhe"]')) == 1.0
    context.turn_to("home-living", 0)
    assert target.build("category", context).url == "/c/home-living"
    assert target.build("search", context).url == "/s?q=home%20living"


def test_what_a_visit_opens_with(target_of):
    """A mapped session opens a visit; a file may name others, or none."""
    calls = "session: {path: /s}\nidentify: {path: /i}\n"
    assert target_of(calls).opening == ("session",)
    assert target_of(calls, "opening: [identify, session]\n").opening == ("identify", "session")
    assert target_of(calls, "opening: []\n").opening == ()
    assert target_of("home: {path: /}").opening == ()


def test_setup_calls(target_of, shopper):
    """Setup calls are built and read like others, under their own names."""
    target = target_of('home: {path: "/{extracted.key}"}', "setup:\n  key: {path: /key, extract: {key: $.key}}\n")
    context = shopper(target)
    assert (target.setup, target.operations) == (("setup.key",), ("home",))
    assert target.build("setup.key", context).url == "/key"
    context.learn(target.read("setup.key", 200, {}, b'{"key": 7}'))
    assert target.build("home", context).url == "/7"


def test_every_documented_field_has_a_value(shopper):
    """All fields that files may name exist in a visit of somebody who agrees to everything, and no others."""
    context = shopper()
    context.tell("view", 1)
    before_answers = set(FIELDS) - {CURSOR, CREDENTIAL, STUCK_AT}
    assert {name: context.values[name] for name in before_answers}.keys() == before_answers
    assert set(context.values) - {PICK} == before_answers
    assert None not in context.values.values()


def test_the_network_is_told_by_those_who_tell_it(shopper, target_of):
    """Network hints change with the network, in the headers of Chromium only."""
    safari = next(device for device in device_table().devices if device.browser == "safari")
    target = target_of("home: {path: /}")
    for device, expected in ((None, ("75", "4g")), (safari, (None, None))):
        context = shopper(target, **({"device": device} if device else {}))
        context.on_network(500.0, 100.0)
        context.on_network(80.0, 5_000.0)
        headers = target.build("home", context).headers
        assert (headers.get("RTT"), headers.get("ECT")) == expected
