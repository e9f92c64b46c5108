"""Headless Chromium through the DevTools protocol's own pipe: no port, no driver, nothing to install besides Chromium.

`--remote-debugging-pipe` makes the browser read commands from file descriptor 3 and write answers and events to 4, as
JSON ended by a zero byte (Chromium, content/browser/devtools/devtools_pipe_handler.cc).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
from collections import deque
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = (
    "--headless=new", "--no-first-run", "--no-default-browser-check", "--disable-background-networking",
    "--disable-component-update", "--disable-default-apps", "--disable-extensions", "--disable-sync", "--disable-gpu",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--mute-audio", "--metrics-recording-only", "--use-mock-keychain",
    "--password-store=basic", "--disable-features=Translate,OptimizationHints,MediaRouter,HttpsUpgrades",
    "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding", "--remote-debugging-pipe",
)  # fmt: skip
FIRST_FREE = 16
"""Descriptors of our own lie above those that the browser expects."""
CHUNK_BYTES = 1 << 20
ANSWER_S, END_S = 30.0, 5.0
"""How long a command may take, and how long the browser may take to end."""


class BrowserError(Exception):
    """The browser is missing, ended, refused a command or did not answer in time."""


def find_browser() -> str:
    """Return the path of an installed Chromium or Chrome. Raises `BrowserError` when there is none."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    raise BrowserError("no Chromium was found. Hint: install it, as `apt install chromium`")


class Browser:
    """A Chromium process with a profile of its own, gone when the `with` ends.

    `prefix` stands before the browser's command, as `("ip", "netns", "exec", NAME)`.
    """

    def __init__(self, *flags: str, prefix: Sequence[str] = (), path: str | None = None) -> None:
        self._profile = tempfile.mkdtemp(prefix="footfall-browser-")
        sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
        command = [*prefix, path or find_browser(), *QUIET, *sandbox, *flags, f"--user-data-dir={self._profile}"]
        self._id, self._buffer = 0, b""
        self.events: deque[dict[str, Any]] = deque()
        self._pid, self._to, self._from = _spawn([*command, "about:blank"])

    def __enter__(self) -> Self:
        """Return the browser."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End the browser and remove its profile."""
        self.close()

    def close(self) -> None:
        """Ask the browser to end, kill it when it does not, and remove its profile."""
        with contextlib.suppress(BrowserError, OSError):
            self.call("Browser.close", timeout_s=END_S)
        os.close(self._to)
        _end(self._pid)
        os.close(self._from)
        shutil.rmtree(self._profile, ignore_errors=True)

    def call(
        self, method: str, params: dict[str, Any] | None = None, session: str | None = None, timeout_s: float = ANSWER_S
    ) -> dict[str, Any]:
        """Return a command's result; events that come meanwhile wait in `events`. Raises `BrowserError`."""
        self._id += 1
        asked = {"id": self._id, "method": method, "params": params or {}} | ({"sessionId": session} if session else {})
        self._write(json.dumps(asked).encode() + b"\0")
        until = monotonic() + timeout_s
        while (message := self._read(until)) is not None:
            if message.get("id") != self._id:
                if "method" in message:
                    self.events.append(message)
                continue
            if "error" in message:
                raise BrowserError(f"{method}: {message['error'].get('message', 'refused')}")
            result: dict[str, Any] = message.get("result", {})
            return result
        raise BrowserError(f"{method}: no answer within {timeout_s:g} s")

    def next_event(self, until: float) -> dict[str, Any] | None:
        """Return the next event, or None when `monotonic()` reaches `until` without one."""
        while True:
            if self.events:
                return self.events.popleft()
            message = self._read(until)
            if message is None:
                return None
            if "method" in message:
                return message

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool], timeout_s: float) -> dict[str, Any]:
        """Return the first event that is wanted; others are dropped. Raises `BrowserError` when none comes."""
        until = monotonic() + timeout_s
        while (event := self.next_event(until)) is not None:
            if wanted(event):
                return event
        raise BrowserError(f"nothing happened within {timeout_s:g} s")

    def _write(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._to, data) :]
        except BrokenPipeError:
            raise BrowserError("the browser has ended") from None

    def _read(self, until: float) -> dict[str, Any] | None:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], max(until - monotonic(), 0.0))
            if not ready:
                return None
            chunk = os.read(self._from, CHUNK_BYTES)
            if not chunk:
                raise BrowserError("the browser has ended")
            self._buffer += chunk
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message


def _spawn(command: list[str]) -> tuple[int, int, int]:
    """Start the browser in a process group of its own; return its id and our ends of the two pipes."""
    down, to = _pipe()
    back, up = _pipe()
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    actions = [
        *((os.POSIX_SPAWN_DUP2, null, fd) for fd in range(3)),
        (os.POSIX_SPAWN_DUP2, down, 3),
        (os.POSIX_SPAWN_DUP2, up, 4),
    ]
    try:
        pid = os.posix_spawnp(command[0], command, os.environ, file_actions=actions, setpgroup=0)
    except OSError as error:
        raise BrowserError(f"{command[0]}: {error.strerror}") from None
    finally:
        for fd in (down, up, null):
            os.close(fd)
    return pid, to, back


def _pipe() -> tuple[int, int]:
    ends = os.pipe2(os.O_CLOEXEC)
    high = tuple(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, FIRST_FREE) for fd in ends)
    for fd in ends:
        os.close(fd)
    return high[0], high[1]


def _end(pid: int) -> None:
    until = monotonic() + END_S
    while monotonic() < until:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return
        sleep(0.02)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
