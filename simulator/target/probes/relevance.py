"""Relevance of a list: how high it ranks what a shopper truly likes best."""

from __future__ import annotations

from itertools import accumulate
from math import log2

MOST_RANKED = 100
"""Items further down a list are not looked at."""
_GAINS = tuple(1 / log2(rank + 2) for rank in range(MOST_RANKED))
_BEST = (0.0, *accumulate(_GAINS))
"""DCG of a list that begins with so many relevant items."""


def ndcg(categories: tuple[str, ...], favourite: str, *, given: bool = False) -> float | None:
    """Return the normalised discounted cumulative gain, from 0 to 1, of a list by the categories of its items.

    An item is relevant if its category is the favourite (Järvelin and Kekäläinen 2002, with binary gains). The best
    list has favourites alone, for a shop has more of them than a list shows; of a `given` list, that was only to be put
    in order, the best order. None where there is nothing to rank.
    """
    shown = categories[:MOST_RANKED]
    most = shown.count(favourite) if given else len(shown)
    if not most:
        return None
    return sum(_GAINS[rank] for rank, category in enumerate(shown) if category == favourite) / _BEST[most]
