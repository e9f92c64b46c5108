"""The documentation as tests see it: pages and their fenced blocks.

A `console` block is run as it stands; an `sh` block is checked without running it. A `yaml` or `python` block whose
first line is `# name.yaml` or `# name.py` is a file that the page asks its reader to save.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from simulator.cli import cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "CHANGELOG.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([\w-]+\.(?:yaml|py))\n")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page; `line` is where it begins."""

    page: str
    line: int
    language: str
    text: str

    @property
    def name(self):
        """The name under which the reader saves it, or nothing."""
        match = _FILE.match(self.text)
        return match[1] if match else ""


def blocks(page):
    """Return the fenced blocks of a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [Block(page, text[: m.start()].count("\n") + 1, m[1], m[2]) for m in _FENCE.finditer(text)]


def files(page):
    """Return the blocks of a page that its reader saves, by name."""
    return {block.name: block for block in blocks(page) if block.name}


ALL = [block for page in PAGES for block in blocks(page)]
_CHOICES = {
    "page": PAGES,
    "console": [block for block in ALL if block.language == "console"],
    "sh": [block for block in ALL if block.language == "sh"],
    "yaml_file": [block for block in ALL if block.name.endswith(".yaml")],
}


def pytest_generate_tests(metafunc):
    """Run a test once for each page, or for each block of the kind that it asks for."""
    for name in metafunc.fixturenames:
        if name in _CHOICES:
            found = _CHOICES[name]
            ids = [one if isinstance(one, str) else f"{one.page}:{one.line}" for one in found]
            metafunc.parametrize(name, found, ids=ids)


@pytest.fixture(scope="session")
def root():
    """Return the checkout's folder."""
    return ROOT


@pytest.fixture(scope="session")
def text():
    """Return a function that reads a page."""
    return lambda page: (ROOT / page).read_text(encoding="utf-8")


@pytest.fixture
def reader(tmp_path):
    """Return a function that makes a folder with the files that a page asks its reader to save, and returns it."""

    def saved(page):
        for name, block in files(page).items():
            (tmp_path / name).write_text(block.text, encoding="utf-8")
        return tmp_path

    return saved


@pytest.fixture(scope="session")
def assert_parses():
    """Return a function that lets the command line read the arguments of a `footfall …`; nothing is run.

    A name that is no command's is refused, but where a group takes it for an argument, as `footfall speed` does.
    """

    def parsed(arguments):
        command, context, left = cli, click.Context(cli), list(arguments)
        while isinstance(command, click.Group):
            name, command, left = command.resolve_command(context, left)
            assert command is not None, name
        command.make_context("footfall", left, parent=context)

    return parsed
