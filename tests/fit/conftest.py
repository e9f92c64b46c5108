"""What the tests of the fit share: small logs written by hand."""

import importlib.util
import json
from pathlib import Path

import pytest

from simulator.fit.hits import Findings


@pytest.fixture
def findings():
    """Return empty findings."""
    return Findings()


@pytest.fixture
def lines(tmp_path):
    """Return a function that writes JSON Lines: each row an object, or a text as it stands."""

    def write(rows, name="log.jsonl"):
        path = tmp_path / name
        texts = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def planting():
    """Return the module that makes logs of crowds with known parameters."""
    spec = importlib.util.spec_from_file_location("footfall_planting", Path(__file__).with_name("planting.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
