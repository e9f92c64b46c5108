"""Part `segment`: what the shop's pages send to Segment, as the calls stand in a raw data store (JSON) or lake.

`page` when something of a page is painted, `track` with the names and properties of the e-commerce spec v2 when an
action took effect, `identify` when the shop learns who this is. What Analytics.js collects by itself (campaign,
library, locale, page, timezone, userAgent, userAgentData) is as the browser tells it; `device`, `os`, `screen` and
`network` are added by the site from what it can see, so only Chromium tells its network and its model. No IP address,
no carrier, no `location`: nothing of them is modelled. Traits hold no personal data.

*Consent*: see `simulator.export.vendors.feed`. What is sent carries the consent object with the shopper's choices.

Shape: segmentio/segment-docs, src/connections/spec/{common,track,page,identify,ecommerce/v2}.md and
src/privacy/consent-management/consent-in-segment-connections.md, as of 2025-11.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.export.products import CURRENCY
from simulator.export.source import Part
from simulator.export.vendors.columns import fact, ids_from, iso_text, labelled, named, spread, struct, where
from simulator.export.vendors.contents import LISTS, queries
from simulator.export.vendors.feed import ANY, PAGES, Call, Feed, blocks, feed_of
from simulator.export.vendors.pages import Pages
from simulator.export.vendors.segment_context import context
from simulator.export.vendors.steps import LOGINS
from simulator.export.vendors.tracked import Listed, tracked
from simulator.export.vendors.vocabulary import HOST
from simulator.journey.kernel import PRODUCTS_PER_CATEGORY
from simulator.model.schema import CATEGORIES
from simulator.model.states import STATE_NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.source import Source

CALLS = (
    Call("Product Clicked", ("product",), "tapped", "chosen"),
    Call("identify", ANY, "painted", "arrives_known"),
    Call("page", PAGES, "painted"),
    Call("identify", tuple(STATE_NAMES[state] for state in LOGINS), only="logs_in"),
    Call("Products Searched", ("search",)),
    Call("Product List Viewed", tuple(STATE_NAMES[state] for state in LISTS)),
    Call("Product Viewed", ("product",)),
    Call("Product Added", ("add_to_cart",), only="added"),
    Call("Cart Viewed", ("cart",)),
    Call("Checkout Started", ("checkout",)),
    Call("Checkout Step Viewed", ("checkout",), checkout=1),
    Call("Checkout Step Completed", ("payment",), checkout=1),
    Call("Payment Info Entered", ("payment",), checkout=2),
    Call("Checkout Step Completed", ("purchase",), only="bought", checkout=2),
    Call("Order Completed", ("purchase",), only="bought"),
    Call("Product Shared", ("share",)),
)
"""Which states make which calls. Checkout has two steps: the address and the payment."""

_PRODUCT = ("product_id", "sku", "category", "name", "brand", "price", "url")
_CHECKOUT = ("checkout_id", "step", "payment_method")
PROPERTIES: dict[str, tuple[str, ...]] = {
    "page": ("path", "referrer", "search", "title", "url"),
    "Products Searched": ("query",),
    "Product List Viewed": ("list_id", "category", "products"),
    "Product Clicked": _PRODUCT,
    "Product Viewed": (*_PRODUCT, "currency"),
    "Product Added": ("cart_id", *_PRODUCT, "quantity", "currency"),
    "Product Shared": _PRODUCT,
    "Cart Viewed": ("cart_id", "products"),
    "Checkout Started": ("value", "revenue", "currency", "products"),
    "Checkout Step Viewed": _CHECKOUT[:2],
    "Checkout Step Completed": _CHECKOUT[:2],
    "Payment Info Entered": _CHECKOUT,
    "Order Completed": ("checkout_id", "order_id", "total", "revenue", "currency", "products"),
}
"""Properties of the spec that each call fills, in the spec's words; `page` fills Segment's page properties."""
LIST_IDS = tuple({"search": "search-results", "recommend": "recommendations"}.get(name, name) for name in STATE_NAMES)
MEANINGS = {
    "anonymousId": "the browser's id, the same in all visits of a shopper",
    "userId": "the shop's number of the customer; absent until the shop knows who it is",
    "type": "page, track or identify",
    "event": "name of the event in the e-commerce spec; of tracks only",
    "name": "title of the page; of pages only",
    "properties": "what the event is about; each event fills its own",
    "traits": "who the customer is; of identify only",
    "context": "phone, page, campaign, consent and the like, as far as the browser tells",
    "messageId": "id of the call; equal where the same call was delivered twice",
    "originalTimestamp": "when the call was made, by the device's clock",
    "sentAt": "when it was sent, by the device's clock",
    "receivedAt": "when it arrived, by Segment's clock",
    "timestamp": "receivedAt − (sentAt − originalTimestamp): when it was made, with the device's clock set right",
    "version": "of the tracking API",
}
VERSION = 2
"""Of the tracking API, which Segment's own raw example bears."""
PAYMENT = "card"
"""The one way to pay that is modelled."""


def segment(source: Source) -> dict[str, pa.Table]:
    """Return the table `segment`: one row a call, in the order of delivery."""
    feed = feed_of(tracked(source, "segment"), CALLS)
    return {"segment": pa.concat_tables([_table(block) for block in blocks(feed)])}


def _table(feed: Feed) -> pa.Table:
    events = [call.event for call in feed.calls]
    kinds = [event if event in {"page", "identify"} else "track" for event in events]
    original, sent, received = (at_us // 1_000 * 1_000 for at_us in (feed.device_us, feed.sent_us, feed.received_us))
    users = where(feed.known, feed.tracked.customers(feed.row))
    columns: dict[str, Any] = {
        "anonymousId": feed.tracked.visitors(feed.row),
        "userId": users,
        "type": named(feed.code, kinds),
        "event": where(~feed.of("page", "identify"), named(feed.code, events)),
        "name": spread(feed.of("page"), Pages(feed.tracked, feed.row[feed.of("page")]).title),
        "properties": _properties(feed),
        "traits": _traits(feed, users),
        "context": context(feed),
        "messageId": ids_from(feed.tracked.source.seed, "segment", feed.event_id, feed.code),
        "originalTimestamp": iso_text(original),
        "sentAt": iso_text(sent),
        "receivedAt": iso_text(received),
        "timestamp": iso_text(received - (sent - original)),
        "version": pa.array(np.full(len(feed.row), VERSION)),
    }
    return labelled(columns, MEANINGS)


def _properties(feed: Feed) -> pa.StructArray:
    """Return the properties, each filled where the call has it; an `identify` has none."""
    columns = {}
    for name, make in MAKERS.items():
        mask = np.array([name in PROPERTIES.get(call.event, ()) for call in feed.calls])[feed.code]
        columns[name] = spread(mask, make(feed, np.flatnonzero(mask)))
    return struct(columns, feed.of("identify"))


def _traits(feed: Feed, users: pa.Array) -> pa.StructArray:
    """Return what `identify` tells of a customer: number, country and membership."""
    shoppers, who = feed.tracked.source.shoppers, pa.array(feed.shopper)
    country = shoppers["country"].combine_chunks().take(who)
    member = shoppers["member"].combine_chunks().take(who)
    columns = {"id": users, "address": struct({"country": country}), "rewards_member": member}
    return struct(columns, ~feed.of("identify"))


def _of_page(name: str) -> Maker:
    return lambda feed, at: getattr(Pages(feed.tracked, feed.row[at]), name)


def _of_product(name: str) -> Maker:
    return lambda feed, at: fact(feed.tracked.steps.product[feed.row[at]], name)


def _url(feed: Feed, at: NDArray[np.int64]) -> pa.Array:
    """Return the address of the page for a page, of the product for a product."""
    row, is_page = feed.row[at], feed.of("page")[at]
    return pc.if_else(pa.array(is_page), Pages(feed.tracked, row).url, _address(feed.tracked.steps.product[row]))


def _address(product: NDArray[np.int64]) -> pa.Array:
    return pc.binary_join_element_wise(f"https://{HOST}/p/", fact(product, "sku"), "")


def _category(feed: Feed, at: NDArray[np.int64]) -> pa.Array:
    """Return the product's category, or that of a list which is of one."""
    row, seen = feed.row[at], feed.tracked
    product = seen.steps.product[row] // PRODUCTS_PER_CATEGORY
    return named(np.where(feed.of("Product List Viewed")[at], seen.shelf[row], product), CATEGORIES)


def _basket(kind: str) -> Maker:
    return lambda feed, at: feed.tracked.baskets(kind, feed.row[at])


def _value(feed: Feed, at: NDArray[np.int64]) -> pa.Array:
    return pa.array(feed.tracked.cart_cents[feed.row[at]] / 100)


def _products(feed: Feed, at: NDArray[np.int64]) -> pa.Array:
    """Return what a list shows, or the lines of a cart or order; positions count from 1."""
    on_list = feed.of("Product List Viewed")[at]
    shown, cart = feed.tracked.on_list(feed.row[at[on_list]]), feed.tracked.in_cart(feed.row[at[~on_list]])
    apart = pa.concat_arrays([shown.grouped(_lines(shown, shelf=True)), cart.grouped(_lines(cart, shelf=False))])
    return apart.take(pa.array(np.argsort(np.argsort(~on_list, kind="stable"))))


def _lines(lines: Listed, *, shelf: bool) -> pa.StructArray:
    missing = np.full(len(lines.product), shelf)
    return struct(
        {
            "product_id": pa.array(lines.product).cast(pa.string()),
            **{name: fact(lines.product, name) for name in ("sku", "category", "name", "brand", "price")},
            "quantity": pa.array(lines.quantity, mask=missing),
            "position": pa.array(lines.place + 1),
            "url": _address(lines.product),
        }
    )


def _same(value: str) -> Maker:
    return lambda _, at: pa.repeat(value, len(at))


Maker = Callable[[Feed, "NDArray[np.int64]"], pa.Array]
MAKERS: dict[str, Maker] = {
    **{name: _of_page(name) for name in PROPERTIES["page"] if name != "url"},
    "url": _url,
    "query": lambda feed, at: queries().take(pa.array(feed.tracked.contents.anchor[feed.row[at]])),
    "list_id": lambda feed, at: named(feed.tracked.steps.state[feed.row[at]], LIST_IDS),
    "cart_id": _basket("cart"),
    "checkout_id": _basket("checkout"),
    "order_id": lambda feed, at: feed.tracked.orders(feed.row[at]),
    "product_id": lambda feed, at: pa.array(feed.tracked.steps.product[feed.row[at]]).cast(pa.string()),
    **{name: _of_product(name) for name in ("sku", "name", "brand", "price")},
    "category": _category,
    "quantity": lambda _, at: pa.array(np.ones(len(at), np.int64)),
    "step": lambda feed, at: pa.array(np.array([call.checkout for call in feed.calls])[feed.code[at]]),
    "payment_method": _same(PAYMENT),
    **dict.fromkeys(("value", "revenue", "total"), _value),
    "currency": _same(CURRENCY),
    "products": _products,
}
"""How each property is made for calls at given positions of the feed."""
assert {name for names in PROPERTIES.values() for name in names} <= set(MAKERS)

PART = Part(
    "segment",
    "Segment: page, track and identify calls of the e-commerce spec v2, of shoppers who allow analytics",
    segment,
    ("parquet", "jsonl"),
)
