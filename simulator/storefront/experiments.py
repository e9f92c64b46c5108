"""The shop's own experiments: who sees which arm, for ever, and how many were shown each."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeAlias

from simulator.storefront.database import Database
from simulator.storefront.sessions import Caller


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment; all arms have the same share, and whoever cannot be told apart gets the first."""

    key: str
    arms: tuple[str, ...]


HERO = Experiment("home-hero", ("control", "treatment"))
EXPERIMENTS = (HERO, Experiment("search-layout", ("grid", "list", "mixed")), Experiment("free-delivery", ("off", "on")))
BY_KEY = {experiment.key: experiment for experiment in EXPERIMENTS}

Unit: TypeAlias = Callable[[Caller], str | None]
"""Returns what an assignment hangs on, or None for whoever cannot be told apart."""
Split: TypeAlias = Callable[[Experiment, int], str]
"""Returns the arm of a number that is uniform from 0 to 2**64 - 1."""


def device_unit(caller: Caller) -> str | None:
    """Hang an assignment on the device alone, so that no login can flip it."""
    return caller.visitor


def even_split(experiment: Experiment, number: int) -> str:
    """Give each arm the same share."""
    return experiment.arms[number % len(experiment.arms)]


def arm_of(experiment: Experiment, unit: str | None, split: Split = even_split) -> str:
    """Return the arm of a unit: the same in every session, and independent between experiments."""
    if unit is None:
        return experiment.arms[0]
    digest = blake2b(unit.encode(), digest_size=8, key=experiment.key.encode()).digest()
    return split(experiment, int.from_bytes(digest))


def expose(database: Database, experiment: Experiment, arm: str, unit: str, *, counts: bool) -> bool:
    """Write down that somebody was shown an arm, once each, and return whether it is new.

    Test traffic is written down too, but not counted (`counts`).
    """
    sql = "INSERT OR IGNORE INTO exposures (experiment, arm, unit, counts) VALUES (?, ?, ?, ?)"
    return database.run(sql, experiment.key, arm, unit, counts) > 0


def exposed(database: Database) -> dict[tuple[str, str], int]:
    """Return how many were shown each (experiment, arm), test traffic left out."""
    rows = database.all("SELECT experiment, arm, COUNT(*) FROM exposures WHERE counts GROUP BY experiment, arm")
    return {(experiment, arm): count for experiment, arm, count in rows}
