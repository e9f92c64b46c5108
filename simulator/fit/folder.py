"""The folder of a fit: personas, population, scenario, and the report that lists them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from simulator.fit.report import markdown, report_of
from simulator.fit.write import files_of
from simulator.model.faults import Fault, FileFaults
from simulator.model.persona import load_population
from simulator.runfolder.files import CannotWrite, whole_file

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.fit.estimate import Fitted
    from simulator.fit.hits import Findings

REPORTS = ("fit.md", "fit.json")


def begin(out: Path, *, overwrite: bool) -> None:
    """Make the folder ready; with `overwrite` remove what an earlier fit wrote, and nothing else.

    Raises `CannotWrite` when something else is in the way.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        found = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if not path.is_dir())
        if not found:
            return
        strange = [name for name in found if name not in _earlier(out)]
        if not overwrite or strange:
            hint = "give --overwrite" if not strange else "choose another --out"
            what = f"holds {strange[0]}, which no fit wrote" if strange else "is not empty"
            raise CannotWrite(f"{out} {what}. Hint: {hint}")
        for name in found:
            (out / name).unlink()
    except OSError as error:
        raise CannotWrite(f"cannot write to {out}: {error.strerror or error}") from error


def _earlier(out: Path) -> list[str]:
    try:
        listed = json.loads((out / "fit.json").read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [*listed, *REPORTS] if isinstance(listed, list) else []


def finish(out: Path, fitted: Fitted, findings: Findings, prefix: str) -> dict[str, Any]:
    """Write every file of a fit and return its report. Raises `CannotWrite`.

    The personas are read back before the report is made: what is written is valid.
    """
    files = files_of(fitted, prefix)
    for name, text in files.items():
        _write(out / name, text)
    report = report_of(fitted, findings, load_population(str(out / "population.yaml"))) | {"files": sorted(files)}
    _write(out / "fit.json", json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    _write(out / "fit.md", markdown(report))
    return report


def _write(path: Path, text: str) -> None:
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def nothing_usable(logs: Path, findings: Findings) -> FileFaults:
    """Return the faults of a log in which no row can be used: every reason, with its count and an example."""
    name = str(logs)
    faults = [
        Fault(
            name,
            0,
            "",
            f"{count:,} rows: {reason}" + (f" (as {found[0]})" if (found := findings.examples.get(reason)) else ""),
            "",
        )
        for reason, count in findings.dropped.items()
    ]
    faults += [
        Fault(name, 0, "", f"{event['rows']:,} rows: the event {title} leads to no state", "", str(event["suggestion"]))
        for title, event in findings.unmapped.items()
    ]
    faults += [
        Fault(name, 0, "", f"{count:,} rows: the event {title} is ignored", "", "--map gives it a state")
        for title, count in findings.ignored.items()
    ]
    whole = Fault(name, 0, "", f"has no usable hit in {findings.rows:,} rows", "")
    return FileFaults([whole, *faults])
