"""The rules by which the shop does right; each hazard puts a wrong one in the place of one or two of them.

A rule is a small function or a few settings. Where it is asked, the shop does not know whether it is the right one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request

from simulator.storefront.attention import Attend, attend, pass_on
from simulator.storefront.cards import Pricing
from simulator.storefront.database import Database
from simulator.storefront.edge import BY_THE_BOOK, Caching
from simulator.storefront.experiments import Split, Unit, device_unit, even_split
from simulator.storefront.history import whole_history
from simulator.storefront.intake import Keep, keep_all
from simulator.storefront.loyalty import Reward, redeem
from simulator.storefront.markets import list_price
from simulator.storefront.messages import GOOD_MANNERS, Manners
from simulator.storefront.models import Model, by_platform
from simulator.storefront.money import currency_of
from simulator.storefront.passkeys import EVERY_CHECK, Checks
from simulator.storefront.places import Deal, Places, Position, Store, deals_in, offers_around
from simulator.storefront.reading import capitals, decimal_position
from simulator.storefront.recommend import Offered, Picks, can_be_had
from simulator.storefront.sessions import Caller, as_agreed, count_sessions, owns
from simulator.storefront.shares import share_address
from simulator.storefront.tokens import Stamps, fresh_stamp
from simulator.storefront.trends import is_for_real
from simulator.storefront.zones import local_time

if TYPE_CHECKING:
    from datetime import datetime

    from simulator.storefront.call import Call
    from simulator.storefront.catalogue import Product


@dataclass(frozen=True, slots=True)
class Rules:
    """All of them, right unless replaced."""

    # Who is asking, and what they agreed to.
    admit: Callable[[Caller], Caller] = as_agreed
    may_read: Callable[[Caller, str], bool] = owns
    checks: Checks = EVERY_CHECK
    share_address: Callable[[Caller, str], str] = share_address
    # Where they are.
    country: Callable[[str], str] = capitals
    position: Callable[[str, str], Position | None] = decimal_position
    fences: Callable[[Places, Position], list[tuple[float, Store]]] = offers_around
    deals: Callable[[str], list[Deal]] = deals_in
    currency: Callable[[str], str] = currency_of
    local_time: "Callable[[Caller, datetime], datetime]" = local_time
    # What they are shown, and for how much.
    caching: Caching = BY_THE_BOOK
    shown_price: Pricing = list_price
    offered: Offered = can_be_had
    picks: "Callable[[Call, Picks], Picks]" = pass_on
    model: "Callable[[Product, str], Model]" = by_platform
    sends_ranges: bool = True
    # What is known of them.
    attend: Attend = attend
    history_from: Callable[[Database, Caller], int] = whole_history
    visits: Callable[[Database, str], int] = count_sessions
    unit: Unit = device_unit
    split: Split = even_split
    # What they did, and what they are told of it later.
    stamp: Callable[[Stamps, str], str] = fresh_stamp
    keep: Keep = keep_all
    counts: Callable[[Request], bool] = is_for_real
    redeem: Callable[[Database, str, Reward, str, str], Awaitable[bool]] = redeem
    manners: Manners = GOOD_MANNERS
