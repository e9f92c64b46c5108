"""Saving runs as baselines, and dropping them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from simulator.analysis.baselines import MOST_TOLD, Store, checked
from simulator.analysis.manifest import FILE, read_manifest
from simulator.analysis.settings import differences
from simulator.model.faults import one_fault
from simulator.runfolder.files import CannotWrite
from simulator.runfolder.manifest import write_manifest, write_tables

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.analysis.manifest import Manifest
    from simulator.analysis.runs import Run


def save_run(store: Store, name: str, run: Run, *, keep: int, replace: bool = False) -> Path:
    """Save a run as the newest of a baseline; the oldest beyond `keep`, or with `replace` all others, are dropped.

    Raises `FileFaults` when the run is in it already or the others had other settings, `CannotWrite` when the folder
    cannot take it; then the baseline is as it was.
    """
    others = store.saved(name)
    if others and not replace:
        _check_alike(name, run.manifest, read_manifest(others[-1]))
    number = 1 + int(others[-1].name) if others else 1
    folder, partial = store.folder / name / f"{number:04d}", store.folder / name / f".{number:04d}.partial"
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _write(run, partial)
        _check_new(name, partial, others)
        partial.rename(folder)
        for old in others if replace else [*others, folder][:-keep]:
            shutil.rmtree(old)
    except OSError as error:
        raise CannotWrite(f"cannot write {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def drop_baseline(store: Store, name: str) -> int:
    """Remove a baseline; return how many runs it had. Raises `FileFaults` when there is none, `CannotWrite`."""
    count = len(store.runs(checked(name)))
    try:
        shutil.rmtree(store.folder / name)
    except OSError as error:
        raise CannotWrite(f"cannot remove {store.folder / name}: {error.strerror or error}") from error
    return count


def _write(run: Run, folder: Path) -> None:
    """Write what figures need of a run: its tables' columns that are read, and its manifest."""
    frames = {"shoppers": run.shoppers, "visits": run.visits, "events": run.events, "requests": run.requests}
    tables = {table: frame.table for table, frame in frames.items() if frame is not None}
    entries = write_tables(tables, folder, "zstd")
    manifest = json.loads((run.folder / FILE).read_text(encoding="utf-8"))
    write_manifest(manifest | {"tables": entries}, folder)


def _check_alike(name: str, run: Manifest, other: Manifest) -> None:
    told = differences(run, other)
    if told:
        found = f"holds runs of other settings: {'; '.join(told[:MOST_TOLD])}"
        raise one_fault(f"baseline {name}", found, "all its runs have the same", "--replace, or another --name")


def _check_new(name: str, partial: Path, others: list[Path]) -> None:
    """Raise `FileFaults` when a run is saved already: twice the same run would make runs look all alike."""
    new = read_manifest(partial).tables["visits"]
    for other in others:
        if read_manifest(other).tables["visits"] == new:
            raise one_fault(f"baseline {name}", f"holds this run already, as {other.name}", "", "save another run")
