"""H12: the price that is shown, and the price in the cart."""

from itertools import count

import pytest

CALLS = """home: {path: /, extract: {sku: '$.items[*].sku'},
       evidence: {items: '$.items[*].sku', price: '$.items[*].price'}}
product: {path: '/p/{extracted.sku}', extract: {viewed: $.sku}, evidence: {items: '$.beside[*].sku', price: $.price}}
add_to_cart: {method: POST, path: /c, json: {sku: '{extracted.viewed}'}, evidence: &cart
  {items: '$.lines[*].sku', price: '$.lines[*].price', total: $.total}}
checkout: {method: POST, path: /k, json: {}, evidence: {total: $.total}}
payment: {method: POST, path: /y, json: {}, evidence: {total: $.total}}
login: {method: POST, path: /l, json: {}}
"""
SKUS = [f"s{number}" for number in range(12)]


class Shop:
    """A shop with twelve things at ten apiece: `shown` and `charged` say for how much, of (thing, how many asked)."""

    def __init__(self, shown, charged):
        self.shown, self.charged = shown, charged
        self.asked, self.carts = count(), {}

    def __call__(self, visitor, request):
        """Answer a request."""
        nth, lines = next(self.asked), self.carts.setdefault(visitor.number, [])
        if request.operation == "home":
            return 200, {"items": [{"sku": sku, "price": self.shown(sku, nth)} for sku in SKUS]}
        if request.operation == "product":
            sku = request.url.rpartition("/")[2]
            return 200, {"sku": sku, "price": self.shown(sku, nth), "beside": [{"sku": SKUS[0]}]}
        lines.append(visitor.value("extracted.viewed"))
        priced = [{"sku": sku, "price": self.charged(sku, nth)} for sku in dict.fromkeys(lines)]
        total = sum(line["price"] for line in priced)
        return 200, {"lines": priced, "total": total}


def ten(_sku, _nth):
    """Return the ordinary price."""
    return 10.0


def test_last_weeks_prices_on_lists_are_found(probed):
    """A third of all things cost more in the cart than on their page; nothing else is wrong."""
    found = probed("stale_price", among=0)
    assert {code for code, one in found.items() if one.state == "violated"} == {"H12"}
    assert found["H12"].blamed
    what, shown, charged = found["H12"].samples[0]["differs"][0]
    assert what == "price"
    assert shown == pytest.approx(charged * 0.92, rel=0.01)
    assert found["H12"].samples[0]["second"].startswith("curl ")


def test_a_right_shop_charges_what_it_shows(probed):
    """Cart and pages agree."""
    found = probed(codes={"H12"})["H12"]
    assert found.state == "held"
    assert found.alone.checked >= 4


def test_without_prices_nothing_is_said(probed, lacking):
    """The paths that are missing are named."""
    found = probed(target=lacking("price", "total"), codes={"H12"})["H12"]
    assert found.state == "not observable"
    assert any("with evidence price" in one for one in found.missing)


def test_totals_alone_do_not_show_it(toy):
    """Where no cart tells the price of what it holds, that checkout and payment agree is not enough to hold."""
    calls = CALLS.replace("price: '$.lines[*].price', ", "")
    assert toy(calls, Shop(ten, ten), "H12").state == "not observable"


def test_a_shop_that_is_a_function_charges_what_it_shows(toy):
    """The toy is right until it is made wrong; and its product page's neighbour is not taken for the product."""
    assert toy(CALLS, Shop(ten, ten), "H12").state == "held"
    assert toy(CALLS, Shop(lambda sku, _: 9.0 if sku in SKUS[::3] else 10.0, ten), "H12").state == "violated"


def test_a_price_may_change_at_any_moment(toy):
    """What was shown before the change and charged after it is nobody's mistake."""
    changed = lambda _sku, nth: 10.0 if nth < 9 else 12.0  # noqa: E731
    assert toy(CALLS, Shop(changed, changed), "H12").state == "held"


def test_a_line_may_be_of_several_things_and_in_other_units(toy):
    """Twice the price is a line of two; a hundred times is another unit of money."""
    assert toy(CALLS, Shop(ten, lambda *_: 20.0), "H12").state != "violated"
    assert toy(CALLS, Shop(ten, lambda *_: 1_000.0), "H12").state != "violated"


PLAIN = """home: {path: /, evidence: {items: '$[*].sku', price: '$[*].price'}}
cart: {path: /c, evidence: {items: '$[*].sku', price: '$[*].price'}}
login: {method: POST, path: /l, json: {}}
checkout: {method: POST, path: /k, json: {}, evidence: {total: $.total}}
payment: {method: POST, path: /y, json: {}, evidence: {total: $.total}}
"""


def a_thing(operation, price):
    """Return a step: an answer with one thing at a price."""
    return operation, [{"sku": "a", "price": price}]


def test_a_promised_grace_is_granted(seen_by):
    """Pages may lag behind the cart for as long as is promised, and no longer."""
    lagging = [a_thing("home", 10), a_thing("cart", 12), 3, a_thing("home", 10)]
    grace = "promises: {price_grace: 5s}\n"
    assert seen_by("H12", PLAIN, lagging).samples
    assert not seen_by("H12", PLAIN, lagging, head=grace).samples
    assert seen_by("H12", PLAIN, [*lagging, 3, a_thing("home", 10)], head=grace).samples


def test_the_cart_may_stand_on_both_sides(seen_by):
    """A page that shows another price between two carts that agree is found too."""
    assert seen_by("H12", PLAIN, [a_thing("cart", 12), a_thing("home", 10), a_thing("cart", 12)]).samples
    assert not seen_by("H12", PLAIN, [a_thing("home", 10), a_thing("cart", 12), a_thing("home", 12)]).samples


def test_a_payment_of_another_total_than_its_checkout_is_found(seen_by):
    """What is charged is what the checkout said."""
    wrong = seen_by("H12", PLAIN, [("checkout", {"total": 30}), ("payment", {"total": 33})])
    assert [one.says for one in wrong.samples] == ["payment is of another total than checkout"]
    assert not seen_by("H12", PLAIN, [("checkout", {"total": 30}), ("payment", {"total": 30})]).samples


def test_a_login_may_change_the_price_list(seen_by):
    """What was shown before somebody logged in is not held against the cart after it."""
    shown, charged, login = a_thing("home", 10), a_thing("cart", 9.5), ("login", {})
    assert seen_by("H12", PLAIN, [shown, charged, shown]).samples
    assert not seen_by("H12", PLAIN, [shown, login, charged]).samples
    assert not seen_by("H12", PLAIN, [shown, charged, login, shown]).samples


def test_another_currency_is_another_price(seen_by):
    """Only amounts of one currency are compared."""
    calls = PLAIN.replace("price: '$[*].price'", "price: '$[*].price', currency: '$[0].currency'")
    shown, charged = ([{"sku": "a", "price": p, "currency": c}] for p, c in ((10, "GBP"), (11.7, "EUR")))
    assert not seen_by("H12", calls, [("home", shown), ("cart", charged), ("home", shown)]).samples
