"""Points: earned with every order, spent on rewards, and never more than a ledger that adds up."""

from typing import NamedTuple

from simulator.storefront.database import Database
from simulator.storefront.errors import conflict, invalid, not_found
from simulator.storefront.money import in_base

POINTS_PER_POUND = 10


EXCLUSIVE_PASS = "exclusive-pass"  # noqa: S105 - a reward
"""The reward that opens the exclusive pieces of the library."""

ACTIVITIES = {"store_visit": 25, "review": 20, "plan_week": 10}
"""What earns points without an order (assumed)."""


class Reward(NamedTuple):
    """What points buy on an order."""

    id: str
    title: str
    points: int


REWARDS = (
    Reward("gift-wrap", "Gift wrapping", 15),
    Reward("express", "Express delivery", 400),
    Reward(EXCLUSIVE_PASS, "The exclusive library", 300),
    Reward("voucher-10", "10 % off the next order", 1_500),
)
_BY_ID = {reward.id: reward for reward in REWARDS}


class Entry(NamedTuple):
    """A line of the ledger; `kind` is `earned` or `redeemed`, `at` ISO 8601.

    `reward` is what points were spent on, or for what they were given; empty for those of an order.
    """

    order: str | None
    kind: str
    reward: str
    points: int
    at: str


def points_for(currency: str, total: int) -> int:
    """Return what an order of that total (minor units) earns, the same in every currency but for rounded prices."""
    return round(in_base(currency, total) * POINTS_PER_POUND)


def earn(database: Database, owner: str, order: str, currency: str, total: int, at: str) -> None:
    """Write down what an order earned, inside the transaction that places it."""
    _write(database, owner, Entry(order, "earned", "", points_for(currency, total), at))


def earn_by(database: Database, owner: str, activity: str, reference: str, at: str) -> bool:
    """Give points for an activity and return whether they are new: one visit, review or week counts once."""
    reward = f"{activity}:{reference}"
    with database.transaction():
        if database.one("SELECT 1 FROM loyalty WHERE owner = ? AND reward = ?", owner, reward) is not None:
            return False
        _write(database, owner, Entry(None, "earned", reward, ACTIVITIES[activity], at))
    return True


def entitled(database: Database, account: str) -> bool:
    """Return whether a member may read what is exclusive."""
    sql = "SELECT 1 FROM loyalty WHERE owner = ? AND reward = ? LIMIT 1"
    return database.one(sql, account, EXCLUSIVE_PASS) is not None


def balance(database: Database, owner: str) -> int:
    """Return the sum of the owner's ledger."""
    row = database.one("SELECT COALESCE(SUM(points), 0) FROM loyalty WHERE owner = ?", owner)
    assert row is not None
    return int(row[0])


def read_ledger(database: Database, owner: str, limit: int) -> list[Entry]:
    """Return the owner's latest entries, newest first."""
    return [Entry(*row) for row in database.all(_LEDGER, owner, limit)]


def reward_of(name: str) -> Reward:
    """Return a reward by its id; 422 if there is none."""
    if name not in _BY_ID:
        raise invalid(f"reward must be one of {', '.join(_BY_ID)}")
    return _BY_ID[name]


async def redeem(database: Database, account: str, reward: Reward, order: str, at: str) -> bool:
    """Put a reward on an order and return whether it is new: asking again takes no more points.

    404 if the account has no such order, 409 if its points do not reach. Looking and taking are one transaction, so
    that the same points cannot be spent twice.
    """
    with database.transaction():
        if may_redeem(database, account, reward, order):
            take_points(database, account, reward, order, at)
            return True
    return False


def may_redeem(database: Database, account: str, reward: Reward, order: str) -> bool:
    """Return whether the reward is still to be put on the order; 404 and 409 as `redeem` says."""
    if database.one("SELECT 1 FROM orders WHERE id = ? AND owner = ?", order, account) is None:
        raise not_found(f"order {order!r}")
    if database.one(_REDEEMED, order, reward.id) is not None:
        return False
    have = balance(database, account)
    if have < reward.points:
        raise conflict("not_enough_points", f"{reward.title} takes {reward.points} points, and there are {have}")
    return True


def take_points(database: Database, account: str, reward: Reward, order: str, at: str) -> None:
    """Write down that points were spent on a reward."""
    _write(database, account, Entry(order, "redeemed", reward.id, -reward.points, at))


_LEDGER = 'SELECT "order", kind, reward, points, at FROM loyalty WHERE owner = ? ORDER BY id DESC LIMIT ?'
_REDEEMED = """SELECT 1 FROM loyalty WHERE "order" = ? AND kind = 'redeemed' AND reward = ?"""


def _write(database: Database, owner: str, entry: Entry) -> None:
    sql = 'INSERT INTO loyalty (owner, "order", kind, reward, points, at) VALUES (?, ?, ?, ?, ?, ?)'
    database.run(sql, owner, *entry)
