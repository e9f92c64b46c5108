"""The report in a real browser: it fits a phone and a desktop, light and dark."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from simulator.report import write_reports

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
PROBE = """<script>
for (const part of document.querySelectorAll("details")) part.open = true;
const out = (e) => e.getBoundingClientRect().right > innerWidth + 1 && e.checkVisibility();
const wide = [...document.querySelectorAll("body *")].filter((e) => out(e) && !e.closest(".scroll, nav ul, thead"));
const which = wide.slice(0, 3).map((e) => e.outerHTML.slice(0, 80)).join(" ");
parent.postMessage([innerWidth, document.documentElement.scrollWidth, wide.length, which].join("|"), "*");
</script></body>"""
FRAME = """<!doctype html><body><script>
addEventListener("message", (event) => { document.body.dataset.probe = event.data; });
</script><iframe src="probed.html" style="width:WIDTHpx;height:900px;border:0"></iframe></body>"""
"""A window is never narrower than 500 pixels, a frame is as narrow as a phone."""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed; the report is not seen in a browser"),
]


def browse(profile, *arguments):
    """Run chromium to its end and return what it printed."""
    done = subprocess.run(
        [CHROMIUM, *QUIET, f"--user-data-dir={profile}", *arguments], capture_output=True, timeout=90, check=True
    )
    return done.stdout.decode("utf-8")


@pytest.fixture(scope="module")
def page(playing, tmp_path_factory):
    """Return the report of a live run with arms, which has every section but the stations."""
    tables, names = playing.played(rate=(10.0, 30.0), delays=(1.5,))
    folder = tmp_path_factory.mktemp("browser") / "run"
    thresholds = ("p95 of load_time{page:product, network:lte} < 2.5s", "bounce{persona:tourist} < 55%", "errors < 1%")
    playing.write_run(folder, world="live", tables=playing.live_tables(tables), names=names, thresholds=thresholds)
    write_reports(folder)
    return folder / "report.html"


@pytest.mark.parametrize("width", [390, 1280])
def test_page_fits_its_window(page, tmp_path, width):
    """At phone and desktop width nothing sticks out sideways, even with every part opened; a picture can be taken."""
    (tmp_path / "probed.html").write_text(page.read_text("utf-8").replace("</body>", PROBE), "utf-8")
    frame = tmp_path / "frame.html"
    frame.write_text(FRAME.replace("WIDTH", str(width)), "utf-8")
    dom = browse(
        tmp_path / "one", "--window-size=1400,1000", "--virtual-time-budget=5000", "--dump-dom", frame.as_uri()
    )
    inner, scroll, sticking, which = re.search(r'data-probe="([^"]*)"', dom)[1].split("|", 3)
    assert int(inner) == width
    assert int(scroll) <= width
    assert int(sticking) == 0, which
    picture = tmp_path / "page.png"
    browse(tmp_path / "two", f"--window-size={width},2000", f"--screenshot={picture}", page.as_uri())
    assert picture.stat().st_size > 30_000
