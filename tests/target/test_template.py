"""Templates: constants stay constants, types are kept, nothing is ever sent as None."""

from urllib.parse import unquote

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.target.fields import PICK
from simulator.target.template import form, header_value, json_body, parse, quoted, text, url

VALUES = {
    PICK: 4,
    "shopper.id": "ff-1",
    "shopper.name": "Ana & Jörg/Ü",
    "consent.location": True,
    "consent.push": False,
    "place.lat": 51.5,
    "visit.number": 3,
    "extracted.sku": ("A", "B", "C"),
    "extracted.total": 19.99,
    "extracted.cart": {"id": 7},
}
TEXTS = {
    "no field": ("plain 100%s", "plain 100%s"),
    "one field among text": ("id-{shopper.id}-%d", "id-ff-1-%d"),
    "two fields": ("{shopper.id}:{visit.number}%", "ff-1:3%"),
    "doubled braces are braces": ("{{a}} {visit.number}", "{a} 3"),
    "a boolean is spelled as JSON spells it": ("{consent.location}", "true"),
    "a number keeps its digits": ("{extracted.total}", "19.99"),
    "an object is sent as JSON": ("{extracted.cart}", '{"id":7}'),
    "of candidates the context's integer chooses one": ("{extracted.sku}", "B"),
}
BODIES = {
    "a whole string keeps a boolean": ("{consent.location}", True),
    "a whole string keeps false": ("{consent.push}", False),
    "a whole string keeps a number": ("{place.lat}", 51.5),
    "a whole string keeps an object": ("{extracted.cart}", {"id": 7}),
    "text round a field makes text": ("v{visit.number}", "v3"),
    "nested": ({"a": [{"b": "{visit.number}"}, 1, None]}, {"a": [{"b": 3}, 1, None]}),
    "a missing optional member is left out": ({"a": 1, "b": "{page.query?}", "c": "{visit.number}"}, {"a": 1, "c": 3}),
    "a missing optional element is left out": (["{page.query?}", "{visit.number}"], [3]),
    "a constant with unicode": ({"ключ": "قيمة"}, {"ключ": "قيمة"}),
    "braces can be sent": ("{{x}}", "{x}"),
}
URLS = {
    "a field in the path is one segment": ("/n/{shopper.name}", {}, "/n/Ana%20%26%20J%C3%B6rg%2F%C3%9C"),
    "spaces of the file are encoded": ("/a b", {"q": "c d"}, "/a%20b?q=c%20d"),
    "parameters keep their order": ("/", {"b": "1", "a": "{visit.number}"}, "/?b=1&a=3"),
    "a missing optional parameter is left out": ("/", {"q": "{page.query?}", "n": "1"}, "/?n=1"),
    "optional parameters alone": ("/", {"q": "{page.query?}", "lat": "{place.lat?}"}, "/?lat=51.5"),
    "an ampersand in a value ends no parameter": ("/", {"q": "{shopper.name}"}, "/?q=Ana%20%26%20J%C3%B6rg%2F%C3%9C"),
    "an optional field in text takes the text along": ("/", {"near": "{page.query?}:{place.lat}"}, "/"),
}


@pytest.mark.parametrize(("template", "expected"), TEXTS.values(), ids=TEXTS)
def test_text(template, expected):
    """A template of text renders to this text."""
    assert text(parse(template))(VALUES) == expected


@pytest.mark.parametrize(("tree", "expected"), BODIES.values(), ids=BODIES)
def test_json(tree, expected):
    """A JSON template renders to this document."""
    assert orjson.loads(json_body(tree)(VALUES)) == expected


@pytest.mark.parametrize(("path", "query", "expected"), URLS.values(), ids=URLS)
def test_url(path, query, expected):
    """A path and a query render to this URL."""
    assert url(path, query)(VALUES) == expected


def test_form():
    """A form is urlencoded in the file's order."""
    assert form({"user": "{shopper.name}", "n": "{visit.number}"})(VALUES) == b"user=Ana%20%26%20J%C3%B6rg%2F%C3%9C&n=3"


@pytest.mark.parametrize(
    "render",
    [
        text(parse("x{page.query}")),
        json_body({"a": [{"b": "{page.query}"}], "c": "{visit.number?}"}),
        json_body(["{page.query}"]),
        url("/{page.query}", {}),
        url("/", {"q": "{page.query}", "n": "{visit.number?}"}),
        form({"q": "{page.query}"}),
    ],
)
def test_a_missing_value_is_never_rendered(render):
    """A template whose field has no value raises the field's name, wherever it stands."""
    with pytest.raises(KeyError, match=r"page\.query"):
        render(VALUES)


@pytest.mark.parametrize("pick", range(7))
def test_the_choice_is_modulo_the_candidates(pick):
    """The same integer always chooses the same candidate, and any integer chooses one."""
    assert text(parse("{extracted.sku}"))(VALUES | {PICK: pick}) == "ABC"[pick % 3]


def test_one_integer_chooses_one_row():
    """Two columns extracted from the same rows are chosen from the same row."""
    values = {PICK: 5, "extracted.sku": ("A", "B", "C"), "extracted.size": (1, 2, 3)}
    assert json_body({"sku": "{extracted.sku}", "size": "{extracted.size}"})(values) == b'{"sku":"C","size":3}'


@given(st.text())
def test_a_header_value_adds_no_header(value):
    """Whatever a target told us, what we put into a header is one line of printable ASCII."""
    sent = header_value(value)
    assert sent.isascii()
    assert sent.isprintable()


@given(st.text())
def test_quoted_text_comes_back(value):
    """What is quoted for a URL decodes to what it was."""
    assert unquote(quoted(value)) == value
