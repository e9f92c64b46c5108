"""`truth.json`: what was planted in a data set and what came of it, from a pass over its truth tables."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator import __version__
from simulator.analysis.tablefiles import read_columns, table_files
from simulator.export.churn import REPLAYS, cutoff_us
from simulator.journey.closed_form import expectations
from simulator.model.states import EXIT, STATE_NAMES
from simulator.runfolder.files import sha256, whole_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from simulator.scenario.load import Scenario

FILE = "truth.json"
US = 1e6
METRICS = {
    "pages": "pages asked for in a visit",
    "engaged_time": "seconds looking at pages in a visit, waiting excluded",
    "bounce": "share of visits that ended on their first page",
    "conversion": "share of visits with at least one order",
    "orders": "orders in a visit",
    "revenue": "value of the orders of a visit, in hundredths of the currency unit at offline prices",
}
"""The metrics of which lifts are known, each a mean over visits."""
DEFINITIONS = {
    "lift": (
        "mean of a metric over all visits of the data set, played in the arm, less their mean in control; in the "
        "metric's own unit, not relative. Each visit is played in both with the same draws, so it is exact for these "
        "visits; se is its distance from the lift of endlessly many shoppers, by shopper (Cochran 1977, ratio mean)"
    ),
    "closed_form": (
        "per persona and arm, of an undisturbed visit: pages take no time, no time budget; an absorbing Markov chain. "
        "An arm's delay does not show in it, its pull does"
    ),
    "undisturbed": "the same visits with pages that take no time: what waiting takes away is the difference",
    "by_waiting": "share of visits that end impatient, put off, or out of time that waiting had used up",
    "churned": "no visit of the shopper starts in the last third of the horizon, at churn.cutoff_us or later",
    "churn_p": f"chance of that for this very shopper: the share of {REPLAYS} replays of when they come",
    "segment": "the shopper's persona",
}
VISIT_COLUMNS = ("shopper", "arm", "persona", "by_waiting")
OUTCOMES = ("pages", "engaged_us", "orders", "revenue_cents")


@dataclass
class Sums:
    """Sums over shoppers from which a mean over visits and its standard error follow; they add up over shards."""

    rows: dict[str, list[float]] = field(
        default_factory=lambda: {name: [] for name in ("s", "ss", "sn", "n", "nn", "g")}
    )

    def add(self, values: NDArray[np.float64], group: NDArray[np.int64]) -> None:
        """Add visits; `group` numbers their shoppers from 0, and no shopper comes twice."""
        total, count = np.bincount(group, values), np.bincount(group)
        seen = count > 0
        total, count = total[seen], count[seen].astype(np.float64)
        parts = (total.sum(), total @ total, total @ count, count.sum(), count @ count, len(count))
        for name, part in zip(self.rows, parts, strict=True):
            self.rows[name].append(float(part))

    def mean(self) -> tuple[float | None, float | None]:
        """Return the mean over visits and its standard error, None where there is nothing to tell it from."""
        s, ss, sn, n, nn, g = (math.fsum(parts) for parts in self.rows.values())
        if n == 0:
            return None, None
        mean = s / n
        spread = max(ss - 2 * mean * sn + mean * mean * nn, 0.0)
        return mean, math.sqrt(g / (g - 1) * spread) / n if g > 1 else None


def write_truth(scenario: Scenario, folder: Path) -> None:
    """Write `truth.json` into a data set whose truth tables are all there. Raises `CannotWrite`."""
    text = json.dumps(truth(scenario, folder), indent=2, ensure_ascii=False)
    with whole_file(folder / FILE) as partial:
        partial.write_text(text + "\n", encoding="utf-8")


def truth(scenario: Scenario, folder: Path) -> dict[str, Any]:
    """Return what `truth.json` holds. Shards are read in their order, so the same data is the same bytes."""
    averages, waiting = _averages(scenario, folder)
    shoppers = _shoppers(scenario, folder)
    return {
        "footfall": __version__,
        "name": scenario.spec.scenario,
        "seed": scenario.spec.seed,
        "digest": scenario.digest(),
        "tables": tables_digest(folder),
        "definitions": DEFINITIONS,
        "metrics": METRICS,
        "arms": {name: _arm(scenario, index) for index, name in enumerate(scenario.arm_names)},
        "segments": shoppers["segments"],
        "churn": shoppers["churn"],
        "closed_form": {name: _closed_form(scenario, index) for index, name in enumerate(scenario.arm_names)},
        "by_waiting": waiting,
        "lifts": [row for row in averages if row["arm"] != scenario.arm_names[0]],
        "control": [row for row in averages if row["arm"] == scenario.arm_names[0]],
    }


def tables_digest(folder: Path) -> str:
    """Return the SHA-256 of the digests of the files of all truth tables, by name."""
    names = ("truth_shoppers", "truth_visits", "truth_steps", "truth_defects", "truth_lost")
    files = [path for name in names for path in table_files(folder, name)]
    lines = (f"{path.relative_to(folder).as_posix()} {sha256(path)}\n" for path in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _arm(scenario: Scenario, index: int) -> dict[str, Any]:
    """Return what an arm changes: share of shoppers, seconds added by page, factors on what comes next."""
    arm = scenario.arms[index]
    return {
        "share": float(arm["share"]),
        "delay_s": {n: int(us) / US for n, us in zip(STATE_NAMES, arm["delay_us"], strict=True) if us},
        "pull": {n: float(f) for n, f in zip((*STATE_NAMES, EXIT), arm["pull"], strict=True) if f != 1},
    }


def _closed_form(scenario: Scenario, index: int) -> dict[str, Any]:
    """Return the undisturbed visit of each persona in an arm: its pull is a factor on the transitions."""
    personas = scenario.population.personas.copy()
    personas["transition"] *= scenario.arms[index]["pull"]
    pulled = scenario.population._replace(personas=personas)
    names = ("pages", "bounce", "conversion", "cart_reached", "abandonment", "engaged_s")
    found = {name: expectations(pulled, i) for i, name in enumerate(scenario.roster.personas)}
    return {name: {n: _number(getattr(told, n)) for n in names} for name, told in found.items()}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _shoppers(scenario: Scenario, folder: Path) -> dict[str, Any]:
    """Return the size of each segment and how many shoppers stay away."""
    sizes, away, chances = dict.fromkeys(scenario.roster.personas, 0), 0, []
    for path in table_files(folder, "truth_shoppers"):
        rows = read_columns(path, ("persona", "churned", "churn_p"))
        for name in rows["persona"].to_pylist():
            sizes[name] += 1
        away += sum(rows["churned"].to_pylist())
        chances.append(math.fsum(rows["churn_p"].to_pylist()))
    total = sum(sizes.values())
    return {
        "segments": {name: {"shoppers": size, "share": size / total} for name, size in sizes.items()},
        "churn": {
            "cutoff_us": cutoff_us(scenario),
            "shoppers": total,
            "churned": away,
            "expected": math.fsum(chances),
        },
    }


def _averages(scenario: Scenario, folder: Path) -> tuple[list[dict[str, Any]], dict[str, dict[str, float | None]]]:
    """Return the mean and lift of each metric by arm and persona, and the share of visits that waiting ended by arm."""
    sums: dict[tuple[str, str | None, str, str], Sums] = {}
    for path in table_files(folder, "truth_visits"):
        for key, values, group in _parts(path, scenario):
            sums.setdefault(key, Sums()).add(values, group)
    averages, waiting = [], {}
    for arm in scenario.arm_names:
        mean, se = sums[arm, None, "by_waiting", "value"].mean()
        waiting[arm] = {"mean": mean, "se": se}
        for persona in (None, *scenario.roster.personas):
            averages += [
                _average(sums, arm, persona, metric) for metric in METRICS if (arm, persona, metric, "value") in sums
            ]
    return averages, waiting


def _average(sums: Mapping[Any, Sums], arm: str, persona: str | None, metric: str) -> dict[str, Any]:
    told = {kind: sums[arm, persona, metric, kind].mean() for kind in ("value", "lift", "undisturbed")}
    return {
        "arm": arm,
        "metric": metric,
        "persona": persona,
        "mean": told["value"][0],
        "mean_se": told["value"][1],
        "lift": told["lift"][0],
        "se": told["lift"][1],
        "undisturbed": told["undisturbed"][0],
        "undisturbed_se": told["undisturbed"][1],
    }


def _parts(
    path: Path, scenario: Scenario
) -> Iterator[tuple[tuple[str, str | None, str, str], NDArray[np.float64], NDArray[np.int64]]]:
    """Yield (arm, persona or None, metric, which value) with the visits' values and shoppers, of one file."""
    kinds = {"value": "", "control": "control_", "undisturbed": "undisturbed_"}
    wanted = [f"{prefix}{name}" for prefix in kinds.values() for name in OUTCOMES]
    rows = read_columns(path, (*VISIT_COLUMNS, *wanted))
    arms, personas = (np.array(rows[name].to_pylist()) for name in ("arm", "persona"))
    _, group = np.unique(rows["shopper"].to_numpy(), return_inverse=True)
    by_waiting = np.array(rows["by_waiting"].to_pylist(), np.float64)
    found = {kind: _metrics({n: rows[f"{prefix}{n}"].to_numpy() for n in OUTCOMES}) for kind, prefix in kinds.items()}
    for arm in scenario.arm_names:
        in_arm = arms == arm
        yield (arm, None, "by_waiting", "value"), by_waiting[in_arm], group[in_arm]
        for persona in (None, *scenario.roster.personas):
            here = in_arm if persona is None else in_arm & (personas == persona)
            if not here.any():
                continue
            for metric in METRICS:
                value, control = found["value"][metric][here], found["control"][metric][here]
                yield (arm, persona, metric, "value"), value, group[here]
                yield (arm, persona, metric, "lift"), value - control, group[here]
                yield (arm, persona, metric, "undisturbed"), found["undisturbed"][metric][here], group[here]


def _metrics(columns: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[np.float64]]:
    """Return each metric of each visit, in its unit."""
    pages, orders = columns["pages"], columns["orders"]
    return {
        "pages": pages.astype(np.float64),
        "engaged_time": columns["engaged_us"] / US,
        "bounce": (pages == 1).astype(np.float64),
        "conversion": (orders > 0).astype(np.float64),
        "orders": orders.astype(np.float64),
        "revenue": columns["revenue_cents"].astype(np.float64),
    }
