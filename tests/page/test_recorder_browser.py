"""The recorder in real Chromium, on a shop of its own."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from simulator.page.browser import NAMES, Browser, BrowserError, find_browser
from simulator.page.read import read_page
from simulator.page.record import record
from simulator.page.recording import recording_text

try:
    find_browser()
    MISSING = ""
except BrowserError:
    MISSING = "chromium is not installed; nothing is recorded"
pytestmark = [pytest.mark.browser, pytest.mark.skipif(bool(MISSING), reason=MISSING)]
PAGES = {
    "/": (
        "text/html",
        b"<!doctype html><link rel=stylesheet href=/s.css><script defer src=/d.js></script>"
        + b"<p>Shoes, bags and hats</p>" * 3_000,  # enough to parse that it is a task of its own, and not a short one
    ),
    "/s.css": ("text/css", b"p{color:#123}" + b" " * 5_000),
    "/d.js": ("text/javascript", b"fetch('/api').then((r) => r.json())" + b" " * 20_000),
    "/api": ("application/json", b'{"ok": true}'),
}


class Shop(BaseHTTPRequestHandler):
    """Four files."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Answer; the old address leads to the new one."""
        if self.path == "/old":
            self.send_response(301)
            self.send_header("location", "/")
            self.send_header("content-length", "0")
            self.end_headers()
            return
        kind, body = PAGES.get(self.path, ("text/plain", b""))
        self.send_response(200 if body else 404)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def shop():
    """Return the address of a small shop."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_a_recorded_page_can_be_predicted(shop, tmp_path):
    """A recording has every request with its size, kind and cause, the work of the main thread, and what was seen."""
    made = record(shop, loads=1)
    requests = {one.url.rpartition("/")[2]: one for one in made.loads[0].requests}
    assert set(requests) >= {"", "s.css", "d.js", "api"}
    assert requests["s.css"].blocking
    assert requests["d.js"].script == "defer"
    assert requests["d.js"].wire_bytes > 20_000
    assert requests["api"].initiator.kind == "script"
    kinds = {task.kind for task in made.loads[0].tasks}
    assert {"commit", "parse", "script"} <= kinds
    assert made.loads[0].seen.fcp_ms is not None
    assert made.benchmark is not None
    path = tmp_path / "page.json"
    path.write_bytes(recording_text(made))
    assert read_page(path).tier == "T3"


def test_a_page_behind_a_redirect_is_the_same_page(shop):
    """The redirect comes first, and what the document names is found in the document."""
    load = record(f"{shop}old", loads=1).loads[0]
    assert [one.url.removeprefix(shop) for one in load.requests[:2]] == ["old", ""]
    assert load.document == 1
    named = {one.url.rpartition("/")[2]: one.initiator for one in load.requests[2:4]}
    assert {name: (one.kind, one.request) for name, one in named.items()} == {
        "s.css": ("parser", 1),
        "d.js": ("parser", 1),
    }
    assert 0 < named["s.css"].at < named["d.js"].at < 0.1
    assert load.tasks[0].kind == "commit"
    assert not load.tasks[0].sends or load.tasks[0].sends[0] > 1


def test_a_shop_that_is_not_there_is_said():
    """Nobody listens: the browser's own reason, and no recording."""
    with pytest.raises(BrowserError, match="ERR_CONNECTION_REFUSED"):
        record("http://127.0.0.1:59999/", loads=1)


def test_a_missing_browser_is_said(monkeypatch):
    """Without a browser the message says how to get one."""
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert NAMES
    with pytest.raises(BrowserError, match="Hint"):
        Browser()
