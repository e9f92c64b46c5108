"""What the shop has to read: articles, plans for members, and what is exclusive, some for each category.

Titles and plans are fixed; what the articles are about follows from the catalogue, and so from the shop's seed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.storefront.catalogue import Catalogue, Product
from simulator.storefront.titles import ARTICLES, PLANS
from simulator.storefront.vocabulary import CATEGORIES, Category

ARTICLE, PLAN, EXCLUSIVE = "article", "plan", "exclusive"
KINDS = (ARTICLE, PLAN, EXCLUSIVE)
_SHOWN = 4
_WEEKS = 4
_WORDS_PER_MINUTE = 238
"""Silent reading of English non-fiction (M. Brysbaert, Journal of Memory and Language 109, 2019)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Something to read: its paragraphs (of a plan, one a week), reading time, and the SKUs it shows."""

    slug: str
    kind: str
    category: str
    title: str
    paragraphs: tuple[str, ...]
    minutes: int
    skus: tuple[str, ...]


class Library:
    """All pieces: the first of every category, then the second, and so on."""

    def __init__(self, catalogue: Catalogue) -> None:
        shelves = [_shelf(category, catalogue) for category in CATEGORIES]
        self.pieces = [piece for row in zip(*shelves, strict=True) for piece in row]
        self._by_slug = {piece.slug: piece for piece in self.pieces}

    def get(self, slug: str) -> Piece | None:
        """Return a piece, or None if there is none of that name."""
        return self._by_slug.get(slug)

    def select(self, kinds: tuple[str, ...], category: str | None, liked: Mapping[str, float]) -> list[Piece]:
        """Return the pieces of these kinds, of one category if named, those of the best liked categories first.

        `liked` maps categories to shares; what is liked the same stays in the library's order.
        """
        found = [p for p in self.pieces if p.kind in kinds and category in {None, p.category}]
        return sorted(found, key=lambda p: -liked.get(p.category, 0.0))


def _shelf(category: Category, catalogue: Catalogue) -> list[Piece]:
    shelf, pieces = catalogue.by_category[category.slug], []
    for number, title in enumerate(ARTICLES[category.slug]):
        about = shelf[number * _SHOWN :][:_SHOWN]
        pieces.append(_piece(ARTICLE, category, title, _article(category, about), about))
    aim, steps = PLANS[category.slug]
    weeks = tuple(f"Week {n + 1}: {step}" for n, step in enumerate(steps))
    assert len(weeks) == _WEEKS
    pieces.append(_piece(PLAN, category, aim, weeks, shelf[:_SHOWN]))
    pieces.append(_piece(EXCLUSIVE, category, f"Inside {category.title}: who makes it", _visit(shelf), shelf[-_SHOWN:]))
    return pieces


def _visit(shelf: list[Product]) -> tuple[str, ...]:
    """Return the paragraphs of a visit to the makers of what is on a shelf."""
    brands = sorted({product.brand for product in shelf})
    dearest = max(shelf, key=lambda product: (product.price_minor, product.sku))
    return (
        f"{len(brands)} makers fill this shelf: {', '.join(brands)}. We visited them for the members who asked.",
        f"The {dearest.name} takes longest. Its {dearest.colour.lower()} is mixed by hand, and who mixed it signs it.",
        "Makers like to be asked what they would change. Most named the packaging first, and the price last.",
    )


def _piece(kind: str, category: Category, title: str, paragraphs: tuple[str, ...], shown: list[Product]) -> Piece:
    words = sum(len(paragraph.split()) for paragraph in paragraphs)
    slug = "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())
    return Piece(
        slug,
        kind,
        category.slug,
        title,
        paragraphs,
        max(1, round(words / _WORDS_PER_MINUTE)),
        tuple(p.sku for p in shown),
    )


def _article(category: Category, products: list[Product]) -> tuple[str, ...]:
    """Return the paragraphs of an article, about products that are on the shelf."""
    opening = (
        f"Every season we look at what people bring back to us and at what they buy again. On the shelf called "
        f"{category.title}, the things that lasted were rarely the dearest. Here are {len(products)} that did."
    )
    about = [
        f"{product.name}, in {product.colour.lower()}: {product.reviews} people have written about it and give it "
        f"{product.rating} of five. {remark}"
        for product, remark in zip(products, _REMARKS, strict=True)
    ]
    closing = (
        "Buy one thing, use it for a month, and then decide about the second. What does not suit you can come back "
        "within thirty days, and our support people know this shelf well."
    )
    return (opening, *about, closing)


_REMARKS = (
    "Begin with what it is made of, and with how that is cleaned: both decide about its third year.",
    "Hold it against the one you own, and note what you would change. If that is little, keep what you have.",
    "Ask what it will be used for on an ordinary Tuesday. Most of its life will be such days.",
    "Look at what can be repaired or replaced, and at what cannot. The second list should be the shorter one.",
)
