"""Starting the live world's process, following its progress, and ending it; imports no locust."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from simulator.scenario.load import Scenario

STOP_S = 20.0
"""How long an interrupted run may take to write what it measured."""


class LiveWorldError(RuntimeError):
    """The live world's process ended without a run; the text holds what it said."""


def launch(
    folder: Path,
    scenario: Scenario,
    base_url: str,
    run_id: str,
    on_progress: Callable[[Mapping[str, Any]], None],
) -> None:
    """Play a scenario against `base_url` into `folder`, which afterwards holds its tables and manifest.

    A `KeyboardInterrupt` ends the run early, lets it write what it measured, and is not raised again: the manifest
    says `interrupted`. Raises `LiveWorldError` when there is nothing to report.
    """
    job = {"scenario": scenario.name, "overrides": dict(scenario.overrides), "base_url": base_url, "run_id": run_id}
    (folder / "job.json").write_text(json.dumps(job))
    log = folder / "live.log"
    command = [sys.executable, "-m", "simulator.worlds.live", str(folder)]
    with log.open("wb") as errors:
        # A session of its own: Ctrl-C reaches us alone, and we pass it on once.
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
        )
        try:
            _follow(process, on_progress)
        except KeyboardInterrupt:
            process.terminate()
            _end(process)
        except BaseException:
            process.kill()
            process.wait()
            raise
        else:
            process.wait()
    (folder / "job.json").unlink(missing_ok=True)
    said = log.read_text(errors="replace").strip()
    log.unlink()
    if process.returncode or not (folder / "manifest.json").exists():
        raise LiveWorldError(f"the load generator ended with exit code {process.returncode}:\n{said}")


def _follow(process: subprocess.Popen[bytes], on_progress: Callable[[Mapping[str, Any]], None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(b"{"):
            on_progress(json.loads(line))


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.communicate(timeout=STOP_S)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()
