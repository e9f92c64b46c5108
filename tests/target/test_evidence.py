"""Evidence: each piece has its type or is a violation with a sample; nothing that a target sends breaks the reader."""

import math

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.target.answers import Reader
from simulator.target.contract import Contract
from simulator.target.evidence import SAMPLE_CHARS, TYPES, Fence, Violation, read_evidence, sample
from simulator.target.places import MOST_FOUND
from simulator.target.schema import Evidence, Rest


def reader(**evidence):
    """Return the compiled reader of an operation with this evidence."""
    return Reader("home", Rest.model_validate({"path": "/", "evidence": evidence}))


def read(piece, value, path="$.x"):
    """Return the evidence of one piece that stands at `$.x`."""
    return read_evidence(reader(**{piece: path}).read(200, {}, orjson.dumps({"x": value})))


def test_every_piece_has_a_type():
    """The schema's pieces and the table of types are the same."""
    assert list(Evidence.model_fields) == list(TYPES)


GOOD = {
    "ids of numbers are text": ("items", [1, "a"], ("1", "a")),
    "an empty list is a value": ("items", [], ()),
    "right-to-left text is text": ("items", ["قميص", "👟"], ("قميص", "👟")),
    "money as text": ("price", ["12.90", 3], (12.9, 3.0)),
    "one price": ("price", 4, (4.0,)),
    "a currency in small letters": ("currency", "eur", "EUR"),
    "stock": ("in_stock", [True, "false", 0], (True, False, False)),
    "a subject that is a number": ("subject", 12, "12"),
    "a flag as a variant": ("variant", True, ("true",)),
    "fallback as text": ("fallback", "true", True),
    "a time with its zone": ("generated_at", "2026-01-01T01:00:00+01:00", 1_767_225_600_000_000),
    "a time without one is UTC": ("generated_at", "2026-01-01T00:00:00", 1_767_225_600_000_000),
    "seconds": ("generated_at", 1_767_225_600, 1_767_225_600_000_000),
    "milliseconds": ("generated_at", 1_767_225_600_000, 1_767_225_600_000_000),
    "microseconds": ("generated_at", "1767225600000000", 1_767_225_600_000_000),
    "a position": ("geo_used", {"lat": 51.5, "lng": "-0.1"}, (51.5, -0.1)),
    "a pair": ("geo_used", [51.5, -0.1], (51.5, -0.1)),
    "a position as text": ("geo_used", "51.5,-0.1", (51.5, -0.1)),
    "a place's name": ("geo_used", "London, SE1", "London, SE1"),
    "a fence": ("fences", [{"lat": 1, "lon": 2, "radius_m": 300}], (Fence(1.0, 2.0, 300.0),)),
    "a fence round a centre": ("fences", [{"center": [1, 2], "radius_km": 0.5}], (Fence(1.0, 2.0, 500.0),)),
    "an offer that holds everywhere": ("fences", [None], (None,)),
    "a language": ("language", "de_CH", "de_CH"),
    "a count": ("stored", "3", 3),
}  # fmt: skip


@pytest.mark.parametrize(("piece", "value", "expected"), GOOD.values(), ids=GOOD)
def test_good_evidence(piece, value, expected):
    """Spellings that shops use are read to one type."""
    evidence = read(piece, value)
    assert (evidence.values, evidence.violations) == ({piece: expected}, ())


def test_a_country_is_a_fence():
    """Where an offer holds may be a country as well."""
    (fence,) = read("fences", ["gb"]).values["fences"]
    assert (fence.country, fence.radius_m, math.isnan(fence.latitude_deg)) == ("GB", math.inf, True)


WRONG = {
    "an object for an id": ("items", [{"id": 1}], '{"id":1}'),
    "null among ids": ("items", ["a", None], ""),
    "words for a price": ("price", ["gratis"], "gratis"),
    "no number": ("price", ["NaN"], "NaN"),
    "truth for a price": ("price", [True], "true"),
    "a symbol for a currency": ("currency", "€", "€"),
    "words for a time": ("generated_at", "yesterday", "yesterday"),
    "a time before all times": ("generated_at", -5, "-5"),
    "a place off the earth": ("geo_used", [95, 10], "[95,10]"),
    "half a position": ("geo_used", {"lat": 1}, '{"lat":1}'),
    "a fence without a radius": ("fences", [{"lat": 1, "lon": 2}], '{"lat":1,"lon":2}'),
    "half an event": ("stored", 1.5, "1.5"),
    "a list for one subject": ("subject", ["a"], '["a"]'),
    "maybe": ("fallback", "maybe", "maybe"),
}  # fmt: skip


@pytest.mark.parametrize(("piece", "value", "shown"), WRONG.values(), ids=WRONG)
def test_wrong_types_are_violations(piece, value, shown):
    """What cannot be of the piece's type is no value, but one violation with what stood there."""
    evidence = read(piece, value)
    assert evidence.values == {}
    assert evidence.violations == (Violation("home", piece, "wrong type", shown),)


def test_not_observable_is_neither_value_nor_violation():
    """Without a path nothing is said; a null, and a path that may find nothing, say nothing either."""
    assert read("items", ["a"]).values.get("subject") is None
    assert read("variant", None) == ({}, ())
    assert read("variant", 1, path="$.y?") == ({}, ())
    assert read("items", 1, path="$.y") == ({}, (Violation("home", "items", "missing", "$.y"),))
    assert read("items", [], path="$.x[*].id") == ({"items": ()}, ())


def test_huge_lists_are_cut():
    """A list without end is a violation; its beginning is still read."""
    evidence = read("items", ["a"] * 5_000)
    assert len(evidence.values["items"]) == MOST_FOUND
    assert evidence.violations == (Violation("home", "items", "too many", "5000 values"),)
    assert read("items", ["a"] * 5_000, path="$.x[*]") == evidence


def test_one_value_said_twice():
    """A path that finds many may say one thing many times; many things are no one thing."""
    assert read("currency", ["EUR", "EUR"], path="$.x[*]").values == {"currency": "EUR"}
    assert read("currency", ["EUR", "GBP"], path="$.x[*]").violations[0].kind == "wrong type"


BAD = {
    "no JSON": (200, b"<html>\xff\x1b[2J", Violation("home", "", "not json", "<html>\ufffd\\u001b[2J")),
    "a status": (500, b"<html>", None),
    "empty": (200, b"", Violation("home", "", "not json", "")),
}


@pytest.mark.parametrize(("status", "body", "violation"), BAD.values(), ids=BAD)
def test_bad_answers(status, body, violation):
    """An answer that is no JSON is one violation; a failed request is an error, and no violation of its contract."""
    evidence = read_evidence(reader(items="$.x").read(status, {}, body))
    assert evidence == ({}, (violation,) if violation else ())


def test_samples_can_be_shown_anywhere():
    """A sample is one short line: controls and marks that turn a line's direction are told by number."""
    assert sample("a\n\u202eb\x1b") == "a\\u000a\\u202eb\\u001b"
    assert sample("قميص") == "قميص"
    assert len(sample(["x" * 500])) == SAMPLE_CHARS
    assert len(sample(list(range(10**5)))) <= SAMPLE_CHARS


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["lat", "lon", "é"]), inner),
        max_leaves=12,
    )
)  # fmt: skip
@settings(max_examples=60, deadline=None, derandomize=True)
def test_whatever_a_target_sends_is_read(value):
    """No JSON value at any path makes the reader raise; each piece is a value, silent, or one violation."""
    try:
        body = orjson.dumps({"x": value})
    except (TypeError, orjson.JSONEncodeError):
        return
    for path in ("$.x", "$.x[*]", "$..lat"):
        answer = reader(**dict.fromkeys(TYPES, path)).read(200, {}, body)
        evidence = read_evidence(answer)
        assert set(evidence.values) <= set(TYPES)
        assert all(len(one.sample) <= SAMPLE_CHARS for one in evidence.violations)
        orjson.dumps([list(one) for one in Contract().see(answer).violations])


def test_violations_are_counted_with_the_first_sample():
    """Each kind of violation is a row: how often, and what it was the first time."""
    contract, answers = Contract(), reader(price="$.x", items="$.x")
    for value in ("a", "b", 3, "c"):
        contract.see(answers.read(200, {}, orjson.dumps({"x": value})))
    contract.see(answers.read(200, {}, b"{"))
    assert contract.rows() == [
        {"operation": "home", "evidence": "price", "kind": "wrong type", "count": 3, "sample": "a"},
        {"operation": "home", "evidence": "", "kind": "not json", "count": 1, "sample": "{"},
    ]
