"""The shop as a child process, for as long as a block of code needs it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import httpx
import orjson

CANNOT_LISTEN = 2
"""Exit code of a shop that did not get its port; the reason is the last line it said."""
_START_S = 15.0
_STOP_S = 5.0
_POLL_S = 0.02


class StorefrontError(RuntimeError):
    """The shop did not open; the message holds what it said on its standard error."""


class PortError(StorefrontError):
    """The shop did not get the port that it was to listen on."""


@dataclass(frozen=True, slots=True)
class Storefront:
    """A shop that is open: its URL without a trailing slash, and its process."""

    url: str
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """The id of the shop's process."""
        return self.process.pid


@contextmanager
def running_storefront(seed: int = 7, port: int = 0, hazards: Sequence[str] = ()) -> Iterator[Storefront]:
    """Open a shop in a process and a temporary folder of its own; close and remove both at the end.

    `hazards` names what it does wrong (`simulator.storefront.hazards`).

    Raises PortError, and StorefrontError if it does not answer within 15 s. The shop also closes by itself when this
    process dies, and it runs in its own session: Ctrl-C reaches only this process, which may still need the shop to
    finish.
    """
    with TemporaryDirectory(prefix="footfall-shop-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        process = _start(folder, seed, port, hazards)
        try:
            yield Storefront(_wait_until_open(process, folder), process)
        finally:
            _stop(process)


def _start(folder: Path, seed: int, port: int, hazards: Sequence[str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "simulator.storefront", "--port", str(port), "--seed", str(seed)]
    command += ["--database", str(folder / "shop.sqlite"), "--parent", str(os.getpid())]
    command += [word for name in hazards for word in ("--hazard", name)]
    # Files and not pipes: nobody has to read them while the shop is busy, so they cannot fill up and block it.
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        return subprocess.Popen(  # noqa: S603 - our own interpreter, module, numbers and names
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )


def _wait_until_open(process: subprocess.Popen[bytes], folder: Path) -> str:
    deadline = monotonic() + _START_S
    while monotonic() < deadline:
        if process.poll() == CANNOT_LISTEN:
            raise PortError(f"{_said(folder).rpartition(chr(10))[2]}. Hint: another --port; 0 takes a free one")
        if process.poll() is not None:
            raise StorefrontError(f"the storefront ended with exit code {process.returncode}:\n{_said(folder)}")
        line = (folder / "stdout").read_bytes()
        if line.endswith(b"\n"):
            url = str(orjson.loads(line)["url"])
            if _answers(url):
                return url
        sleep(_POLL_S)
    raise StorefrontError(f"the storefront did not open within {_START_S:g} s:\n{_said(folder)}")


def _answers(url: str) -> bool:
    try:
        # The environment may name a proxy; a loopback address is none of its business.
        return httpx.get(f"{url}/api/health", timeout=1.0, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _said(folder: Path) -> str:
    return (folder / "stderr").read_text(encoding="utf-8", errors="replace").strip()


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process by its own handle: ask first, and insist after five seconds."""
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
