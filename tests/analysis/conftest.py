"""Runs to analyse, each made once a session; tests that damage one copy it first."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def playing():
    """Return the maker of synthetic runs."""
    name = "footfall_playing"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("playing.py"))
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def live_folder(playing, tmp_path_factory):
    """Return a healthy live run without thresholds."""
    return playing.write_run(tmp_path_factory.mktemp("live") / "run", world="live")


@pytest.fixture(scope="session")
def crowd_folder(playing, tmp_path_factory):
    """Return generated data: 300 shoppers over two days, in three parts."""
    return playing.write_run(tmp_path_factory.mktemp("crowd") / "run", parts=3)


@pytest.fixture(scope="session")
def arms_folder(playing, tmp_path_factory):
    """Return generated data in which every visit is played in control and 1 s and 4 s slower."""
    tables, names = playing.played(delays=(1.0, 4.0))
    return playing.write_run(tmp_path_factory.mktemp("arms") / "run", tables=tables, names=names)


@pytest.fixture
def damaged(live_folder, tmp_path):
    """Return a copy of the live run to damage."""
    return shutil.copytree(live_folder, tmp_path / "run")
