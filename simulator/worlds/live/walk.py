"""One visit of the live world, a step at a time: the kernel's functions on arrays of one row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.journey.kernel import begin, patience_us
from simulator.journey.records import EVENT, VISIT, WALK
from simulator.journey.shopper import draw_these
from simulator.journey.surroundings import look_around, up_kbps
from simulator.model.compiled import compiled
from simulator.page.load import SETUP_ROUND_TRIPS, recovery_s, transfer_s
from simulator.worlds.crowd import World, add_up
from simulator.worlds.walk import calls_made, decide, patience_after_fcp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.journey.records import Record
    from simulator.worlds.walk import Given

US = 1e6


class Tap(NamedTuple):
    """What is known when a shopper taps; microseconds."""

    state: int
    fcp_us: int
    """The modelled part of FCP: everything but the blocking calls and the arm's delay."""
    rest_us: int
    """The modelled part from FCP until usable: everything but the lcp calls."""
    blind_us: int
    """How long the shopper waits while nothing is visible."""
    fcp_wired_us: int
    """The part of `fcp_us` that a shaped socket takes itself: stall, set-up, and the page's own request and answer."""
    lcp_wired_us: int
    """The part of `rest_us` that a shaped socket takes itself: the round trip of the lcp calls."""
    reconnects: bool
    """Whether the phone came to this page on another network, so that its connection is gone."""
    step: int
    """How many pages the visit had before."""
    category: int
    """The category in view, −1 before the first."""
    product: int
    """The product in view, −1 before the first."""
    network: int
    rtt_ms: float
    down_kbps: float
    made: int
    """Which calls the page makes: bit n is the call at place n of its card."""
    delay_us: int
    """How long the arm holds back what the blocking calls answered."""


class Seen(NamedTuple):
    """What the shopper saw of a page; `NEVER_US` where they left before."""

    fcp_us: int
    load_us: int
    server_us: int
    measured_us: int
    ok: bool
    relevance: float


@compiled
def _arrive(world: World, visits: NDArray[Any], shopper: int, visit: int, arm: int, start_us: int) -> NDArray[Any]:
    shoppers = draw_these(world.population, world.seed, np.array([shopper]))
    persona = world.population.personas[shoppers[0].persona]
    begin(persona, world.population.tables[0], world.seed, shoppers[0], visit, arm, start_us, visits[0])
    return shoppers


@compiled
def _tap(
    given: Given, shoppers: NDArray[Any], visits: NDArray[Any], events: NDArray[Any]
) -> tuple[int, int, int, int, int, int, bool, int, int, int, int, float, float, int, int]:
    personas, tables, cards, _, _, arms, seed = given
    shopper, visit, event = shoppers[0], visits[0], events[0]
    persona, card = personas[shopper.persona], cards[visit.state]
    look_around(persona, tables[0], seed, shopper, visit, event)
    fcp_us, load_us = add_up(card, persona, shopper, visit, event, 0, 0)
    delay_us = arms[visit.arm].delay_us[visit.state]
    blind_us = patience_us(persona, shopper, visit, np.inf)
    fcp_wired_us, lcp_wired_us = _wired_us(card, persona, visit, event)
    fcp_wired_us = min(fcp_wired_us, fcp_us)
    waits = fcp_us, load_us - fcp_us, blind_us, fcp_wired_us, lcp_wired_us
    around = visit.reconnects == 1, visit.pages, visit.category, visit.product, event.network
    made = calls_made(given, visits, 0)
    return visit.state, *waits, *around, float(event.rtt_ms), float(event.down_kbps), made, delay_us


@compiled
def _wired_us(card: Record, persona: Record, visit: Record, event: Record) -> tuple[int, int]:
    """Return the modelled microseconds until FCP, and from there until usable, that calls on a shaped socket take.

    Until FCP: the stall, set-up, and a round trip with the document, by asking the page model for the same page without
    them; what stays modelled is critical assets and script, which come down the connection that the document opened.
    """
    if card.instant:
        return 0, 0
    rtt_s, bytes_per_s = event.rtt_ms / 1e3, event.down_kbps * 125.0
    share = 1.0 if visit.pages == 0 else card.warm_share
    whole, assets = card.document_bytes + card.critical_bytes * share, card.critical_bytes * share
    wired_s = rtt_s + transfer_s(whole, rtt_s, bytes_per_s) - transfer_s(assets, rtt_s, bytes_per_s)
    if visit.pages == 0 or visit.reconnects == 1:
        wired_s += persona.promotion_s[event.network] + SETUP_ROUND_TRIPS * rtt_s
    if event.loss > 0.0:
        wired_s += recovery_s(whole, rtt_s, event.loss) - recovery_s(assets, rtt_s, event.loss)
    return int(wired_s * US) + event.stalled_us, int(rtt_s * US) if card.has_lcp_call else 0


@compiled
def _network(given: Given, shoppers: NDArray[Any], visits: NDArray[Any], events: NDArray[Any]) -> tuple[float, float]:
    """Return the uplink in kbit/s and the seconds until anything travels, of the page the shopper stands before."""
    personas, tables, _, _, _, _, seed = given
    visit, event = visits[0], events[0]
    persona = personas[shoppers[0].persona]
    wait_s = event.stalled_us / US
    if visit.reconnects == 1:
        wait_s += persona.promotion_s[event.network]
    return up_kbps(persona, tables[0], seed, shoppers[0].shopper, visit), wait_s


class Walk:
    """One visit. `shopper`, `visit` and `event` are arrays of one row of SHOPPER, VISIT and EVENT.

    `visit` shows what the kernel moves on.
    """

    __slots__ = ("_given", "_walk", "event", "shopper", "visit", "world")

    def __init__(self, world: World, shopper: int, visit: int, arm: int, start_us: int) -> None:
        self.world = world
        population, pages, arms, seed = world
        # The walk's functions take the routes of a backend as well; here the cards stand in for them.
        self._given = (population.personas, population.tables, pages.cards, pages.cards, pages.tables, arms, seed)
        self._walk, self.event = np.zeros(1, WALK), np.zeros(1, EVENT)
        # A WALK begins with its VISIT, byte for byte.
        self.visit = np.ndarray(1, VISIT, self._walk)
        self.shopper = _arrive(world, self._walk, shopper, visit, arm, start_us)

    def tap(self) -> Tap:
        """Ask for the page that the shopper stands before."""
        return Tap(*_tap(self._given, self.shopper, self._walk, self.event))

    def network(self) -> tuple[float, float, float, float, float]:
        """Return (round trip in ms, down and up in kbit/s, packet loss, seconds of standstill) of that page's network.

        To be asked after `tap`, and before `decide`.
        """
        event = self.event[0]
        up, wait_s = _network(self._given, self.shopper, self._walk, self.event)
        return float(event["rtt_ms"]), float(event["down_kbps"]), up, float(event["loss"]), wait_s

    def patience_us(self, fcp_us: int) -> int:
        """Return how long the shopper waits from the tap, having seen something at `fcp_us`."""
        return patience_after_fcp(self._given, self.shopper, self._walk, 0, 0, fcp_us)

    def decide(self, seen: Seen) -> tuple[int, int]:
        """Let the shopper see the page; return (cause, think time in microseconds)."""
        relevance = float(np.float32(seen.relevance))
        return decide(self._given, self.shopper, self._walk, self.event, 0, 0, 0, *seen[:-1], relevance)
