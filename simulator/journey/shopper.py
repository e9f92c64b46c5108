"""Who shopper number n is: everything about them follows from the seed and the number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.journey import keys
from simulator.journey.draws import uniforms
from simulator.journey.history import remember
from simulator.journey.keys import four_uniforms
from simulator.journey.records import SHOPPER
from simulator.model.compiled import compiled
from simulator.model.distributions import normal_quantile, sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.journey.records import Record
    from simulator.model.population import Population

HOME_SPREAD_DEG = 0.03
"""Standard deviation of homes round a city's centre, about 3 km (assumed)."""
AT_ONCE = 256
"""Shoppers drawn at a time: their draws stay in the processor's cache."""


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
def choose_persona(personas: NDArray[Any], draws: NDArray[np.float64]) -> int:
    """Return a shopper's persona by weighted rendezvous: the smallest of −ln(u)/weight wins.

    `draws` holds a u for each persona, which depends on its name alone , so that a new persona takes
    shoppers for itself and moves nobody between the others (Efraimidis & Spirakis 2006).
    """
    best, smallest = 0, math.inf
    for index in range(len(personas)):
        u, weight = draws[index], personas[index].weight
        # −ln(u) is never below 1 − u, which spares most of the logarithms.
        if 1.0 - u < smallest * weight:
            score = -math.log(u) / weight
            if score < smallest:
                best, smallest = index, score
    return best


CITY, WEEKLY, NORTH, EAST, DEVICE, ANALYTICS, PERSONALIZATION, LOCATION = range(8)
PUSH, MEMBER, LOGGED_IN, FAVOURITE, SENSITIVITY, FRAILTY = range(8, 14)
_PURPOSES = np.array(
    [
        keys.CITY,
        keys.VISITS_PER_WEEK,
        keys.OFFSET_NORTH,
        keys.OFFSET_EAST,
        keys.DEVICE,
        keys.CONSENT_ANALYTICS,
        keys.CONSENT_PERSONALIZATION,
        keys.CONSENT_LOCATION,
        keys.CONSENT_PUSH,
        keys.MEMBER,
        keys.LOGGED_IN,
        keys.FAVOURITE,
        keys.PRICE_SENSITIVITY,
        keys.FRAILTY,
    ]
)
"""What a shopper's draws are for, by their place."""


@compiled
def draw_shopper(
    population: Population,
    seed: int,
    shopper: int,
    u: NDArray[np.float64],
    of_personas: NDArray[np.float64],
    row: Record,
) -> None:
    """Fill `row` (of SHOPPER) with who this shopper is, from the draws for `_PURPOSES` and those for each persona."""
    row.shopper = shopper
    row.persona = choose_persona(population.personas, of_personas)
    row.city = pick(population.city_cdf[row.persona], u[CITY])
    persona, city = population.personas[row.persona], population.cities[row.city]
    row.country, row.utc_offset_s = city.country, city.utc_offset_s
    row.visits_per_week = sample(persona.visits_per_week, population.tables[0], u[WEEKLY])
    row.latitude_deg = city.latitude_deg + HOME_SPREAD_DEG * normal_quantile(u[NORTH])
    east = HOME_SPREAD_DEG * normal_quantile(u[EAST])
    row.longitude_deg = city.longitude_deg + east / math.cos(math.radians(city.latitude_deg))
    row.device = pick(population.device_cdf[row.persona, row.country], u[DEVICE])
    row.cpu_slowdown = population.devices[row.device].cpu_slowdown
    row.analytics = u[ANALYTICS] < persona.consent[0]
    row.personalization = u[PERSONALIZATION] < persona.consent[1]
    row.location = u[LOCATION] < persona.consent[2]
    row.push = u[PUSH] < persona.consent[3]
    row.member = u[MEMBER] < persona.member
    row.logged_in = u[LOGGED_IN] < persona.logged_in
    row.favourite = pick(persona.category_cdf, u[FAVOURITE])
    row.price_sensitivity = sample(persona.price_sensitivity, population.tables[0], u[SENSITIVITY])
    row.frailty = sample(persona.frailty, population.tables[0], u[FRAILTY])
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
def visit_channel(persona: Record, shopper: Record, visit: int, u: float) -> int:
    """Return how a visit came about: the first ever by the shopper's own channel, any other by the returning mix."""
    if visit == 0 and shopper.tenure_days == 0.0:
        return int(shopper.channel)
    return pick(persona.returning_cdf[shopper.email + 2 * shopper.push], u)


@compiled
def draw_these(population: Population, seed: int, numbers: NDArray[np.int64]) -> NDArray[Any]:
    """Return the SHOPPER rows of the shoppers of these numbers.

    Draws of one purpose stand side by side: so they fill the processor's vectors.
    """
    rows, personas = np.empty(len(numbers), SHOPPER), population.personas
    many = min(len(numbers), AT_ONCE)
    u, of_personas = np.empty((len(_PURPOSES), many)), np.empty((len(personas), many))
    for first in range(0, len(numbers), AT_ONCE):
        these = numbers[first : first + AT_ONCE]
        for place in range(len(_PURPOSES)):
            u[place, : len(these)] = uniforms(seed, these, 0, _PURPOSES[place])
        for place in range(len(personas)):
            of_personas[place, : len(these)] = uniforms(seed, these, 0, keys.PERSONA ^ personas[place].key)
        for place in range(len(these)):
            draw_shopper(population, seed, these[place], u[:, place], of_personas[:, place], rows[first + place])
    return rows
