"""What the shop has to read: articles for everybody and plans for members, some for each category.

The words are fixed; the products that a piece shows follow from the catalogue, and so from the shop's seed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.storefront.catalogue import Catalogue
from simulator.storefront.titles import ARTICLES, PLANS
from simulator.storefront.vocabulary import CATEGORIES, Category

ARTICLE, PLAN = "article", "plan"
KINDS = (ARTICLE, PLAN)
_SHOWN = 4
_WEEKS = 4
_WORDS_PER_MINUTE = 238
"""Silent reading of English non-fiction (M. Brysbaert, Journal of Memory and Language 109, 2019)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """An article or a plan: its paragraphs (of a plan, one a week), reading time, and the SKUs it shows."""

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
    shelf = [product.sku for product in catalogue.by_category[category.slug]]
    pieces = []
    for number, title in enumerate(ARTICLES[category.slug]):
        pieces.append(_piece(ARTICLE, category, title, _article(category, number), shelf[number * _SHOWN :][:_SHOWN]))
    aim, steps = PLANS[category.slug]
    weeks = tuple(f"Week {n + 1}: {step}" for n, step in enumerate(steps))
    assert len(weeks) == _WEEKS
    pieces.append(_piece(PLAN, category, aim, weeks, shelf[:_SHOWN]))
    return pieces


def _piece(kind: str, category: Category, title: str, paragraphs: tuple[str, ...], skus: list[str]) -> Piece:
    words = sum(len(paragraph.split()) for paragraph in paragraphs)
    slug = "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())
    return Piece(slug, kind, category.slug, title, paragraphs, max(1, round(words / _WORDS_PER_MINUTE)), tuple(skus))


def _article(category: Category, number: int) -> tuple[str, ...]:
    """Return the paragraphs of a category's article, made of what its shelf holds; no two articles read the same."""
    styles, nouns = category.styles or ("Reduced",), category.nouns or ("Find",)
    start = number * 3
    named = [(styles[(start + n) % len(styles)].lower(), nouns[(start + n) % len(nouns)].lower()) for n in range(4)]
    opening = (
        f"Every season we take out what people bring back to us and ask what lasted. In {category.title.lower()}, "
        f"the answer was rarely the dearest thing on the shelf."
    )
    advice = [
        f"If you look at a {noun}, begin with what it is made of: {style} does its work for years when it is looked "
        f"after, and shows quickly when it is not. Hold it against one you own, and note what you would change."
        for style, noun in named
    ]
    closing = (
        "Buy one thing, use it for a month, and then decide about the second. What does not suit you can come back "
        "within thirty days, and our support people know this shelf well."
    )
    return (opening, *advice, closing)
