"""The file that a scenario's arrivals name, and what of it falls into the run; faults are those of the right file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.model.faults import FileFaults
from simulator.model.yamlfile import YamlFile, shown_name
from simulator.scenario.replay import Replay, read_replay
from simulator.scenario.traffic import Traffic, read_traffic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from simulator.model.population import Population
    from simulator.scenario.schema import ScenarioFile
    from simulator.scenario.shapes import Profile


def arrivals_file(file: YamlFile, data: Mapping[str, Any], beside: Path) -> Traffic | Replay | None:
    """Return what `arrivals.file` holds, a curve or times; what is no arrivals of a file is the schema's to refuse."""
    arrivals = data.get("arrivals")
    if not isinstance(arrivals, dict) or not isinstance(arrivals.get("file"), str):
        return None
    path = beside / arrivals["file"]
    times = arrivals.get("kind") == "replay"
    keys = ("time_column", "shopper_column") if times else ("time_column", "value_column", "unit")
    chosen = {key: arrivals.get(key) for key in keys}
    if any(not isinstance(value, str | None) for value in chosen.values()):
        return None
    try:
        return read_replay(path, **chosen) if times else read_traffic(path, **chosen)
    except FileFaults as error:
        raise FileFaults(
            file.fault(("arrivals", "file"), f"{arrivals['file']} {f.found}", f.allowed, f.hint)
            if f.is_of_file(shown_name(path))
            else f
            for f in error.faults
        ) from None


def replayed(file: YamlFile, spec: ScenarioFile, whole: Replay) -> Replay:
    """Return the arrivals that fall into the run; none is a fault."""
    kept = whole.within(spec.duration, spec.arrivals.speed or 1.0)
    if not len(kept.starts_us):
        found = f"has its first arrival {whole.starts_us[0] / 1e6:g} s after the run's start, when it has ended"
        raise FileFaults([file.fault(("arrivals", "file"), found, "one is needed", "a longer `duration`")])
    return kept


def rates(file: YamlFile, spec: ScenarioFile, population: Population, traffic: Traffic | None) -> Profile:
    """Return the open model's rates over the run; a stretch of a curve in which nobody comes is a fault."""
    try:
        return spec.arrivals.profile(spec.duration, population=population, reference=spec.reference, traffic=traffic)
    except ZeroDivisionError:
        found = "has no arrivals in the stretch of its curve that the run covers"
        raise FileFaults(
            [file.fault(("arrivals",), found, "a peak or mean needs some", "a longer `duration`")]
        ) from None
