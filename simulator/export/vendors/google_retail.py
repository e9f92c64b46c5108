"""Google Retail user events (v2), one JSON object a line, as ImportUserEvents takes them.

Only shoppers who allow personalization are in it, and only pages and actions that the API has a type for. Ids of lists
are the attribution tokens: a product tapped in a search or in recommendations carries the token of that answer, and so
does putting it into the cart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.export.ids import uuids
from simulator.export.products import CURRENCY, product_facts
from simulator.export.source import Part
from simulator.export.vendors.contents import Contents, addresses, queries, ragged
from simulator.export.vendors.jsontext import (
    array,
    cents,
    joined,
    number,
    optional,
    rfc3339,
    text,
    texts,
    where,
)
from simulator.export.vendors.nested import taken
from simulator.export.vendors.people import Phones, account_ids, account_of, order_ids, visitor_ids
from simulator.export.vendors.steps import ADD, BUY, PRODUCT, arrived, flags, since_start, steps_of
from simulator.export.vendors.vocabulary import WORDS
from simulator.journey.kernel import PRODUCTS_PER_CATEGORY
from simulator.model.schema import CATEGORIES
from simulator.model.states import STATE_INDEX
from simulator.runfolder.tables import LINE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.source import Source
    from simulator.export.vendors.steps import Steps

_TYPES = pa.array([word.retail or None for word in WORDS.values()], pa.string())
_TYPED = np.array([bool(word.retail) for word in WORDS.values()])
SEARCH, RECOMMEND, CART = (STATE_INDEX[name] for name in ("search", "recommend", "cart"))
CATEGORY, OFFERS = (STATE_INDEX[name] for name in ("category", "offers"))
OFFER_PAGE = "Sale > Offers"

SCHEMA = pa.schema(
    [
        pa.field("visitor_id", pa.string(), metadata={"meaning": "the browser, a UUID"}),
        pa.field("event_time", pa.timestamp("us", "UTC"), metadata={"meaning": "by the device's clock"}),
        pa.field("event_type", pa.string(), metadata={"meaning": "Google Retail's name"}),
        pa.field(
            "user_event", pa.string(), metadata={"meaning": "the whole event as JSON; a JSON Lines file holds it alone"}
        ),
    ],
    metadata={LINE: b"user_event"},
)


def user_events(source: Source) -> pa.Table:
    """Return a shard's user events in order of arrival. Raises `FileFaults` where a column is missing."""
    steps = steps_of(source, "google_retail")
    events = _Events(steps, Contents(steps), *_chosen(steps))
    visitor = visitor_ids(steps, events.row)
    body = joined(
        '{"eventType":"', events.type, '","visitorId":"', visitor, '","sessionId":"', _session(events),
        '","eventTime":"', rfc3339(events.at_us), '"', _experiment(events), _products(events), _token(events),
        _cart(events), _query(events), _transaction(events), _user(events), _page(events), "}",
    )  # fmt: skip
    time = pa.array(events.at_us, pa.timestamp("us", "UTC"))
    return pa.Table.from_arrays([visitor, time, events.type, body], schema=SCHEMA)


class _Events(NamedTuple):
    """The chosen steps: `row` is the step of each event, `at_us` its time by the device, since 1970."""

    steps: Steps
    contents: Contents
    row: NDArray[np.int64]
    at_us: NDArray[np.int64]

    @property
    def state(self) -> NDArray[np.int64]:
        return self.steps.state[self.row]

    @property
    def type(self) -> pa.Array:
        return _TYPES.take(pa.array(self.state))


def _chosen(steps: Steps) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    row, skew, _ = arrived(steps)
    allowed = flags(steps.source.shoppers["personalization"])[steps.who]
    known = steps.done & allowed & _TYPED[steps.state] & ((steps.state != BUY) | steps.bought)
    here = known[row]
    return row[here], steps.loaded_us[row[here]] + skew[here]


def _session(events: _Events) -> pa.Array:
    starts = events.steps.starts[events.steps.visit_of[events.row]]
    steps = events.steps
    return uuids(steps.source.seed, "session", steps.shopper[starts], steps.visit[starts], steps.arm[starts])


def _experiment(events: _Events) -> pa.Array | str:
    """Return the arm, where there are several."""
    arms = texts(events.steps.arms)
    if len(arms) < 2:
        return ""
    return joined(',"experimentIds":[', arms.take(pa.array(events.steps.arm[events.row])), "]")


def _products(events: _Events) -> pa.Array:
    """Return what was looked at, listed, put into the cart or bought, with quantities where something is taken."""
    contents, row, state = events.contents, events.row, events.state
    parts = (contents.one, contents.shown, contents.cart)
    begins = np.cumsum([0, *(len(part.product) for part in parts)])
    single = (state == PRODUCT) | (state == ADD)
    carts = (state == CART) | (state == BUY)
    first, count = np.zeros(len(row), np.int64), np.zeros(len(row), np.int64)
    for part, begin, here in zip(parts, begins, (single, state == SEARCH, carts), strict=False):
        first[here], count[here] = part.first[row[here]] + begin, part.count[row[here]]
    product, quantity = (np.concatenate([part[column] for part in parts]) for column in (2, 3))
    event, line = ragged(first, count)
    taking = (carts | (state == ADD))[event]
    ids = texts(product_facts()["sku"].to_pylist()).take(pa.array(product[line]))
    each = joined('{"product":{"id":', ids, "}", where(taking, ',"quantity":', number(quantity[line])), "}")
    return where(count > 0, ',"productDetails":', array(count, each))


def _token(events: _Events) -> pa.Array:
    """Return the attribution token: of the search itself, and of the list that a product was tapped in."""
    steps, row, rows = events.steps, events.row, np.arange(len(events.steps.state))
    answers = steps.done & ((steps.state == SEARCH) | (steps.state == RECOMMEND))
    before = np.append(np.zeros(min(1, len(rows)), np.bool_), (answers & steps.clicked)[:-1])
    chosen = np.where(before & (steps.state == PRODUCT), rows - 1, -1)
    # A product put into the cart came from where its page came from; that page is the last product page before.
    last_page = np.maximum.accumulate(np.where((steps.state == PRODUCT) | steps.first, rows, 0))
    origin = np.where(steps.state == ADD, chosen[last_page], chosen)
    origin = np.where(answers & (steps.state == SEARCH), rows, origin)[row]
    at = np.maximum(origin, 0)
    tokens = uuids(steps.source.seed, "attribution", steps.shopper[at], steps.visit[at], steps.step[at])
    return where(origin >= 0, ',"attributionToken":"', tokens, '"')


def _cart(events: _Events) -> pa.Array:
    """Return the cart's id: the visit's, another one after each order."""
    steps, row, state = events.steps, events.row, events.state
    orders = since_start(steps.bought.astype(np.int64), steps.starts, steps.visit_of) - steps.bought
    key = (steps.shopper[row], steps.visit[row], steps.arm[row], orders[row])
    here = (state == ADD) | (state == CART) | (state == BUY)
    return where(here, ',"cartId":"', uuids(steps.source.seed, "cart", *key), '"')


def _query(events: _Events) -> pa.Array:
    """Return the search words of a search, the categories of a category page."""
    state, anchor = events.state, np.maximum(events.contents.anchor[events.row], 0)
    words = texts(queries().to_pylist()).take(pa.array(anchor))
    shelves = texts([*([category] for category in CATEGORIES), [OFFER_PAGE]])
    shelf = np.where(state == OFFERS, len(CATEGORIES), anchor // PRODUCTS_PER_CATEGORY)
    paged = (state == CATEGORY) | (state == OFFERS)
    return joined(
        where(state == SEARCH, ',"searchQuery":', words),
        where(paged, ',"pageCategories":', shelves.take(pa.array(shelf))),
    )


def _transaction(events: _Events) -> pa.Array:
    """Return id, revenue and currency of an order."""
    steps, cart, row = events.steps, events.contents.cart, events.row
    price = product_facts()["price_cents"].to_numpy().astype(np.int64)
    lines = np.append(0, np.cumsum(price[cart.product] * cart.quantity))
    bought = events.state == BUY
    place = np.where(bought, np.cumsum(bought) - 1, -1)
    at = row[bought]
    value = lines[cart.first[at] + cart.count[at]] - lines[cart.first[at]]
    each = joined(
        ',"purchaseTransaction":{"id":"', order_ids(steps, at), '","revenue":', cents(value),
        ',"currencyCode":', text(CURRENCY), "}",
    )  # fmt: skip
    return pc.fill_null(taken(each, place), "")


def _user(events: _Events) -> pa.Array:
    """Return who, once logged in, and the browser's user agent."""
    steps, row = events.steps, events.row
    phones = Phones(steps.source.shoppers)
    agents = phones.of_device([text(device.user_agent) for device in phones.table]).take(pa.array(steps.who[row]))
    account = taken(account_ids(steps), account_of(steps, row), steps.logins[1][row])
    agent = optional('"userAgent":', agents)
    who = pc.fill_null(
        joined(
            '"userId":"',
            account,
            '"',
            where(pc.greater(pc.binary_length(agent), 0).to_numpy(zero_copy_only=False), ","),
        ),
        "",
    )
    some = pc.greater(pc.binary_length(joined(who, agent)), 0).to_numpy(zero_copy_only=False)
    return where(some, ',"userInfo":{', who, agent, "}")


def _page(events: _Events) -> pa.Array:
    """Return address, referrer and id of the page that is open."""
    steps, contents, page = events.steps, events.contents, events.steps.page[events.row]
    urls = texts(addresses().to_pylist())
    before = contents.address[steps.page[np.maximum(page - 1, 0)]]
    view = uuids(steps.source.seed, "page", steps.shopper[page], steps.visit[page], steps.step[page], steps.arm[page])
    return joined(
        ',"uri":', urls.take(pa.array(contents.address[page])),
        where(~steps.first[page], ',"referrerUri":', urls.take(pa.array(before))),
        ',"pageViewId":"', view, '"',
    )  # fmt: skip


def _make(source: Source) -> dict[str, pa.Table]:
    return {"google_retail": user_events(source)}


PART = Part(
    "google_retail", "Google Retail user events, as imported from JSON Lines.", _make, ("jsonl", "parquet", "csv")
)
