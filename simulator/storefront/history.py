"""What a shopper did here before, and what that says about their taste."""

from collections.abc import Iterable
from dataclasses import dataclass

from simulator.storefront.catalogue import Catalogue
from simulator.storefront.database import Database
from simulator.storefront.sessions import Caller

_WEIGHT = {"view": 1.0, "cart": 3.0, "order": 5.0}
_RECENT_ROWS = 60
_RECENT_PRODUCTS = 6


@dataclass(frozen=True, slots=True)
class Taste:
    """A shopper's own history in short.

    `recent`: SKUs they last had to do with, newest first. `bought`: everything they ordered. `affinity`: the share of
    their interest by category, adding up to 1, largest first. `kinds`: the kinds of things they did.
    """

    recent: tuple[str, ...]
    bought: frozenset[str]
    affinity: dict[str, float]
    kinds: frozenset[str]


def remember(database: Database, caller: Caller, kind: str, skus: Iterable[str]) -> None:
    """Add `view`, `cart` or `order` of these SKUs to the caller's history, if they agreed to be remembered."""
    if not caller.consent.personalization:
        return
    for sku in skus:
        database.run(
            "INSERT INTO history (visitor, account, kind, sku) VALUES (?, ?, ?, ?)",
            caller.visitor,
            caller.account,
            kind,
            sku,
        )


def whole_history(_database: Database, _caller: Caller) -> int:
    """Let all of a caller's history count."""
    return 0


def read_taste(database: Database, catalogue: Catalogue, caller: Caller, after: int = 0) -> Taste | None:
    """Return the caller's taste, or None for whoever is anonymous, did not agree, or has done nothing yet.

    Only what stands behind entry `after` of the history counts.
    """
    if not caller.consent.personalization:
        return None
    if caller.account:
        recent, bought = _BY_ACCOUNT
    else:
        recent, bought = _BY_VISITOR
    rows: list[tuple[str, str]] = database.all(recent, caller.subject, after, _RECENT_ROWS)
    if not rows:
        return None
    return Taste(
        recent=tuple(dict.fromkeys(sku for _, sku in rows))[:_RECENT_PRODUCTS],
        bought=frozenset(row[0] for row in database.all(bought, caller.subject)),
        affinity=_affinity(rows, catalogue),
        kinds=frozenset(kind for kind, _ in rows),
    )


def last_entry(database: Database) -> int:
    """Return the number of the latest entry of anybody's history; 0 if there is none."""
    row = database.one("SELECT COALESCE(MAX(id), 0) FROM history")
    return int(row[0]) if row else 0


_BY_VISITOR = (
    "SELECT kind, sku FROM history WHERE visitor = ? AND id > ? ORDER BY id DESC LIMIT ?",
    "SELECT sku FROM history WHERE visitor = ? AND kind = 'order'",
)
_BY_ACCOUNT = (
    "SELECT kind, sku FROM history WHERE account = ? AND id > ? ORDER BY id DESC LIMIT ?",
    "SELECT sku FROM history WHERE account = ? AND kind = 'order'",
)


def _affinity(rows: list[tuple[str, str]], catalogue: Catalogue) -> dict[str, float]:
    weights: dict[str, float] = {}
    for kind, sku in rows:
        category = catalogue.products[sku].category
        weights[category] = weights.get(category, 0.0) + _WEIGHT[kind]
    total = sum(weights.values())
    largest_first = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))
    return {category: weight / total for category, weight in largest_first}


def segments_of(caller: Caller, taste: Taste | None) -> list[str]:
    """Name the marketing segments a caller is in; none for whoever is anonymous or did not agree."""
    if not caller.consent.personalization:
        return []
    if taste is None:
        return ["newcomer"]
    deepest = next(name for kind, name in _DEPTH if kind in taste.kinds)
    return [deepest, *(f"likes-{category}" for category, share in taste.affinity.items() if share >= 0.4)]


_DEPTH = (("order", "customer"), ("cart", "basket-builder"), ("view", "browser"))
