"""Faults of files: collected, never raised one by one, each with its place, what was found, what is allowed, a hint."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

KeyPath = tuple[str | int, ...]
"""Where in a file something stands: keys of maps and places in lists, from the top."""
Problem = tuple[KeyPath, str, str, str]
"""(path, found, allowed, hint) of one thing wrong, before it has a file and a line."""


COMMAND_LINE = "command line"
"""Where the faults of what was typed are said to be."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in one file.

    `line` counts from 1; 0 means that the fault belongs to the file as a whole. `path` is dotted, as `journey.cart`.
    """

    file: str
    line: int
    path: str
    found: str
    allowed: str
    hint: str = ""

    def __str__(self) -> str:
        """`file:line: path found, allowed. Hint: …`, one line."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        sentence = " ".join(part for part in (self.path, self.found) if part)
        text = f"{place}: {sentence}, {self.allowed}" if self.allowed else f"{place}: {sentence}"
        return f"{text}. Hint: {self.hint}" if self.hint else text

    def is_of_file(self, name: str) -> bool:
        """Return whether the file `name` as a whole is at fault: it does not exist, or cannot be read."""
        return self.file == name and not self.line and not self.path


class FileFaults(Exception):  # noqa: N818 - the name says what it carries: all faults at once
    """All faults of all files read; the command line prints each and exits with 2."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(faults, key=lambda fault: (fault.file, fault.line, fault.path))
        super().__init__("\n".join(map(str, self.faults)))


def one_fault(file: str, found: str, allowed: str = "", hint: str = "") -> FileFaults:
    """Return a `FileFaults` for a fault of the file as a whole."""
    return FileFaults([Fault(file, 0, "", found, allowed, hint)])


def all_or_faults(*loads: Callable[[], Any]) -> list[Any]:
    """Return what each of `loads` returns. Raises `FileFaults` with the faults of all of them together."""
    loaded, faults = [], []
    for load in loads:
        try:
            loaded.append(load())
        except FileFaults as error:
            faults += error.faults
    if faults:
        raise FileFaults(dict.fromkeys(faults))
    return loaded


def suggestion(word: str, choices: Iterable[str]) -> str:
    """Return `did you mean X?` for the nearest of `choices`, or nothing when none is near."""
    near = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else ""
