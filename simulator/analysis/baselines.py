"""Saved runs to compare with: a folder of baselines, each a folder of numbered runs, oldest first.

A saved run is a run folder with the columns that figures need and nothing else, so everything that reads runs reads it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.analysis.manifest import FILE, read_manifest
from simulator.analysis.runs import read_run
from simulator.analysis.settings import differences
from simulator.model.faults import one_fault, suggestion

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.analysis.manifest import Manifest
    from simulator.analysis.runs import Run

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_RUN = re.compile(r"\d{4,}")
MOST_TOLD = 5
"""Differing settings that one sentence lists."""


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of baselines; it need not exist."""

    folder: Path

    def names(self) -> list[str]:
        """Return the names of the baselines that hold a run."""
        found = self.folder.iterdir() if self.folder.is_dir() else ()
        return sorted(path.name for path in found if NAME.fullmatch(path.name) and self.saved(path.name))

    def saved(self, name: str) -> list[Path]:
        """Return the folders of a baseline's runs, oldest first; none when there is no such baseline."""
        folder = self.folder / checked(name)
        found = folder.iterdir() if folder.is_dir() else ()
        return sorted(path for path in found if _RUN.fullmatch(path.name) and (path / FILE).is_file())

    def runs(self, name: str) -> list[Run]:
        """Return a baseline's runs. Raises `FileFaults` when there are none or one is not whole."""
        paths = self.saved(name)
        if not paths:
            raise one_fault(str(self.folder), f"has no baseline {name}", self._there_are(), self._hint(name))
        return [read_run(path) for path in paths]

    def reason_against(self, run: Manifest, name: str) -> str:
        """Return why a run cannot be compared with a baseline, or nothing; reads manifests alone."""
        paths = self.saved(name)
        if not paths:
            return f"there is no baseline {name} in {self.folder}: footfall baseline save RUN --name {name}"
        told = list(dict.fromkeys(line for path in paths for line in differences(run, read_manifest(path))))
        more = f" and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
        return f"baseline {name} had other settings: {'; '.join(told[:MOST_TOLD])}{more}" if told else ""

    def _there_are(self) -> str:
        names = self.names()
        return f"there are {', '.join(names)}" if names else "there is none yet"

    def _hint(self, name: str) -> str:
        return suggestion(name, self.names()) or f"footfall baseline save RUN --name {name}"


def checked(name: str) -> str:
    """Return a baseline's name. Raises `FileFaults` when it could not be a folder's."""
    if not NAME.fullmatch(name):
        allowed = "letters, digits, dots, dashes and underscores, 64 at most"
        raise one_fault(f"baseline {name}", "is no name", allowed)
    return name
