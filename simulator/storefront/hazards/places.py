"""Place, country and local time that are asked wrongly."""

import re
from dataclasses import replace
from datetime import datetime

from simulator.storefront.hazards.registry import hazard
from simulator.storefront.money import BASE
from simulator.storefront.places import DEALS, Deal, Places, Position, Store
from simulator.storefront.rules import Rules
from simulator.storefront.sessions import Caller

_NEARBY = 5
_PLAIN = re.compile(r"-?\d{1,3}\.\d{1,5}")


@hazard("H3", "home", "offers")
def wrong_place(rules: Rules) -> Rules:
    """Offer what the five nearest stores have, however far they are: nobody compares the distance with the fence."""

    def nearest(places: Places, position: Position) -> list[tuple[float, Store]]:
        return places.nearest(position, _NEARBY)

    return replace(rules, fences=nearest)


@hazard("H4", "home", "offers")
def every_country(rules: Rules) -> Rules:
    """Give everybody the deals of all countries: the rule that gives each country its own fails open."""

    def everything(_country: str) -> list[Deal]:
        return list(DEALS.values())

    return replace(rules, deals=everything)


@hazard("H5", "session", "home", "offers", "store_near")
def geo_format(rules: Rules) -> Rules:
    """Compare places as text: `de` is no country, and a position with a sixth digit or an exponent is none."""

    def as_sent(country: str) -> str:
        return country

    def if_plain(lat: str, lon: str) -> Position | None:
        plain = _PLAIN.fullmatch(lat) and _PLAIN.fullmatch(lon)
        return Position(float(lat), float(lon)) if plain else None

    return replace(rules, country=as_sent, position=if_plain)


@hazard("H23", "home", "search", "category", "product", "recommend", "cart", "checkout", "price")
def wrong_currency(rules: Rules) -> Rules:
    """Give every price in the shop's own currency, wherever the shopper is."""

    def own(_country: str) -> str:
        return BASE

    return replace(rules, currency=own)


@hazard("H25", "home")
def server_time(rules: Rules) -> Rules:
    """Take morning, evening and night from the server's clock, not from the shopper's."""

    def on_the_server(_caller: Caller, now: datetime) -> datetime:
        return now

    return replace(rules, local_time=on_the_server)
