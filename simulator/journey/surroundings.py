"""What surrounds a visit, on its intended clock (think times without waiting): the network the nth page meets.

Because waiting does not move this clock, the nth page meets the same network in every arm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.journey import keys
from simulator.journey.kernel import STATE_KEYS
from simulator.journey.keys import NOWHERE, uniform
from simulator.journey.shopper import pick
from simulator.model.compiled import compiled
from simulator.model.distributions import sample

if TYPE_CHECKING:
    from simulator.journey.records import Record
    from simulator.model.population import Population


@compiled
def look_around(population: Population, seed: int, shopper: Record, visit: Record, event: Record) -> None:
    """Fill the event's `network`, `rtt_ms` and `down_kbps` for the page the shopper stands before.

    The technology is drawn anew for each mean dwell time of the situation that the intended clock has passed.
    """
    dwell_us = population.dwell_s[visit.situation] * 1e6
    stay = int(visit.intended_us / dwell_us) & 0xFFF
    mix = population.personas[shopper.persona].technology_cdf[visit.situation]
    network = pick(mix, uniform(seed, shopper.shopper, visit.visit, NOWHERE, stay, keys.TECHNOLOGY))
    technology = population.technologies[network]
    key, nth = STATE_KEYS[visit.state], visit.nth
    event.network = network
    event.rtt_ms = sample(
        technology.rtt_ms, population.tables, uniform(seed, shopper.shopper, visit.visit, key, nth, keys.RTT)
    )
    event.down_kbps = sample(
        technology.down_kbps, population.tables, uniform(seed, shopper.shopper, visit.visit, key, nth, keys.DOWN)
    )
