"""Geofences: which stores' fences a shopper walked into and out of, from positions that come late and in batches.

A phone collects positions and sends them minutes later. They are taken in the order of their own times; one that is
older than what is known already cannot undo it and is late.
"""

from typing import NamedTuple

from simulator.storefront.database import Database
from simulator.storefront.places import Places, Position, Store

MAX_POSITIONS = 10
"""At most this many in one call, as Amazon Location's BatchEvaluateGeofences has it."""


class Fix(NamedTuple):
    """Where a phone was, and when by its own clock."""

    position: Position
    at_ms: int


class Crossing(NamedTuple):
    """A fence that was crossed; `event` is `ENTER` or `EXIT`."""

    event: str
    store: Store
    at_ms: int


class Walked(NamedTuple):
    """What a batch came to: crossings in their order, the stores one stands at now, and how many fixes were late."""

    crossings: list[Crossing]
    inside: list[str]
    late: int


def walk_fences(database: Database, places: Places, owner: str, fixes: list[Fix]) -> Walked:
    """Take a batch of positions, all or none."""
    with database.transaction():
        known = database.one("SELECT at_ms FROM positions WHERE owner = ?", owner)
        latest = known[0] if known else -1
        fresh = sorted((fix for fix in fixes if fix.at_ms > latest), key=lambda fix: fix.at_ms)
        inside = {row[0] for row in database.all("SELECT store FROM fences WHERE owner = ?", owner)}
        before, crossings = frozenset(inside), list[Crossing]()
        for fix in fresh:
            here = {store.id: store for _, store in places.offers_at(fix.position)}
            left, entered = sorted(inside - here.keys()), sorted(here.keys() - inside)
            crossings += [Crossing("EXIT", places.store(store), fix.at_ms) for store in left]
            crossings += [Crossing("ENTER", here[store], fix.at_ms) for store in entered]
            inside = set(here)
        if fresh:
            _remember(database, owner, before, inside, fresh[-1].at_ms)
    return Walked(crossings, sorted(inside), len(fixes) - len(fresh))


def _remember(database: Database, owner: str, before: frozenset[str], inside: set[str], at_ms: int) -> None:
    database.run_many("DELETE FROM fences WHERE owner = ? AND store = ?", ((owner, s) for s in before - inside))
    database.run_many("INSERT INTO fences (owner, store) VALUES (?, ?)", ((owner, s) for s in inside - before))
    sql = "INSERT INTO positions (owner, at_ms) VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET at_ms = excluded.at_ms"
    database.run(sql, owner, at_ms)


def forget_positions(database: Database, owner: str) -> None:
    """Forget where somebody is, as whoever withdraws their consent wants it."""
    for sql in ("DELETE FROM fences WHERE owner = ?", "DELETE FROM positions WHERE owner = ?"):
        database.run(sql, owner)
