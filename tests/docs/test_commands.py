"""Every command that the documentation shows is run, or at least exists.

A line of output below a command must be printed, in order; `…` stands for anything. A command that ends in `&` stays on
until its block is over; its first line of output says that it is ready.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest

PROMPT = "$ "
STOP_S = 10


@pytest.fixture
def environment():
    """Return the environment of somebody who has activated this one, in a window of 110 columns."""
    beside = str(Path(sys.executable).parent)
    return os.environ | {"PATH": os.pathsep.join([beside, os.environ["PATH"]]), "COLUMNS": "110"}


@pytest.mark.timeout(180)
def test_block_runs_as_it_stands(console, reader, environment, text):
    """In a folder with nothing but the page's files, every command ends well and prints what the page shows."""
    folder = reader(console.page)
    with ExitStack() as running:
        for command, shown in commands(console.text):
            if command.endswith("&"):
                said = running.enter_context(started(command, folder, environment))
            else:
                said = finished(command, folder, environment)
            assert_shows(said, shown, command)
    assert_explained(folder, text("docs/tables.md") + text("docs/data.md"))


def commands(block):
    """Return the (command, lines shown) pairs of a console block."""
    found = []
    for line in block.splitlines():
        if line.startswith(PROMPT):
            found.append((line.removeprefix(PROMPT), []))
        else:
            found[-1][1].append(line)
    return found


def finished(command, folder, environment):
    """Run a command to its end; return what it printed, messages included."""
    done = subprocess.run(
        ["bash", "-c", command],
        check=False,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


@contextmanager
def started(command, folder, environment):
    """Start a command, yield its first line of output, and end it."""
    line = f"exec {command.removesuffix('&')}"
    with subprocess.Popen(
        ["bash", "-c", line], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield process.stdout.readline()
        finally:
            process.terminate()
            process.wait(STOP_S)


def assert_shows(said, shown, command):
    """Every line shown must be found in what was said, after the one before it, however lines were wrapped."""
    rest = " ".join(said.split())
    for line in shown:
        pattern = r".*?".join(re.escape(part) for part in " ".join(line.split()).split("…"))
        match = re.search(pattern, rest)
        assert match, f"{command} does not print {line!r} but:\n{said}"
        rest = rest[match.end() :]


def assert_explained(folder, tables):
    """Every key of a manifest and every column of a table that a run left stands on the pages of tables or of data."""
    named = set(re.findall(r"`(\w+)`", tables))
    for path in folder.rglob("manifest.json"):
        manifest = json.loads(path.read_text())
        keys = {*manifest, *(manifest["generator"] or {}), *(manifest["backend"] or {})}
        assert keys <= named, path
    for path in folder.rglob("*.parquet"):
        assert set(pq.read_schema(path).names) <= named, path


def test_block_that_is_not_run_names_what_exists(sh, root, assert_parses):
    """Targets of make, commands, their options and the files that they name exist."""
    lines = [shlex.split(line, comments=True) for line in sh.text.splitlines()]
    for name, *arguments in (line for line in lines if line):
        known = {
            "make": lambda words: assert_targets(words, root),
            "footfall": assert_parses,
            "locust": lambda words: assert_locustfile(words, root),
            "pip": lambda words: words == ["install", "."],
            "python3": lambda words: words[:2] == ["-m", "venv"],
        }
        assert Path(name).name in known, name
        assert known[Path(name).name](arguments) is not False, (name, arguments)


def assert_targets(targets, root):
    """Look for a rule of every target of make."""
    rules = re.findall(r"^(\w+):", (root / "Makefile").read_text(), re.MULTILINE)
    assert set(targets) <= set(rules)


def assert_locustfile(arguments, root):
    """Look for the locustfile that is named."""
    assert (root / arguments[arguments.index("-f") + 1]).is_file()


def test_mentioned_targets_of_make_exist(page, text, root):
    """Whatever a page calls `make x` is a target."""
    assert_targets(re.findall(r"`make (\w+)`", text(page)), root)
