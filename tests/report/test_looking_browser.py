"""The pages of personas and of data sets in a real browser: they fit, say nothing on the console, ask for nothing."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from simulator.analysis.describe import describe
from simulator.cli.persona import facts_of
from simulator.model.persona import find_persona, load_persona
from simulator.report.describe_page import describe_html
from simulator.report.persona_page import persona_html

_spec = importlib.util.spec_from_file_location("footfall_browser", Path(__file__).with_name("test_browser.py"))
_browser = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_browser)
POLICY = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
script-src 'unsafe-inline'">"""
"""Anything asked of elsewhere breaks this policy, which the console tells."""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed; pages are not seen in it"),
]


@pytest.fixture(scope="module")
def texts(playing, tmp_path_factory):
    """Return the pages by kind."""
    tables, names = playing.played(shoppers=200)
    folder = playing.write_run(tmp_path_factory.mktemp("looking") / "data", tables=tables, names=names)
    personas = [load_persona(find_persona(name)) for name in ("marketplace_regular", "training_member", "tourist")]
    return {persona.name: persona_html(persona, facts_of(persona)) for persona in personas} | {
        "data": describe_html(describe(folder))
    }


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("kind", ["marketplace_regular", "training_member", "data"])
def test_page_fits_its_window(texts, tmp_path, kind, width):
    """At phone and desktop width nothing sticks out sideways, with every part opened; the console stays silent."""
    text = texts[kind].replace("<head>", f"<head>{POLICY}", 1).replace("</body>", _browser.PROBE)
    (tmp_path / "probed.html").write_text(text, "utf-8")
    frame = tmp_path / "frame.html"
    frame.write_text(_browser.FRAME.replace("WIDTH", str(width)), "utf-8")
    done = subprocess.run(
        [
            _browser.CHROMIUM, *_browser.QUIET, f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr",
            "--window-size=1400,1000", "--virtual-time-budget=5000", "--dump-dom", frame.as_uri(),
        ],
        capture_output=True,
        timeout=90,
        check=True,
    )  # fmt: skip
    inner, scroll, sticking, which = re.search(r'data-probe="([^"]*)"', done.stdout.decode())[1].split("|", 3)
    assert int(inner) == width
    assert int(scroll) <= width
    assert int(sticking) == 0, which
    said = [line for line in done.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]
    assert said == []
