"""Text tables of a scenario, as CSV: their rows with line numbers, and which column is meant."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from simulator.model.faults import Fault, one_fault, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MOST_FAULTS = 20


def read_rows(path: Path, name: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header and (line, cells) of each row; empty lines and those that begin with # are left out."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise one_fault(name, "does not exist", "a CSV file is needed", "check the name and the folder") from None
    except (OSError, UnicodeDecodeError) as error:
        raise one_fault(name, f"cannot be read ({error})", "a UTF-8 text file is needed") from None
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]
    if not lines:
        raise one_fault(name, "is empty", "a header and at least two rows are needed")
    delimiter = max(",;\t", key=lines[0][1].count)
    cells = [(n, [c.strip() for c in next(csv.reader(io.StringIO(line), delimiter=delimiter))]) for n, line in lines]
    return cells[0][1], cells[1:]


def find_column(
    header: list[str], name: str, wanted: str | None, known: tuple[str, ...], what: str, faults: list[Fault]
) -> int | None:
    """Return where a column stands: the one that is `wanted`, else the first with a known name."""
    allowed = f"allowed are {', '.join([wanted] if wanted else known)}"
    found = [
        place for place, column in enumerate(header) if column == wanted or (not wanted and column.lower() in known)
    ]
    if len(found) > 1:
        names = " and ".join(header[place] for place in found)
        hint = f"{wanted} must stand once" if wanted else f"name it with `{_key(what)}`"
        faults.append(Fault(name, 1, "", f"has several columns of {what}: {names}", "one must be meant", hint))
        return None
    if found:
        return found[0]
    near = suggestion(wanted, header) if wanted else f"name it with `{_key(what)}`"
    faults.append(Fault(name, 1, "", f"has no column of {what} among {', '.join(header)}", allowed, near))
    return None


def _key(what: str) -> str:
    """Return the key of a scenario that names such a column."""
    return f"{what}_column" if what in ("time", "shopper") else "value_column"


def first_faults(name: str, faults: Sequence[Fault]) -> Iterator[Fault]:
    """Yield the first `MOST_FAULTS` faults of a file, and how many there are besides."""
    yield from faults[:MOST_FAULTS]
    if len(faults) > MOST_FAULTS:
        more = len(faults) - MOST_FAULTS
        yield Fault(name, faults[MOST_FAULTS].line, "", f"and later rows have {more} more faults", "")
