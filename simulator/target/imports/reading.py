"""Reading what is imported: JSON or YAML, from a file or a URL; bounded in size and time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import orjson
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from simulator.model.faults import FileFaults, one_fault
from simulator.model.yamlfile import shown_name

if TYPE_CHECKING:
    from simulator.target.fields import Json

LARGEST_BYTES = 64 * 2**20
FETCH_S = 20.0


def read_document(source: str) -> tuple[str, Json]:
    """Return (name for messages, parsed document) of a path or an http(s) URL. Raises `FileFaults`."""
    if urlsplit(source).scheme in {"http", "https"}:
        return source, _parsed(source, _fetched(source))
    path = Path(source)
    name = shown_name(path)
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise one_fault(name, "is too large", f"{LARGEST_BYTES // 2**20} MB at most are read")
        return name, _parsed(name, path.read_bytes())
    except FileNotFoundError:
        raise one_fault(name, "does not exist", "a file or a URL is needed", "check the name and the folder") from None
    except OSError as error:
        raise one_fault(name, f"cannot be read ({error})", "a file or a URL is needed") from None


def _fetched(url: str) -> bytes:
    try:
        with httpx.stream("GET", url, timeout=FETCH_S, follow_redirects=True) as response:
            if response.status_code != httpx.codes.OK:
                raise one_fault(url, f"answers {response.status_code}", "a description is needed")
            body = b""
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LARGEST_BYTES:
                    raise one_fault(url, "is too large", f"{LARGEST_BYTES // 2**20} MB at most are read")
            return body
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise one_fault(url, f"cannot be fetched ({error})", "a description is needed") from None


def _parsed(name: str, text: bytes) -> Json:
    try:
        return orjson.loads(text.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        problem = str(error)
    if text.lstrip()[:1] in {b"{", b"["}:
        raise one_fault(name, f"is not valid JSON: {problem}", "a JSON or YAML document is needed")
    try:
        # `base` would read every value as text; dates, which `safe` makes objects of, are the only ones that matter.
        return _plain(YAML(typ="safe", pure=True).load(text.decode("utf-8")))
    except (YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise one_fault(name, f"is neither JSON nor YAML: {str(error).splitlines()[0]}", "") from None


def _plain(node: Json, depth: int = 0) -> Json:
    """Return a document of JSON's own types: dates and the like become text, keys text."""
    if depth > 200:
        raise ValueError("is nested too deeply")
    if isinstance(node, dict):
        return {str(key): _plain(value, depth + 1) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value, depth + 1) for value in node]
    return node if isinstance(node, str | int | float | bool) or node is None else str(node)


__all__ = ["FileFaults", "read_document"]
