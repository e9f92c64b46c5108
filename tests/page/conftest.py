"""What tests of pages share: helpers that stand beside them, and HARs as files."""

from __future__ import annotations

import sys
from pathlib import Path

import orjson
import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "accuracy")]


@pytest.fixture
def har_file(tmp_path):
    """Return a function that writes a HAR and returns its path."""

    def write(*entries, name="page.har", cut=None, **log):
        data = orjson.dumps(
            {"log": {"version": "1.2", "creator": {"name": "WebInspector", "version": "1"}, "entries": entries, **log}}
        )
        path = tmp_path / name
        path.write_bytes(data[:cut])
        return path

    return write


@pytest.fixture(scope="session")
def recorded():
    """Return the folder of recordings of the corpus that are kept with the tests."""
    return HERE / "files"
