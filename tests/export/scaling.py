"""What the tests of large data sets share: small shards, the command in a process of its own, folders compared."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from time import monotonic, sleep

from simulator.export.dataset import Job
from simulator.export.finish import finish, unmade
from simulator.export.output import Output
from simulator.scenario.load import load_scenario

SHARD = 60
SHOPPERS = 500
"""In nine shards."""

CHILD = """
import sys
from simulator.cli import main
from simulator.export import dataset
dataset.SHARD_SHOPPERS = int(sys.argv[1])
sys.argv[:] = ["footfall", *sys.argv[2:]]
main()
"""


scenario = cache(lambda shoppers: load_scenario("demo", {"shoppers": shoppers}))


def job(folder, output=None, shoppers=SHOPPERS, shard=SHARD):
    """Return the job of a small data set, by default of nine shards."""
    return Job(scenario(shoppers), folder, output or Output(), shard)


def make_some(one, numbers):
    """Make the shards of these numbers, those that are complete left out; return those that were made."""
    todo = unmade(one, numbers)
    for shard in todo:
        one(shard)
    return [shard.number for shard in todo]


def make_all(one):
    """Make a whole data set and return its manifest."""
    make_some(one, range(len(one.shards())))
    return finish(one)


def files(folder):
    """Return the content of every file of a folder by its relative name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def start(*words, shard=SHARD):
    """Start `footfall` with shards of so many shoppers in a process of its own."""
    command = [sys.executable, "-c", CHILD, str(shard), *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process):
    """Wait for a command and return (exit code, what it said on stderr)."""
    _, err = process.communicate(timeout=90)
    return process.returncode, err


def within(seconds, condition):
    """Ask until the condition holds; return what it says at last."""
    deadline = monotonic() + seconds
    while not (found := condition()) and monotonic() < deadline:
        sleep(0.005)
    return found
