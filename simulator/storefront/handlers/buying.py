"""Checkout, payment, order."""

from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.carts import read_cart, total_of
from simulator.storefront.checkouts import open_checkout, pay
from simulator.storefront.errors import invalid, not_found
from simulator.storefront.orders import Order, find_order, place_order, read_orders
from simulator.storefront.reading import read_object, text


async def checkout(call: Call) -> Response:
    """Freeze the cart for payment."""
    owner, market, shop = call.owner(), call.market(), call.shop
    await read_object(call.request)
    lines = read_cart(shop.database, shop.catalogue, owner, market)
    opened = open_checkout(shop.database, shop.stock, owner, market.currency, lines)
    return call.answer(HTTPStatus.CREATED, checkout=opened, total=total_of(lines))


async def payment(call: Call) -> Response:
    """Pay for a checkout."""
    owner = call.owner()
    fields = await read_object(call.request)
    checkout_id, card = text(fields, "checkout"), text(fields, "card_token")
    if not card.startswith("tok_"):
        raise invalid("card_token must begin with tok_")
    paid = pay(call.shop.database, owner, checkout_id, card)
    return call.answer(
        HTTPStatus.CREATED, payment=paid.id, status="authorised", amount=paid.amount, currency=paid.currency
    )


async def order(call: Call) -> Response:
    """Turn a payment into an order: 201 the first time, 200 with the same order after that."""
    call.owner()
    fields = await read_object(call.request)
    placed, new = place_order(
        call.shop.database, call.shop.stock, call.caller, text(fields, "payment"), call.shop.clock()
    )
    return call.answer(HTTPStatus.CREATED if new else HTTPStatus.OK, **_order(call, placed))


async def orders(call: Call) -> Response:
    """List the caller's own orders, newest first."""
    placed = read_orders(call.shop.database, call.owner())
    return call.answer(orders=[_order(call, one) for one in placed])


async def one_order(call: Call) -> Response:
    """Show one order to whoever placed it; to everybody else there is none of that name."""
    name = call.request.path_params["order"]
    found = find_order(call.shop.database, name)
    if found is None or not call.shop.rules.may_read(call.caller, found[0]):
        raise not_found(f"order {name[:64]!r}")
    return call.answer(owner=found[0], **_order(call, found[1]))


def _order(call: Call, order: Order) -> dict[str, Any]:
    """Return an order as it was placed: its own prices and currency, whatever today's are."""
    products = call.shop.catalogue.products
    items = [
        {
            "sku": line.sku,
            "name": products[line.sku].name,
            "category": products[line.sku].category,
            "price": line.price,
            "currency": order.currency,
            "quantity": line.quantity,
        }
        for line in order.lines
    ]
    return {
        "order": order.id,
        "items": items,
        "total": order.total,
        "currency": order.currency,
        "placed_at": order.placed_at,
    }
