"""`make zoo`: every hazard of the embedded shop switched on in turn, a live run against it, and what the probes found.

    measure.py [--seconds 60] [--rate 20/s] [--jobs 1] [--only leak --only pushy] [--seeds 10] [--triples 10] [--write]

Plays each hazard alone, the shop with none on in so many seeds, and so many random triples. With `--write` results go
into results.json, from which docs/probes.md draws its table. Returns 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import track

from simulator.storefront.hazards import HAZARDS, all_hazards
from simulator.storefront.process import running_storefront

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
SEED = 7


@dataclass(frozen=True, slots=True)
class Play:
    """One live run: the hazards that are on, and the seed of its shoppers."""

    hazards: tuple[str, ...]
    seed: int
    seconds: int
    rate: str

    @property
    def due(self) -> set[str]:
        """The codes that should be blamed."""
        return {HAZARDS[name].code for name in self.hazards}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the probes of one run found: the codes they blamed, each hazard's state, and what asking cost."""

    hazards: list[str]
    seed: int
    due: list[str]
    blamed: list[str]
    states: dict[str, str]
    why: dict[str, str]
    requests: int
    probe_requests: int
    spent_share: float

    @property
    def right(self) -> bool:
        """Whether exactly the hazards that are on were blamed."""
        return set(self.blamed) == set(self.due)


def play(one: Play) -> Outcome:
    """Open a shop with hazards, send shoppers, and read what the probes say. Raises `RuntimeError` without a run."""
    with running_storefront(seed=SEED, hazards=one.hazards) as shop, tempfile.TemporaryDirectory() as name:
        out = Path(name) / "run"
        command = [
            sys.executable, "-m", "simulator.cli", "load", "demo", "--host", shop.url, "--rate", one.rate,
            "--duration", f"{one.seconds}s", "--seed", str(one.seed), "--out", str(out),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=one.seconds + 120, check=False)
        if not (out / "manifest.json").exists():
            raise RuntimeError(f"{one.hazards}: {done.stdout}{done.stderr}")
        manifest = json.loads((out / "manifest.json").read_text())
    probes, found = manifest["probes"], manifest["probes"]["findings"]
    return Outcome(
        list(one.hazards),
        one.seed,
        sorted(one.due),
        [finding["code"] for finding in found if finding["blamed"]],
        {finding["code"]: finding["state"] for finding in found},
        {finding["code"]: finding["why"] or "; ".join(finding["missing"]) for finding in found if finding["why"]},
        manifest["generator"]["requests"],
        probes["requests"],
        probes["spent_s"] / one.seconds,
    )


def plays(seconds: int, rate: str, only: Sequence[str], seeds: int, triples: int) -> list[Play]:
    """Return what is to be played: each hazard, none in several seeds, random triples of different families."""
    names = [hazard.name for hazard in all_hazards()]
    chosen = [Play((name,), SEED, seconds, rate) for name in names if not only or name in only]
    chosen += [Play((), SEED + n, seconds, rate) for n in range(seeds)]
    dice = random.Random(SEED)
    return chosen + [Play(_three(names, dice), SEED, seconds, rate) for _ in range(triples)]


def _three(names: Sequence[str], dice: random.Random) -> tuple[str, ...]:
    """Return three hazards of three families."""
    while True:
        drawn = dice.sample(list(names), 3)
        if len({HAZARDS[name].code for name in drawn}) == len(drawn):
            return tuple(sorted(drawn))


def main() -> int:
    """Play everything and print what was wrong; return 1 where something was."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rate", default="20/s")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--triples", type=int, default=10)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    todo = plays(given.seconds, given.rate, given.only, given.seeds, given.triples)
    with ThreadPoolExecutor(given.jobs) as pool:
        outcomes = list(track(pool.map(play, todo), "hazards", total=len(todo)))
    for one in outcomes:
        mark = "✓" if one.right else "✗"
        told = "" if one.right else f" blamed {', '.join(one.blamed) or 'nothing'}: {one.why}"
        sys.stdout.write(f"{mark} {', '.join(one.hazards) or 'none'} (seed {one.seed}){told}\n")
    if given.write:
        told = {"seconds": given.seconds, "rate": given.rate, "runs": [asdict(one) for one in outcomes]}
        RESULTS.write_text(json.dumps(told, indent=1) + "\n")
    return 0 if all(one.right for one in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
