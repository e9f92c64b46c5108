"""A live rate sweep as a file: what each rate did to the server, to pages and to visits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from simulator.analysis.metrics import METRICS, sample
from simulator.model.faults import Fault, FileFaults, one_fault
from simulator.study.speed_findings import Swept

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.analysis.runs import Run

FILE = "sweep.json"
SERVER, LOAD = {"p50": 0.5, "p95": 0.95}, {"p50": 0.5, "p75": 0.75}
_ROWS = TypeAdapter(tuple[Swept, ...])


def read_sweep(folder: Path) -> tuple[Swept, ...]:
    """Return the rates of a sweep's folder, or of its file, in rising order: the list `rows` of `sweep.json`.

    Raises `FileFaults` with everything that is not as it should be.
    """
    path = folder / FILE if folder.is_dir() else folder
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise one_fault(str(path), "does not exist", "a folder with a sweep.json is needed") from None
    except (OSError, ValueError) as error:
        raise one_fault(str(path), f"cannot be read ({error})", "the JSON of a rate sweep is needed") from None
    try:
        rows = _ROWS.validate_python(data.get("rows", ()) if isinstance(data, dict) else data)
    except ValidationError as error:
        raise FileFaults(
            Fault(str(path), 0, ".".join(map(str, part["loc"])), part["msg"][0].lower() + part["msg"][1:], "")
            for part in error.errors(include_url=False, include_context=False)
        ) from None
    if len(rows) < 2:
        raise one_fault(str(path), f"has {len(rows)} rates", "two or more are needed for a curve")
    return tuple(sorted(rows, key=lambda row: row.rate_per_s))


def swept(run: Run, rate_per_s: float) -> Swept:
    """Return what one rate's live run measured: service times, load times, and session lengths of its visits."""
    service, load = sample(run, METRICS["service_time"]), sample(run, METRICS["load_time"])
    lengths = {}
    for name in ("engaged_time", "wall_time", "pages", "ga_time"):
        lengths[name] = sample(run, METRICS[name]).mean(METRICS[name].least)
    return Swept(
        rate_per_s,
        len(run.visits),
        dict(zip(SERVER, service.quantiles(SERVER.values()), strict=True)),
        dict(zip(LOAD, load.quantiles(LOAD.values()), strict=True)),
        lengths,
    )


def sweep_text(rows: tuple[Swept, ...]) -> str:
    """Return what `read_sweep` reads."""
    return json.dumps({"rows": _ROWS.dump_python(rows, mode="json")}, indent=1, allow_nan=False) + "\n"
