"""The speed report in a real browser: it fits a phone and a desktop, with every part opened."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

from simulator.analysis.estimates import Estimate
from simulator.report.speed_page import speed_html
from simulator.scenario.load import load_scenario
from simulator.study.speed_findings import Swept
from simulator.study.speed_report import Asked, of_scenario

_spec = importlib.util.spec_from_file_location("footfall_browser", Path(__file__).with_name("test_browser.py"))
_browser = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_browser)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        _browser.CHROMIUM is None, reason="chromium is not installed; the report is not seen in a browser"
    ),
]


def swept(rate):
    """Return a rate of a sweep, with every length that a sweep has."""
    lengths = ("engaged_time", "wall_time", "pages", "ga_time")
    one = Estimate(1.0, 500, 0.9, 1.1)
    return Swept(rate, 500, {"p50": one, "p95": one}, {"p50": one, "p75": one}, dict.fromkeys(lengths, one))


@pytest.fixture(scope="module")
def text():
    """Return the page of a small scenario, with a sweep."""
    scenario = load_scenario("smoke", {"shoppers": 300, "thresholds": ["bounce < 99%"]})
    return speed_html(of_scenario(scenario, Asked(300, sweep=(swept(20.0), swept(350.0)))))


@pytest.mark.parametrize("width", [390, 1280])
def test_page_fits_its_window(text, tmp_path, width):
    """At phone and desktop width nothing sticks out sideways, drawings and their labels included."""
    (tmp_path / "probed.html").write_text(text.replace("</body>", _browser.PROBE), "utf-8")
    frame = tmp_path / "frame.html"
    frame.write_text(_browser.FRAME.replace("WIDTH", str(width)), "utf-8")
    done = subprocess.run(
        [_browser.CHROMIUM, *_browser.QUIET, f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1400,1000",
         "--virtual-time-budget=5000", "--dump-dom", frame.as_uri()],
        capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    inner, scroll, sticking, which = re.search(r'data-probe="([^"]*)"', done.stdout.decode("utf-8"))[1].split("|", 3)
    assert int(inner) == width
    assert int(scroll) <= width
    assert int(sticking) == 0, which
