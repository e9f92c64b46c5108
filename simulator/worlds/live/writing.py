"""What a live run leaves in its folder: the tables, what became of the visits of lost workers, and the manifest."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simulator.journey.plan import share_of
from simulator.journey.records import CAUSES, ONGOING
from simulator.journey.tables import CODE
from simulator.runfolder.files import CannotWrite
from simulator.runfolder.manifest import base_manifest, write_manifest, write_tables
from simulator.target.probes.findings import as_json
from simulator.target.probes.measured import measured
from simulator.target.probes.probing import together
from simulator.target.probes.pushy import push_calendar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from simulator.analysis.windows import Breach
    from simulator.journey.plan import Plan
    from simulator.scenario.load import Scenario
    from simulator.worlds.live.listening import Watched
    from simulator.worlds.live.tables import RunTables

LOST = pa.schema(
    [
        ("shopper", pa.int64()), ("visit", pa.int32()), ("arm", CODE), ("worker", pa.int32()),
        ("start_at_us", pa.int64()), ("pages", pa.int32()),
    ]
)  # fmt: skip


def write_run(
    tables: RunTables,
    scenario: Scenario,
    folder: Path,
    facts: Mapping[str, Any],
    judge: Callable[[Sequence[str]], dict[str, Any]],
    lost: Callable[[], Mapping[int, Plan]] = dict,
) -> None:
    """Write what waits of the tables, and the manifest last; `facts` are what only this run can say in it.

    `judge` makes the manifest's `generator` of what the disk did not take; `lost` gives the plan of each worker that is
    lost. Raises `CannotWrite` when the folder takes nothing at all.
    """
    entries = tables.finish()
    failures = tables.failures
    gone = lost()
    if gone:
        try:
            entries |= write_tables({"lost": _lost_table(gone, entries["visits"], scenario, folder)}, folder)
        except CannotWrite as error:
            failures.append(f"lost is missing: {error}")
    write_manifest({**base_manifest(scenario, "live", entries), **facts, "generator": judge(failures)}, folder)


def probed(scenario: Scenario, states: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the manifest says of probes: what they asked, what they found of each hazard, and what it shows."""
    judged = together(scenario.target, [state["probes"] for state in states])
    found, counts = judged.findings(), {one.code: one.counts for one in judged.probes}
    promises = scenario.target.file.promises
    return {
        "probes": {
            "share": scenario.spec.probe_share,
            "requests": sum(state["requests"] for state in states),
            "alone_requests": sum(state["alone_requests"] for state in states),
            "unseen_visits": sum(state["unseen"] for state in states),
            "spent_s": sum(state["spent_s"] for state in states),
            "give_up_s": promises.give_up,
            "quiet_hours": list(promises.quiet_hours),
            "findings": [as_json(finding) for finding in found],
            "operations": [row._asdict() for row in measured(counts["H17"])],
            "over_time": [row._asdict() for row in measured(counts["H17"], by_bin=True)],
            "offers": [place for finding in found if finding.hazard.code == "H3" for place in finding.drawn],
            "pushes_by_hour": push_calendar(counts["H8"]),
        }
    }


NETWORKS = {
    "modelled": "load times: the network to the phone, pictures and rendering come from the page model",
    "shaped": "load times: pictures and rendering come from the page model, round trips and rates from the personas",
}
OVER = {"modelled": "this machine's own network", "shaped": "each phone's network, played on its connection"}


def live_facts(run: Watched, *, interrupted: bool, breach: Breach | None) -> dict[str, Any]:
    """Return what every live run's manifest says besides how the generator fared."""
    return {
        "host": run.base_url,
        "permission": run.permission.as_json(),
        "run_id": run.run_id,
        "interrupted": interrupted,
        "aborted": asdict(breach) if breach else None,
        "assumed": [
            "behaviour: every parameter of the personas",
            run.scenario.behaviour.assumed(),
            *_pace(run.scenario.spec.pace),
            NETWORKS[run.scenario.spec.network],
            "revenue: offline prices, not the target's",
        ],
        "measured": [
            f"the time of every call that was made, over {OVER[run.scenario.spec.network]}",
            "errors, arrivals and start lag",
        ],
    }


def _pace(pace: float) -> list[str]:
    """Return what to say of shoppers who thought faster than people do."""
    if pace == 1:
        return []
    return [f"time: shoppers thought {pace:g} times faster than life; visits are reported in the shoppers' own time"]


def _lost_table(
    gone: Mapping[int, Plan], entries: Sequence[Mapping[str, Any]], scenario: Scenario, folder: Path
) -> pa.Table:
    """Return the visits of lost workers of which no end is known, with the pages that are."""
    names = ["shopper", "visit", "pages", "cause"]
    known = pa.concat_tables([pq.read_table(folder / entry["file"], columns=names) for entry in entries])
    keys = _keys(known["shopper"].to_numpy(), known["visit"].to_numpy())
    ended = np.array([cause != CAUSES[ONGOING] for cause in known["cause"].to_pylist()], np.bool_)
    pages = dict(zip(keys.tolist(), known["pages"].to_pylist(), strict=True))
    parts = []
    for worker, plan in sorted(gone.items()):
        planned = _keys(plan.shopper, plan.visit)
        left = ~np.isin(planned, keys[ended])
        columns = {
            "shopper": plan.shopper[left],
            "visit": plan.visit[left],
            "arm": pa.DictionaryArray.from_arrays(pa.array(plan.arm[left].astype(np.int8)), scenario.names.arm),
            "worker": np.full(left.sum(), worker),
            "start_at_us": plan.start_us[left],
            "pages": [pages.get(key, 0) for key in planned[left].tolist()],
        }
        parts.append(pa.Table.from_arrays([_array(columns[f.name], f.type) for f in LOST], schema=LOST))
    return pa.concat_tables(parts)


def _array(values: Any, kind: pa.DataType) -> pa.Array:  # noqa: ANN401 - numpy, arrow or a list
    return values if isinstance(values, pa.Array) else pa.array(values, kind)


def _keys(shoppers: NDArray[np.int64], visits: NDArray[Any]) -> NDArray[np.int64]:
    """Return one number for each visit; a shopper has fewer than 2^20."""
    return (np.asarray(shoppers, np.int64) << 20) + np.asarray(visits, np.int64)


def plans_of(scenario: Scenario, workers: Sequence[int], of: int) -> dict[int, Plan]:
    """Return the plan of each of these workers, of `of` in all."""
    if not workers:
        return {}
    whole = scenario.plan()
    return {worker: share_of(whole, worker, of) for worker in workers}
