"""Files that are either whole or not there: written beside their place, flushed to disk, then renamed."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import zlib
from contextlib import contextmanager, suppress
from threading import get_ident
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNFINISHED = "unfinished"
"""The folder inside a data set's that lists its complete shards; it is gone when the data set is whole."""


class CannotWrite(Exception):  # noqa: N818 - reads as the message begins
    """A folder or file cannot be written; the text says which, why, and what to do."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a name beside `path` to write to; when the block ends well the file is flushed and renamed.

    Raises `CannotWrite` for a full disk or a folder without permission; then nothing stands at `path`.
    """
    partial = path.with_name(f".{path.name}.{_writer()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):  # where a folder of its path is a file, there is nothing to remove
            partial.unlink(missing_ok=True)
        raise CannotWrite(f"cannot write {path}: {error.strerror or error}") from error
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _writer() -> str:
    """Return what tells this writer from those elsewhere: on a shared disk two may write the same file."""
    return f"{zlib.crc32(f'{platform.node()} {os.getpid()} {get_ident()}'.encode()):08x}"


def flush_folder(folder: Path) -> None:
    """Bring the names of a folder to disk, so that what was renamed in it is found after a power cut.

    Raises `CannotWrite`.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise CannotWrite(f"cannot write {folder}: {error.strerror or error}") from error


def sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def prepare_folder(folder: Path, *, overwrite: bool, join: bool = False) -> None:
    """Make `folder` ready: create it, or with `overwrite` empty it of what a run writes.

    `join` takes it as it is: others may be writing to it, or it was left unfinished. Raises `CannotWrite` when it holds
    anything and neither is given, when it holds what no run wrote, or when it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if join:
            _refuse_strange(folder)
        elif any(folder.iterdir()):
            if not overwrite:
                way = "--resume to finish it, or --overwrite" if (folder / UNFINISHED).is_dir() else "--overwrite"
                raise CannotWrite(f"{folder} is not empty. Hint: choose another --out, or give {way}")
            _clear(folder)
        probe = folder / f".write-test.{_writer()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise CannotWrite(f"cannot write to {folder}: {error.strerror or error}") from error


_DATA = r"(parquet|(csv|jsonl)(\.gz|\.zst)?)"
_PROBE = re.compile(r"probe-\d\d+/")
_OURS = re.compile(
    r"manifest\.json|truth\.json|job\.json|live\.log|report\.html|report\.md|junit\.xml|summary\.json|search\.json"
    r"|timeline\.csv|requests[\w-]*\.jsonl|har/\d+-\d+\.har"
    r"|(shoppers|visits|events|requests|latency|lost)\.parquet|\.search\.\w+\.\w{8}"
    rf"|({UNFINISHED}/parts/)?\w+/(part-\d{{5,}}\.{_DATA}|\.part-\d{{5,}}\.[\w.]+\.partial)"
    rf"|{UNFINISHED}/(settings|shard-\d{{5,}}|table-\w+)\.json|{UNFINISHED}/\.[\w.-]+\.partial"
    r"|(har/)?\.[\w.-]+\.partial|\.(report|junit|summary)\.\w+\.\w{8}|\.write-test(\.\w+)?"
)
"""What a run may leave in its folder, whole or cut short."""
_TABLE = re.compile(rf"\w+\.{_DATA}")


def _clear(folder: Path) -> None:
    """Remove the files of an earlier run; anything else is a reason to stop, and nothing is removed."""
    for path in _refuse_strange(folder):
        path.unlink()
    if (folder / UNFINISHED).is_dir():
        shutil.rmtree(folder / UNFINISHED)
    for probe in folder.iterdir():
        if _PROBE.fullmatch(f"{probe.name}/"):
            shutil.rmtree(probe)


def _refuse_strange(folder: Path) -> list[Path]:
    """Return the files of a folder. Raises `CannotWrite` when one of them is not a run's."""
    found = sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    names = [path.relative_to(folder).as_posix() for path in found]
    listed = _listed(folder)
    strange = [name for name in names if name not in listed and not _OURS.fullmatch(_within_probe(name))]
    if strange:
        raise CannotWrite(f"{folder} holds {strange[0]}, which no run wrote. Hint: choose another --out")
    return found


def _within_probe(name: str) -> str:
    """Return a file's name within the run that it is of: a search has one in a folder of its own for each probe."""
    return _PROBE.sub("", name, count=1) if _PROBE.match(name) else name


def _listed(folder: Path) -> set[str]:
    """Return the files that the folder's manifest, or the note of a table just put together, says a run wrote.

    They are tables as one file, whose names no pattern tells from a user's own.
    """
    names: set[str] = set()
    for note in (folder / "manifest.json", *folder.glob(f"{UNFINISHED}/table-*.json")):
        try:
            tables = json.loads(note.read_text(encoding="utf-8"))["tables"]
            names |= {str(entry["file"]) for entries in tables.values() for entry in entries}
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            continue
    return {name for name in names if _TABLE.fullmatch(name)}
