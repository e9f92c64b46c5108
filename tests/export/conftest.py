"""What the tests of data sets share: the command run in this process, and the helpers of `scaling`."""

from __future__ import annotations

import importlib.util
import signal
import sys
from pathlib import Path

import pytest

from simulator.cli import main
from simulator.export import dataset


@pytest.fixture(scope="session")
def scaling():
    """Return the module of helpers for data sets of many small shards."""
    name = "footfall_scaling"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("scaling.py"))
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def whole(scaling, tmp_path_factory):
    """Return the folder of the data set that one uninterrupted run wrote, in nine shards."""
    folder = tmp_path_factory.mktemp("whole") / "data"
    scaling.make_all(scaling.job(folder))
    return folder


@pytest.fixture
def footfall(capsys, monkeypatch, scaling):
    """Return a function that runs `footfall` with small shards and returns (exit code, what it said on stderr)."""
    monkeypatch.setattr(dataset, "SHARD_SHOPPERS", scaling.SHARD)

    def run(*arguments):
        before = signal.getsignal(signal.SIGTERM)
        monkeypatch.setattr(sys, "argv", ["footfall", *map(str, arguments)])
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            signal.signal(signal.SIGTERM, before)
        return int(ended.value.code), capsys.readouterr().err

    return run
