"""The reference of parts: every one that is registered, in words a reader knows."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest

from simulator.export import reference
from simulator.export.parts import MODULES, part
from simulator.export.source import Part


@pytest.fixture(scope="module")
def chapters():
    """Return the chapters of the reference."""
    return reference.chapters()


def test_every_part_has_its_line_and_its_chapter(chapters):
    """What `--also` takes is explained, with its formats."""
    for name in MODULES:
        assert f"](#part-{name})" in reference.overview()
        assert f"## Part {name}\n" in chapters
        assert f"Formats: {', '.join(part(name).formats)}." in chapters


def test_every_table_has_columns_and_an_example(chapters):
    """Under each heading stand its columns and one row, or the word that the demo has none."""
    for section in re.split(r"^### ", chapters, flags=re.MULTILINE)[1:]:
        assert section.count("| column | type | |") == 1
        assert ("```json" in section) != ("The demo has no row of it." in section)


TYPES = {
    "string": pa.dictionary(pa.int8(), pa.string()),
    "float64": pa.float64(),
    "list of strings": pa.list_(pa.string()),
    "list of records": pa.list_(pa.struct([("a", pa.int8())])),
    "record": pa.struct([("a", pa.int8())]),
    "list of int8": pa.list_(pa.int8()),
}


@pytest.mark.parametrize("name", TYPES)
def test_types_have_names_for_readers(name):
    """Dictionaries are strings; nested types are records and lists."""
    assert reference.kind(TYPES[name]) == name


def test_fields_of_records_are_named_to_the_bottom():
    """Inner records stand in parentheses."""
    deep = pa.list_(pa.struct([("key", pa.string()), ("value", pa.struct([("a", pa.int8()), ("b", pa.int8())]))]))
    assert reference.fields(deep) == "`key`, `value` (`a`, `b`)"


def test_a_new_part_appears_by_itself(monkeypatch):
    """A part that is registered stands in the reference without another word; an empty table says so."""
    schema = pa.schema([pa.field("n", pa.int8(), metadata={"meaning": "truth: a|b"})])
    made = {"full": pa.table({"n": [1]}, schema=schema), "empty": schema.empty_table()}
    monkeypatch.setattr(reference, "MODULES", {"new": ""})
    monkeypatch.setattr(reference, "part", lambda name: Part(name, "Something new.", lambda _source: made, ("csv",)))
    text = reference.chapters()
    assert "| [`new`](#part-new) | Something new | csv |" in reference.overview()
    assert "| `n` | int8 | *truth:* a\\|b |" in text
    assert "The demo has no row of it." in text


def test_examples_are_cut_and_free_of_nulls():
    """Lists end after two entries, long texts after 96 letters, and what is null is left out."""
    schema = pa.schema([("a", pa.list_(pa.int8())), ("b", pa.string()), ("c", pa.int8()), ("d", pa.string())])
    row = {"a": [1, 2, 3, 4], "b": "x" * 100, "c": None, "d": "é"}
    text = "\n".join(reference._example(pa.Table.from_pylist([row], schema)))  # noqa: SLF001
    assert '"a": [1, 2, "… and 2 more"]' in text
    assert f'"b": "{"x" * 96}…"' in text
    assert '"c"' not in text
    assert '"d": "é"' in text
