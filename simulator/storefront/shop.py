"""The open shop: everything a request may need, in one object."""

from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from simulator.storefront.catalogue import Catalogue, build_catalogue
from simulator.storefront.clock import Clock, system_clock
from simulator.storefront.database import Database
from simulator.storefront.library import Library
from simulator.storefront.places import Places
from simulator.storefront.search import SearchIndex
from simulator.storefront.stock import Stock
from simulator.storefront.tokens import Stamps


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop with its shelves, its books and its clock. Close it when done."""

    catalogue: Catalogue
    database: Database
    stock: Stock
    search: SearchIndex
    places: Places
    stamps: Stamps
    library: Library
    clock: Clock

    def close(self) -> None:
        """Close the books."""
        self.database.close()


def open_shop(path: Path, seed: int, clock: Clock = system_clock) -> Shop:
    """Open the shop of this seed on a database file, made if missing.

    Raises ValueError if the file belongs to a shop of another seed, and sqlite3.Error if it is no shop's at all.
    """
    catalogue = build_catalogue(seed)
    database = Database(path)
    try:
        _check_seed(database, path, seed)
        secret = bytes.fromhex(_meta(database, "secret", token_hex(32)))
        stock = Stock(database, catalogue)
    except Exception:
        database.close()
        raise
    search, library = SearchIndex(catalogue), Library(catalogue)
    return Shop(catalogue, database, stock, search, Places(), Stamps(secret), library, clock)


def _check_seed(database: Database, path: Path, seed: int) -> None:
    stored = _meta(database, "seed", str(seed))
    if stored != str(seed):
        raise ValueError(f"{path} is the shop of seed {stored}, not {seed}: use another file or that seed")


def _meta(database: Database, key: str, default: str) -> str:
    """Return a value the shop keeps about itself, writing the default at its first opening."""
    database.run("INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)", key, default)
    row = database.one("SELECT value FROM meta WHERE key = ?", key)
    assert row is not None
    return str(row[0])
