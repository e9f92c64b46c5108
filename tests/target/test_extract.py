"""Extraction: direct getters find what the library finds; a path that finds nothing says what is missing."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonpath import JSONPathEnvironment

from simulator.target.extract import compile_path

RFC9535 = JSONPathEnvironment(strict=True)
NAMES = ("items", "sku", "a b", "0", "in_stock")
STEPS = [*(f"['{name}']" for name in NAMES), "[0]", "[1]", "[-1]", "[-3]", "[*]", "[?@.in_stock == true]"]
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.floats(-1, 1), st.sampled_from(["", "sku", "[1]"]))
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)),
    max_leaves=20,
)
SHOP = {
    "items": [
        {"sku": "A", "price": 5, "in_stock": True},
        {"sku": "B", "price": 7, "in_stock": False},
        {"sku": "C", "price": 9, "in_stock": True},
    ],
    "token": None,
    "none": [],
    "cart": {"lines": [{"id": 1}]},
}
FOUND = {
    "a name": ("$.items[0].sku", ["A"]),
    "an index from the end": ("$.items[-1].sku", ["C"]),
    "a column": ("$.items[*].price", [5, 7, 9]),
    "a column of what is in stock": ("$.items[?@.in_stock == true].sku", ["A", "C"]),
    "a column of what is not": ("$.items[?@.in_stock == false].sku", ["B"]),
    "the library's own filters": ("$.items[?@.price > 5].sku", ["B", "C"]),
    "descent": ("$..id", [1]),
    "a slice": ("$.items[1:].sku", ["B", "C"]),
    "null is found": ("$.token", [None]),
    "nothing": ("$.items[*].colour", []),
    "the document": ("$", [SHOP]),
}
MISSING = {
    "a name that is not there": ("$.session", "missing $.session"),
    "a list that is not there": ("$.results[*].sku", "missing $.results"),
    "a list that is null": ("$.token[*].sku", "missing $.token"),
    "a column that no record has": ("$.items[*].colour", "missing $.items[*].colour"),
    "an empty list is a fair answer": ("$.none[*].sku", ""),
    "a filter may take everything out": ("$.items[?@.sold == true].sku", ""),
    "an optional path may find nothing": ("$.session?", ""),
    "a name with a space is written in brackets": ("$['a b'][*].x", "missing $['a b']"),
}


@settings(max_examples=400)
@given(st.lists(st.sampled_from(STEPS), max_size=4), DOCUMENTS)
def test_direct_getters_agree_with_the_library(steps, document):
    """Every chain finds in every document what the library finds, in the same order and with the same types."""
    text = "$" + "".join(steps)
    document = orjson.loads(orjson.dumps(document))
    if isinstance(document, str) and not steps:
        return  # the library would parse it as JSON once more
    expected = [] if isinstance(document, str) else RFC9535.findall(text, document)
    found = compile_path(text).find(document)
    assert orjson.dumps(found) == orjson.dumps(expected)


@settings(max_examples=200)
@given(st.sampled_from(["$.items[*].sku", "$.items[?@.in_stock == true].sku", "$[*]", "$.items.sku"]), DOCUMENTS)
def test_the_usual_paths_agree_with_the_library(text, document):
    """The paths that people write, and that run without the library, agree with it on any document."""
    document = {"items": document}
    assert orjson.dumps(compile_path(text).find(document)) == orjson.dumps(RFC9535.findall(text, document))


@pytest.mark.parametrize(("path", "expected"), FOUND.values(), ids=FOUND)
def test_found(path, expected):
    """A path finds these values."""
    assert compile_path(path).find(SHOP) == expected


@pytest.mark.parametrize(("path", "expected"), MISSING.values(), ids=MISSING)
def test_missing(path, expected):
    """A path that finds nothing names the part of it that is missing, or says that this is fair."""
    compiled = compile_path(path)
    assert (compiled.find(SHOP), compiled.missing(SHOP)) == ([], expected)


@pytest.mark.parametrize(
    "document", [{"sku": "A"}, [{"sku": "A"}], "A", 1, None, {"items": "sku"}, {"items": {"sku": 1}}]
)
def test_any_document_is_survived(document):
    """No document makes a getter raise."""
    for path in ("$.items[*].sku", "$.items[0]", "$..sku", "$.items[?@.sku == true]", "$"):
        assert isinstance(compile_path(path).find(document), list)


def test_a_document_nested_too_deeply_finds_nothing():
    """The library's limit on descent is no crash."""
    document = {"x": 1}
    for _ in range(300):
        document = {"a": document}
    assert compile_path("$..x").find(document) == []


@pytest.mark.parametrize("path", ["items", "$.items[", "$.", "", "$.a b", "$.x.length()"])
def test_bad_paths_are_refused(path):
    """What is no RFC 9535 path raises a sentence of one line."""
    with pytest.raises(ValueError, match=r"\A.+\Z"):
        compile_path(path)


def test_singular():
    """Whether a path finds candidates or one value is known from the path alone."""
    assert [compile_path(path).singular for path in ("$.a[0].b", "$.a[*]", "$..a", "$.a[?@.b == true]")] == [
        True, False, False, False,
    ]  # fmt: skip
