"""Runs to report on, each made once a session; tests that damage or render one copy it first."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest


def _playing():
    """Load the maker of synthetic runs, shared with the analysis tests."""
    name = "footfall_playing"
    if name not in sys.modules:
        path = Path(__file__).resolve().parents[1] / "analysis" / "playing.py"
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def playing():
    """The maker of synthetic runs."""
    return _playing()


@pytest.fixture(scope="session")
def live_folder(playing, tmp_path_factory):
    """A healthy live run without thresholds."""
    return playing.write_run(tmp_path_factory.mktemp("live") / "run", world="live")


@pytest.fixture(scope="session")
def crowd_folder(playing, tmp_path_factory):
    """Generated data: 300 shoppers over two days, in three parts."""
    return playing.write_run(tmp_path_factory.mktemp("crowd") / "run", parts=3)


@pytest.fixture(scope="session")
def arms_folder(playing, tmp_path_factory):
    """Generated data in which every visit is played in control and 1 s and 4 s slower."""
    tables, names = playing.played(delays=(1.0, 4.0))
    return playing.write_run(tmp_path_factory.mktemp("arms") / "run", tables=tables, names=names)


@pytest.fixture
def damaged(live_folder, tmp_path):
    """A copy of the live run to damage."""
    return shutil.copytree(live_folder, tmp_path / "run")
