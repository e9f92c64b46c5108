"""Files that are either whole or not there: written beside their place, flushed to disk, then renamed."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class CannotWrite(Exception):  # noqa: N818 - reads as the message begins
    """A folder or file cannot be written; the text says which, why, and what to do."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a name beside `path` to write to; when the block ends well the file is flushed and renamed.

    Raises `CannotWrite` for a full disk or a folder without permission; then nothing stands at `path`.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise CannotWrite(f"cannot write {path}: {error.strerror or error}") from error
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def prepare_folder(folder: Path, *, overwrite: bool) -> None:
    """Make `folder` ready: create it, or with `overwrite` empty it of what a run writes.

    Raises `CannotWrite` when it holds anything and `overwrite` is not given, or when it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            if not overwrite:
                raise CannotWrite(f"{folder} is not empty. Hint: choose another --out, or give --overwrite")
            _clear(folder)
        probe = folder / ".write-test"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise CannotWrite(f"cannot write to {folder}: {error.strerror or error}") from error


_OURS = {".parquet", ".csv", ".jsonl", ".json", ".html", ".md", ".xml", ".partial"}


def _clear(folder: Path) -> None:
    """Remove the files of an earlier run; anything else is a reason to stop."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    strange = [path for path in found if path.suffix not in _OURS]
    if strange:
        raise CannotWrite(f"{folder} holds {strange[0].name}, which no run wrote. Hint: choose another --out")
    for path in found:
        path.unlink()
