"""The cart: looking into it, putting in, taking out."""

from http import HTTPStatus

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.carts import MAX_QUANTITY, add_to_cart, read_cart, remove_from_cart, total_of
from simulator.storefront.history import remember
from simulator.storefront.reading import read_object, text, whole


async def cart(call: Call) -> Response:
    """Show the caller's cart; an anonymous one is empty."""
    return _cart(call)


async def add_item(call: Call) -> Response:
    """Put a product into the cart, and remember that this shopper wanted it."""
    owner = call.owner()
    fields = await read_object(call.request)
    product = call.known(text(fields, "sku"))
    add_to_cart(call.shop.database, call.shop.stock, owner, product.sku, whole(fields, "quantity", 1, MAX_QUANTITY))
    remember(call.shop.database, call.caller, "cart", [product.sku])
    return _cart(call, HTTPStatus.CREATED)


async def remove_item(call: Call) -> Response:
    """Take a product out of the cart."""
    owner = call.owner()
    remove_from_cart(call.shop.database, owner, call.product().sku)
    return _cart(call)


def _cart(call: Call, status: HTTPStatus = HTTPStatus.OK) -> Response:
    owner = call.caller.subject
    lines = read_cart(call.shop.database, call.shop.catalogue, owner, call.market()) if owner else []
    cards = call.cards(line.product for line in lines)
    # The price is the line's: what is charged, whatever lists show.
    items = [
        card | {"price": line.price, "quantity": line.quantity, "line_total": line.quantity * line.price}
        for card, line in zip(cards, lines, strict=True)
    ]
    return call.answer(status, items=items, count=sum(line.quantity for line in lines), total=total_of(lines))
