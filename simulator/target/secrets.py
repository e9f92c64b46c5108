"""Values that stand in no file: `${env:NAME}` is what the environment has under NAME, `${file:PATH}` what a file holds.

Files, manifests and reports keep the reference; only what is compiled for sending holds the value, and whatever this
process writes shows the reference in its place (`simulator.target.redaction`). Relative paths begin where the command
was given; one line end behind the value is not part of it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.target.redaction import hide

if TYPE_CHECKING:
    from collections.abc import Mapping

REFERENCE = re.compile(r"\$\{(env:[A-Za-z_][A-Za-z0-9_]*|file:[^{}]+)\}")
SHORTEST = 4
"""A secret of fewer characters could not be told from other text."""
FILE = "file:"


def resolved(text: str, *, unset: str = "", environment: Mapping[str, str] | None = None) -> str:
    """Return `text` with every reference replaced by its value; `unset` stands for one that has none.

    Values that are long enough are hidden from now on.
    """

    def value_of(match: re.Match[str]) -> str:
        value, _ = _read(match[1], environment)
        if len(value) >= SHORTEST:
            hide(value, match[0])
        return value or unset

    return REFERENCE.sub(value_of, text)


def names_in(text: str) -> list[str]:
    """Return the names of the variables, and `file:` with the paths, that a text refers to, in order."""
    return [name.removeprefix("env:") for name in REFERENCE.findall(text)]


def unset_in(text: str, environment: Mapping[str, str] | None = None) -> list[str]:
    """Return the names among them that cannot stand for a secret; `why_unset` says why."""
    return [name for name in names_in(text) if why_unset(name, environment)]


def why_unset(name: str, environment: Mapping[str, str] | None = None) -> str:
    """Return why a name of `names_in` cannot stand for a secret, or nothing when it can."""
    value, problem = _read(name if name.startswith(FILE) else f"env:{name}", environment)
    if not problem and len(value) < SHORTEST:
        return f"has fewer than {SHORTEST} characters, and could not be told from other text" if value else "is empty"
    return problem


def _read(name: str, environment: Mapping[str, str] | None) -> tuple[str, str]:
    """Return (value, why there is none)."""
    if not name.startswith(FILE):
        value = (os.environ if environment is None else environment).get(name.removeprefix("env:"))
        return (value, "") if value is not None else ("", "is not set in the environment")
    try:
        text = Path(name.removeprefix(FILE)).expanduser().read_text(encoding="utf-8")
    except OSError as error:
        return "", f"cannot be read ({error.strerror})"
    except UnicodeDecodeError:
        return "", "cannot be read (not UTF-8)"
    return text.removesuffix("\n").removesuffix("\r"), ""
