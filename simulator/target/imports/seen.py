"""What importers find out before anything is guessed: requests with samples of what they send and what comes back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.target.fields import Json

_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
MOST_SEEN = 2_000
"""Requests that one import looks at."""


@dataclass(slots=True)
class Seen:
    """One request, and what answers it.

    `path` has `{name}` for each parameter. Samples are JSON values with real or made-up leaves; None where there is no
    such part. `required` names what must be sent of `query` and the body's top level. `words` are what people call it.
    """

    method: str
    path: str
    query: dict[str, Json] = field(default_factory=dict)
    headers: dict[str, Json] = field(default_factory=dict)
    body: Json = None
    form: dict[str, Json] | None = None
    graphql: dict[str, Json] | None = None
    status: int = 200
    answer: Json = None
    words: str = ""
    required: frozenset[str] = frozenset()
    fixed: dict[str, str] = field(default_factory=dict)
    captures: dict[str, Json] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The request as people write it."""
        return f"{self.method} {self.path}"


def tokens(text: str) -> list[str]:
    """Return the words of a name, small and singular: `lineItems`, `line-items` and `line_item` are all alike."""
    return [_singular(part.lower()) for part in _PARTS.findall(text)]


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3 else word


def snake(text: str) -> str:
    """Return a name as `extract` takes it."""
    name = "_".join(part.lower() for part in _PARTS.findall(text))
    return name if name[:1].isalpha() else f"v_{name}".rstrip("_")
