"""The analysis tests' runs, to report on."""

from __future__ import annotations

import importlib.util
from pathlib import Path

_spec = importlib.util.spec_from_file_location("footfall_runs", Path(__file__).parents[1] / "analysis" / "conftest.py")
_runs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_runs)

playing = _runs.playing
live_folder = _runs.live_folder
crowd_folder = _runs.crowd_folder
arms_folder = _runs.arms_folder
damaged = _runs.damaged
