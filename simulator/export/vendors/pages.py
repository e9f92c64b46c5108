"""The page that is open at a step, as the address bar, the title and the referrer tell it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.export.vendors.columns import named, where
from simulator.export.vendors.contents import addresses, campaign_address, titles
from simulator.export.vendors.vocabulary import CHANNELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.vendors.tracked import Tracked


@cache
def _parts() -> tuple[pa.Array, pa.Array]:
    """Return the path and the query, with its `?`, of each address."""
    urls = [urlsplit(url) for url in addresses().to_pylist()]
    return pa.array([url.path for url in urls]), pa.array([url.query and f"?{url.query}" for url in urls])


@dataclass(frozen=True)
class Pages:
    """The pages open at some steps: one entry for each of `rows`, which count steps."""

    seen: Tracked
    rows: NDArray[np.int64]

    @cached_property
    def opened(self) -> NDArray[np.int64]:
        """Return the step that opened the page."""
        return self.seen.steps.page[self.rows]

    @cached_property
    def inside(self) -> NDArray[np.bool_]:
        """Return whether the page was reached from another page of the visit."""
        return ~self.seen.steps.first[self.opened]

    @cached_property
    def channel(self) -> NDArray[np.int64]:
        """Return how the shopper came to the visit, as a place in `CHANNELS`, on its landing page; −1 elsewhere."""
        return np.where(self.inside, -1, self.seen.channel[self.rows])

    @cached_property
    def address(self) -> pa.Array:
        """Return the page's place in `addresses`, the landing page's with its campaign words."""
        return pa.array(campaign_address(self.seen.contents.address[self.rows], self.channel))

    @property
    def path(self) -> pa.Array:
        """Return the path, from its first `/`."""
        return _parts()[0].take(self.address)

    @property
    def search(self) -> pa.Array:
        """Return the query with its `?`; empty where there is none."""
        return _parts()[1].take(self.address)

    @property
    def title(self) -> pa.Array:
        """Return the document's title."""
        return titles().take(pa.array(self.seen.contents.address[self.rows]))

    @property
    def url(self) -> pa.Array:
        """Return the whole address."""
        return addresses().take(self.address)

    @cached_property
    def referrer(self) -> pa.Array:
        """Return the page before, or where the visit came from; empty where the browser says nothing."""
        earlier = Pages(self.seen, np.maximum(self.opened - 1, 0)).url
        outside = named(self.channel, [channel.referrer for channel in CHANNELS.values()])
        return pc.coalesce(where(self.inside, earlier), outside)
