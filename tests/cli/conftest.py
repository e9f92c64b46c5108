"""What the tests of the command line share: the command run in this process, and in one of its own where it matters."""

from __future__ import annotations

import importlib.util
import signal
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from simulator.cli import main

LIVE = Path(__file__).resolve().parents[1] / "live"


class Said(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture
def footfall(capsys, monkeypatch):
    """Return a function that runs `footfall` with these arguments, as the installed script does."""

    def run(*arguments):
        before = signal.getsignal(signal.SIGTERM)
        monkeypatch.setattr(sys, "argv", ["footfall", *map(str, arguments)])
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            signal.signal(signal.SIGTERM, before)
        return Said(int(ended.value.code), *capsys.readouterr())

    return run


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
