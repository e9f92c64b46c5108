"""What the events of Google Analytics say, as parameters: of the page, of its campaign and of the shop's own events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from simulator.export.products import CURRENCY, product_facts
from simulator.export.vendors.contents import LISTS, addresses, campaign_address, queries, titles
from simulator.export.vendors.ga4_hits import ACTION, AUTOMATIC, NAMES, PAGE_VIEW, SECOND
from simulator.export.vendors.nested import Param
from simulator.export.vendors.people import order_ids
from simulator.export.vendors.vocabulary import CHANNELS
from simulator.model.states import STATE_INDEX, STATE_NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.vendors.ga4_hits import Hits

LIST_NAMES = ["Search results", "Category", "Picked for you", "Offers"]
METHODS = ["password", "biometric", "link"]
"""How somebody logs in, or shares."""
_CHANNEL = list(CHANNELS.values())


def event_params(hits: Hits) -> list[Param]:
    """Return every parameter of the export's events, in the order in which they stand."""
    sessions, visit, kind = hits.sessions, hits.visit, hits.kind
    allowed = sessions.analytics[visit]
    one = np.ones(len(visit), np.int64)
    engaged = hits.engaged & allowed
    return [
        Param("ga_session_id", "int", allowed, sessions.begin_us[visit] // 1_000_000),
        Param("ga_session_number", "int", allowed, sessions.number[visit]),
        Param("session_engaged", "string", allowed, engaged.astype(np.int64), pa.array(["0", "1"])),
        Param("engaged_session_event", "int", engaged, one),
        *page_params(hits),
        Param("engagement_time_msec", "int", hits.engagement_ms > 0, hits.engagement_ms),
        Param("entrances", "int", (kind == PAGE_VIEW) & hits.entrance, one),
        *_campaign_params(hits),
        *action_params(hits),
    ]


def page_params(hits: Hits) -> list[Param]:
    """Return address, title and referrer of the page."""
    steps, contents, every = hits.steps, hits.contents, np.ones(len(hits.row), np.bool_)
    page = steps.page[hits.row]
    landed, channel = steps.first[page], hits.sessions.channel[hits.visit]
    tagged = np.where(landed, channel, -1)
    before = steps.page[np.maximum(page - 1, 0)]
    lands_before = steps.first[before]
    previous = campaign_address(contents.address[before], np.where(lands_before, channel, -1))
    sites = pa.array([c.referrer for c in _CHANNEL])
    words = pa.concat_arrays([addresses(), sites])
    known = ~landed | np.array([bool(c.referrer) for c in _CHANNEL])[channel]
    return [
        Param("page_location", "string", every, campaign_address(contents.address[page], tagged), addresses()),
        Param("page_title", "string", every, contents.address[page], titles()),
        Param("page_referrer", "string", known, np.where(landed, len(addresses()) + channel, previous), words),
    ]


def _campaign_params(hits: Hits) -> list[Param]:
    """Return source, medium and campaign, which the first page view of a tagged visit carries."""
    channel = hits.sessions.channel[hits.visit]
    tagged = np.array([c.tagged for c in _CHANNEL])[channel]
    here = tagged & hits.steps.first[hits.steps.page[hits.row]] & (hits.kind == PAGE_VIEW)
    return [
        Param(key, "string", here, channel, pa.array([getattr(c, key) for c in _CHANNEL]))
        for key in ("source", "medium", "campaign")
    ]


def action_params(hits: Hits) -> list[Param]:
    """Return what the shop's own events say."""
    acts, state, none = hits.kind >= ACTION, hits.state, np.zeros(len(hits.row), np.int64)
    is_ = {name: acts & (state == STATE_INDEX[name]) & (hits.kind != SECOND) for name in STATE_NAMES}
    shop = ~np.isin(hits.name, [NAMES.index(name) for name in AUTOMATIC])
    bought = shop & is_["purchase"]
    listed = shop & np.isin(state, LISTS) & (hits.items.count > 0)
    orders = order_ids(hits.steps, hits.row[bought])
    number = np.where(bought, np.cumsum(bought) - 1, 0)
    method = np.where(is_["login"], 0, np.where(is_["biometric_login"], 1, 2))
    with_method = shop & (is_["login"] | is_["biometric_login"] | is_["share"])
    kinds, kind = pa.array(["product", "story"]), np.where(is_["content"], 1, 0)
    lists_, place = pa.array([STATE_NAMES[s] for s in LISTS]), np.searchsorted(LISTS, np.where(listed, state, LISTS[0]))
    return [
        Param("currency", "string", priced(hits), none, pa.array([CURRENCY])),
        Param("value", "double", priced(hits), hits.value),
        Param("transaction_id", "string", bought, number, orders),
        Param("payment_type", "string", shop & is_["payment"], none, pa.array(["card"])),
        Param("search_term", "string", shop & is_["search"] & (hits.kind == ACTION), hits.anchor, queries()),
        Param("item_list_id", "string", listed, place, lists_),
        Param("item_list_name", "string", listed, place, pa.array(LIST_NAMES)),
        Param("method", "string", with_method, method, pa.array(METHODS)),
        Param("content_type", "string", shop & (is_["content"] | is_["share"]), kind, kinds),
        Param("item_id", "string", shop & is_["share"], hits.in_view, product_facts()["sku"].combine_chunks()),
        Param("firebase_conversion", "int", bought, none + 1),
    ]


def priced(hits: Hits) -> NDArray[np.bool_]:
    """Return whether an event has a value: those of single products and carts, not those of lists."""
    return (hits.items.count > 0) & ~np.isin(hits.state, LISTS)
