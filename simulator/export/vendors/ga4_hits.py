"""Which events the Google tag sends for each step, when, and in which request.

At the first paint of a page `page_view`, with `session_start` and `first_visit` where they begin; when the page or the
action is complete, the shop's own events; when the shopper goes on or leaves, `user_engagement`. The tag's clock runs
while the page is visible, and every event but the automatic first ones takes the time since the one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from simulator.export.products import product_facts
from simulator.export.vendors.contents import Contents, Lines, ragged
from simulator.export.vendors.ga4_sessions import Sessions
from simulator.export.vendors.steps import arrived, since_start
from simulator.export.vendors.vocabulary import WORDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.vendors.steps import Steps

FIRST_VISIT, SESSION_START, PAGE_VIEW, ACTION, SECOND, LEAVE = range(6)
"""What may be sent for one step, in this order."""
AUTOMATIC = ("first_visit", "session_start", "page_view", "user_engagement")
NAMES = tuple(
    dict.fromkeys((*AUTOMATIC, *(name for word in WORDS.values() for name in (*word.ga4, word.select) if name)))
)
ENGAGED_US = 10_000_000
"""A session counts as engaged from ten seconds, a second page or a key event (GA4's default)."""
LEAST_US = 1_000_000
"""`user_engagement` is sent for pages that were visible for a second or more."""
_ACTS = np.array([[len(word.ga4) > 0, len(word.ga4) > 1, bool(word.select)] for word in WORDS.values()])
_LISTS, _CARTS, _ONES = (np.array([word.items == kind for word in WORDS.values()]) for kind in ("list", "cart", "one"))


def _names() -> NDArray[np.int64]:
    """Return the name that (state, kind of event) has; −1 where none."""
    table = np.full((len(WORDS), 6), -1)
    table[:, [FIRST_VISIT, SESSION_START, PAGE_VIEW, LEAVE]] = [NAMES.index(name) for name in AUTOMATIC]
    for state, word in enumerate(WORDS.values()):
        for place, name in enumerate(word.ga4):
            table[state, ACTION + place] = NAMES.index(name)
    return table


_NAME = _names()
_SELECT = np.array([NAMES.index(word.select) if word.select else -1 for word in WORDS.values()])


@dataclass(frozen=True)
class Hits:
    """The events of `steps` that arrived; `steps`-long columns begin with an underscore, the others are by event."""

    steps: Steps

    @cached_property
    def contents(self) -> Contents:
        """Return what stood on the pages."""
        return Contents(self.steps)

    @cached_property
    def _arrived(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        return arrived(self.steps)

    @cached_property
    def sessions(self) -> Sessions:
        """Return the sessions; a visit's clock is that of its first beacon to arrive."""
        row, skew, _ = self._arrived
        of_visit = np.zeros(len(self.steps.starts), np.int64)
        of_visit[self.steps.visit_of[row[::-1]]] = skew[::-1]
        return Sessions(self.steps, of_visit)

    @cached_property
    def _tagged(self) -> NDArray[np.bool_]:
        """Return whether the tag runs on the page of the step."""
        return self.steps.seen[self.steps.page]

    @cached_property
    def _landing(self) -> NDArray[np.bool_]:
        landing = np.zeros(len(self.steps.state), np.bool_)
        landing[self.sessions.landing[self.sessions.landing >= 0]] = True
        return landing

    @cached_property
    def _acts(self) -> NDArray[np.bool_]:
        """Return whether the shop's own event is sent: for what came whole, and of carts that hold something."""
        nothing = _CARTS[self.steps.state] & (self.contents.cart.count == 0)
        acts: NDArray[np.bool_] = self._tagged & self.steps.done & _ACTS[self.steps.state, 0] & ~nothing
        return acts

    @cached_property
    def _visible_us(self) -> NDArray[np.int64]:
        """Return how long the page was to be seen during the step."""
        begin = np.where(self.steps.opens, self.steps.shown_us, self.steps.at_us)
        return np.where(self._tagged, self.steps.left_us - begin, 0)

    @cached_property
    def step_selects(self) -> NDArray[np.bool_]:
        """Return whether the step ends with a tap on a product of its list."""
        selects: NDArray[np.bool_] = self._acts & self.steps.clicked & _ACTS[self.steps.state, 2]
        return selects

    @cached_property
    def rest_us(self) -> NDArray[np.int64]:
        """Return the visible time that no event of the step itself has taken before leaving."""
        own = self.steps.opens & self._acts
        return np.where(own, self.steps.left_us - self.steps.loaded_us, self._visible_us)

    @cached_property
    def _sent(self) -> NDArray[np.bool_]:
        """Return (steps × 6) which events are sent."""
        steps = self.steps
        views = steps.opens & steps.seen
        denied = ~self.sessions.analytics[steps.visit_of]
        new = (self.sessions.number == 1)[steps.visit_of]
        following = np.append((self._acts & ~steps.opens)[1:], np.zeros(min(1, len(views)), np.bool_))
        taken = ~steps.last & following
        leaves = self._tagged & (self.step_selects | (~taken & (self.rest_us >= LEAST_US)))
        # Without a cookie every page is a first visit and starts a session.
        starts = views & (self._landing | denied)
        second = self._acts & _ACTS[steps.state, 1]
        return np.stack([starts & (new | denied), starts, views, self._acts, second, leaves], axis=1)

    @cached_property
    def _requests(self) -> NDArray[np.int64]:
        """Return (steps × 3) the number within the shard of the request of first paint, action and leaving."""
        sent = self._sent[:, [PAGE_VIEW, ACTION, LEAVE]]
        return np.cumsum(sent, dtype=np.int64).reshape(sent.shape)

    @cached_property
    def _cells(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        arrived_row = self._arrived[0]
        cell, kind = np.nonzero(self._sent[arrived_row])
        return cell.astype(np.int64), kind.astype(np.int64)

    @cached_property
    def row(self) -> NDArray[np.int64]:
        """Return the step of each event."""
        return self._arrived[0][self._cells[0]]

    @cached_property
    def kind(self) -> NDArray[np.int64]:
        """Return what it is: `FIRST_VISIT` to `LEAVE`."""
        return self._cells[1]

    @cached_property
    def visit(self) -> NDArray[np.int64]:
        """Return the number of its visit in the shard."""
        return self.steps.visit_of[self.row]

    @cached_property
    def state(self) -> NDArray[np.int64]:
        """Return the state of its step."""
        return self.steps.state[self.row]

    @cached_property
    def selects(self) -> NDArray[np.bool_]:
        """Return whether a listed product was tapped."""
        selects: NDArray[np.bool_] = (self.kind == LEAVE) & self.step_selects[self.row]
        return selects

    @cached_property
    def name(self) -> NDArray[np.int64]:
        """Return its name as a place in `NAMES`."""
        return np.where(self.selects, _SELECT[self.state], _NAME[self.state, self.kind])

    @cached_property
    def at_us(self) -> NDArray[np.int64]:
        """Return when it was sent by the device's clock, since 1970."""
        steps, row = self.steps, self.row
        when = np.where(self.kind <= PAGE_VIEW, steps.shown_us[row], steps.loaded_us[row])
        return np.where(self.kind == LEAVE, steps.left_us[row], when) + self._arrived[1][self._cells[0]]

    @cached_property
    def late_us(self) -> NDArray[np.int64]:
        """Return the time from sending to arrival."""
        return self._arrived[2][self._cells[0]]

    @cached_property
    def engagement_ms(self) -> NDArray[np.int64]:
        """Return the visible time since the event before."""
        steps, row = self.steps, self.row
        before = np.where(steps.first, 0, np.append(np.zeros(min(1, len(steps.first)), np.int64), self.rest_us[:-1]))
        own = np.where(steps.opens, steps.loaded_us - steps.shown_us, before)
        taken = np.where(self.kind == ACTION, own[row], 0)
        return np.where(self.kind == LEAVE, self.rest_us[row], taken) // 1_000

    @cached_property
    def engaged(self) -> NDArray[np.bool_]:
        """Return whether the session is engaged by then."""
        steps = self.steps
        pages = since_start((steps.opens & steps.seen).astype(np.int64), steps.starts, steps.visit_of)
        visible = since_start(self._visible_us, steps.starts, steps.visit_of)
        so_far = visible[self.row] - np.where(self.kind == LEAVE, 0, self._visible_us[self.row])
        key = (self.kind == ACTION) & steps.bought[self.row]
        engaged: NDArray[np.bool_] = (pages[self.row] > 1) | (so_far >= ENGAGED_US) | key
        return engaged

    @cached_property
    def request(self) -> NDArray[np.int64]:
        """Return the number of its request within the shard."""
        which = np.where(self.kind <= PAGE_VIEW, 0, np.where(self.kind == LEAVE, 2, 1))
        return self._requests[self.row, which]

    @cached_property
    def request_of_visit(self) -> NDArray[np.int64]:
        """Return the number of its request within the visit, from 1."""
        return self.request - self._before(self.steps.starts[self.visit])

    @cached_property
    def request_of_page(self) -> NDArray[np.int64]:
        """Return the number of its request within the page, from 1."""
        return self.request - self._before(self.steps.page[self.row])

    def _before(self, row: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many requests the shard had before these steps."""
        return np.append(0, self._requests[:, 2])[row]

    @cached_property
    def page_of_visit(self) -> NDArray[np.int64]:
        """Return the number of its page within the visit, from 1."""
        pages = since_start(self.steps.opens.astype(np.int64), self.steps.starts, self.steps.visit_of)
        return pages[self.row]

    @cached_property
    def index(self) -> NDArray[np.int64]:
        """Return its place in the request, from 1."""
        sent = self._sent[self.row]
        paint = np.cumsum(sent[:, : PAGE_VIEW + 1], axis=1)
        place = np.take_along_axis(paint, np.minimum(self.kind, PAGE_VIEW)[:, None], axis=1)[:, 0]
        return np.where(self.kind <= PAGE_VIEW, place, np.where(self.kind == SECOND, 2, 1))

    @cached_property
    def logged_in(self) -> NDArray[np.bool_]:
        """Return whether the shop knew by then who this is."""
        logins = self.steps.logins
        return np.where(self.kind >= ACTION, logins[1][self.row], logins[0][self.row])

    @cached_property
    def items(self) -> Lines:
        """Return the products of each event, in the lines of lists, carts and single products together."""
        contents, row, state = self.contents, self.row, self.state
        parts = (contents.one, contents.cart, contents.shown)
        begins = np.cumsum([0, *(len(part.product) for part in parts)])
        acts = (self.kind == ACTION) | (self.kind == SECOND)
        listed = _LISTS[state] & (self.kind == np.where(_ACTS[state, 1], SECOND, ACTION))
        first, count = np.zeros(len(row), np.int64), np.zeros(len(row), np.int64)
        for part, begin, here in zip(
            parts, begins, (acts & _ONES[state], acts & _CARTS[state], listed | self.selects), strict=False
        ):
            first[here], count[here] = part.first[row[here]] + begin, part.count[row[here]]
        first[self.selects] += contents.anchor_place[row[self.selects]]
        count[self.selects] = 1
        product, quantity, place = (np.concatenate([part[column] for part in parts]) for column in (2, 3, 4))
        return Lines(first, count, product, quantity, place)

    @cached_property
    def of_items(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the event and the line of every item, in order."""
        return ragged(self.items.first, self.items.count)

    @cached_property
    def value(self) -> NDArray[np.float64]:
        """Return what the products of each event cost, in the shop's currency."""
        line = self.of_items[1]
        cents = product_facts()["price_cents"].to_numpy().astype(np.int64)[self.items.product[line]]
        total, end = np.append(0, np.cumsum(cents * self.items.quantity[line])), np.cumsum(self.items.count)
        value: NDArray[np.float64] = (total[end] - total[end - self.items.count]) / 100.0
        return value

    @cached_property
    def entrance(self) -> NDArray[np.bool_]:
        """Return whether the event is of the page on which the session began."""
        return self._landing[self.steps.page[self.row]]

    @cached_property
    def anchor(self) -> NDArray[np.int64]:
        """Return the product that the list of the event's step was shown around, 0 where there is none."""
        return np.maximum(self.contents.anchor, 0)[self.row]

    @cached_property
    def in_view(self) -> NDArray[np.int64]:
        """Return the product in view, 0 where there is none."""
        return np.maximum(self.steps.product, 0)[self.row]
