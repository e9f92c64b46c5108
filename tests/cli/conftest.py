"""What the tests of the command line share: files in a folder of their own, and the command in a process of its own."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

LIVE = Path(__file__).resolve().parents[1] / "live"


@pytest.fixture(scope="session")
def running():
    """Return the module that runs the command in a process of its own."""
    name = "footfall_running"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, LIVE / "running.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Return a function that writes a file into the working folder, an empty one, and returns its name."""
    monkeypatch.chdir(tmp_path)

    def write(name, text):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    return write
