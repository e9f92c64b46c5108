"""The speed report in a real browser: it fits a phone and a desktop, with every part opened."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from simulator.report.speed_page import speed_html
from simulator.scenario.load import load_scenario
from simulator.study.speed_report import Asked, of_scenario

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
PROBE = """<script>
for (const part of document.querySelectorAll("details")) part.open = true;
const out = (e) => e.getBoundingClientRect().right > innerWidth + 1 && e.checkVisibility();
const wide = [...document.querySelectorAll("body *")].filter((e) => out(e) && !e.closest(".scroll, nav ul, thead"));
const which = wide.slice(0, 3).map((e) => e.outerHTML.slice(0, 120)).join(" ");
parent.postMessage([innerWidth, document.documentElement.scrollWidth, wide.length, which].join("|"), "*");
</script></body>"""
FRAME = """<!doctype html><body><script>
addEventListener("message", (event) => { document.body.dataset.probe = event.data; });
</script><iframe src="probed.html" style="width:WIDTHpx;height:900px;border:0"></iframe></body>"""
"""A window is never narrower than 500 pixels, a frame is as narrow as a phone."""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed; the report is not seen in a browser"),
]


@pytest.fixture(scope="module")
def text():
    """Return the page of a small scenario."""
    scenario = load_scenario("smoke", {"shoppers": 300, "thresholds": ["bounce < 99%"]})
    return speed_html(of_scenario(scenario, Asked(300)))


@pytest.mark.parametrize("width", [390, 1280])
def test_page_fits_its_window(text, tmp_path, width):
    """At phone and desktop width nothing sticks out sideways, drawings and their labels included."""
    (tmp_path / "probed.html").write_text(text.replace("</body>", PROBE), "utf-8")
    frame = tmp_path / "frame.html"
    frame.write_text(FRAME.replace("WIDTH", str(width)), "utf-8")
    done = subprocess.run(
        [CHROMIUM, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1400,1000",
         "--virtual-time-budget=5000", "--dump-dom", frame.as_uri()],
        capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    inner, scroll, sticking, which = re.search(r'data-probe="([^"]*)"', done.stdout.decode("utf-8"))[1].split("|", 3)
    assert int(inner) == width
    assert int(scroll) <= width
    assert int(sticking) == 0, which
