"""The seeded catalogue: the same seed always stocks the same shop. It never changes while the shop is open."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from simulator.storefront.vocabulary import BRANDS, CATEGORIES, COLOURS, SALE, Category

_NORMAL = NormalDist()
_SOLD_OUT_SHARE = 0.03  # a shop always has a few empty shelves; probes need them too
_NEIGHBOURS = 6


@dataclass(frozen=True, slots=True)
class Product:
    """One thing the shop sells. Prices are base prices in pence; `was_minor` is set on reduced things only."""

    sku: str
    name: str
    category: str
    department: str
    style: str
    noun: str
    brand: str
    colour: str
    price_minor: int
    was_minor: int | None
    rating: float
    reviews: int
    images: int
    popularity: float
    opening_stock: int


class Catalogue:
    """All products, and the orders in which the shop shows them.

    `popular` and the lists of `by_category` run from most to least popular.
    """

    def __init__(self, products: list[Product]) -> None:
        self.products = {p.sku: p for p in products}
        self.popular = sorted(products, key=lambda p: (-p.popularity, p.sku))
        self.by_category: dict[str, list[Product]] = {c.slug: [] for c in CATEGORIES}
        for product in self.popular:
            self.by_category[product.category].append(product)
        self._neighbours: dict[str, tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self.products)

    def get(self, sku: str) -> Product | None:
        """Return the product, or None if the shop never sold such a thing."""
        return self.products.get(sku)

    def neighbours(self, sku: str) -> tuple[str, ...]:
        """Return the SKUs of what is usually looked at with a product.

        They are fixed with the seed, as if learned long ago from other customers: nothing a shopper does today can
        reach another shopper's page, so any trace of it there is a leak.
        """
        near = self._neighbours.get(sku)
        if near is None:
            near = self._neighbours[sku] = tuple(self._near(self.products[sku]))
        return near

    def _near(self, product: Product) -> Iterator[str]:
        """Yield neighbours: the same shelf at a like price, sharing a style or noun if possible, and two companions."""

        def distance(other: Product) -> tuple[bool, float]:
            alike = other.style == product.style or other.noun == product.noun
            return not alike, abs(other.price_minor - product.price_minor)

        shelf = sorted(self.by_category[product.category], key=distance)
        companions = self.by_category[_COMPANION[product.category]]
        start = (int(product.sku[-4:]) * 2) % (len(companions) - 1)
        yield from [p.sku for p in shelf if p is not product][: _NEIGHBOURS - 2]
        yield from (p.sku for p in companions[start : start + 2])


_COMPANION = {c.slug: c.companion for c in CATEGORIES}


def build_catalogue(seed: int) -> Catalogue:
    """Stock a shop from a seed (any integer from 0): 12 categories of 110 products.

    Only uniform numbers are taken from the generator and shaped here: NumPy promises a stable bit stream, but not
    stable samplers, and the shop must look the same after an upgrade.
    """
    categories = [(c, *_naming(c)) for c in CATEGORIES]
    total = sum(len(names) for _, names, _ in categories)
    draws = iter(np.random.Generator(np.random.PCG64(seed)).random((total, 9)).tolist())
    products = [
        _product(category, number, style_noun, department, next(draws))
        for category, names, departments in categories
        for number, (style_noun, department) in enumerate(zip(names, departments, strict=True), start=1)
    ]
    return Catalogue(products)


def _naming(category: Category) -> tuple[list[tuple[str, str]], list[Category]]:
    """Return the (style, noun) of each product of a category, and the department whose price level it has."""
    if category.slug == SALE:
        departments = [c for c in CATEGORIES if c.slug != SALE for _ in range(10)]
        return [(c.styles[i % 10], c.nouns[i % 10]) for i, c in enumerate(departments)], departments
    names = [(style, noun) for style in category.styles for noun in category.nouns]
    return names, [category] * len(names)


def _product(
    category: Category, number: int, style_noun: tuple[str, str], department: Category, u: list[float]
) -> Product:
    style, noun = style_noun
    brand, colour = _pick(BRANDS, u[0]), _pick(COLOURS, u[1])
    full = _shop_price(department.median_minor * float(np.exp(department.sigma * _normal(u[2]))))
    reduced = category.slug == SALE
    last_season = "Last Season " if reduced else ""
    return Product(
        sku=f"{category.prefix}-{number:04d}",
        name=f"{brand} {last_season}{style} {noun}",
        category=category.slug,
        department=department.slug,
        style=style,
        noun=noun,
        brand=brand,
        colour=colour,
        price_minor=_shop_price(full * (0.4 + 0.4 * u[3])) if reduced else full,
        was_minor=full if reduced else None,
        rating=round(3.0 + 2.0 * u[4] ** 0.5, 1),
        reviews=int(5 * (1 / (1 - 0.998 * u[5]))),
        images=2 + int(6 * u[8]),
        popularity=round(float(np.exp(_normal(u[6]))), 6),
        opening_stock=0 if u[7] < _SOLD_OUT_SHARE else 200 + int(1800 * u[7]),
    )


def _pick(words: tuple[str, ...], u: float) -> str:
    return words[int(u * len(words))]


def _normal(u: float) -> float:
    return _NORMAL.inv_cdf(min(max(u, 1e-12), 1 - 1e-12))


def _shop_price(minor: float) -> int:
    """Round to whole pounds less a penny, two pounds at least: 12.99."""
    return max(2, round(minor / 100)) * 100 - 1
