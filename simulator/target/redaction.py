"""What this process must not say: the secrets that it has read, in every spelling in which they may come back.

A target that is sent a secret may return it: percent-encoded, as JSON, as HTML, in base64. `redacted` puts the
reference in its place. Who writes anything that a target may have had a hand in goes through it.
"""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHORTEST_FRAGMENT = 8
"""Parts of a secret, such as one line of a key, or what it looks like inside longer base64, have as many at least."""
HEADER_SAFE = " !\"#$&'()*+,/:;<=>?@[]^`{|}"
"""What stands in a header as it is, where the rest is percent-encoded."""
SHOWN = "(secret)"


class _Known:
    """What this process must not say: each spelling, as written and in lower case, and what is shown in its place.

    Case is no hiding place: names of errors are made of lower case, and others shout.
    """

    def __init__(self) -> None:
        self.shown: dict[str, str] = {}
        self.text: re.Pattern[str] | None = None
        self.data: re.Pattern[bytes] | None = None

    def add(self, spellings: Iterable[str], shown: str) -> None:
        for spelling in spellings:
            self.shown.setdefault(spelling, shown)
            self.shown.setdefault(spelling.lower(), shown)
        # The longest first: a part of a secret must not be taken out of the whole.
        found = sorted(self.shown, key=len, reverse=True)
        self.text = re.compile("|".join(map(re.escape, found)), re.IGNORECASE)
        self.data = re.compile(b"|".join(re.escape(one.encode()) for one in found), re.IGNORECASE)

    def instead(self, spelling: str) -> str:
        """Return what is shown; of letters with two small forms the pattern knows more than the dictionary."""
        return self.shown.get(spelling) or self.shown.get(spelling.lower(), SHOWN)


_known = _Known()


def hide(value: str, shown: str) -> None:
    """Let nothing that goes through `redacted` hold `value`, in any of its spellings; `shown` stands there instead."""
    if value not in _known.shown:
        _known.add(spellings(value), shown)


def forget() -> None:
    """Forget every secret; for tests."""
    _known.__init__()  # type: ignore[misc] # the one object that everybody holds is emptied


def any_known() -> bool:
    """Return whether this process has read a secret at all."""
    return bool(_known.shown)


def redacted(text: str) -> str:
    """Return a text without the secrets that this process has read."""
    pattern = _known.text
    return pattern.sub(lambda found: _known.instead(found[0]), text) if pattern else text


def redacted_bytes(data: bytes) -> bytes:
    """Return bytes without the secrets that this process has read."""
    pattern = _known.data
    return pattern.sub(lambda found: _known.instead(found[0].decode()).encode(), data) if pattern else data


def redacted_tree(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value with every text in it redacted, names of members too."""
    return _tree(value) if _known.text else value


def _tree(value: object) -> object:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, Mapping):
        return {_tree(key): _tree(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_tree(member) for member in value)
    return value


def spellings(value: str) -> set[str]:
    """Return how a secret may be written by those to whom it was sent, and by those who wrote it down."""
    lines = [line.strip() for line in value.splitlines()] if "\n" in value else []
    found: set[str] = set()
    for part in (value, *(line for line in lines if len(line) >= SHORTEST_FRAGMENT)):
        found.update(_written(part))
        found.update(_in_base64(part.encode()))
    return found


def _written(value: str) -> Iterator[str]:
    yield value
    for safe in ("", "/", "/:@!$&'()*+,;=~%"):
        yield quote(value, safe=safe)
    yield quote_plus(value)
    yield quote(value, safe=HEADER_SAFE)
    for text in (orjson.dumps(value).decode()[1:-1], json.dumps(value)[1:-1], repr(value)[1:-1]):
        yield text
        yield text.replace("/", r"\/")
    yield html.escape(value)
    yield html.escape(value, quote=False)
    yield html.escape(value).replace("&#x27;", "&#39;")


def _in_base64(data: bytes) -> Iterator[str]:
    """Yield base64 of a secret alone, and what is always the same of it at each of three places in a longer text."""
    for encode in (b64encode, urlsafe_b64encode):
        alone = encode(data).decode()
        yield alone
        if len(alone.rstrip("=")) >= SHORTEST_FRAGMENT:
            yield alone.rstrip("=")
        for before in range(3):
            bits = 8 * (before + len(data))
            first, last = -(-8 * before // 6), bits // 6
            inner = encode(bytes(before) + data).decode()[first:last]
            if len(inner) >= SHORTEST_FRAGMENT:
                yield inner
