"""Files that are either whole or not there: written beside their place, flushed to disk, then renamed."""

from __future__ import annotations

import hashlib
import os
import re
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


_OURS = re.compile(
    r"manifest\.json|truth\.json|job\.json|live\.log|report\.html|report\.md|junit\.xml|summary\.json"
    r"|(shoppers|visits|events|requests|latency)\.parquet"
    r"|\w+/(part-\d{5,}\.(parquet|csv|jsonl)|\.part-\d{5,}\.\w+\.partial)"
    r"|\.[\w.]+\.partial|\.(report|junit|summary)\.\w+\.\w{8}|\.write-test"
)
"""What a run may leave in its folder, whole or cut short."""


def _clear(folder: Path) -> None:
    """Remove the files of an earlier run; anything else is a reason to stop, and nothing is removed."""
    found = sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    names = [path.relative_to(folder).as_posix() for path in found]
    strange = [name for name in names if not _OURS.fullmatch(name)]
    if strange:
        raise CannotWrite(f"{folder} holds {strange[0]}, which no run wrote. Hint: choose another --out")
    for path in found:
        path.unlink()
