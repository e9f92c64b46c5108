"""The catalogue follows from its seed and looks like a shop's."""

from __future__ import annotations

import os
import subprocess
import sys
from math import log
from statistics import median, stdev

import pytest

from simulator.storefront.catalogue import build_catalogue
from simulator.storefront.money import currency_of, money_text, price_in
from simulator.storefront.vocabulary import CATEGORIES

CATALOGUE = build_catalogue(7)


def test_the_same_seed_stocks_the_same_shop():
    """Two shops of one seed are equal in every field; another seed's is not."""
    assert build_catalogue(7).products == CATALOGUE.products
    assert build_catalogue(8).products != CATALOGUE.products


def test_the_seed_decides_in_every_process():
    """Python's hash seed, which differs between processes, has no part in the catalogue."""
    code = (
        "from simulator.storefront.catalogue import build_catalogue as b; from hashlib import md5;"
        "c = b(7); print(md5(repr([(p, c.neighbours(p.sku)) for p in c.popular]).encode()).hexdigest())"
    )
    digests = {
        subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True,
                       check=True).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(digests) == 1


def test_twelve_full_shelves():
    """There are at least 1,200 products in the twelve categories, and no two share a SKU or a shelf, style and noun."""
    assert len(CATALOGUE) >= 1200
    assert [c.slug for c in CATEGORIES] == list(CATALOGUE.by_category)
    assert min(len(shelf) for shelf in CATALOGUE.by_category.values()) >= 100
    kinds = {(p.category, p.department, p.style, p.noun) for p in CATALOGUE.popular}
    assert len(kinds) == len(CATALOGUE.popular) == len(CATALOGUE)


def test_prices_are_log_normal_by_category():
    """Each shelf's log prices have the median and spread its category names, within three standard errors."""
    for category in CATEGORIES[:-1]:
        logs = [log(p.price_minor) for p in CATALOGUE.by_category[category.slug]]
        error = category.sigma / len(logs) ** 0.5
        assert abs(median(logs) - log(category.median_minor)) < 3 * 1.2533 * error
        assert abs(stdev(logs) - category.sigma) < 3 * error / 2**0.5


def test_the_sale_is_reduced():
    """Everything on sale costs less than it did, and nothing else claims so."""
    for product in CATALOGUE.popular:
        if product.category == "sale":
            assert product.was_minor is not None
            assert product.price_minor < product.was_minor
        else:
            assert product.was_minor is None


def test_some_shelves_are_empty_from_the_start():
    """A few products are sold out, so that a probe for them has something to find; most are not."""
    sold_out = sum(p.opening_stock == 0 for p in CATALOGUE.popular)
    assert 5 < sold_out < 100


def test_neighbours_are_other_products():
    """Every product has neighbours, all of them sold here, none of them itself."""
    for sku in CATALOGUE.products:
        near = CATALOGUE.neighbours(sku)
        assert len(set(near)) == len(near) >= 5
        assert sku not in near
        assert CATALOGUE.products.keys() >= set(near)


@pytest.mark.parametrize(
    ("country", "currency"), [("GB", "GBP"), ("DE", "EUR"), ("US", "USD"), ("JP", "JPY"), ("SK", "EUR"), ("ZZ", "USD")]
)
def test_a_country_has_its_currency(country: str, currency: str):
    """Prices are in the money of the country; in dollars where the shop has no list of its own."""
    assert currency_of(country) == currency


def test_prices_keep_their_order_in_every_currency():
    """What costs more at home costs no less abroad, and every price is positive."""
    minors = sorted({p.price_minor for p in CATALOGUE.popular})
    for country in ("GB", "DE", "US", "JP", "SE", "IN", "NG"):
        abroad = [price_in(currency_of(country), minor) for minor in minors]
        assert abroad == sorted(abroad)
        assert abroad[0] > 0


def test_money_reads_like_money():
    """Minor units become a text with the right number of digits."""
    assert money_text("GBP", 129_999) == "£1,299.99"
    assert money_text("JPY", 2470) == "¥2,470"
    assert money_text("SEK", 12_999) == "129.99 SEK"
