"""Content codings: what phones accept, decoded within a bound."""

from __future__ import annotations

import zlib
from io import BytesIO

import brotli
import zstandard

from simulator.target.redaction import redacted
from simulator.worlds.live.transport.faults import TOO_LARGE

MOST_BYTES = 32 * 1024 * 1024
"""The largest body that is read, before and after decoding: far above any page of a shop, far below this machine."""
_WBITS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
_RAW = -zlib.MAX_WBITS
"""Deflate without its wrapper, which some servers send under that name and every browser reads."""


def decoded(body: bytes, encoding: str, most_bytes: int = MOST_BYTES) -> tuple[bytes, str]:
    """Return (content, error) of a body by its Content-Encoding; codings may be several, the last applied first."""
    if not body or not encoding:
        return body, ""
    for coding in reversed(encoding.split(",")):
        name = coding.strip().lower()
        if not name or name == "identity":
            continue
        try:
            body = _decode(body, name, most_bytes)
        except (zlib.error, brotli.error, zstandard.ZstdError, EOFError, KeyError):
            # Before it is cut: half of a secret would not be recognised later.
            return b"", redacted(f"bad {name}")[:40]
        if len(body) > most_bytes:
            return b"", TOO_LARGE
    return body, ""


def _decode(body: bytes, coding: str, most_bytes: int) -> bytes:
    """Return the content, or its first `most_bytes` + 1 bytes: a small body may stand for gigabytes."""
    if coding == "br":
        return _unbrotli(body, most_bytes)
    if coding == "zstd":
        with zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(BytesIO(body)) as reader:
            content = reader.read(most_bytes + 1)
        if not content:
            raise EOFError
        return content
    wbits = _WBITS[coding]
    if coding == "deflate" and (body[0] & 15 != zlib.DEFLATED or int.from_bytes(body[:2], "big") % 31):
        wbits = _RAW
    inflater = zlib.decompressobj(wbits)
    content = inflater.decompress(body, most_bytes + 1)
    if not inflater.eof and len(content) <= most_bytes:
        raise EOFError
    return content


def _unbrotli(body: bytes, most_bytes: int) -> bytes:
    inflater = brotli.Decompressor()
    parts, size = [inflater.process(body, output_buffer_limit=most_bytes + 1)], 0
    while not inflater.is_finished():
        size += len(parts[-1])
        if size > most_bytes:
            break
        if not parts[-1]:
            raise EOFError
        parts.append(inflater.process(b"", output_buffer_limit=most_bytes + 1 - size))
    return b"".join(parts)
