"""How many of each thing are left."""

from collections.abc import Iterable, Sequence

from simulator.storefront.catalogue import Catalogue
from simulator.storefront.database import Database
from simulator.storefront.errors import conflict

_TAKE = "UPDATE stock SET quantity = quantity - ?2 WHERE sku = ?1 AND quantity >= ?2"


class Stock:
    """The stock in the database, and a copy of it in memory for the many questions that only look.

    The database decides: an order asks it, inside its transaction. The copy may be behind for a moment if another
    process sells from the same file.
    """

    def __init__(self, database: Database, catalogue: Catalogue) -> None:
        self._database = database
        with database.transaction():
            opening = ((p.sku, p.opening_stock) for p in catalogue.products.values())
            database.run_many("INSERT OR IGNORE INTO stock (sku, quantity) VALUES (?, ?)", opening)
        self._left: dict[str, int] = dict(database.all("SELECT sku, quantity FROM stock"))
        self.edition = 0
        """Counts how often a shelf became empty or full: what was said of shelves under another number is outdated."""

    def left(self, sku: str) -> int:
        """Return how many can be bought; 0 for a thing the shop never had."""
        return self._left.get(sku, 0)

    def take(self, lines: Sequence[tuple[str, int]]) -> None:
        """Take (sku, quantity) off the shelves, inside the caller's transaction.

        Raises a 409 naming what is missing; the caller's transaction then undoes the rest.
        """
        missing = [sku for sku, quantity in lines if self._database.run(_TAKE, sku, quantity) == 0]
        if missing:
            raise conflict("out_of_stock", f"not enough left of {', '.join(missing)}")

    def refresh(self, skus: Iterable[str]) -> None:
        """Read these shelves again; call it after the transaction that took from them, or found them empty."""
        for sku in skus:
            row = self._database.one("SELECT quantity FROM stock WHERE sku = ?", sku)
            left = row[0] if row else 0
            self.edition += (left > 0) != (self.left(sku) > 0)
            self._left[sku] = left
