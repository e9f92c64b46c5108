"""The shop for people: pages rendered on the server, with everything they need inside them."""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from simulator.storefront.catalogue import Product
from simulator.storefront.markets import Market, full_price
from simulator.storefront.money import money_text
from simulator.storefront.pictures import picture
from simulator.storefront.vocabulary import CATEGORIES

SHOP_NAME = "Halfpenny Lane"

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Tile:
    """A product as a page shows it: drawn, priced in words, `was` empty unless reduced."""

    product: Product
    picture: str
    price: str
    was: str
    in_stock: bool


def tile(product: Product, price: int, market: Market, *, in_stock: bool) -> Tile:
    """Return the tile of a product at this price, in minor units of the market's currency."""
    was, currency = full_price(product, market), market.currency
    before = "" if was is None else money_text(currency, was)
    return Tile(product, picture(product), money_text(currency, price), before, in_stock)


def render(template: str, *, total: int, **values: object) -> str:
    """Render a template of this folder; `total` is the number of products in the shop."""
    common: dict[str, object] = {"shop_name": SHOP_NAME, "categories": CATEGORIES, "total": total}
    return _TEMPLATES.get_template(template).render({"q": None, "chosen": None} | common | values)
