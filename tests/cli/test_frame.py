"""The frame of the command line: help, options, exit codes, and what is imported before a command runs."""

from __future__ import annotations

import os
import subprocess
import sys
from time import perf_counter

import pytest

from simulator import __version__
from simulator.cli import COMMANDS

HEAVY = [
    "numpy",
    "numba",
    "locust",
    "gevent",
    "pydantic",
    "rich",
    "pyarrow",
    "scipy",
    "simpy",
    "httpx",
    "starlette",
    "uvicorn",
    "faker",
    "ruamel.yaml",
]
SUBCOMMANDS = (("persona", "list"), ("persona", "show"), ("persona", "check"), ("target", "check"))
HELP_S = 0.4


def test_help_is_quick():
    """`footfall --help` answers in under 0.4 s, the best of five on a machine that others use too."""
    command = [sys.executable, "-m", "simulator.cli", "--help"]
    took = []
    for _ in range(5):
        begun = perf_counter()
        subprocess.run(command, check=True, capture_output=True, timeout=30)
        took.append(perf_counter() - begun)
    assert min(took) < HELP_S


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)], ids=" ".join
)
def test_help_imports_nothing_heavy(arguments):
    """Neither help nor the version, of all commands or of one, imports a library that takes time."""
    script = (
        "import sys, runpy; sys.argv[0] = 'footfall'\n"
        "try: runpy.run_module('simulator.cli', run_name='__main__', alter_sys=False)\n"
        f"except SystemExit as ended: print(ended.code, sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, *arguments], check=True, capture_output=True, text=True, timeout=30
    )
    assert ended.stderr.splitlines()[-1] == "0 []"


@pytest.mark.parametrize("words", [(name,) for name in COMMANDS] + list(SUBCOMMANDS), ids=" ".join)
def test_every_command_explains_itself(footfall, words):
    """Each command's help says how it is used and what it does, on stdout, with exit code 0."""
    said = footfall(*words, "--help")
    assert said.code == 0
    assert said.out.startswith(f"Usage: footfall {' '.join(words)} ")
    assert said.err == ""
    assert len(said.out.splitlines()) > 5


def test_help_lists_every_command_with_a_sentence(footfall):
    """The first help names all commands in the order in which people meet them, each with what it does."""
    lines = footfall("--help").out.partition("Commands:\n")[2].splitlines()
    listed = [line.split(maxsplit=1) for line in lines if line.startswith("  ")][: len(COMMANDS)]
    assert [name for name, _ in listed] == list(COMMANDS)
    assert all(sentence.endswith(".") for _, sentence in listed)


def test_help_explains_the_exit_codes(footfall):
    """Every exit code stands in the help, as text and not as markup."""
    text = " ".join(footfall("--help").out.split())
    for words in ("0 passed", "1 thresholds", "2 usage", "3 run invalid", "4 target unreachable", "130 interrupted"):
        assert words in text
    assert "\\b" not in text


def test_a_short_h_is_help(footfall):
    """`-h` is `--help`."""
    assert footfall("-h") == footfall("--help")
    assert footfall("generate", "-h") == footfall("generate", "--help")


def test_the_version_is_data(footfall):
    """`--version` prints name and version to stdout."""
    assert footfall("--version") == (0, f"footfall, version {__version__}\n", "")


def test_no_command_is_a_question_for_help(footfall):
    """Without a command the help is shown, as a usage error."""
    said = footfall()
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("Usage: footfall [OPTIONS] COMMAND")


WRONG = {
    "an unknown command": (["genrate"], "Error: No such command 'genrate'."),
    "an unknown option, with the nearest": (
        ["generate", "--fromat", "csv"],
        "Error: No such option '--fromat'. (Did you mean one of: '--format', '--out'?)",
    ),
    "an option without its value": (["generate", "--seed"], "Error: Option '--seed' requires an argument."),
    "a format there is not": (
        ["generate", "--format", "xml"],
        "Error: Invalid value for '--format': 'xml' is not one of 'parquet', 'csv', 'jsonl'.",
    ),
    "a seed that is no number": (
        ["generate", "--seed", "x"],
        "Error: Invalid value for '--seed': 'x' is not a valid integer range.",
    ),
    "a negative seed": (
        ["demo", "--seed", "-1"],
        "Error: Invalid value for '--seed': -1 is not in the range 0<=x<=9223372036854775807.",
    ),
    "no shoppers": (
        ["generate", "--shoppers", "0"],
        "Error: Invalid value for '--shoppers': 0 is not in the range 1<=x<=1099511627776.",
    ),
    "no workers": (
        ["generate", "--workers", "0"],
        "Error: Invalid value for '--workers': 0 is not in the range 1<=x<=256.",
    ),
    "a port there is not": (
        ["storefront", "--port", "70000"],
        "Error: Invalid value for '--port': 70000 is not in the range 0<=x<=65535.",
    ),
    "a factor of zero": (
        ["capacity", "--backend", "small_shop", "--times", "0"],
        "Error: Invalid value for '--times': 0.0 is not in the range x>0.",
    ),
    "a capacity run without a backend": (["capacity"], "Error: Missing option '--backend'."),
    "a report of nothing": (["report"], "Error: Missing argument 'RUN'."),
    "an argument too many": (["report", "a", "b"], "Error: Got unexpected extra argument (b)"),
    "an unknown command of a command": (["persona", "lst"], "Error: No such command 'lst'."),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_usage_is_exit_code_2(footfall, what, tmp_path, monkeypatch):
    """A usage error is said on stderr with what would be right; exit code 2, nothing on stdout, nothing written."""
    monkeypatch.chdir(tmp_path)
    arguments, text = WRONG[what]
    said = footfall(*arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.splitlines()[-1].startswith(text.rstrip("."))
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_leaves_is_no_accident():
    """When the reader of our output goes away, the command ends without a word, and not as if it had failed."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as broken:
        ended = subprocess.run(
            [sys.executable, "-m", "simulator.cli", "--help"],
            stdout=broken,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (0, "")
