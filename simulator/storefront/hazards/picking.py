"""Recommendations that forget, or do not look."""

from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.storefront.database import Database
from simulator.storefront.hazards.registry import hazard
from simulator.storefront.history import last_entry
from simulator.storefront.recommend import Picks
from simulator.storefront.rules import Rules
from simulator.storefront.sessions import Caller
from simulator.storefront.stock import Stock

if TYPE_CHECKING:
    from simulator.storefront.call import Call
    from simulator.storefront.catalogue import Product
    from simulator.storefront.history import Taste


@hazard("H16", "recommend")
def cold_start(rules: Rules) -> Rules:
    """Recommend nothing at all to whoever has a session and no history yet."""

    def nothing_for_newcomers(call: "Call", picks: Picks) -> Picks:
        empty = Picks([], fallback=True)
        return empty if picks.fallback and call.caller.session else rules.picks(call, picks)

    return replace(rules, picks=nothing_for_newcomers)


@hazard("H19", "home", "recommend")
def sold_out(rules: Rules) -> Rules:
    """Recommend what is sold out, and what this shopper has bought already, like anything else."""

    def whatever(_product: "Product", _taste: "Taste | None", _stock: Stock) -> bool:
        return True

    return replace(rules, offered=whatever)


@hazard("H24", "identify", "home", "search", "recommend")
def forgets_returning(rules: Rules) -> Rules:
    """Take every visit for a first one: only what was done since this session's first page counts."""
    begun: dict[str | None, int] = {}

    def since_first_page(database: Database, caller: Caller) -> int:
        return begun.setdefault(caller.session, last_entry(database))

    def one(_database: Database, _visitor: str) -> int:
        return 1

    return replace(rules, history_from=since_first_page, visits=one)
