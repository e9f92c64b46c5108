"""What importing does: no module but Locust's own may patch the sockets of the process that imports it."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import simulator

ON_LOCUST = {
    f"simulator.worlds.live.{name}"
    for name in ("users", "plain", "play", "schedule", "lead", "worker", "views.shared", "__main__")
}
ENTRIES = {"simulator.cli.__main__", "simulator.storefront.__main__"}
"""Modules that run something when they are imported."""
LOWER = ("simulator.model", "simulator.journey", "simulator.page", "simulator.analysis")
OUTER = ("locust", "gevent", "httpx", "click", "rich", "starlette", "uvicorn")

SCRIPT = """
import importlib, json, socket, ssl, sys, threading, time
before = [socket.socket, socket.create_connection, ssl.SSLSocket, threading.Thread, time.sleep]
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
after = [socket.socket, socket.create_connection, ssl.SSLSocket, threading.Thread, time.sleep]
names = [name for name in sys.modules if "." not in name]
print(json.dumps({"same": before == after, "modules": names, "class": socket.socket.__module__}))
"""


def modules():
    """Return the names of all modules of the package."""
    return sorted(module.name for module in pkgutil.walk_packages(simulator.__path__, "simulator."))


def imported(names):
    """Import modules in a process of their own and return what it found there."""
    command = [sys.executable, "-W", "error", "-c", SCRIPT, json.dumps(names)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(ended.stdout)


def test_every_module_is_found():
    """The list of modules that the next tests import is that of the files."""
    root = Path(simulator.__file__).parent
    files = {path.relative_to(root.parent).with_suffix("") for path in root.rglob("*.py")}
    expected = {".".join(path.parts).removesuffix(".__init__") for path in files} - {"simulator"}
    assert set(modules()) == expected
    assert expected > ON_LOCUST | ENTRIES


def test_importing_everything_but_locusts_modules_patches_nothing():
    """All modules but those on Locust can be imported in one process: sockets, threads, sleep stay as they are."""
    found = imported([name for name in modules() if name not in ON_LOCUST | ENTRIES])
    assert found["same"]
    assert found["class"] == "socket"
    assert "locust" not in found["modules"]


def test_what_lies_below_knows_no_network_and_no_console():
    """Model, journey, page and analysis import nothing that talks to a network, a terminal or a browser."""
    found = imported([name for name in modules() if name.startswith(LOWER)])
    assert not set(OUTER) & set(found["modules"])


def test_locusts_modules_do_patch():
    """The promise above is needed: importing the users' module patches the sockets of its process."""
    found = imported(["simulator.worlds.live.users"])
    assert not found["same"]
    assert found["class"] == "gevent._socket3"


def test_starting_the_live_world_imports_no_locust():
    """The command line follows a live run through `launch`, which knows neither Locust nor gevent."""
    found = imported(["simulator.worlds.live.launch", "simulator.cli.load", "simulator.cli.demo", "simulator.cli.live"])
    assert not {"locust", "gevent"} & set(found["modules"])
