"""The tables `orders` and `order_lines`: what the purchases of the events were, line by line, and what came back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from simulator.export.chance import chance, lognormal_us
from simulator.export.ids import uuids
from simulator.export.products import CURRENCY, product_facts
from simulator.export.reading import codes, is_word, made, named, nullable, seen, visit_of_event
from simulator.journey.kernel import PRODUCTS_PER_CATEGORY
from simulator.journey.tables import CODE, NAME, Column
from simulator.model.schema import CATEGORIES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.source import Source

STATUSES = ("completed", "partly_refunded", "refunded")
RETURNED = {
    "shoes": 0.22, "bags": 0.10, "jackets": 0.20, "dresses": 0.28, "shirts": 0.18, "sportswear": 0.16,
    "watches": 0.08, "beauty": 0.03, "home-living": 0.07, "electronics": 0.09, "toys": 0.05, "sale": 0.12,
}  # fmt: skip
"""Share of order lines sent back, by category (assumed: fashion comes back most, what touches the skin least)."""
REFUND_MEDIAN_US, REFUND_SIGMA = 9 * 86_400e6, 0.5
"""From order to refund: delivery, a look, the way back (assumed, log-normal)."""

ORDERS = (
    Column("order_id", pa.string(), "unique; a UUID"),
    Column("shopper", pa.int64(), "who"),
    Column("visit", pa.int32(), "in which of their visits"),
    Column("arm", CODE, "treatment"),
    Column("step", pa.int32(), "the event that placed it: a purchase page that came well"),
    Column("ordered_at_us", pa.int64(), "when that page had come"),
    Column("items", pa.int32(), "pieces"),
    Column("total_cents", pa.int64(), "sum of the lines, at offline prices"),
    Column("currency", NAME, "ISO 4217 code of the shop's currency, in which its offline prices are"),
    Column("status", CODE, "completed, partly_refunded or refunded, when everything that comes back has come"),
    Column("refunded_at_us", pa.int64(), "when; null without refund, may lie behind the horizon"),
    Column("refund_cents", pa.int64(), "the lines sent back; null without refund"),
)
LINES = (
    Column("order_id", pa.string(), "the order"),
    Column("line", pa.int32(), "which line of it, from 1, in the order in which they were put into the cart"),
    Column("product", pa.int32(), "number of the product"),
    Column("sku", pa.string(), "its SKU"),
    Column("quantity", pa.int32(), "pieces"),
    Column("unit_price_cents", pa.int32(), "price of one"),
    Column("refunded", pa.bool_(), "sent back, all pieces of it"),
)


class Baskets(NamedTuple):
    """Orders by the event that placed them, and their lines: order counts from 0, events by row."""

    placed: NDArray[np.int64]
    order: NDArray[np.int64]
    product: NDArray[np.int64]
    quantity: NDArray[np.int64]
    unit_cents: NDArray[np.int64]


def baskets(source: Source) -> Baskets:
    """Return what each purchase that came well bought: everything added since the last one in that visit."""
    events, visit = source.events, visit_of_event(source)
    good = seen(events)
    placed = np.flatnonzero(good & is_word(events, "page", "purchase"))
    added = np.flatnonzero(good & is_word(events, "page", "add_to_cart"))
    order = np.searchsorted(placed, added)
    bought = order < len(placed)
    bought[bought] = visit[placed[order[bought]]] == visit[added[bought]]
    order, added = order[bought], added[bought]
    product = events["product"].to_numpy()[added].astype(np.int64)
    keys = order * (len(CATEGORIES) * PRODUCTS_PER_CATEGORY) + product
    _, first, quantity = np.unique(keys, return_index=True, return_counts=True)
    turn = np.argsort(first)  # rows of `added` rise with the orders, so this sorts lines by order and moment
    first = first[turn]
    unit = events["price_cents"].to_numpy()[added[first]].astype(np.int64)
    return Baskets(placed, order[first], product[first], quantity[turn], unit)


def orders_and_lines(source: Source) -> tuple[pa.Table, pa.Table]:
    """Return the tables `orders` and `order_lines`."""
    basket = baskets(source)
    events = source.events.take(pa.array(basket.placed))
    shopper, visit, step = (events[name].to_numpy().astype(np.int64) for name in ("shopper", "visit", "step"))
    arm = codes(events, "arm")
    ids = uuids(source.seed, "order", shopper, visit, step, arm)
    who = (shopper[basket.order], visit[basket.order], step[basket.order])
    rate = np.array([RETURNED[name] for name in CATEGORIES])[basket.product // PRODUCTS_PER_CATEGORY]
    back = chance(source.seed, "refund", *who, basket.product) < rate
    cents = basket.quantity * basket.unit_cents
    total, refund, pieces = (
        np.bincount(basket.order, weights, len(shopper)).astype(np.int64)
        for weights in (cents, cents * back, basket.quantity)
    )
    ordered = events["at_us"].to_numpy() + events["waited_us"].to_numpy()
    later = lognormal_us(chance(source.seed, "refund.after", shopper, visit, step), REFUND_MEDIAN_US, REFUND_SIGMA)
    orders = {
        "order_id": ids,
        "shopper": shopper,
        "visit": visit,
        "arm": events["arm"],
        "step": step,
        "ordered_at_us": ordered,
        "items": pieces,
        "total_cents": total,
        "currency": pa.array([CURRENCY] * len(ids)),
        "status": named((refund > 0).astype(np.int64) + ((refund > 0) & (refund == total)), STATUSES),
        "refunded_at_us": nullable(ordered + later, refund > 0),
        "refund_cents": nullable(refund, refund > 0),
    }
    return made(ORDERS, orders), made(LINES, _lines(basket, ids, back))


def _lines(basket: Baskets, ids: pa.Array, back: NDArray[np.bool_]) -> dict[str, object]:
    begins = np.searchsorted(basket.order, basket.order)
    return {
        "order_id": ids.take(pa.array(basket.order)),
        "line": np.arange(len(basket.order)) - begins + 1,
        "product": basket.product,
        "sku": product_facts()["sku"].combine_chunks().take(pa.array(basket.product)),
        "quantity": basket.quantity,
        "unit_price_cents": basket.unit_cents,
        "refunded": back,
    }
