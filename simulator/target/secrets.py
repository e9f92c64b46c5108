"""Values that stand in no file: `${env:NAME}` in a target file is what the environment has under NAME.

Files, manifests and reports keep the reference; only what is compiled for sending holds the value.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


def resolved(text: str, *, unset: str = "", environment: Mapping[str, str] | None = None) -> str:
    """Return `text` with every reference replaced by its value; `unset` stands for one that has none."""
    given = os.environ if environment is None else environment
    return REFERENCE.sub(lambda match: given.get(match[1]) or unset, text)


def names_in(text: str) -> list[str]:
    """Return the names of the variables that a text refers to, in order."""
    return REFERENCE.findall(text)


def unset_in(text: str, environment: Mapping[str, str] | None = None) -> list[str]:
    """Return the names among them that the environment lacks, or has empty."""
    given = os.environ if environment is None else environment
    return [name for name in names_in(text) if not given.get(name)]
