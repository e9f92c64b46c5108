"""What is known of a data set in the making: its settings, and a receipt for every shard that is complete.

They lie in the folder `unfinished` of the data set's. A receipt is written after its shard's files are on disk, whole;
so what has none does not count, whatever lies there. Any number of processes, on any machines that share the disk,
write receipts without knowing of each other. When the manifest is written, which lists the same, the folder goes.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from simulator.analysis.manifest import FILE as MANIFEST
from simulator.export.output import differences
from simulator.model.faults import FileFaults, one_fault
from simulator.runfolder.files import UNFINISHED, flush_folder, sha256, whole_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    Entry = dict[str, Any]
    """One file of a table: `table`, `file` (relative), `rows`, `bytes`, `sha256`."""

DECIDING = ("footfall", "versions", "digest", "scenario", "data")
"""The fields of a manifest that decide the bytes of its data set."""


@dataclass(frozen=True)
class Receipts:
    """The receipts of the data set in `folder`; `settings` decide its bytes."""

    folder: Path
    settings: Mapping[str, Any]

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the settings, which every receipt bears."""
        return hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode()).hexdigest()

    @property
    def notes(self) -> Path:
        """The folder of the receipts."""
        return self.folder / UNFINISHED

    def begin(self) -> None:
        """Write the settings down, or check that they are those that another process wrote down.

        Raises `FileFaults` with every difference, and `CannotWrite`.
        """
        path = self.notes / "settings.json"
        if not path.exists():
            with whole_file(path) as partial:
                partial.write_text(json.dumps(self.settings, indent=2) + "\n", encoding="utf-8")
        there = _read(path)
        if there is None:
            raise one_fault(str(path), "cannot be read as settings", "", "begin again with --overwrite")
        self.compare(there, path)

    def compare(self, there: Mapping[str, Any], path: Path) -> None:
        """Raise `FileFaults` with everything in which settings read from `path` differ from these."""
        faults = differences(there, self.settings, str(path))
        if faults:
            raise FileFaults(faults)

    def write(self, shard: int, entries: Iterable[Entry]) -> None:
        """Bear witness that these files of a shard are whole. Raises `CannotWrite`.

        Not in a data set that is whole: then this is a process that was given up, and whose shard another made.
        """
        listed = list(entries)
        if (self.folder / MANIFEST).exists():
            return
        for folder in {(self.folder / entry["file"]).parent for entry in listed}:
            flush_folder(folder)
        self._note(f"shard-{shard:05d}", {"settings": self.digest, "shard": shard, "files": listed})

    def read(self, shard: int) -> list[Entry] | None:
        """Return what a shard's receipt lists, or None where there is none of these settings."""
        note = _read(self.notes / f"shard-{shard:05d}.json")
        if note is None or note.get("settings") != self.digest or note.get("shard") != shard:
            return None
        files: list[Entry] = note.get("files", [])
        return files

    def is_complete(self, shard: int) -> bool:
        """Return whether a shard has a receipt and all its files are, bit for bit, those that it lists."""
        entries = self.read(shard)
        return entries is not None and all(_is_as_listed(self.folder, entry) for entry in entries)

    def all(self, shards: int) -> list[list[Entry]] | None:
        """Return every shard's entries, or None as long as one has no receipt."""
        found = []
        for shard in range(shards):
            entries = self.read(shard)
            if entries is None:
                return None
            found.append(entries)
        return found

    def count(self, shards: int) -> int:
        """Return how many shards have a receipt; all, when the manifest is written."""
        return shards if (self.folder / MANIFEST).exists() else len(list(self.notes.glob("shard-*.json")))

    def note_table(self, entry: Entry) -> None:
        """Note the single file that a table is about to become, so that it can be told from a user's own."""
        self._note(f"table-{entry['table']}", {"tables": {entry["table"]: [{"file": entry["file"]}]}})

    def manifest(self) -> dict[str, Any] | None:
        """Return the manifest when the data set is whole already. Raises `FileFaults` when it is another one."""
        found = _read(self.folder / MANIFEST)
        if found is not None:
            self.compare(deciding(found), self.folder / MANIFEST)
        return found

    def close(self) -> None:
        """Remove the receipts, and what killed processes left of files: the manifest is written."""
        shutil.rmtree(self.notes, ignore_errors=True)
        for left in (*self.folder.glob("*/.part-*.partial"), *self.folder.glob(".*.partial")):
            left.unlink(missing_ok=True)

    def _note(self, name: str, note: Mapping[str, Any]) -> None:
        with whole_file(self.notes / f"{name}.json") as partial:
            partial.write_text(json.dumps(note) + "\n", encoding="utf-8")


def deciding(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a manifest shows; Python's version changes no byte of a table."""
    settings = {key: manifest.get(key) for key in DECIDING}
    settings["versions"] = {name: of for name, of in (manifest.get("versions") or {}).items() if name != "python"}
    return settings


def changed_files(folder: Path, manifest: Mapping[str, Any]) -> FileFaults | None:
    """Return the faults of files that are not those that a manifest lists, or None."""
    listed = [entry for entries in manifest["tables"].values() for entry in entries]
    faults = [
        fault
        for entry in listed
        if not _is_as_listed(folder, entry)
        for fault in one_fault(
            str(folder / entry["file"]), "is not the file that the manifest lists", "", "begin again with --overwrite"
        ).faults
    ]
    return FileFaults(faults) if faults else None


def _is_as_listed(folder: Path, entry: Mapping[str, Any]) -> bool:
    """Return whether a file has its size and digest. Hashing takes a hundredth of the time of making it again."""
    path = folder / str(entry["file"])
    try:
        whole = path.stat().st_size == entry["bytes"] if "bytes" in entry else True
        return whole and sha256(path) == str(entry["sha256"])
    except OSError:
        return False


def _read(path: Path) -> dict[str, Any] | None:
    """Return a note, or None when it is not there or not whole."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
