"""What `load` and `target check` refuse before anything is sent, and what they say."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MINE = "target: mine\noperations: {home: {path: /}}\n"
OTHER = "http://192.0.2.1:9"
"""TEST-NET-1 (RFC 5737): nobody is there, and nobody may be asked."""


@pytest.fixture
def unreachable(monkeypatch):
    """Let every attempt to open a connection fail the test."""

    def never(*_given, **_named):
        pytest.fail("something was sent")

    monkeypatch.setattr(socket, "create_connection", never)
    monkeypatch.setattr(socket.socket, "connect", never)


@pytest.mark.parametrize("words", [("load", "smoke"), ("target", "check")])
def test_a_strangers_host_is_not_called(footfall, file, unreachable, words):
    """Without anybody's word a host that is not this machine is refused with exit code 2, before anything is sent."""
    del unreachable
    file("mine.yaml", MINE)
    more = ("--target", "mine.yaml") if words[0] == "load" else ("mine.yaml",)
    said = footfall(*words, *more, "--host", OTHER)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(
        "error: command line: 192.0.2.1 is not this machine, and nobody said that it may be loaded"
    )
    assert "--i-own-this-host" in said.err


def test_the_scenario_may_allow_it(footfall, file, monkeypatch):
    """`allowed_hosts` in the scenario is such a word; then the host is asked."""
    asked = []

    def refuse(place, *_):
        asked.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    text = "scenario: mine\ndescribe: mine\nallowed_hosts: [shop.example]\nhost: http://shop.example\n"
    said = footfall("load", file("mine.yaml", text))
    assert (said.code, asked) == (4, [("shop.example", 80)])


def test_too_fast_a_plan_is_refused(footfall, unreachable):
    """A plan above the ceiling is refused with both numbers, before anything is sent."""
    del unreachable
    said = footfall("load", "smoke", "--host", OTHER, "--i-own-this-host", "--rate", "101/s")
    assert said.code == 2
    assert "the plan reaches 101 visits a second, the ceiling is 100" in said.err
    said = footfall("load", "smoke", "--host", "http://127.0.0.1:9", "--rate", "30/s", "--max-rate", "20/s")
    assert said.code == 2
    assert "the plan reaches 30 visits a second, the ceiling is 20" in said.err


@pytest.mark.parametrize("words", [("load", "smoke"), ("target", "check")])
def test_a_password_in_a_url_is_refused(footfall, words):
    """A password that is written out is refused, not repeated, and the way to name it is shown."""
    said = footfall(*words, "--host", "http://qa:hunter2345@127.0.0.1:1")
    assert (said.code, said.out) == (2, "")
    assert "${env:SHOP_PASSWORD}" in said.err
    assert "hunter2345" not in said.err


def test_a_login_that_is_not_set_is_said(footfall, monkeypatch):
    """A login whose variable is not set is a usage error that names it."""
    monkeypatch.delenv("SHOP_LOGIN", raising=False)
    said = footfall("load", "smoke", "--host", "http://${env:SHOP_LOGIN}@127.0.0.1:1")
    assert said.code == 2
    assert "needs SHOP_LOGIN, which is not set in the environment" in said.err


@pytest.mark.parametrize("option", ["--web-ui", "--prometheus"])
def test_addresses_that_cannot_be(footfall, option):
    """A taken port, and what is no address, are usage errors before anything is sent."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = footfall("load", "smoke", "--host", "http://127.0.0.1:1", option, port)
    assert said.code == 2
    assert f"{option}: cannot listen at 127.0.0.1:{port}: address already in use" in said.err
    said = footfall("load", "smoke", "--host", "http://127.0.0.1:1", option, "here")
    assert (said.code, f"{option}: must be a port, as 8089" in said.err) == (2, True)


def test_plain_locust_asks_too(tmp_path):
    """Under plain Locust nothing is sent to a stranger either; and its web UI is this machine's alone by default."""
    code = """
import locust
from locust.argument_parser import get_parser
from locust.main import main
import simulator.worlds.live.plain
print(get_parser().parse_args(["-f", "x.py"]).web_host, flush=True)
main()
"""
    command = [sys.executable, "-c", code, "-f", str(ROOT / "locustfiles" / "shoppers.py"), "--headless"]
    command += ["--host", OTHER, "-u", "1", "-t", "20s", "--only-summary"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False, cwd=tmp_path)
    assert ended.returncode == 2, ended.stderr
    assert "192.0.2.1 is not this machine" in ended.stderr
    assert ended.stdout.splitlines()[0] == "127.0.0.1"
