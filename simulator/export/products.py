"""What a shopper can look at: a name, brand and SKU for every product number the kernel can choose."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa

from simulator.export.ids import hashes
from simulator.journey.kernel import PRODUCTS_PER_CATEGORY, price_cents
from simulator.model.schema import CATEGORIES

BRANDS = (
    "Aldermoor", "Birkholt", "Calvane", "Drovia", "Elverum", "Fennick", "Galdar", "Harrowmere", "Isolde & Rye",
    "Jorvane", "Kelsing", "Lindqvarn",
)  # fmt: skip
"""Invented; none is meant to be anybody's mark."""

_WORDS: dict[str, tuple[str, str]] = {
    "shoes": (
        "Canvas Suede Leather Knitted Trail Court Retro Platform Everyday Waterproof",
        "Trainer Runner Loafer Sandal Boot Brogue Slipper Derby Espadrille Clog",
    ),
    "bags": (
        "Canvas Leather Quilted Waxed Ripstop Woven Compact Foldable Commuter Weekend",
        "Tote Backpack Satchel Clutch Holdall Crossbody Messenger Duffel Pouch Rucksack",
    ),
    "jackets": (
        "Quilted Waxed Wool Denim Padded Packable Hooded Cropped Longline Storm",
        "Parka Bomber Blazer Raincoat Gilet Anorak Overshirt Peacoat Trench Windbreaker",
    ),
    "dresses": (
        "Linen Silk Floral Pleated Knitted Tiered Jersey Satin Cotton Velvet",
        "Wrap_Dress Shirt_Dress Maxi_Dress Midi_Dress Slip_Dress Tea_Dress Sundress Pinafore Kaftan Jumpsuit",
    ),
    "shirts": (
        "Linen Cotton Striped Checked Slim Relaxed Brushed Organic Printed Washed",
        "Oxford_Shirt Polo T-Shirt Henley Flannel_Shirt Blouse Camp_Shirt Vest_Top Sweatshirt Rugby_Shirt",
    ),
    "sportswear": (
        "Seamless Thermal Mesh Compression Reflective Featherlight Quick-Dry High-Rise Ventilated Studio",
        "Leggings Shorts Sports_Bra Running_Top Track_Jacket Joggers Hoodie Base_Layer Cycling_Jersey Socks",
    ),
    "watches": (
        "Steel Titanium Ceramic Gilded Mesh-Strap Bronze Solar Automatic Slim Vintage",
        "Chronograph Diver Field_Watch Dress_Watch Pilot_Watch Moonphase Regatta Travel_Watch Pocket_Watch Racer",
    ),
    "beauty": (
        "Rose Citrus Oat Sea_Salt Cedar Aloe Honey Green_Tea Almond Lavender",
        "Serum Cleanser Moisturiser Lip_Balm Face_Mask Shampoo Hand_Cream Perfume Toner Sunscreen",
    ),
    "home-living": (
        "Nordic Rustic Coastal Harbour Meadow Terracotta Ember Dune Orchard Loft",
        "Lamp Cushion Throw Vase Mug Rug Candle Mirror Planter Serving_Bowl",
    ),
    "electronics": (
        "Wireless Compact Pro Mini Studio Travel Home Ultra Rugged Classic",
        "Headphones Earbuds Speaker Charger Power_Bank Keyboard Webcam Tablet E-Reader Fitness_Band",
    ),
    "toys": (
        "Wooden Rainbow Jungle Ocean Space Farm Dinosaur Fairy Robot Circus",
        "Puzzle Building_Blocks Teddy_Bear Kite Board_Game Train_Set Doll_House Marble_Run Spinning_Top Paint_Set",
    ),
    "sale": (
        "Last-Season Outlet Sample End-of-Line Ex-Display Overstock Clearance Last-Chance Archive Second-Choice",
        "Scarf Belt Beanie Gloves Umbrella Sunglasses Wallet Jumper Jeans Cap",
    ),
}
"""Adjectives and nouns by category; each pair is one product."""


@cache
def product_facts() -> pa.Table:
    """Return every product there is; row i is product number i, so `take` by number looks one up.

    Columns: `product` (int32), `sku`, `name`, `brand`, `category` (strings, `sku` and `name` unique) and `price_cents`
    (int32), the kernel's own offline price, the same in every currency.
    """
    numbers = np.arange(len(CATEGORIES) * PRODUCTS_PER_CATEGORY, dtype=np.int32)
    brands = hashes(0, "brand", numbers.astype(np.int64)) % np.uint64(len(BRANDS))
    return pa.table(
        {
            "product": numbers,
            "sku": pa.array([_sku(*divmod(int(number), PRODUCTS_PER_CATEGORY)) for number in numbers]),
            "name": pa.array([name for category in CATEGORIES for name in _names(category)]),
            "brand": pa.array([BRANDS[brand] for brand in brands]),
            "category": pa.array(np.repeat(np.array(CATEGORIES, object), PRODUCTS_PER_CATEGORY), pa.string()),
            "price_cents": np.array([price_cents(int(number)) for number in numbers], np.int32),
        }
    )


def _sku(category: int, number: int) -> str:
    return f"{CATEGORIES[category][:3].upper()}-{number:04d}"


def _names(category: str) -> list[str]:
    """Return the names of a category, as many as the kernel has numbers."""
    adjectives, nouns = (words.split() for words in _WORDS[category])
    names = [f"{adjective} {noun}".replace("_", " ") for adjective in adjectives for noun in nouns]
    assert len(names) == PRODUCTS_PER_CATEGORY
    return names
