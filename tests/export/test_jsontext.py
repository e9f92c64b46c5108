"""JSON made a column at a time: the same values as `orjson` writes a row at a time, and absent members where asked."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings

from simulator.runfolder.jsontext import ABSENT, json_lines, json_text
from simulator.runfolder.tables import write_table

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
ROW = st.fixed_dictionaries(
    {
        "text": st.none() | TEXT,
        "whole": st.none() | st.integers(-(2**63), 2**63 - 1),
        "real": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "truth": st.none() | st.booleans(),
        "list": st.none() | st.lists(st.none() | TEXT, max_size=3),
        "inner": st.none() | st.fixed_dictionaries({"a": st.none() | TEXT, "b": st.none() | st.booleans()}),
    }
)
TYPE = pa.struct(
    [
        ("text", pa.string()),
        ("whole", pa.int64()),
        ("real", pa.float64()),
        ("truth", pa.bool_()),
        ("list", pa.list_(pa.string())),
        ("inner", pa.struct([("a", pa.string()), ("b", pa.bool_())])),
    ]
)


def without_null(value):
    """Return a value whose objects have no null members."""
    if isinstance(value, dict):
        return {key: without_null(inner) for key, inner in value.items() if inner is not None}
    return value


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.none() | ROW, max_size=6), cut=st.integers(0, 3))
def test_text_means_what_the_values_are(rows, cut):
    """Whatever the values, slices included: JSON read again is what went in, with nulls or without them."""
    values = pa.array(rows, TYPE).slice(cut)
    assert [text and orjson.loads(text) for text in json_text(values).to_pylist()] == values.to_pylist()
    short = [text and orjson.loads(text) for text in json_text(values, omit_null=True).to_pylist()]
    assert short == [without_null(row) for row in values.to_pylist()]


def test_names_of_a_dictionary_are_written_out():
    """A dictionary column is text, its nulls null."""
    column = pa.array(["a", None, 'b"'], pa.dictionary(pa.int8(), pa.string()))
    assert json_text(column).to_pylist() == ['"a"', None, '"b\\""']


def test_what_json_has_no_number_for_is_null():
    """NaN and infinities are null, as orjson has it."""
    values = pa.array([1.5, math.nan, math.inf, -math.inf, 3.0])
    assert [text and orjson.loads(text) for text in json_text(values).to_pylist()] == [1.5, None, None, None, 3.0]


def test_other_types_are_written_by_orjson():
    """A timestamp is what orjson makes of it."""
    values = pa.array([0, None], pa.timestamp("us", "UTC"))
    assert json_text(values).to_pylist() == ['"1970-01-01T00:00:00+00:00"', None]


@pytest.mark.parametrize(("metadata", "line"), [(None, b'{"a":1,"b":null}\n'), (ABSENT, b'{"a":1}\n')])
def test_a_schema_says_whether_null_is_absent(tmp_path, metadata, line):
    """Tables keep their nulls; a vendor's payload, marked by its schema, leaves them out."""
    table = pa.table({"a": [1], "b": pa.array([None], pa.string())}).replace_schema_metadata(metadata)
    write_table(table, tmp_path / "t", "jsonl")
    assert (tmp_path / "t").read_bytes() == line


def test_no_rows_are_no_lines():
    """A batch without rows is no bytes at all."""
    assert json_lines(pa.RecordBatch.from_pylist([], pa.schema([("a", pa.int64())]))) == b""
