"""Values that stand elsewhere than in JSON, GraphQL, credentials: what a target file can say of a request."""

import orjson
import pytest

from simulator.target.places import MOST_FOUND, Finder, View
from simulator.target.schema import Place

PAGE = b"""<!doctype html><meta name="csrf-token" content="t-1"><form><input type=hidden name=csrf value='t-2'>
<li class=item data-sku="A-1">\xc2\xa312</li><li class=item data-sku="B-2">\xd9\x82</li>
<script>var build = "b77";</script>"""
HEADERS = {
    "etag": '"v1"',
    "Link": '</p?page=2>; rel="next"',
    "set-cookie": ["sid=s1; Path=/", 'csrf="q 1"; Secure', "x"],
}

FOUND = {
    "a header, whatever its capitals": ({"header": "ETag"}, ['"v1"']),
    "a part of a header": ({"header": "link", "regex": '<([^>]+)>; rel="next"'}, ["/p?page=2"]),
    "a header that is not there": ({"header": "X-No"}, []),
    "a cookie": ({"cookie": "sid"}, ["s1"]),
    "a cookie in quotes": ({"cookie": "csrf"}, ["q 1"]),
    "another cookie": ({"cookie": "nope"}, []),
    "a group of a regular expression": ({"regex": 'build = "([^"]+)"'}, ["b77"]),
    "all of a regular expression without one": ({"regex": "b7+"}, ["b77"]),
    "the first match only": ({"regex": 'data-sku="([^"]+)"'}, ["A-1"]),
    "every match": ({"regex": 'data-sku="([^"]+)"', "every": True}, ["A-1", "B-2"]),
    "an attribute": ({"css": 'meta[name="csrf-token"]', "attribute": "content"}, ["t-1"]),
    "a hidden field": ({"css": "input[name=csrf]", "attribute": "value"}, ["t-2"]),
    "the text of elements": ({"css": "li.item", "every": True}, ["£12", "ق"]),
    "no such element": ({"css": "li.none", "every": True}, []),
    "an attribute that an element lacks": ({"css": "li.item", "attribute": "href"}, []),
    "whether it is one of these": ({"css": "li.item", "attribute": "data-sku", "equals": ["A-1", "C"]}, [True]),
    "whether it is this": ({"header": "etag", "equals": "v2"}, [False]),
}


@pytest.mark.parametrize(("place", "found"), FOUND.values(), ids=FOUND)
def test_what_a_place_finds(place, found):
    """Each kind of place finds what stands there, and nothing where nothing does."""
    assert Finder(Place.model_validate(place)).find(View(HEADERS, PAGE)) == found


def test_bytes_that_are_no_text_are_still_searched():
    """Broken UTF-8 and a page without end are read as far as makes sense, never raised."""
    many = View({}, b'\xff\xfe<li class=item data-sku="x">' + b'<li class=item data-sku="y">' * 5_000)
    place = Place.model_validate({"css": "li.item", "attribute": "data-sku", "every": True})
    assert len(Finder(place).find(many)) == MOST_FOUND
    assert Finder(Place.model_validate({"regex": "sku=(.)", "every": True})).find(View({}, b"\xff")) == []


def test_a_csrf_token_is_sent_back(target_of, shopper):
    """A token from a page's HTML goes into the next request, and one that is missing names its place."""
    target = target_of(
        "home: {path: /, extract: {csrf: {css: 'input[name=csrf]', attribute: value}}}\n"
        "add_to_cart:\n  method: POST\n  path: /cart\n  headers: {X-CSRF: '{extracted.csrf}'}\n"
        "  form: {csrf: '{extracted.csrf}'}\n"
    )
    context = shopper(target)
    context.learn(target.read("home", 200, {"content-type": "text/html"}, PAGE))
    request = target.build("add_to_cart", context)
    assert (request.headers["X-CSRF"], request.body) == ("t-2", b"csrf=t-2")
    assert target.read("home", 200, {}, b"<p>").error == "missing css input[name=csrf]"


GRAPHQL = """
search:
  path: /graphql
  graphql:
    query: "query S($q: String, $at: In) { search(q: $q, at: $at) { id } }"
    operation: S
    variables: {q: "{page.query}", at: {lat: "{place.lat?}", n: 3}}
  expect: {empty: [$.data.search.userErrors]}
  extract: {sku: "$.data.search.nodes[*].id?"}
cart: {path: /graphql, graphql: {query: "{ cart { id } }"}}
"""


def test_a_graphql_request(target_of, shopper):
    """The document goes as it stands, variables keep their types, and what is not known is left out."""
    target = target_of(GRAPHQL)
    request = target.build("search", shopper(target))
    assert (request.method, request.headers["Content-Type"]) == ("POST", "application/json")
    assert orjson.loads(request.body) == {
        "query": "query S($q: String, $at: In) { search(q: $q, at: $at) { id } }",
        "operationName": "S",
        "variables": {"q": "shoes", "at": {"lat": 51.5, "n": 3}},
    }
    nowhere = target.build("search", shopper(target, consents=frozenset()))
    assert orjson.loads(nowhere.body)["variables"]["at"] == {"n": 3}
    assert orjson.loads(target.build("cart", shopper(target)).body) == {"query": "{ cart { id } }"}


GRAPHQL_ANSWERS = {
    "data": ({"data": {"search": {"nodes": [{"id": 1}]}}}, ""),
    "errors beside a 200": ({"errors": [{"message": "no", "extensions": {"code": "BUSY"}}]}, "graphql BUSY"),
    "errors without a code": ({"data": None, "errors": [{"message": "no"}]}, "graphql error"),
    "errors of another shape": ({"errors": "broken"}, "graphql error"),
    "no data": ({"data": None}, "graphql answer has no data"),
    "no object": ([1], "graphql answer is no object"),
    "user errors": ({"data": {"search": {"userErrors": [{"message": "Invalid"}]}}}, "refused $.data.search.userErrors"),
    "no user errors": ({"data": {"search": {"userErrors": []}}}, ""),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "error"), GRAPHQL_ANSWERS.values(), ids=GRAPHQL_ANSWERS)
def test_graphql_answers_are_judged(target_of, answer, error):
    """A 200 is not enough: errors of the query and of the mutation make an answer bad, by a short name."""
    assert target_of(GRAPHQL).read("search", 200, {}, orjson.dumps(answer)).error == error


AUTH = {
    "basic": ("{kind: basic, user: 'mé', password: 'x:y'}", "Authorization", "Basic bcOpOng6eQ=="),
    "a key in a header": ("{kind: api_key, header: x-key, key: k1}", "x-key", "k1"),
    "a key from the environment": ("{kind: api_key, header: X-Key, key: '${env:FF_TEST_KEY}'}", "X-Key", "se{cr}et"),
    "a token from the environment": ("{kind: bearer, token: '${env:FF_TEST_KEY}'}", "Authorization", "Bearer se{cr}et"),
}  # fmt: skip


@pytest.mark.parametrize(("auth", "header", "value"), AUTH.values(), ids=AUTH)
def test_who_asks(target_of, shopper, monkeypatch, auth, header, value):
    """Each kind of credentials is sent as its standard says; a value from the environment is no template."""
    monkeypatch.setenv("FF_TEST_KEY", "se{cr}et")
    target = target_of("home: {path: /}", f"auth: {auth}\n")
    assert target.build("home", shopper(target)).headers[header] == value


def test_a_key_in_the_query(target_of, shopper, monkeypatch):
    """A key may be a parameter of every request; the file that a manifest keeps has only its name."""
    monkeypatch.setenv("FF_TEST_KEY", "some key")
    target = target_of(
        "home: {path: /, query: {a: 1}}", "auth: {kind: api_key, query: key, key: '${env:FF_TEST_KEY}'}\n"
    )
    assert target.build("home", shopper(target)).url == "/?a=1&key=some%20key"
    assert "some key" not in target.file.model_dump_json()


def test_all_candidates(target_of, shopper):
    """`.all` sends every candidate as a list, where a plain field sends the chosen one."""
    rank = "rank: {method: POST, path: /r, json: {one: '{extracted.sku}', all: '{extracted.sku.all}'}}\n"
    target = target_of("home: {path: /, extract: {sku: '$[*]'}}\n" + rank)
    context = shopper(target)
    context.learn(target.read("home", 200, {}, b'["A", "B"]'))
    assert orjson.loads(target.build("rank", context).body) == {"one": "A", "all": ["A", "B"]}


def test_the_targets_words_for_events_and_consents(target_of, shopper):
    """A page is reported by the target's name for it, and not at all where it has none; so are consents."""
    track = "track: {method: POST, path: /t, json: {n: '{event.name}', c: '{consent.email}', at: '{event.at}'}}\n"
    target = target_of(track, "events: {product: view_item}\nconsent_words: {granted: GRANTED, refused: DENIED}\n")
    context = shopper(target)
    context.tell("product", 1_700_000_000_123)
    said = orjson.loads(target.build("track", context).body)
    assert said == {"n": "view_item", "c": "DENIED", "at": "2023-11-14T22:13:20.123+00:00"}
    context.tell("home", 0)
    assert target.build("track", context).reason == "the target has no name for this event"
