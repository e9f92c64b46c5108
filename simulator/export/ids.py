"""Ids that follow from what they name: equal for equal runs, unlike for unlike ones, never a clock or a `uuid4`."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GOLDEN, _M1, _M2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
UUID_LENGTH = 36


def hashes(seed: int, kind: str, *columns: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return one 64-bit hash a row of `kind` (a name such as `event`) and integer columns.

    Each column is mixed in by SplitMix64's finaliser (Steele et al., OOPSLA 2014), a bijection of 64 bits.
    """
    mixed = np.full(len(columns[0]), np.uint64(seed) ^ (np.uint64(zlib.crc32(kind.encode())) << np.uint64(32)))
    for column in columns:
        mixed = _finalised(mixed + _GOLDEN + np.asarray(column).astype(np.uint64))
    return _finalised(mixed)


def uuids(seed: int, kind: str, *columns: NDArray[np.int64]) -> pa.Array:
    """Return one UUID a row as text, of version 8 (RFC 9562: its meaning is the maker's own)."""
    high, low = hashes(seed, kind, *columns), hashes(seed, f"{kind}.low", *columns)
    high = (high & np.uint64(0xFFFFFFFFFFFF0FFF)) | np.uint64(0x8000)
    low = (low & np.uint64(0x3FFFFFFFFFFFFFFF)) | np.uint64(0x8000000000000000)
    raw = np.stack([high, low], axis=1).astype(">u8").view(np.uint8)
    digits = np.empty((len(raw), 32), np.uint8)
    digits[:, 0::2], digits[:, 1::2] = _HEX[raw >> 4], _HEX[raw & 15]
    text = np.full((len(raw), UUID_LENGTH), ord("-"), np.uint8)
    for source, place in ((0, 0), (8, 9), (12, 14), (16, 19), (20, 24)):
        length = {0: 8, 20: 12}.get(source, 4)
        text[:, place : place + length] = digits[:, source : source + length]
    offsets = np.arange(len(raw) + 1, dtype=np.int32) * UUID_LENGTH
    return pa.StringArray.from_buffers(len(raw), pa.py_buffer(offsets), pa.py_buffer(text.tobytes()))


def _finalised(mixed: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _M1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _M2
    return mixed ^ (mixed >> np.uint64(31))
