"""The shop as a process: it opens, it closes, and it leaves nothing behind."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
from statistics import median
from typing import TYPE_CHECKING

import httpx
import orjson
import psutil
import pytest

from simulator.storefront import StorefrontError, running_storefront

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that temporary folders are made in, by this process and its children."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_a_shop_opens_and_leaves_nothing(temporary: Path):
    """While it runs it answers at its URL; afterwards there is no process and no folder, and it ended well."""
    with running_storefront(seed=3) as shop:
        assert httpx.get(f"{shop.url}/api/health", trust_env=False).json()["status"] == "ok"
        assert psutil.pid_exists(shop.pid)
        assert len(list(temporary.iterdir())) == 1
    assert shop.process.returncode == 0
    assert not psutil.pid_exists(shop.pid)
    assert list(temporary.iterdir()) == []


def test_a_shop_closes_when_its_user_fails(temporary: Path):
    """An exception in the block passes through, and the shop is closed all the same."""
    pids = []

    def fail() -> None:
        with running_storefront() as shop:
            pids.append(shop.pid)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not psutil.pid_exists(pids[0])
    assert list(temporary.iterdir()) == []


def test_a_shop_that_cannot_open_says_why(temporary: Path):
    """If the port is taken, the error holds what the shop said, and the folder is gone."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StorefrontError, match=r"cannot listen on port .* address already in use"):
            enter(port)
    assert list(temporary.iterdir()) == []


def enter(port: int) -> None:
    """Open a shop on this port and leave at once."""
    with running_storefront(port=port):
        pass


def test_a_shop_does_not_outlive_its_parent(temporary: Path):
    """If the process that opened it is killed, the shop closes by itself."""
    code = (
        "import sys\nfrom simulator.storefront import running_storefront\n"
        "with running_storefront() as shop:\n    print(shop.pid, flush=True)\n    sys.stdin.read()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with parent:
        assert parent.stdout is not None
        orphan = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    orphan.wait(10)
    assert not orphan.is_running()
    assert temporary.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_the_shop_well(tmp_path: Path, number: signal.Signals):
    """The command prints one JSON line when open, and ends with code 0 and nothing on stderr when asked to."""
    command = [sys.executable, "-m", "simulator.storefront", "--database", str(tmp_path / "shop.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = orjson.loads(process.stdout.readline())
        assert said["pid"] == process.pid
        with httpx.Client(base_url=said["url"], trust_env=False) as idle:
            assert idle.get("/api/health").is_success
            process.send_signal(number)
            rest, errors = process.communicate(timeout=10)
    assert (process.returncode, rest, errors) == (0, b"", b"")


def test_answers_leave_at_once(temporary: Path):
    """A small answer on a kept connection does not wait 40 ms for the peer's ACK of its head (TCP_NODELAY is set)."""
    with running_storefront() as shop, httpx.Client(base_url=shop.url, trust_env=False) as client:
        usual = median(client.get("/api/health").elapsed.total_seconds() for _ in range(15))
    assert usual < 0.03
    assert list(temporary.iterdir()) == []
