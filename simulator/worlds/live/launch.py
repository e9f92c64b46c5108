"""Starting the live world's process, following its progress, and ending it; imports no locust."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from simulator.runfolder.files import CannotWrite, whole_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from simulator.scenario.load import Scenario
    from simulator.target.permission import Permission
    from simulator.worlds.live.views.wanted import Wanted

STOP_S = 20.0
"""How long an interrupted run may take to write what it measured."""
CANNOT_WRITE, NOT_READY, NO_FLEET = 2, 4, 5
"""Exit codes of the live world's process whose reason is the last line it said, for people to read."""


class LiveWorldError(RuntimeError):
    """The live world's process ended without a run; the text holds what it said."""


class TargetNotReady(Exception):  # noqa: N818 - a fact about the target, not a defect of ours
    """The target did not answer what must be known before the first visit, so none was sent."""


class NoFleet(Exception):  # noqa: N818 - a fact about the workers
    """The run's workers could not be brought together, so no visit was sent."""


@dataclass(frozen=True, slots=True)
class Workers:
    """The processes that play a run: `local` are started here, `expect` is how many in all.

    Others than local ones connect to `bind_host`:`bind_port`; port 0 is any free one.
    """

    local: int
    expect: int
    bind_host: str = "127.0.0.1"
    bind_port: int = 0
    allow_lost: bool = False


def launch(
    folder: Path,
    scenario: Scenario,
    base_url: str,
    run_id: str,
    on_progress: Callable[[Mapping[str, Any]], None],
    workers: Workers | None = None,
    *,
    permission: Permission | None = None,
    wanted: Wanted | None = None,
) -> None:
    """Play a scenario against `base_url` into `folder`, which afterwards holds its tables and manifest.

    Without `workers` one process plays it all. Without `permission` only this machine and the scenario's
    `allowed_hosts` may be called.

    A `KeyboardInterrupt` ends the run early, lets it write what it measured, and is not raised again: the manifest
    says `interrupted`; it is raised again when nothing was measured yet. Raises `CannotWrite`, `TargetNotReady`, and
    `LiveWorldError` when the process failed.
    """
    job: dict[str, Any] = {
        "scenario": scenario.name,
        "overrides": dict(scenario.overrides),
        "base_url": base_url,
        "run_id": run_id,
        "fleet": None if workers is None else asdict(workers),
        "permission": permission.as_json() if permission else None,
        "wanted": wanted.as_json() if wanted else {},
    }
    with whole_file(folder / "job.json") as partial:
        partial.write_text(json.dumps(job))
    log, interrupted = folder / "live.log", False
    command = [sys.executable, "-m", "simulator.worlds.live", str(folder)]
    with log.open("wb") as errors:
        # A session of its own: Ctrl-C reaches us alone, and we pass it on once.
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
        )
        try:
            _follow(process, on_progress)
        except KeyboardInterrupt:
            interrupted = True
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
    if process.returncode != 0 or not (folder / "manifest.json").exists():
        raise _failure(process.returncode, said, interrupted=interrupted)


def _failure(code: int, said: str, *, interrupted: bool) -> BaseException:
    """Return what a process that ended without a run has to tell."""
    if code == CANNOT_WRITE:
        return CannotWrite(said.rpartition("\n")[2])
    if interrupted:
        return KeyboardInterrupt()
    if code == NOT_READY:
        return TargetNotReady(said.rpartition("\n")[2])
    if code == NO_FLEET:
        return NoFleet(said)
    return LiveWorldError(f"the load generator ended with exit code {code}:\n{said}")


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
