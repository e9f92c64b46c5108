"""The only definition of how a shopper behaves: small pure scalar functions, used by every world.

    begin → (a world shows the shopper a page) → step → … until the visit has a cause

What a shopper sees of a page is quantised to whole microseconds (and relevance to single precision) before anything is
decided, so that a recorded run replays exactly.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from simulator.journey import keys, lanes
from simulator.journey.keys import NOWHERE, uniform
from simulator.journey.lanes import draw_page, draw_visit
from simulator.journey.records import (
    BUDGET,
    DONE,
    ERROR,
    IMPATIENT,
    LONGEST_WAIT_US,
    MAX_STEPS,
    NOT_SEEN,
    ONGOING,
    PUT_OFF,
    Record,
)
from simulator.journey.shopper import pick, visit_channel
from simulator.model.compiled import compiled
from simulator.model.distributions import normal_quantile, sample
from simulator.model.schema import CATEGORIES
from simulator.model.states import FLAGS, STATE_INDEX, STATE_NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

S = len(STATE_NAMES)
PRODUCT, ADD_TO_CART, PURCHASE = (STATE_INDEX[name] for name in ("product", "add_to_cart", "purchase"))
LOGGED_IN, LOCATED, PERSONALIZED = (FLAGS[name] for name in ("logged_in", "location_shared", "personalization_allowed"))
PUSHED, AR_CAPABLE, ENROLLED = (FLAGS[name] for name in ("push_allowed", "ar_capable", "biometric_enrolled"))
PRODUCTS_PER_CATEGORY = 100
MEDIAN_PRICE_CENTS, PRICE_SIGMA = 3_500.0, 0.7
"""Offline prices, log-normal over products (assumed; a live target's own prices are in its answers)."""
US = 1e6


@compiled
def hazard_sum(rate: float, shape: float, feedback: float, fcp_s: float, wait_s: float) -> float:
    """Return the cumulative hazard of leaving by `wait_s`: Weibull, softened by `feedback` once something shows."""
    seen = min(fcp_s, wait_s)
    return rate * (_power(seen, shape) + feedback * (_power(wait_s, shape) - _power(seen, shape)))


@compiled
def patience_s(u: float, frailty: float, rate: float, shape: float, feedback: float, fcp_s: float) -> float:
    """Return how long this shopper would wait, the inverse of `hazard_sum` at −ln(1−u)/frailty; infinite if never.

    With frailty gamma of mean 1 and variance θ the population's survival is (1 + θΛ)^(−1/θ).
    """
    if rate <= 0.0 or frailty <= 0.0:
        return math.inf
    need = -math.log1p(-u) / (frailty * rate)
    blind = _power(fcp_s, shape)
    if need <= blind:
        return _power(need, 1.0 / shape)
    if feedback <= 0.0:
        return math.inf
    return _power(blind + (need - blind) / feedback, 1.0 / shape)


@compiled
def _power(base: float, exponent: float) -> float:
    """Return base^exponent; the common exponent 1 costs nothing."""
    return base if exponent == 1.0 else float(base**exponent)


@compiled
def put_off_probability(weight: float, memory_weight: float, felt: float, memory: float) -> float:
    """Return the chance of leaving after a page: 1 − exp(−(weight · felt + memory_weight · memory)).

    `felt` is ln(1 + load/τ), the Weber–Fechner reading of a wait; `memory` sums earlier ones, decaying.
    """
    return -math.expm1(-(weight * felt + memory_weight * memory))


@compiled
def is_open(persona: Record, state: int, flags: int) -> bool:
    """Return whether the guards let a visit with these flags into the state."""
    return bool((flags & persona.needs[state]) == persona.needs[state] and (flags & persona.forbids[state]) == 0)


@compiled
def next_weight(
    persona: Record, state: int, following: int, flags: int, relevance: float, pull: NDArray[np.float64]
) -> float:
    """Return the weight of one next state, or of exit (S).

    A state whose guards are not met has no weight, so its share goes to the others in proportion. Relevance above ½
    makes leaving less likely, below ½ more.
    """
    weight = float(persona.transition[state, following] * pull[following])
    if following < S:
        return weight if is_open(persona, following, flags) else 0.0
    return weight * math.exp(persona.relevance_pull * (1.0 - 2.0 * relevance)) if relevance != NOT_SEEN else weight


@compiled
def choose_next(persona: Record, state: int, flags: int, relevance: float, pull: NDArray[np.float64], u: float) -> int:
    """Return the next state, or S for exit (also where guards leave nothing else)."""
    total = 0.0
    for place in range(persona.ways[state]):
        total += next_weight(persona, state, persona.way[state, place], flags, relevance, pull)
    left = u * total
    for place in range(persona.ways[state]):
        following = persona.way[state, place]
        weight = next_weight(persona, state, following, flags, relevance, pull)
        left -= weight
        if left < 0.0 and weight > 0.0:
            return int(following)
    return S


@compiled
def think_of(persona: Record, tables: Record, state: int, following: int) -> Record:
    """Return the think time (of DIST) on a state before the one that follows, or exit (S)."""
    think = persona.think[state]
    if persona.edges > 0:
        place = persona.edge[state, following]
        if place >= 0:
            think = tables.edges[place]
    return think


@compiled
def first_flags(shopper: Record) -> int:
    """Return the facts that are true before the first page."""
    flags = 0
    if shopper.logged_in:
        flags |= LOGGED_IN
    if shopper.location:
        flags |= LOCATED
    if shopper.personalization:
        flags |= PERSONALIZED
    if shopper.push:
        flags |= PUSHED
    if shopper.ar:
        flags |= AR_CAPABLE
    if shopper.biometric:
        flags |= ENROLLED
    return flags


@compiled
def begin(
    persona: Record,
    tables: Record,
    seed: int,
    shopper: Record,
    number: int,
    arm: int,
    start_us: int,
    visit: Record,
) -> None:
    """Fill `visit` (of WALK) for the shopper's `number`-th visit, standing before its entry page."""
    visit.shopper, visit.visit, visit.arm, visit.start_us = shopper.shopper, number, arm, start_us
    draw_visit(seed, visit)
    visit.situation = pick(persona.situation_cdf, visit.begun_u[lanes.SITUATION])
    visit.channel = visit_channel(persona, shopper, number, visit.begun_u[lanes.CHANNEL])
    visit.cause, visit.pages, visit.orders, visit.added_to_cart, visit.revenue_cents = ONGOING, 0, 0, 0, 0
    visit.elapsed_us, visit.waited_us, visit.engaged_us, visit.ga_us, visit.intended_us = 0, 0, 0, 0, 0
    visit.landing_load_us, visit.lag_us = 0, 0
    visit.count[:] = 0
    visit.flags = first_flags(shopper)
    visit.memory = 0.0
    visit.budget_us = sample(persona.budget, tables, visit.begun_u[lanes.BUDGET]) * US
    visit.cart_items, visit.cart_cents = 0, 0
    visit.product, visit.category, visit.price_cents = -1, -1, 0
    visit.entry = _entry(persona, visit.flags, visit.begun_u[lanes.ENTRY])
    _enter(persona, seed, shopper, visit, visit.entry)


@compiled
def entry_weight(persona: Record, state: int, flags: int) -> float:
    """Return the weight of a visit beginning in the state; its guards hold here too.

    Where nothing has a weight, every visit begins in the first state.
    """
    return float(persona.entry[state]) if is_open(persona, state, flags) else 0.0


@compiled
def _entry(persona: Record, flags: int, u: float) -> int:
    total = 0.0
    for place in range(persona.ways[S]):
        total += entry_weight(persona, persona.way[S, place], flags)
    left, last = u * total, 0
    for place in range(persona.ways[S]):
        state = persona.way[S, place]
        weight = entry_weight(persona, state, flags)
        if weight > 0.0:
            last = int(state)
            left -= weight
            if left < 0.0:
                return last
    return last


@compiled
def _enter(persona: Record, seed: int, shopper: Record, visit: Record, state: int) -> None:
    visit.state, visit.nth = state, visit.count[state]
    visit.count[state] += 1
    draw_page(seed, visit)
    if state == PRODUCT:
        _choose_product(persona, shopper, visit)


@compiled
def price_cents(product: int) -> int:
    """Return a product's offline price: the same for everybody, every seed and every run."""
    return int(PRICES_CENTS[product])


@compiled
def _drawn_price_cents(product: int) -> int:
    z = normal_quantile(uniform(0, product, 0, NOWHERE, 0, keys.PRODUCT))
    return int(MEDIAN_PRICE_CENTS * math.exp(PRICE_SIGMA * z))


PRICES_CENTS = np.array([_drawn_price_cents(product) for product in range(len(CATEGORIES) * PRODUCTS_PER_CATEGORY)])


@compiled
def _choose_product(persona: Record, shopper: Record, visit: Record) -> None:
    """Choose a product of a category they like; who minds the price compares two and takes the cheaper."""
    category = pick(persona.category_cdf, visit.u[lanes.PRODUCT])
    first = category * PRODUCTS_PER_CATEGORY
    # The square makes low numbers popular: a tenth of the products gets a third of the views.
    product = first + int(PRODUCTS_PER_CATEGORY * visit.v[lanes.PRODUCT] ** 2)
    if visit.u[lanes.CHEAPER] < shopper.price_sensitivity:
        other = first + int(PRODUCTS_PER_CATEGORY * visit.v[lanes.CHEAPER] ** 2)
        if price_cents(other) < price_cents(product):
            product = other
    visit.product, visit.category, visit.price_cents = product, category, price_cents(product)


@compiled
def patience_us(persona: Record, shopper: Record, visit: Record, fcp_us: float) -> int:
    """Return how many microseconds this shopper would wait for the page they stand before.

    `fcp_us` is when something becomes visible; infinite while that is not known.
    """
    u, rate, shape = visit.u[lanes.PATIENCE], persona.hazard_per_s[visit.state], persona.patience_shape
    wait = patience_s(u, shopper.frailty, rate, shape, persona.feedback, fcp_us / US) * US
    return int(wait) if wait < LONGEST_WAIT_US else LONGEST_WAIT_US


@compiled
def step(
    persona: Record,
    tables: Record,
    arm: Record,
    seed: int,
    shopper: Record,
    visit: Record,
    event: Record,
    fcp_us: int,
    load_us: int,
    ok: bool,
    relevance: float,
) -> None:
    """Let the shopper see one page and decide; moves `visit` on and fills `event`'s own columns.

    `persona` is the shopper's row of PERSONA, `arm` the visit's row of ARM. `fcp_us` and `load_us` count from the tap;
    `relevance` is in [0, 1] or `NOT_SEEN`, and counts with single precision, as the table keeps it.
    """
    state = visit.state
    _describe(shopper, visit, event, fcp_us, load_us, ok, relevance)
    event.patience_us = patience_us(persona, shopper, visit, fcp_us)
    event.put_off_p, event.think_us = 0.0, 0
    waited_us = min(load_us, event.patience_us)
    event.waited_us = waited_us
    visit.pages += 1
    visit.elapsed_us += waited_us
    visit.waited_us += waited_us
    if visit.pages == 1:
        visit.landing_load_us = load_us
    if load_us > event.patience_us:
        visit.cause = event.cause = IMPATIENT
        return
    felt = math.log1p(load_us / US / persona.tau_s)
    event.put_off_p = put_off_probability(persona.put_off[state], persona.memory, felt, visit.memory)
    visit.memory = persona.memory_decay * visit.memory + felt
    if ok:
        _take_effect(persona, visit, state)
    elif visit.u[lanes.ERROR] < persona.error_exit:
        visit.cause = ERROR
    if visit.cause == ONGOING and visit.u[lanes.PUT_OFF] < event.put_off_p:
        visit.cause = PUT_OFF
    event.cart_items = visit.cart_items
    if visit.cause == ONGOING:
        _go_on(persona, tables, arm, seed, shopper, visit, event, np.float64(event.relevance))
    event.cause = visit.cause


@compiled
def _describe(
    shopper: Record, visit: Record, event: Record, fcp_us: int, load_us: int, ok: bool, relevance: float
) -> None:
    """Fill the columns that are known before the shopper decides."""
    event.shopper, event.visit, event.step, event.arm = shopper.shopper, visit.visit, visit.pages, visit.arm
    event.state, event.nth = visit.state, visit.nth
    event.at_us = visit.start_us + visit.elapsed_us
    event.fcp_us, event.load_us, event.ok, event.relevance = fcp_us, load_us, ok, relevance
    event.situation = visit.situation
    event.product, event.category, event.price_cents = visit.product, visit.category, visit.price_cents
    event.cart_items = visit.cart_items
    event.persona, event.city = shopper.persona, shopper.city
    event.country, event.device = shopper.country, shopper.device


@compiled
def _take_effect(persona: Record, visit: Record, state: int) -> None:
    """Change what a page that loaded well changes: flags, the cart, an order."""
    visit.flags = (visit.flags | persona.sets[state]) & ~persona.clears[state]
    if state == ADD_TO_CART:
        visit.cart_items += 1
        visit.added_to_cart += 1
        visit.cart_cents += visit.price_cents
    elif state == PURCHASE:
        visit.orders += 1
        visit.revenue_cents += visit.cart_cents
        visit.cart_items, visit.cart_cents = 0, 0


@compiled
def _go_on(
    persona: Record,
    tables: Record,
    arm: Record,
    seed: int,
    shopper: Record,
    visit: Record,
    event: Record,
    relevance: float,
) -> None:
    """Look at the page for a while, then go on, leave, or run out of time."""
    state = visit.state
    following = choose_next(persona, state, visit.flags, relevance, arm.pull, visit.u[lanes.NEXT])
    meant_s = sample(think_of(persona, tables, state, following), tables, visit.u[lanes.THINK])
    event.think_us = _whole_us(meant_s + persona.dwell * event.load_us / US)
    visit.elapsed_us += event.think_us
    visit.engaged_us += event.think_us
    # Without what the page's slowness adds: the nth page meets the same network in every arm.
    visit.intended_us += _whole_us(meant_s)
    if relevance > 0.5:
        visit.budget_us += persona.refund_s * US
    if following == S:
        visit.cause = DONE
    elif _spent_us(persona, visit) > visit.budget_us or visit.pages >= MAX_STEPS:
        visit.cause = BUDGET
    else:
        visit.ga_us = visit.elapsed_us
        _enter(persona, seed, shopper, visit, following)


@compiled
def _whole_us(think_s: float) -> int:
    """Return a think time in microseconds; one at least, for timestamps strictly increase within a visit."""
    return max(1, int(min(think_s * US, float(LONGEST_WAIT_US))))


@compiled
def _spent_us(persona: Record, visit: Record) -> float:
    """Return how much of the time budget is spent: all of the visit's time, but of waiting only what is charged."""
    return float(visit.elapsed_us - (1.0 - persona.budget_waiting) * visit.waited_us)
