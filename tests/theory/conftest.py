"""Makes `calendars.py` importable: tests are imported by path, and their folder is on no path."""

import importlib.util
import sys
from pathlib import Path

if "calendars" not in sys.modules:
    spec = importlib.util.spec_from_file_location("calendars", Path(__file__).with_name("calendars.py"))
    sys.modules["calendars"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["calendars"])
