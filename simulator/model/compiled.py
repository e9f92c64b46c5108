"""The one way this project compiles Python with numba.

numba's on-disk cache looks only at the file of the outermost function, so a changed callee in another file would go
unnoticed. Our cache folder is named by the digest of every source that holds compiled code, so it can never be stale,
and it lies in the user's cache, because site-packages may be read-only.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")

_COMPILED_FOLDERS = ("model", "journey", "page", "worlds")


def _cache_folder() -> Path:
    package = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256(numba.__version__.encode())
    for folder in _COMPILED_FOLDERS:
        for source in sorted((package / folder).glob("*.py")):
            digest.update(source.read_bytes())
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    cache = root / "footfall" / digest.hexdigest()[:16]
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.gettempdir()) / f"footfall-{os.getuid()}-{digest.hexdigest()[:16]}"
    return cache


if not os.environ.get("NUMBA_CACHE_DIR"):
    numba.config.CACHE_DIR = str(_cache_folder())  # type: ignore[attr-defined] # numba makes it when it is imported


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a scalar function; with `NUMBA_DISABLE_JIT=1` it stays plain Python."""
    return cast("Callable[P, R]", numba.njit(cache=True, error_model="numpy")(function))


class Row(np.record):  # type: ignore[misc] # numpy's stubs call it final; numpy itself does not
    """One element of a structured array, whose fields are attributes in plain Python as they are in compiled code.

    numpy's own record gives its scalar's attributes first, so that a field called `flags` or `device` could be set but
    not read. Numbers come as Python's, because compiled code calculates with 64 bits where numpy keeps to the field's.
    """

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401 - fields hold anything
        """Return the field `name` as a Python number, an array or a row; else what numpy calls so."""
        fields = np.void.__getattribute__(self, "dtype").fields
        if fields is None or name not in fields:
            return np.record.__getattribute__(self, name)
        value = self.getfield(*fields[name][:2])
        return value.item() if isinstance(value, np.number) else value


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a small function into each of its callers: a call costs as much as a draw does."""
    return cast("Callable[P, R]", numba.njit(cache=True, error_model="numpy", forceinline=True)(function))


def record_dtype(fields: list[tuple[Any, ...]]) -> np.dtype[Any]:
    """Return a structured dtype whose elements have attributes, compiled or not."""
    return np.dtype((Row, fields))
