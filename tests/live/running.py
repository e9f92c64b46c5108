"""Running the command as a user does, in a process of its own; shared with the tests of the command line."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

import psutil

LONGEST_S = 100
COMMAND = (sys.executable, "-m", "simulator.cli")


class Ended(NamedTuple):
    """What a command came to, and how long it took."""

    code: int
    out: str
    err: str
    pid: int
    took_s: float


def start(*arguments, **how):
    """Start `footfall` with these arguments; the caller waits for it."""
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how
    )


def finish(process):
    """Wait for a command, for `LONGEST_S` at most."""
    begun = monotonic()
    try:
        out, err = process.communicate(timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Ended(process.returncode, out, err, process.pid, monotonic() - begun)


def footfall(*arguments, **how):
    """Run `footfall` to its end."""
    return finish(start(*arguments, **how))


def within(seconds, condition):
    """Ask until the condition holds; return what it says, or what it said last when the time is over."""
    deadline = monotonic() + seconds
    while not (found := condition()) and monotonic() < deadline:
        sleep(0.02)
    return found


def left_of(pid, folder):
    """Return the processes that a command of this id, or a run into this folder, has left behind."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "status"]):
        words = process.info["cmdline"] or []
        live = "simulator.worlds.live" in words and str(folder) in words
        shop = "simulator.storefront" in words and f"--parent {pid}" in " ".join(words)
        if (live or shop) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process.info["pid"])
    return found


def children_of(pid, word):
    """Return the command's descendants whose command line holds a word."""
    try:
        found = psutil.Process(pid).children(recursive=True)
        return [child.pid for child in found if any(word in part for part in child.cmdline())]
    except psutil.NoSuchProcess:
        return []


def is_calling(pids):
    """Return whether one of these processes has a connection to somebody."""
    try:
        return any(
            one.status == psutil.CONN_ESTABLISHED for pid in pids for one in psutil.Process(pid).net_connections()
        )
    except psutil.NoSuchProcess:
        return False


@contextmanager
def _alone(path):
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def once(factory, name, make):
    """Make `name` in a folder that all of pytest's workers share, in whichever asks first; return (folder, value).

    `make` gets the folder and returns plain values.
    """
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder, note = root / name, root / f"{name}.json"
    with _alone(root / f"{name}.lock"):
        if not note.exists():
            value = make(folder)
            note.write_text(json.dumps(value))
    return folder, json.loads(note.read_text())


def run_once(factory, name, *arguments):
    """Run `footfall … --out <folder>` once for all workers; return (folder, Ended)."""
    folder, value = once(factory, name, lambda folder: footfall(*arguments, "--out", folder))
    return Path(folder), Ended(*value)
