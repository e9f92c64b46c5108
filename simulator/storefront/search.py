"""Finding products by words: an inverted index over the catalogue, completion, and correction of a slip."""

import re
from bisect import bisect_left
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from simulator.storefront.catalogue import Catalogue, Product
from simulator.storefront.history import Taste
from simulator.storefront.vocabulary import CATEGORIES

_WORD = re.compile(r"[^\W_]+")
_PULL = 1.0
"""How much a favourite category lifts its products: at most twofold."""


@dataclass(frozen=True, slots=True)
class Found:
    """Products that match, best first, and the corrected query if the one given named nothing."""

    products: list[Product]
    corrected: str | None


class SearchIndex:
    """Words of names, categories, brands and colours, each with the products it names and how strongly."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._products = catalogue.products
        self._postings: dict[str, dict[str, float]] = {}
        for product in catalogue.popular:
            for word, weight in _words_of(product):
                self._postings.setdefault(word, {}).setdefault(product.sku, weight)
        self._vocabulary = sorted(self._postings)
        self._titles = sorted({*(c.title for c in CATEGORIES), *(f"{p.style} {p.noun}" for p in catalogue.popular)})
        self._titles_folded = sorted((title.casefold(), title) for title in self._titles)
        # The catalogue never changes, so neither does what a text matches; who asks only changes the order.
        self._match = lru_cache(maxsize=2048)(self._match_now)

    def search(self, text: str, taste: Taste | None = None) -> Found:
        """Find what has all words of the text (else any of them), pulled towards the categories of the taste."""
        matches, corrected = self._match(tuple(_tokens(text)))
        if taste is None:
            return Found([self._products[sku] for sku, _ in matches], corrected)
        share = taste.affinity
        lifted = [(-score * (1 + _PULL * share.get(self._products[sku].category, 0.0)), sku) for sku, score in matches]
        return Found([self._products[sku] for _, sku in sorted(lifted)], corrected)

    def suggest(self, text: str, limit: int = 8) -> list[str]:
        """Complete what was typed so far to names of categories and kinds of products, in alphabetical order."""
        typed = " ".join(_tokens(text, singular=False))
        first = bisect_left(self._titles_folded, (typed, ""))
        after = self._titles_folded[first : first + limit]
        starting = [title for folded, title in after if folded.startswith(typed)]
        inside = (title for folded, title in self._titles_folded if f" {typed}" in folded)
        for title in inside:
            if len(starting) >= limit:
                break
            if title not in starting:
                starting.append(title)
        return starting

    def _match_now(self, words: tuple[str, ...]) -> tuple[list[tuple[str, float]], str | None]:
        """Return (sku, score) best first for these words, and the corrected query if a word had to be changed."""
        meant = [self._nearest(word) for word in words]
        hits = [self._hits(word) for word in meant if word]
        corrected = " ".join(word for word in meant if word)
        scores: dict[str, float] = {}
        for hit in hits:
            for sku, weight in hit.items():
                scores[sku] = scores.get(sku, 0.0) + weight
        in_all = {sku: score for sku, score in scores.items() if all(sku in hit for hit in hits)}
        ranked = [(sku, score + self._liking(sku)) for sku, score in (in_all or scores).items()]
        changed = corrected if tuple(meant) != words and corrected else None
        return sorted(ranked, key=lambda pair: (-pair[1], pair[0])), changed

    def _nearest(self, word: str) -> str | None:
        """Return the word itself if it names or begins something, else the most similar word that does."""
        if self._completions(word):
            return word
        close = get_close_matches(word, self._vocabulary, n=1, cutoff=0.74)
        return close[0] if close else None

    def _hits(self, word: str) -> dict[str, float]:
        """Return the weight by SKU of a word, and of what it begins at half of theirs."""
        hits = dict(self._postings.get(word, {}))
        for longer in self._completions(word):
            for sku, weight in self._postings[longer].items():
                hits.setdefault(sku, weight / 2)
        return hits

    def _completions(self, word: str) -> list[str]:
        first = bisect_left(self._vocabulary, word)
        last = bisect_left(self._vocabulary, word + "\U0010ffff")
        return self._vocabulary[first:last]

    def _liking(self, sku: str) -> float:
        """Return a product's popularity squeezed between 0 and 1, to order what matches equally well."""
        popularity = self._products[sku].popularity
        return popularity / (1 + popularity)


def _words_of(product: Product) -> list[tuple[str, float]]:
    """Return the words a product is found by, strongest first."""
    weighted = (
        (product.noun, 4.0),
        (product.category, 3.0),
        (product.department, 3.0),
        (product.style, 3.0),
        (product.name, 2.0),
        (product.colour, 1.0),
    )
    return [(word, weight) for text, weight in weighted for word in _tokens(text)]


def _tokens(text: str, *, singular: bool = True) -> list[str]:
    """Split into folded words, `Running shoes` into `running`, `shoe`, so that a plural finds its singular."""
    words = _WORD.findall(text.casefold())
    return [_singular(word) for word in words] if singular else words


def _singular(word: str) -> str:
    if word.endswith(("sses", "ches")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word
