"""The entities of Snowplow's events as self-describing JSON: which events have which, and what is in them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from simulator.export.columns import places
from simulator.export.products import CURRENCY, product_facts
from simulator.export.vendors.columns import fact, named, spread, struct, where
from simulator.export.vendors.phones import phones
from simulator.model.states import STATE_NAMES
from simulator.runfolder.jsontext import json_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.vendors.feed import Feed

ECOMMERCE = "com.snowplowanalytics.snowplow.ecommerce"
ROOT = "com.snowplowanalytics.snowplow"
PAYMENT = "card"
ONE_PRODUCT = ("list_click", "product_view", "add_to_cart")
ORDERS = ("transaction", "trns_error")
"""Events with the product in view, and those with all that was bought."""


def described(schema: str, data: pa.Array) -> pa.Array:
    """Return JSON texts as data of a schema, which is named by what follows `iglu:`."""
    return pc.binary_join_element_wise(f'{{"schema":"iglu:{schema}","data":', data, "}", "")


def contexts(feed: Feed) -> pa.Array:
    """Return the entities of every event as one self-describing JSON text."""
    entities = [make(feed) for make in (_web_page, _session, _page, _hints, _user, _products, _cart, _checkout, _order)]
    listed = pc.binary_join_element_wise(*entities, ",", null_handling="skip")
    return described(f"{ROOT}/contexts/jsonschema/1-0-0", pc.binary_join_element_wise("[", listed, "]", ""))


def _entity(name: str, data: pa.Array, vendor: str = ECOMMERCE, version: str = "1-0-0") -> pa.Array:
    return described(f"{vendor}/{name}/jsonschema/{version}", json_text(data, omit_null=True))


def _web_page(feed: Feed) -> pa.Array:
    """Return the page view's id, which all events of one page view share."""
    return _entity("web_page", struct({"id": feed.tracked.views(feed.open_at)}), ROOT)


def _session(feed: Feed) -> pa.Array:
    """Return the visit, and the one before."""
    steps, row, seen = feed.tracked.steps, feed.row, feed.tracked
    visit = steps.visit[row]
    columns = {
        "userId": seen.visitors(row),
        "sessionId": seen.sessions(row),
        "sessionIndex": pa.array(visit + 1),
        "previousSessionId": where(visit > 0, seen.sessions(row, ago=1)),
        "storageMechanism": pa.repeat("COOKIE_1", len(row)),
    }
    return _entity("client_session", struct(columns), ROOT, "1-0-2")


def _page(feed: Feed) -> pa.Array:
    """Return the kind of page that is open, and the language of the browser."""
    language = feed.tracked.source.shoppers["language"].combine_chunks().take(pa.array(feed.shopper))
    state = feed.tracked.steps.state[feed.tracked.steps.page[feed.open_at]]
    return _entity("page", struct({"type": named(state, STATE_NAMES), "language": language}))


@cache
def _hint_texts() -> tuple[str | None, ...]:
    """Return the client hints of every phone of the device table as JSON; None where its browser sends none."""
    texts = []
    for phone in phones().values():
        brands = [{"brand": brand, "version": version} for brand, version in phone.brands]
        hints = {
            "isMobile": True,
            "brands": brands,
            "model": phone.model,
            "platform": phone.system,
            "platformVersion": phone.platform_version,
        }
        texts.append(orjson.dumps(hints).decode() if phone.hints else None)
    return tuple(texts)


def _hints(feed: Feed) -> pa.Array:
    device = places(feed.tracked.source.shoppers["device"], list(phones()))[feed.shopper]
    return described("org.ietf/http_client_hints/jsonschema/1-0-0", named(device, _hint_texts()))


def _user(feed: Feed) -> pa.Array:
    at = np.flatnonzero(feed.known)
    data = struct({"id": feed.tracked.customers(feed.row[at]), "is_guest": pa.array(np.zeros(len(at), bool))})
    return spread(feed.known, _entity("user", data))


@cache
def _product_texts() -> pa.Array:
    """Return the entity of every product, without the two braces at its end."""
    every = np.arange(len(product_facts()))
    facts = {"id": "sku", "name": "name", "category": "category", "price": "price", "brand": "brand"}
    columns = {name: fact(every, column) for name, column in facts.items()}
    texts = _entity("product", struct({**columns, "currency": pa.repeat(CURRENCY, len(every))}))
    return pc.utf8_slice_codeunits(texts, 0, -2)


def _product(
    product: NDArray[np.int64], quantity: NDArray[np.int64] | None = None, place: NDArray[np.int64] | None = None
) -> pa.Array:
    """Return product entities, with a quantity and a position, from 1, where they have a meaning."""
    pieces = [_product_texts().take(pa.array(np.maximum(product, 0)))]
    if quantity is not None:
        pieces += [',"quantity":', pa.array(quantity).cast(pa.string())]
    if place is not None:
        pieces += [',"position":', pa.array(place + 1).cast(pa.string())]
    return pc.binary_join_element_wise(*pieces, "}}", "")


def _products(feed: Feed) -> pa.Array:
    """Return the product in view, those that a list shows, or one entity for each line of the order."""
    one, views, orders = feed.of(*ONE_PRODUCT), feed.of("list_view"), feed.of(*ORDERS)
    product = feed.tracked.steps.product[feed.row[one]]
    added = pa.array(feed.of("add_to_cart")[one])
    alone = pc.if_else(added, _product(product, np.ones_like(product)), _product(product))
    shown = feed.tracked.on_list(feed.row[views])
    listed = pc.binary_join(shown.grouped(_product(shown.product, place=shown.place)), ",")
    lines = feed.tracked.in_cart(feed.row[orders])
    bought = pc.binary_join(lines.grouped(_product(lines.product, lines.quantity)), ",")
    return pc.coalesce(spread(one, alone), spread(views, listed), spread(orders, bought))


def _money(feed: Feed, at: NDArray[np.int64]) -> pa.Array:
    return pa.array(feed.tracked.cart_cents[feed.row[at]] / 100)


def _cart(feed: Feed) -> pa.Array:
    mask = feed.of("add_to_cart")
    at = np.flatnonzero(mask)
    columns = {"cart_id": feed.tracked.baskets("cart", feed.row[at]), "total_value": _money(feed, at)}
    return spread(mask, _entity("cart", struct({**columns, "currency": pa.repeat(CURRENCY, len(at))})))


def _checkout(feed: Feed) -> pa.Array:
    """Return the step of the checkout: 1 the address, 2 the payment."""
    mask = feed.of("checkout_step")
    number = np.array([call.checkout for call in feed.calls])[feed.code[mask]]
    columns = {
        "step": pa.array(number),
        "account_type": named(feed.known[mask], ("guest", "existing user")),
        "payment_method": where(number == 2, pa.repeat(PAYMENT, len(number))),
    }
    return spread(mask, _entity("checkout_step", struct(columns)))


def _order(feed: Feed) -> pa.Array:
    """Return the transaction, and what went wrong with it where it failed."""
    mask = feed.of(*ORDERS)
    at = np.flatnonzero(mask)
    columns = {
        "transaction_id": feed.tracked.orders(feed.row[at]),
        "revenue": _money(feed, at),
        "currency": pa.repeat(CURRENCY, len(at)),
        "payment_method": pa.repeat(PAYMENT, len(at)),
        "total_quantity": pa.array(feed.tracked.cart_items[feed.row[at]]),
    }
    soft = pa.repeat("soft", len(at))
    error = where(feed.of("trns_error")[at], _entity("transaction_error", struct({"error_type": soft})))
    both = pc.binary_join_element_wise(_entity("transaction", struct(columns)), error, ",", null_handling="skip")
    return spread(mask, both)
