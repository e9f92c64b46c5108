"""The crowd world with intent: what shoppers want of a visit may go with their network and phone, as it does in life.

Intent u is standard normal. A visit's chance to end after a page has its logit lowered by `strength` · u (its weight of
exit is multiplied by exp(−strength · u)); u is drawn jointly with the quality of the landing page's link and of the
phone, so that who is slow also wants less. With no strength every visit is the crowd world's own, to the byte.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.journey import keys
from simulator.journey.kernel import begin, step
from simulator.journey.keys import NOWHERE, uniform, uniform_pair
from simulator.journey.records import EVENT, IMPATIENT, NEVER_US, NOT_SEEN, ONGOING, WALK, Record
from simulator.model.compiled import compiled, record_dtype
from simulator.model.distributions import normal_quantile
from simulator.model.states import STATE_NAMES
from simulator.page.load import load_parts
from simulator.worlds.crowd import load_page

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.journey.plan import Plan
    from simulator.worlds.crowd import World

EXIT = len(STATE_NAMES)
REFERENCE_PAGE = STATE_NAMES.index("home")
"""How good a link is, is how fast this page comes over it to a new visitor with a fast desktop."""

VIEW = record_dtype(
    [
        ("shopper", "i8"),
        ("network", "i8"),
        ("tier", "i8"),
        ("cause", "i8"),
        ("pages", "i8"),
        ("wall_us", "i8"),
        ("engaged_us", "i8"),
        ("ga_us", "i8"),
        ("orders", "i8"),
        ("landing_us", "i8"),
        ("loads_us", "i8"),
        ("link_us", "i8"),
        ("unseen", "i8"),
        ("lost_u", "f8"),
        ("bot_u", "f8"),
        ("bot_v", "f8"),
        ("intent", "f8"),
    ]
)
"""One visit as who measures it may see it. `landing_us` is what its landing page took, or would have taken; `loads_us`
the same of all its pages; `unseen`: it was left before the landing page was usable. The draws decide its beacon and
its bot."""


class Intent(NamedTuple):
    """How intent goes with speed; see the module."""

    strength: float
    """Of intent, on the logit of leaving after a page."""
    network: float
    """Correlation with the link's quality."""
    device: float
    """Correlation with the phone's."""
    links_us: NDArray[np.float64]
    """Sorted times of the reference page over the links of a sample of visits: they tell how good a link is."""
    phones: NDArray[np.float64]
    """(D,) normal scores of the devices, the fast ones high."""


@compiled
def link_us(world: World, persona: Record, event: Record) -> float:
    """Return what the reference page takes over the link of a page that was loaded, microseconds."""
    promotion_s = persona.promotion_s[event.network]
    fcp_s, rest_s = load_parts(
        world.pages.cards[REFERENCE_PAGE], True, event.rtt_ms / 1e3, event.down_kbps, promotion_s, 1.0
    )
    return (fcp_s + rest_s) * 1e6


@compiled
def intent_of(intent: Intent, seed: int, shopper: Record, number: int, link: float) -> float:
    """Return a visit's intent, standard normal, from its link, its phone and a draw of its own."""
    own = normal_quantile(uniform(seed, shopper.shopper, number, NOWHERE, 0, keys.INTENT))
    left = 1.0 - intent.network**2 - intent.device**2
    slower = len(intent.links_us) - np.searchsorted(intent.links_us, link)
    score = normal_quantile((slower + 0.5) / (len(intent.links_us) + 1.0))
    return float(intent.network * score + intent.device * intent.phones[shopper.device] + math.sqrt(left) * own)


@compiled
def play_view(
    world: World,
    plan: Plan,
    who: NDArray[np.int64],
    shoppers: NDArray[Any],
    tier_of_device: NDArray[np.int64],
    intent: Intent,
    landing_us: float,
) -> NDArray[Any]:
    """Return a row of VIEW for each visit of a plan; `who` is the position of each visit's shopper in `shoppers`.

    Where `landing_us` is above 0, every page of a visit is as many times slower or faster as makes its landing page
    take just so long: speed is given, and goes with nothing. The landing is then what was given.
    """
    population, pages, arms, seed = world
    rows = np.zeros(len(plan.shopper), VIEW)
    walks, events, arm_row = np.zeros(1, WALK), np.zeros(1, EVENT), arms[:1].copy()
    visit, event, arm = walks[0], events[0], arm_row[0]
    own_pull = arm.pull[EXIT]
    for row in range(len(plan.shopper)):
        shopper, out, number, times = shoppers[who[row]], rows[row], plan.visit[row], 1.0
        persona = population.personas[shopper.persona]
        begin(persona, population.tables[0], seed, shopper, number, 0, plan.start_us[row], visit)
        while visit.cause == ONGOING:
            card = pages.cards[visit.state]
            fcp_us, load_us = load_page(
                persona, population.tables[0], card, pages.tables[0], arm, seed, shopper, visit, event
            )
            if visit.pages == 0:
                link = link_us(world, persona, event)
                out.link_us, out.network = int(link), event.network
                if landing_us > 0.0:
                    times = landing_us / max(load_us, 1)
                if intent.strength != 0.0:
                    out.intent = intent_of(intent, seed, shopper, number, link)
                    arm.pull[EXIT] = own_pull * math.exp(-intent.strength * out.intent)
            if landing_us > 0.0:
                fcp_us, load_us = min(int(fcp_us * times), NEVER_US), min(int(load_us * times), NEVER_US)
            step(persona, population.tables[0], arm, seed, shopper, visit, event, fcp_us, load_us, True, NOT_SEEN)
            out.loads_us += load_us
        _fill(out, visit, shopper, tier_of_device[shopper.device])
        out.lost_u = uniform(seed, shopper.shopper, number, NOWHERE, 0, keys.BEACON)
        out.bot_u, out.bot_v = uniform_pair(seed, shopper.shopper, number, NOWHERE, 0, keys.BOT)
        arm.pull[EXIT] = own_pull
    return rows


@compiled
def _fill(out: Record, visit: Record, shopper: Record, tier: int) -> None:
    out.shopper, out.tier, out.cause, out.pages = shopper.shopper, tier, visit.cause, visit.pages
    out.wall_us, out.engaged_us, out.ga_us = visit.elapsed_us, visit.engaged_us, visit.ga_us
    out.orders, out.landing_us = visit.orders, visit.landing_load_us
    out.unseen = visit.pages == 1 and visit.cause == IMPATIENT
