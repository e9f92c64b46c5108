"""Accounts that the target knows already, from a CSV file: one row a shopper, dealt without anybody keeping count."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from simulator.journey.keys import NOWHERE, purpose, uniform
from simulator.model.faults import Fault, FileFaults, one_fault
from simulator.model.yamlfile import shown_name
from simulator.target.fields import ACCOUNT, Json
from simulator.target.secrets import resolved

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from simulator.target.schema import Accounts as Spec

ACCOUNT_OF = purpose("account")
_COLUMN = re.compile(r"[a-z][a-z0-9_]*")
MOST_FAULTS = 20
"""Rows of one file that are told; a wrong separator spoils every one of them."""


class Accounts:
    """Rows of fields, `account.<column>` each.

    Shopper n has row n, so that no two have the same, and the number of workers changes nothing; with `share` everybody
    has one, drawn by key.
    """

    def __init__(self, rows: Sequence[dict[str, Json]], *, share: bool) -> None:
        self.rows = rows
        self.columns = tuple(rows[0]) if rows else ()
        self._share = share

    def of(self, seed: int, shopper: int) -> dict[str, Json]:
        """Return the fields of a shopper's account; empty where none is left."""
        if not self.rows:
            return {}
        if self._share:
            return self.rows[int(len(self.rows) * uniform(seed, shopper, 0, NOWHERE, 0, ACCOUNT_OF))]
        return self.rows[shopper] if 0 <= shopper < len(self.rows) else {}


def read_accounts(spec: Spec, folder: Path) -> Accounts:
    """Read a file of accounts. Raises `FileFaults` with every fault of it."""
    path = folder / resolved(spec.file)
    rows, faults = _rows(path)
    if faults:
        raise FileFaults(faults[:MOST_FAULTS])
    return Accounts(rows, share=spec.share)


def columns_of(path: Path) -> list[str]:
    """Return the names of a file's columns; empty where it cannot be read, which reading it will tell."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        return []


def _rows(path: Path) -> tuple[list[dict[str, Json]], list[Fault]]:
    name = shown_name(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, strict=True)
            header = next(lines, [])
            faults = _header_faults(name, header)
            rows: list[dict[str, Json]] = []
            for cells in lines:
                if cells and len(cells) != len(header):
                    faults.append(Fault(name, lines.line_num, "", f"has {len(cells)} cells", f"needs {len(header)}"))
                elif cells:
                    rows.append({ACCOUNT + key: cell for key, cell in zip(header, cells, strict=True)})
    except FileNotFoundError:
        raise one_fault(
            name, "does not exist", "a CSV file of accounts is needed", "it is looked for beside the target file"
        ) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise one_fault(name, f"cannot be read ({error})", "a CSV file in UTF-8 is needed") from None
    if not rows and not faults:
        faults.append(Fault(name, 0, "", "holds no account", "needs a header and a row an account"))
    return rows, faults


def _header_faults(name: str, header: list[str]) -> list[Fault]:
    faults = [
        Fault(name, 1, "", f"has a column {column!r}", "names are of small letters, digits and _")
        for column in header
        if not _COLUMN.fullmatch(column)
    ]
    twice = sorted({column for column in header if header.count(column) > 1})
    return faults + [
        Fault(name, 1, "", f"has the column {column!r} twice", "each needs a name of its own") for column in twice
    ]
