"""Tickets are answered in their order by a few people, and the promised wait is the true one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from simulator.storefront.tickets import AGENTS, HANDLING_MS, open_ticket

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Visitor

    from simulator.storefront.shop import Shop

TICKETS = "/api/support/tickets"


def test_a_ticket_is_stored_and_read_back(vera: Visitor):
    """A ticket about an order and a product is a 201 with its id and wait, and is on the list afterwards."""
    order = vera.buy("BAG-0007")["order"]
    answer = vera.ask("POST", TICKETS, json={"topic": "returns", "order": order, "sku": "BAG-0007"})
    assert answer.status_code == 201
    told = answer.json()
    assert (told["topic"], told["order"], told["sku"], told["wait_s"]) == ("returns", order, "BAG-0007", 0)
    assert told["subject"] == "vera"
    (listed,) = vera.get(TICKETS)["tickets"]
    assert listed.items() <= told.items()


def test_tickets_are_their_owners(vera: Visitor, nobody: Visitor, come_in: Callable[..., Visitor]):
    """Nobody sees or asks about what is another's; tickets go along into the account."""
    order = vera.buy("BAG-0007")["order"]
    ticket = vera.post(TICKETS, topic="delivery")["ticket"]
    ben = come_in("ben")
    assert ben.get(TICKETS)["tickets"] == []
    assert ben.refused("POST", TICKETS, json={"topic": "delivery", "order": order}) == (404, "not_found")
    assert nobody.refused("GET", TICKETS) == nobody.refused("POST", TICKETS, json={}) == (401, "no_session")
    vera.log_in()
    assert [each["ticket"] for each in vera.get(TICKETS)["tickets"]] == [ticket]


@pytest.mark.parametrize("body", [{}, {"topic": "poetry"}, {"topic": 3}, {"topic": "other", "order": 5}])
def test_a_ticket_needs_a_topic(vera: Visitor, body: dict[str, object]):
    """Without one of the shop's topics, or with an order that is no text, nothing is stored."""
    assert vera.refused("POST", TICKETS, json=body) == (422, "invalid")
    assert vera.refused("POST", TICKETS, json={"topic": "other", "sku": "NOPE"}) == (404, "not_found")
    assert vera.has("tickets") == 0


def test_the_wait_is_that_of_a_line_with_several_desks(shop: Shop):
    """Arrivals every 7 s, each taking 240 s: starts agree with a simulation of the desks themselves."""
    desks = [0.0] * AGENTS
    for number in range(60):
        now = shop.clock() + timedelta(seconds=7 * number)
        arrived = now.timestamp()
        start = max(arrived, min(desks))
        desks[desks.index(min(desks))] = start + HANDLING_MS / 1_000
        ticket = open_ticket(shop.database, "vera", "other", None, None, now)
        assert ticket.wait_s(now) == round(start - arrived)
        assert ticket.status(now) == ("waiting" if start > arrived else "answering")
    assert ticket.status(now + timedelta(days=1)) == "closed"
    assert ticket.wait_s(now) > 0, "the line did build up"


def test_whoever_is_stuck_is_told_where_to_go_on(vera: Visitor):
    """A declined card leads back to checkout, a finger that is not known to the password; the cart is carried along."""
    vera.put_in_cart("BAG-0007")
    for stuck_at, url in (("/api/payments", "/api/checkout"), ("/api/auth/finish", "/api/login"), (None, "/api/cart")):
        told = vera.post(TICKETS, topic="payment", stuck_at=stuck_at)
        assert told["resume"] == {"url": url, "cart": ["BAG-0007"]}
        assert told["stuck_at"] == stuck_at
    vera.ask("DELETE", "/api/cart/items/BAG-0007")
    assert vera.post(TICKETS, topic="product", sku="BAG-0007")["resume"]["url"] == "/api/products/BAG-0007"
