"""A drawn picture of each product: a plain shape for its category on a ground of its own colour, as inline SVG."""

from simulator.storefront.catalogue import Product

# Drawn in a square of 100 units; `currentColor` is the ink, `var(--glint)` the lighter parts.
_SHAPES = {
    "shoes": '<path d="M14 62c0-8 2-18 6-24 6 6 12 6 18 0l16 16c8 6 20 6 28 10 4 2 5 6 4 10H18c-3 0-4-4-4-12z"/>'
    '<path class="g" d="M14 74h72v5H17c-2 0-3-2-3-5zM44 46l5-4 3 3-5 4zM51 53l5-4 3 3-5 4z"/>',
    "bags": '<path d="M22 40h56l5 42H17z"/><path class="l" d="M36 46V34c0-18 28-18 28 0v12"/>'
    '<path class="g" d="M22 54h57l1 5H21z"/>',
    "jackets": '<path d="M38 18h24l18 12 6 44H72l-2-22v32H30V52l-2 22H14l6-44z"/>'
    '<path class="g" d="M48.5 24h3v60h-3zM38 18l12 14 12-14-4-2-8 8-8-8z"/>',
    "dresses": '<path d="M38 16c2 8 6 12 12 12s10-4 12-12l6 2-4 24 18 42H18l18-42-4-24z"/>'
    '<path class="g" d="M36 42h28l2 5H34z"/>',
    "shirts": '<path d="M36 20h28l22 12-7 17-11-5v40H32V44l-11 5-7-17z"/>'
    '<path class="g" d="M36 20c4 12 24 12 28 0l-5-1c-3 7-15 7-18 0z"/>',
    "sportswear": '<path d="M32 16h36l8 68H58l-8-38-8 38H24z"/>'
    '<path class="g" d="M31 24h38l-.7-6H31.7zM36 30h3l-7 50h-3z"/>',
    "watches": '<path d="M38 10h24l3 20H35zM35 70h30l-3 20H38z"/><circle cx="50" cy="50" r="25"/>'
    '<circle class="g" cx="50" cy="50" r="19"/><path class="l" d="M50 38v12l9 6"/>',
    "beauty": '<path d="M34 42h32v40c0 4-3 6-6 6H40c-3 0-6-2-6-6zM42 14h16v10H42z"/>'
    '<path class="g" d="M38 28h24v10H38zM40 54h20v18H40z"/>',
    "home-living": '<path d="M32 16h36l12 34H20zM46 54h8v24h-8z"/>'
    '<path class="g" d="M32 80h36v6H32zM39 22h6l-7 22h-6z"/>',
    "electronics": '<path d="M18 58c0-50 64-50 64 0v18H70V52h4C72 22 28 22 26 52h4v24H18z"/>'
    '<path class="g" d="M30 52h7v26h-7zM63 52h7v26h-7z"/>',
    "toys": '<path d="M18 50h28v28H18zM54 50h28v28H54z"/><path class="g" d="M36 18h28v28H36z"/>'
    '<circle cx="50" cy="32" r="6"/>',
}
_HUES = {
    "Black": 230, "Navy": 222, "Sand": 38, "Olive": 78, "Rust": 16, "Ivory": 48, "Slate": 208, "Coral": 8,
    "Teal": 176, "Plum": 312, "Mustard": 44, "Sky": 198,
}  # fmt: skip


def hue_of(product: Product) -> int:
    """Return the hue of a product's colour in degrees."""
    return _HUES[product.colour]


def picture(product: Product) -> str:
    """Return the picture as an `<svg>` element. Everything in it is the shop's own text: it is safe in HTML."""
    return (
        f'<svg class="picture" viewBox="0 0 100 100" style="--hue:{hue_of(product)}" role="img"'
        f' aria-label="{product.noun}">{_SHAPES[product.department]}</svg>'
    )
