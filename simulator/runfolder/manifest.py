"""The manifest: what a run was, so that it can be repeated, reported again and compared."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from simulator import __version__
from simulator.runfolder.files import sha256, whole_file
from simulator.runfolder.tables import write_table
from simulator.target.redaction import redacted_tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from simulator.runfolder.tables import Compression
    from simulator.scenario.load import Scenario


def base_manifest(scenario: Scenario, world: str, tables: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return what every world's manifest says."""
    return {
        "footfall": __version__,
        "world": world,
        "name": scenario.spec.scenario,
        "seed": scenario.spec.seed,
        "digest": scenario.digest(),
        "scenario": scenario.resolved(),
        "settings": scenario.settings(),
        "behaviour": scenario.behaviour.as_json(),
        "reference": scenario.spec.reference.isoformat(),
        "arms": list(scenario.arm_names),
        "personas": list(scenario.roster.personas),
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "numba": numba.__version__},
        "tables": {
            table: [{k: v for k, v in entry.items() if k != "table"} for entry in entries]
            for table, entries in tables.items()
        },
        "generator": None,
        "backend": None,
        "interrupted": False,
        "aborted": None,
    }


def crowd_facts(scenario: Scenario, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the manifest of a crowd says besides `base_manifest`: what it rests on, and no target among settings.

    A target decides nothing there, and does not travel with the jobs that make data.
    """
    return {
        "settings": {name: digest for name, digest in manifest["settings"].items() if name != "target"},
        "assumed": [
            "behaviour: every parameter of the personas",
            scenario.behaviour.assumed(),
            "load times: the page model on modelled networks and devices",
            "server times: the page cards' unloaded server",
        ],
        "measured": [],
    }


def write_tables(
    tables: Mapping[str, pa.Table], folder: Path, compression: Compression = "snappy"
) -> dict[str, list[dict[str, Any]]]:
    """Write each table as one Parquet file and return the manifest's entries for them."""
    entries = {}
    for name, table in tables.items():
        path = folder / f"{name}.parquet"
        write_table(table, path, "parquet", compression)
        entries[name] = [{"file": path.name, "rows": table.num_rows, "sha256": sha256(path)}]
    return entries


def write_manifest(manifest: Mapping[str, Any], folder: Path) -> None:
    """Write `manifest.json`, last of all and without secrets: a folder without it is not a run."""
    with whole_file(folder / "manifest.json") as partial:
        partial.write_text(json.dumps(redacted_tree(manifest), indent=2) + "\n")
