"""What shoppers do beside their pages: they open others' links, take things out of carts, and ask for help."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from simulator.model.states import STATE_INDEX
from simulator.page.card import OPERATIONS
from simulator.target.check import somebody
from simulator.target.request import load_target
from simulator.worlds.live.asides import MOST_LINKS, Asides, Links, means_of

SHOP = load_target("storefront")
OPEN, REMOVE, SUPPORT = (OPERATIONS.index(name) for name in ("share_open", "remove_from_cart", "support"))


def shared(token):
    """Return the shop's answer to somebody who shares."""
    return SHOP.read("share", 201, {}, json.dumps({"share": token, "url": f"/s/{token}", "sku": "BAG-0001"}).encode())


def asides(links, shopper, *, items=0, visit=0, asked=0.0):
    """Return what somebody does beside their pages, with so many things in their cart."""
    walk = SimpleNamespace(
        world=SimpleNamespace(seed=7),
        shopper={"shopper": np.array([shopper])},
        visit={"visit": np.array([visit])},
        event={"cart_items": np.array([items])},
    )
    context = somebody(SHOP)
    return Asides(means_of(SHOP), links, walk, context, asked), context


def tap(page, step=0):
    """Return somebody's tap that leads to a page."""
    return SimpleNamespace(step=step, state=STATE_INDEX[page])


def test_a_shared_link_is_opened_once_by_somebody_else():
    """Not by who shared it, not in the middle of a visit, not by who comes to another page; then it is gone."""
    links = Links()
    asides(links, 1)[0].hear(shared("abc"))
    assert asides(links, 1)[0].before(tap("product")) == ()
    assert asides(links, 2)[0].before(tap("home")) == ()
    assert asides(links, 2)[0].before(tap("product", step=1)) == ()
    reader, context = asides(links, 2)
    assert reader.before(tap("product")) == (OPEN,)
    assert SHOP.build("share_open", context).url == "/api/shares/abc"
    assert asides(links, 3)[0].before(tap("product")) == ()


def test_links_that_nobody_opens_are_forgotten():
    """However much is shared, the newest thousand are kept."""
    links = Links()
    for number in range(MOST_LINKS + 5):
        links.hear(1, shared(str(number)))
    assert links.take(2) == "5"


@pytest.mark.parametrize(
    ("items", "lines", "leaves", "may"),
    [(0, 0, True, False), (1, 1, False, False), (1, 1, True, True), (2, 2, False, True), (2, 1, False, False)],
)
def test_a_cart_that_is_to_be_paid_keeps_something(items, lines, leaves, may):
    """The last product is taken out only by who leaves; two of one product are one line."""
    one, context = asides(Links(), 1, items=items)
    skus = [{"sku": f"BAG-000{number}"} for number in range(lines)]
    context.learn(SHOP.read("cart", 200, {}, json.dumps({"items": skus}).encode()))
    assert one.allows(REMOVE, leaves=leaves) == may
    assert one.allows(SUPPORT, leaves=leaves)
    if may:
        request = SHOP.build("remove_from_cart", context)
        assert (request.method, request.url) == ("DELETE", "/api/cart/items/BAG-0000")


def test_some_of_those_who_are_stuck_ask_for_help():
    """Only after a page that failed; of 2,000 the share within four standard errors (one in 16,000 by chance)."""
    one, context = asides(Links(), 1, asked=1.0)
    one.stuck(SHOP.build("home", context))
    assert one.help(tap("home"), failed=False) == ()
    assert one.help(tap("home"), failed=True) == (SUPPORT,)
    assert json.loads(SHOP.build("support", context).body)["stuck_at"] == "/api/home"
    asked = sum(bool(asides(Links(), n, asked=0.1)[0].help(tap("home"), failed=True)) for n in range(2_000))
    assert abs(asked - 200) < 4 * (2_000 * 0.1 * 0.9) ** 0.5


def test_whoever_is_stuck_and_stays_opens_support(recording, play):
    """In a run whose products fail, those who stay say where they are stuck, and go on."""
    with recording.Shop() as shop:
        shop.behave |= {f"A-{number}": recording.status(503) for number in range(1, 6)}
        play(shop.url, shoppers=20, name="everywhere", target="phones")
        told = [asked.json.get("stuck_at") for asked in shop.of("support")]
    assert any(path and path.startswith("/products/A-") for path in told)
