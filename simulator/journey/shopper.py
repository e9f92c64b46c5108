"""Who shopper number n is: everything about them follows from the seed and the number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from simulator.journey import keys
from simulator.journey.history import remember
from simulator.journey.keys import NOWHERE, four_uniforms, uniform
from simulator.model.compiled import compiled
from simulator.model.distributions import normal_quantile, sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from simulator.journey.records import Record
    from simulator.model.population import Population

HOME_SPREAD_DEG = 0.03
"""Standard deviation of homes round a city's centre, about 3 km (assumed)."""


@compiled
def pick(cdf: NDArray[np.float64], u: float) -> int:
    """Return the first position whose cumulative share exceeds `u`."""
    low, high = 0, len(cdf) - 1
    while low < high:
        middle = (low + high) // 2
        if cdf[middle] > u:
            high = middle
        else:
            low = middle + 1
    return low


@compiled
def choose_persona(personas: NDArray[Any], seed: int, shopper: int) -> int:
    """Return the shopper's persona by weighted rendezvous: the smallest of −ln(u)/weight wins.

    Each persona's u depends on its name alone, so a new persona takes shoppers for itself and moves nobody between
    the others (Efraimidis & Spirakis 2006).
    """
    best, smallest = 0, math.inf
    for index in range(len(personas)):
        u, weight = uniform(seed, shopper, 0, NOWHERE, 0, keys.PERSONA ^ personas[index].key), personas[index].weight
        # −ln(u) is never below 1 − u, which spares most of the logarithms.
        if 1.0 - u < smallest * weight:
            score = -math.log(u) / weight
            if score < smallest:
                best, smallest = index, score
    return best


@compiled
def draw_shopper(population: Population, seed: int, shopper: int, row: Record) -> None:
    """Fill `row` (of SHOPPER) with who this shopper is."""
    row.shopper = shopper
    row.persona = choose_persona(population.personas, seed, shopper)
    row.city = pick(population.city_cdf[row.persona], uniform(seed, shopper, 0, NOWHERE, 0, keys.CITY))
    persona, city = population.personas[row.persona], population.cities[row.city]
    row.country, row.utc_offset_s = city.country, city.utc_offset_s
    weekly = uniform(seed, shopper, 0, NOWHERE, 0, keys.VISITS_PER_WEEK)
    row.visits_per_week = sample(persona.visits_per_week, population.tables[0], weekly)
    north = normal_quantile(uniform(seed, shopper, 0, NOWHERE, 0, keys.OFFSET_NORTH))
    east = normal_quantile(uniform(seed, shopper, 0, NOWHERE, 0, keys.OFFSET_EAST))
    row.latitude_deg = city.latitude_deg + HOME_SPREAD_DEG * north
    row.longitude_deg = city.longitude_deg + HOME_SPREAD_DEG * east / math.cos(math.radians(city.latitude_deg))
    chances = population.device_cdf[row.persona, row.country]
    row.device = pick(chances, uniform(seed, shopper, 0, NOWHERE, 0, keys.DEVICE))
    row.cpu_slowdown = population.devices[row.device].cpu_slowdown
    row.analytics = uniform(seed, shopper, 0, NOWHERE, 0, keys.CONSENT_ANALYTICS) < persona.consent[0]
    row.personalization = uniform(seed, shopper, 0, NOWHERE, 0, keys.CONSENT_PERSONALIZATION) < persona.consent[1]
    row.location = uniform(seed, shopper, 0, NOWHERE, 0, keys.CONSENT_LOCATION) < persona.consent[2]
    row.push = uniform(seed, shopper, 0, NOWHERE, 0, keys.CONSENT_PUSH) < persona.consent[3]
    row.member = uniform(seed, shopper, 0, NOWHERE, 0, keys.MEMBER) < persona.member
    row.logged_in = uniform(seed, shopper, 0, NOWHERE, 0, keys.LOGGED_IN) < persona.logged_in
    row.favourite = pick(persona.category_cdf, uniform(seed, shopper, 0, NOWHERE, 0, keys.FAVOURITE))
    sensitivity = uniform(seed, shopper, 0, NOWHERE, 0, keys.PRICE_SENSITIVITY)
    row.price_sensitivity = sample(persona.price_sensitivity, population.tables[0], sensitivity)
    row.frailty = sample(persona.frailty, population.tables[0], uniform(seed, shopper, 0, NOWHERE, 0, keys.FRAILTY))
    _draw_layers(population, persona, seed, shopper, row)


@compiled
def _draw_layers(population: Population, persona: Record, seed: int, shopper: int, row: Record) -> None:
    """Fill how they came, what they use of their phone, and their past; 32 bits a draw are enough for these."""
    email, channel, biometric, ar = four_uniforms(seed, shopper, 0, keys.EMAIL_CHANNEL_BIOMETRIC_AR)
    row.email = email < persona.consent[4]
    row.channel = pick(persona.channel_cdf[row.email + 2 * row.push], channel)
    device = population.devices[row.device]
    row.biometric = device.biometric and biometric < persona.biometric
    row.ar = device.ar and ar < persona.ar
    tenure, basket, orders, response = four_uniforms(seed, shopper, 0, keys.TENURE_BASKET_ORDERS_RESPONSE)
    row.campaign_response = sample(persona.campaign_response, population.tables[0], response)
    remember(persona, population.tables[0], seed, tenure, basket, orders, row)


@compiled
def visit_channel(persona: Record, seed: int, shopper: Record, visit: int) -> int:
    """Return how a visit came about: the first ever by the shopper's own channel, any other by the returning mix."""
    if visit == 0 and shopper.tenure_days == 0.0:
        return int(shopper.channel)
    u = uniform(seed, shopper.shopper, visit, NOWHERE, 0, keys.VISIT_CHANNEL)
    return pick(persona.returning_cdf[shopper.email + 2 * shopper.push], u)
