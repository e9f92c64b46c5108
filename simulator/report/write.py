"""Writing a report: four files beside the run's tables, each whole or not there at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.analysis.findings import examine
from simulator.analysis.runs import read_run
from simulator.analysis.thresholds import MIN_SAMPLES, ThresholdError, judge, parse_thresholds
from simulator.analysis.verdict import decide
from simulator.model.faults import Fault, FileFaults, one_fault
from simulator.report.html import html_text
from simulator.report.junit import junit_text
from simulator.report.markdown import markdown_text
from simulator.report.summary import summary_text

if TYPE_CHECKING:
    from simulator.analysis.baselines import Store
    from simulator.analysis.verdict import Verdict

FILES = ("report.html", "report.md", "junit.xml", "summary.json")


def write_reports(run_folder: Path, store: Store | None = None) -> Verdict:
    """Judge a run and write its report, from its manifest and tables alone; return the verdict.

    `store` holds the baselines that thresholds may name. The same run and baselines give the same bytes. Raises
    `FileFaults` when the folder is no whole run, or cannot be written to; then files of an earlier report stay as they
    were.
    """
    run = read_run(run_folder)
    try:
        thresholds = parse_thresholds(run.manifest.thresholds)
    except ThresholdError as error:
        file = str(run_folder / "manifest.json")
        raise FileFaults(
            Fault(file, 0, f"scenario.thresholds.{index}", found, allowed, hint)
            for index, found, allowed, hint in error.problems
        ) from None
    least = run.manifest.min_samples or MIN_SAMPLES
    verdict = decide(run.manifest, judge(run, thresholds, least, store))
    findings = examine(run)
    texts = (
        html_text(findings, verdict),
        markdown_text(findings, verdict),
        junit_text(findings, verdict),
        summary_text(findings, verdict),
    )
    for name, text in zip(FILES, texts, strict=True):
        write_whole(run_folder / name, text)
    return verdict


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that nobody ever sees half of it. Raises `FileFaults` when the folder cannot take it."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise one_fault(str(path), f"cannot be written ({error.strerror})") from None
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise one_fault(str(path), f"cannot be written ({error.strerror})") from None
    finally:
        temporary.unlink(missing_ok=True)
