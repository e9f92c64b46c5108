"""The open shop: everything a request may need, in one object."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

from simulator.storefront.cards import Cards
from simulator.storefront.catalogue import Catalogue, build_catalogue
from simulator.storefront.clock import Clock, system_clock
from simulator.storefront.database import Database
from simulator.storefront.edge import Edge
from simulator.storefront.intake import Intake
from simulator.storefront.library import Library
from simulator.storefront.limits import Buckets
from simulator.storefront.passkeys import Passkeys
from simulator.storefront.places import Places
from simulator.storefront.rules import Rules
from simulator.storefront.search import SearchIndex
from simulator.storefront.stock import Stock
from simulator.storefront.tokens import Stamps

_EDITION = "2"
"""Of the tables in schema.sql; a file with other tables is not opened."""


def _nobody_waits() -> int:
    return 0


@dataclass(slots=True)
class Shop:
    """A shop with its shelves, its books, its clock and its rules. Close it when done.

    `backlog` says how many requests have been read and not answered; whoever serves the shop knows.
    """

    catalogue: Catalogue
    database: Database
    stock: Stock
    search: SearchIndex
    places: Places
    stamps: Stamps
    library: Library
    cards: Cards
    intake: Intake
    passkeys: Passkeys
    clock: Clock
    rules: Rules
    edge: Edge = field(default_factory=Edge)
    buckets: Buckets = field(default_factory=Buckets)
    backlog: Callable[[], int] = _nobody_waits

    def close(self) -> None:
        """Store what was accepted, and close the books."""
        self.intake.settle()
        self.database.close()


def open_shop(path: Path, seed: int, clock: Clock = system_clock, rules: Rules | None = None) -> Shop:
    """Open the shop of this seed on a database file, made if missing, by these rules (default: the right ones).

    Raises ValueError if the file belongs to a shop of another seed or version, and sqlite3.Error if it is no shop's.
    """
    catalogue, rules = build_catalogue(seed), rules or Rules()
    database = Database(path)
    try:
        _check(database, path, seed)
        secret = bytes.fromhex(_meta(database, "secret", token_hex(32)))
        stock = Stock(database, catalogue)
    except Exception:
        database.close()
        raise
    return Shop(
        catalogue=catalogue,
        database=database,
        stock=stock,
        search=SearchIndex(catalogue),
        places=Places(),
        stamps=Stamps(secret),
        library=Library(catalogue),
        cards=Cards(rules.shown_price),
        intake=Intake(database, rules.keep),
        passkeys=Passkeys(database, rules.checks),
        clock=clock,
        rules=rules,
    )


def _check(database: Database, path: Path, seed: int) -> None:
    stored = _meta(database, "seed", str(seed))
    if stored != str(seed):
        raise ValueError(f"{path} is the shop of seed {stored}, not {seed}: use another file or that seed")
    if _meta(database, "edition", _EDITION) != _EDITION:
        raise ValueError(f"{path} is the shop of another version: use another file")


def _meta(database: Database, key: str, default: str) -> str:
    """Return a value the shop keeps about itself, writing the default at its first opening."""
    database.run("INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)", key, default)
    row = database.one("SELECT value FROM meta WHERE key = ?", key)
    assert row is not None
    return str(row[0])
