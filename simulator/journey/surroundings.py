"""What surrounds a visit, on its intended clock (think times without waiting): the network the nth page meets.

Because waiting does not move this clock, the nth page meets the same network in every arm. A visit comes into the
middle of a stay on some technology; later stays follow one another as the situation's semi-Markov chain says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.journey import keys, lanes
from simulator.journey.keys import NOWHERE, uniform, uniform_pair
from simulator.journey.shopper import pick
from simulator.model.compiled import compiled
from simulator.model.distributions import sample
from simulator.model.networks import NO_NETWORK

if TYPE_CHECKING:
    from simulator.journey.records import Record

US = 1e6
FOREVER_US = 2**62
MOST_STAYS = 4_000
"""A visit keeps its last network after so many stays; keys count to 4,096."""
WIFI = 0


@compiled
def look_around(persona: Record, tables: Record, seed: int, shopper: Record, visit: Record, event: Record) -> None:
    """Fill the event's network columns (`network` to `stalled_us`) for the page the shopper stands before.

    `visit.reconnects` says whether the page needs a new connection.
    """
    if visit.pages == 0:
        _come(persona, tables, visit)
        visit.reconnects, stalled_us = True, _wait_for_network(persona, tables, seed, shopper.shopper, visit)
        _connect(persona, tables, seed, shopper.shopper, visit)
    else:
        before, stay = visit.network, visit.stay
        stalled_us = _wait_for_network(persona, tables, seed, shopper.shopper, visit)
        # Between Wi-Fi and cells the phone's address changes, so that its connections end; between cells they live on.
        visit.reconnects = (visit.network == WIFI) != (before == WIFI) or stalled_us > 0
        if visit.stay != stay:
            _connect(persona, tables, seed, shopper.shopper, visit)
            stalled_us += persona.switch_us
    event.network, event.rtt_ms, event.down_kbps = visit.network, visit.rtt_ms, visit.down_kbps
    _disturb(persona, tables, visit, event, stalled_us)


@compiled
def _disturb(persona: Record, tables: Record, visit: Record, event: Record, stalled_us: int) -> None:
    """Fill what goes wrong on the page's way: stalls, on top of `stalled_us`, and packet loss."""
    u, v = visit.u[lanes.STALL], visit.v[lanes.STALL]
    share = persona.stall_share[visit.situation]
    if u < share:
        stalled_us += int(sample(persona.stall_s[visit.situation], tables, u / share) * US)
    event.stalled_us = stalled_us
    in_burst = v < persona.burst_share[visit.network]
    event.loss = persona.bad_loss[visit.network] if in_burst else persona.good_loss[visit.network]


@compiled
def _wait_for_network(persona: Record, tables: Record, seed: int, who: int, visit: Record) -> int:
    """Move on to the stay that serves the page, and return how long the shopper is without a network before it."""
    stalled_us = 0
    while visit.until_us <= visit.intended_us or visit.network == NO_NETWORK:
        if visit.network == NO_NETWORK:
            stalled_us = max(stalled_us, visit.until_us - visit.intended_us)
        _move_on(persona, tables, seed, who, visit)
    return int(stalled_us)


@compiled
def _come(persona: Record, tables: Record, visit: Record) -> None:
    """Let the visit begin at any moment of a stay: the stay is one weighed by its length, the moment uniform in it."""
    situation = visit.situation
    visit.stay = 0
    visit.network = pick(persona.stay_cdf[situation], visit.begun_u[lanes.TECHNOLOGY])
    u, v = visit.begun_u[lanes.STAY], visit.begun_v[lanes.STAY]
    visit.until_us = int(min(v * sample(persona.met_stay_s[situation, visit.network], tables, u) * US, FOREVER_US))


@compiled
def _move_on(persona: Record, tables: Record, seed: int, who: int, visit: Record) -> None:
    """Begin the next stay."""
    situation = visit.situation
    visit.stay += 1
    if visit.stay >= MOST_STAYS:
        visit.network, visit.until_us = max(0, visit.network % NO_NETWORK), FOREVER_US
        return
    u = uniform(seed, who, visit.visit, NOWHERE, visit.stay, keys.TECHNOLOGY)
    visit.network = pick(persona.jump_cdf[situation, visit.network], u)
    u = uniform(seed, who, visit.visit, NOWHERE, visit.stay, keys.STAY)
    visit.until_us += 1 + int(sample(persona.stay_s[situation, visit.network], tables, u) * US)


@compiled
def _connect(persona: Record, tables: Record, seed: int, who: int, visit: Record) -> None:
    """Draw round trip and throughput of the stay that has begun."""
    u, v = visit.begun_u[lanes.LINK], visit.begun_v[lanes.LINK]
    if visit.stay > 0:
        u, v = uniform_pair(seed, who, visit.visit, NOWHERE, visit.stay, keys.LINK)
    visit.rtt_ms = sample(persona.rtt_ms[visit.network], tables, u)
    visit.down_kbps = sample(persona.down_kbps[visit.network], tables, v)


@compiled
def up_kbps(persona: Record, tables: Record, seed: int, who: int, visit: Record) -> float:
    """Return the uplink of the stay that a visit is in.

    Good cells are good both ways: it stands where the downlink stands in its own distribution (assumed).
    """
    _, v = uniform_pair(seed, who, visit.visit, NOWHERE, visit.stay, keys.LINK)
    return float(sample(persona.up_kbps[visit.network], tables, v))
