"""Faulty target files: every fault at once, each with its line, what was found, what is allowed and a hint."""

import pytest

from simulator.model.faults import FileFaults
from simulator.model.states import STATE_NAMES
from simulator.page.card import OPERATIONS
from simulator.target.fields import FIELDS
from simulator.target.request import load_target

FIELD_LIST = ", ".join(FIELDS)
OPERATION_LIST = ", ".join(OPERATIONS)
KEYS = (
    "method, path, query, headers, json, form, text, graphql, expect, extract, evidence, placement, timeout, needs, "
    "once, paging, poll"
)
NEEDED = "    path: /\n"
BASE = "target: t\noperations:\n  cart:\n" + NEEDED


def faults_of(name: str) -> list[str]:
    """Return the texts of all faults of a file."""
    with pytest.raises(FileFaults) as caught:
        load_target(name)
    return [str(fault) for fault in caught.value.faults]


ONE_FAULT = {
    "an unknown operation is a fault with the nearest name": (
        "target: t\noperations:\n  hoem: {path: /}\n",
        f"shop.yaml:3: operations.hoem is not an operation, operations are {OPERATION_LIST}. Hint: did you mean home?",
    ),
    "an unknown key of an operation is a fault with the nearest key": (
        BASE + "    metod: GET\n",
        f"shop.yaml:5: operations.cart.metod is not a known key, allowed are {KEYS}. Hint: did you mean method?",
    ),
    "an unknown key of the file is a fault with the nearest key": (
        BASE + "timeuot: 3s\n",
        (
            "shop.yaml:5: timeuot is not a known key, allowed are target, describe, host, timeout, headers, auth, "
            "opening, categories, events, consent_words, accounts, setup, readings, promises, operations. "
            "Hint: did you mean timeout?"
        ),
    ),
    "a file that maps nothing is a fault": (
        "target: t\noperations: {}\n",
        "shop.yaml:2: operations is empty, must map one operation at least",
    ),
    "an unknown category is a fault with the nearest name": (
        BASE + "categories:\n  shoe: {slug: footwear, queries: [boot]}\n",
        (
            "shop.yaml:6: categories.shoe is not one of our categories, categories are shoes, bags, jackets, dresses, "
            "shirts, sportswear, watches, beauty, home-living, electronics, toys, sale. Hint: did you mean shoes?"
        ),
    ),
    "a template field that does not exist is a fault with all fields": (
        BASE + '    query: {who: "{shoper.id}"}\n',
        (
            f"shop.yaml:5: operations.cart.query.who names {{shoper.id}}, fields are {FIELD_LIST}. "
            "Hint: did you mean shopper.id?"
        ),
    ),
    "a field that no operation extracts is a fault with what is extracted": (
        BASE + '    query: {sku: "{extracted.skew}"}\n    extract: {sku: $.sku}\n',
        (
            "shop.yaml:5: operations.cart.query.sku names {extracted.skew}, this file extracts extracted.sku. "
            "Hint: did you mean extracted.sku?"
        ),
    ),
    "fields deep inside a JSON body are checked with their own line": (
        BASE + '    method: POST\n    json:\n      events:\n        - {type: "{event.typ}"}\n',
        (
            f"shop.yaml:8: operations.cart.json.events.0.type names {{event.typ}}, fields are {FIELD_LIST}. "
            "Hint: did you mean event.type?"
        ),
    ),
    "a brace that is never closed is a fault": (
        BASE + '    query: {q: "{page.query"}\n',
        "shop.yaml:5: operations.cart.query.q has a { that belongs to no field; {{ stands for the brace itself",
    ),
    "an expression in braces is no field": (
        BASE + '    query: {q: "{a + b}"}\n',
        "shop.yaml:5: operations.cart.query.q names {a + b}, which is no field; {{ stands for the brace itself",
    ),
    "no part of a path can be left out": (
        "target: t\noperations:\n  cart:\n    path: /c/{page.category?}\n",
        "shop.yaml:4: operations.cart.path names {page.category?}, no part of a path can be left out",
    ),
    "a path begins with a slash": (
        "target: t\noperations:\n  cart:\n    path: api/cart\n",
        "shop.yaml:4: operations.cart.path is 'api/cart', must begin with /. Hint: the host stands under host",
    ),
    "a path has no query": (
        "target: t\noperations:\n  cart:\n    path: /cart?full=1\n",
        "shop.yaml:4: operations.cart.path is '/cart?full=1', must have no query. Hint: put parameters under query",
    ),
    "a path is required": (
        "target: t\noperations:\n  cart: {method: GET}\n",
        "shop.yaml:3: operations.cart.path is missing, this key is required",
    ),
    "a JSONPath that does not parse is a fault": (
        BASE + '    extract: {sku: "$.items["}\n',
        (
            "shop.yaml:5: operations.cart.extract.sku is '$.items[', must be a JSONPath (RFC 9535): unexpected end of "
            "query. Hint: as $.items[*].sku"
        ),
    ),
    "a JSONPath begins with the root": (
        BASE + "    evidence: {items: items}\n",
        (
            "shop.yaml:5: operations.cart.evidence.items is 'items', must be a JSONPath (RFC 9535): does not begin "
            "with $. Hint: as $.items[*].sku"
        ),
    ),
    "unknown evidence is a fault with the nearest name": (
        BASE + "    evidence: {itmes: $.items}\n",
        (
            "shop.yaml:5: operations.cart.evidence.itmes is not a known key, allowed are items, categories, price, "
            "currency, in_stock, total, subject, segments, variant, token, fallback, generated_at, geo_used, fences, "
            "language, daypart, stored, attributed, counts, balance, campaign, sent_at, expires_at, link. "
            "Hint: did you mean items?"
        ),
    ),
    "what is extracted has a plain name": (
        BASE + "    extract: {Bad-Name: $.x}\n",
        "shop.yaml:5: operations.cart.extract.Bad-Name is no name, must be of small letters, digits and _",
    ),
    "a host is a base URL": (
        BASE + "host: shop.example\n",
        "shop.yaml:5: host is 'shop.example', must be a base URL, as https://shop.example",
    ),
    "only methods with a body send one": (
        BASE + "    json: {a: 1}\n",
        (
            "shop.yaml:5: operations.cart.json stands beside method GET, only POST, PUT and PATCH send a body. "
            "Hint: write method: POST"
        ),
    ),
    "a request has one body": (
        BASE + "    method: POST\n    json: {a: 1}\n    form: {b: 2}\n",
        "shop.yaml:7: operations.cart.form stands beside json, a request has one body",
    ),
    "a header's name is a token": (
        BASE + "    headers: {X Bad: 1}\n",
        (
            "shop.yaml:5: operations.cart.headers.X Bad is no header name, RFC 9110 allows letters, digits and "
            "!#$%&'*+.^_`|~-"
        ),
    ),
    "what a visit opens with is mapped": (
        BASE + "opening: [session]\n",
        "shop.yaml:5: opening.0 is 'session', which is not mapped, must be an operation of this file",
    ),
    "a bearer token comes from somewhere": (
        BASE + "auth: {kind: bearer}\n",
        "shop.yaml:5: auth.token names {extracted.session}, this file extracts nothing",
    ),
    "only bearer has a token": (
        BASE + "auth: {kind: cookie, token: x}\n",
        "shop.yaml:5: auth.token stands beside kind 'cookie', only bearer has a token",
    ),
    "a consent is one of ours": (
        BASE + "    needs: [cookies]\n",
        (
            "shop.yaml:5: operations.cart.needs.0 is 'cookies', Input should be 'analytics', 'personalization', "
            "'location', 'push' or 'email'"
        ),
    ),
    "a placement is one of ours": (
        BASE + "    placement: late\n",
        "shop.yaml:5: operations.cart.placement is 'late', Input should be 'blocking', 'lcp' or 'deferred'",
    ),
    "a timeout has its unit": (
        BASE + "    timeout: 5\n",
        (
            "shop.yaml:5: operations.cart.timeout is 5, must be a duration with its unit: us, ms, s, min, h, d or w, "
            "as 400ms"
        ),
    ),
    "a place is one thing": (
        BASE + "    extract: {sku: {header: ETag, css: a}}\n",
        (
            "shop.yaml:5: operations.cart.extract.sku names header and css, needs exactly one of json, header, cookie, "
            "regex, css. Hint: only header and regex go together"
        ),
    ),
    "a place stands somewhere": (
        BASE + "    evidence: {token: {optional: true}}\n",
        (
            "shop.yaml:5: operations.cart.evidence.token names no place, needs exactly one of json, header, cookie, "
            "regex, css. Hint: only header and regex go together"
        ),
    ),
    "a place has known keys": (
        BASE + "    extract: {sku: {heder: ETag, css: a}}\n",
        (
            "shop.yaml:5: operations.cart.extract.sku.heder is not a known key, allowed are json, header, cookie, "
            "regex, css, attribute, every, optional, equals. Hint: did you mean header?"
        ),
    ),
    "a place is text or a mapping": (
        BASE + "    extract: {sku: 3}\n",
        "shop.yaml:5: operations.cart.extract.sku is 3, Input should be a valid string",
    ),
    "a CSS selector parses": (
        BASE + "    extract: {csrf: {css: 'a[['}}\n",
        "shop.yaml:5: operations.cart.extract.csrf.css is 'a[[', must be a CSS selector: Can't parse CSS selector.",
    ),
    "only elements have attributes": (
        BASE + "    extract: {csrf: {header: X, attribute: y}}\n",
        "shop.yaml:5: operations.cart.extract.csrf.attribute stands without css, only elements of HTML have attributes",
    ),
    "a regular expression parses": (
        BASE + "    extract: {csrf: {regex: 'a('}}\n",
        (
            "shop.yaml:5: operations.cart.extract.csrf.regex is 'a(', must be a regular expression: missing ), "
            "unterminated subpattern at position 1"
        ),
    ),
    "a regular expression takes one thing": (
        BASE + "    extract: {csrf: {regex: '(a)(b)'}}\n",
        (
            "shop.yaml:5: operations.cart.extract.csrf.regex is '(a)(b)', must be a regular expression: has several "
            "groups; one at most says what is taken"
        ),
    ),
    "GraphQL is a body like others": (
        BASE + "    graphql: {query: '{shop}'}\n    json: {a: 1}\n",
        "shop.yaml:5: operations.cart.graphql stands beside json, a request has one body",
    ),
    "fields in variables of GraphQL are checked": (
        BASE + "    graphql: {query: q, variables: {a: ['{page.qurey}']}}\n",
        (
            "shop.yaml:5: operations.cart.graphql.variables.a.0 names {page.qurey}, fields are "
            f"{FIELD_LIST}. Hint: did you mean page.query?"
        ),
    ),
    "the first page has no cursor": (
        BASE + "    query: {after: '{paging.cursor}'}\n    paging: {next: $.next}\n",
        (
            "shop.yaml:5: operations.cart.query.after names {paging.cursor}, the first request has none. "
            "Hint: write {paging.cursor?}"
        ),
    ),
    "what is polled for has a place": (
        BASE + "    poll: {until: until}\n",
        (
            "shop.yaml:5: operations.cart.poll.until is 'until', must be a JSONPath (RFC 9535): does not begin with $. "
            "Hint: as $.items[*].sku"
        ),
    ),
    "nothing is asked for without end": (
        BASE + "    poll: {most: 5000}\n",
        "shop.yaml:5: operations.cart.poll.most is 5000, Input should be less than or equal to 100",
    ),
    "a key goes somewhere": (
        BASE + "auth: {kind: api_key, key: x}\n",
        "shop.yaml:5: auth is api_key, needs one of header and query, to say where the key goes",
    ),
    "what a kind of auth needs": (
        BASE + "auth: {kind: api_key, header: X-Key}\n",
        "shop.yaml:5: auth is api_key and has no key, api_key needs key",
    ),
    "accounts come from somewhere": (
        BASE + "setup: {a: {path: /, each: account}}\n",
        "shop.yaml:5: setup.a.each is 'account', needs a file of accounts. Hint: name it under accounts",
    ),
    "a column that no file has": (
        BASE + "    query: {a: '{account.email}'}\n",
        (
            "shop.yaml:5: operations.cart.query.a names {account.email}, the file of accounts has no columns that can "
            "be read"
        ),
    ),
    "an event is one of our pages": (
        BASE + "events: {prodct: Product Viewed}\n",
        (f"shop.yaml:5: events.prodct is not a page, events are {', '.join(STATE_NAMES)}. Hint: did you mean product?"),
    ),
    "what the environment lacks is said before anything is sent": (
        BASE + "headers: {X-Key: '${env:FOOTFALL_NO_SUCH_KEY}'}\n",
        (
            "shop.yaml:5: headers.X-Key needs FOOTFALL_NO_SUCH_KEY, which is not set in the environment. Hint: "
            "set it first, as: export FOOTFALL_NO_SUCH_KEY=…"
        ),
    ),
}


@pytest.mark.parametrize(("text", "expected"), ONE_FAULT.values(), ids=ONE_FAULT)
def test_one_fault(target_file, text, expected):
    """Each kind of fault is told in one line, word by word, and nothing else is told beside it."""
    assert faults_of(target_file(text)) == [expected]


def test_all_faults_at_once(target_file):
    """Faults of every kind in one file are told together, in the order of their lines."""
    text = (
        "target: t\nhots: http://x\noperations:\n  hoem: {path: /}\n  cart:\n    path: cart\n    extract: {a: $.[}\n"
        '  search: {path: "/{nobody.knows}", timeout: soon}\n'
    )
    found = faults_of(target_file(text.replace("$.[", '"$.["')))
    assert [line.split(" ")[:2] for line in found] == [
        ["shop.yaml:2:", "hots"],
        ["shop.yaml:4:", "operations.hoem"],
        ["shop.yaml:6:", "operations.cart.path"],
        ["shop.yaml:7:", "operations.cart.extract.a"],
        ["shop.yaml:8:", "operations.search.path"],
        ["shop.yaml:8:", "operations.search.timeout"],
    ]


def test_unknown_target(tmp_path, monkeypatch):
    """A name that is neither shipped nor a file is told with the shipped names."""
    monkeypatch.chdir(tmp_path)
    assert faults_of("storfront") == [
        "storfront: is not a shipped target, shipped are json_server, storefront. Hint: did you mean storefront?"
    ]


@pytest.mark.parametrize(
    "text", ["operations: [1]", "operations: {cart: 3}", "operations: {cart: {json: 1}}", "auth: 3"]
)
def test_wrong_types_are_faults(target_file, text):
    """A list where a mapping belongs ends in faults, never in a traceback."""
    assert faults_of(target_file(f"target: t\n{text}\n"))
