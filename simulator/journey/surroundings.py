"""What surrounds a visit, on its intended clock (think times without waiting): the network the nth page meets.

Because waiting does not move this clock, the nth page meets the same network in every arm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.journey import keys
from simulator.journey.kernel import STATE_KEYS
from simulator.journey.keys import NOWHERE, uniform
from simulator.journey.shopper import pick
from simulator.model.compiled import compiled
from simulator.model.distributions import sample

if TYPE_CHECKING:
    from simulator.journey.records import Record


@compiled
def look_around(persona: Record, tables: Record, seed: int, shopper: Record, visit: Record, event: Record) -> None:
    """Fill the event's `network`, `rtt_ms` and `down_kbps` for the page the shopper stands before.

    The technology is drawn anew for each mean dwell time of the situation that the intended clock has passed.
    """
    who, number, key, nth = shopper.shopper, visit.visit, STATE_KEYS[visit.state], visit.nth
    stay = int(visit.intended_us / persona.dwell_us[visit.situation]) & 0xFFF
    u = uniform(seed, who, number, NOWHERE, stay, keys.TECHNOLOGY)
    network = pick(persona.technology_cdf[visit.situation], u)
    event.network = network
    event.rtt_ms = sample(persona.rtt_ms[network], tables, uniform(seed, who, number, key, nth, keys.RTT))
    event.down_kbps = sample(persona.down_kbps[network], tables, uniform(seed, who, number, key, nth, keys.DOWN))
