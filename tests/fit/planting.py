"""A crowd with known parameters, as the log that a shop would have of it; and how well anybody could tell its kinds."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from scipy import special, stats

from simulator.export.dataset import Shard, play_shard
from simulator.fit.clean import hits_of
from simulator.fit.hits import FACTS, Findings
from simulator.fit.logs_csv import Raw
from simulator.fit.names import OWN
from simulator.journey.plan import draw_shoppers
from simulator.model.distributions import TableBook
from simulator.model.persona import PopulationSpec
from simulator.model.population import compile_population
from simulator.model.schema import CONSENTS
from simulator.scenario.load import load_scenario

EVENTS = {"shopper": "user", "at_us": "time", "page": "action", "visit": "session", "load_us": "load_us"}
BESIDE = ("country", "network", "situation", "category")
OF_SHOPPERS = ("os", "tier", "channel", "timezone", *FACTS)


class Planted(NamedTuple):
    """A log, the scenario that made it, and what no log has: each shopper's persona."""

    hits: object
    scenario: object
    persona: np.ndarray
    tables: dict


def plant(shoppers, days, *, population="everyday", only=None, pages="cards", hurried=True, seed=11):
    """Return a log of shoppers over days; `only` one persona, without time budgets where nobody is `hurried`."""
    given = {"population": population, "horizon": f"{days}d", "seed": seed, "shoppers": shoppers, "pages": pages}
    scenario = load_scenario("demo", given)
    if only is not None:
        alone = tuple(p for p in scenario.personas.personas if p.name == only)
        personas = PopulationSpec(only, alone, (1.0,))
        compiled, roster = compile_population(personas, scenario.spec.reference)
        scenario = replace(scenario, personas=personas, population=compiled, roster=roster)
    if not hurried:
        rows = scenario.population.personas.copy()
        rows["budget"] = np.array([TableBook().row(None)], rows["budget"].dtype)
        scenario = replace(scenario, population=scenario.population._replace(personas=rows))
    tables = play_shard(scenario, Shard(0, 0, shoppers))
    hits = hits_of(raw_of(tables, scenario), OWN, None, Findings())
    numbers = tables["shoppers"]["persona"].combine_chunks().indices.to_numpy()
    assert hits.users == tuple(map(str, range(shoppers)))
    return Planted(hits, scenario, numbers, tables)


def raw_of(tables, scenario):
    """Return the columns that a log has, and none of the truth: no persona, no think time, no cause."""
    events, shoppers = tables["events"], tables["shoppers"]
    columns = {to: text(events[name]) for name, to in EVENTS.items()} | {name: text(events[name]) for name in BESIDE}
    who = events["shopper"].combine_chunks()
    columns |= {name: text(shoppers[name]).take(who) for name in OF_SHOPPERS if name in shoppers.column_names}
    return Raw(pa.table(columns), "us", round(scenario.spec.reference.timestamp() * 1e6))


def text(column):
    """Return a column as text."""
    column = column.combine_chunks()
    return (column.dictionary_decode() if pa.types.is_dictionary(column.type) else column).cast(pa.string())


def most_probable(planted):
    """Return each shopper's most probable persona given the planted parameters and all they are, not what they did.

    What they are: country, city, phone, consents, membership, and of their visits the number, hour and entry. Nobody
    can tell more from these alone; situations, networks, rows and think times add to it.
    """
    population, spec = planted.scenario.population, planted.scenario.spec
    rows, shoppers = population.personas, len(planted.persona)
    drawn = draw_shoppers(population, spec.seed, 0, shoppers)
    visits = planted.tables["visits"]
    with np.errstate(divide="ignore"):
        score = np.tile(np.log(rows["weight"] / rows["weight"].sum()), (shoppers, 1))
        cities = np.diff(population.city_cdf, axis=1, prepend=0)
        score += np.log(cities[:, drawn["city"]].T)
        score += np.log(np.diff(population.device_cdf, axis=2, prepend=0)[:, drawn["country"], drawn["device"]].T)
    chances = [(name, rows["consent"][:, place]) for place, name in enumerate(CONSENTS)]
    for name, chance in [*chances, ("member", rows["member"]), ("logged_in", rows["logged_in"])]:
        yes = drawn[name][:, None] == 1
        score += np.where(yes, special.xlogy(1, np.maximum(chance, 1e-12)), np.log1p(-np.minimum(chance, 1 - 1e-12)))
    who = visits["shopper"].to_numpy()
    more = np.bincount(who, minlength=shoppers) - 1
    for place, persona in enumerate(planted.scenario.personas.personas):
        rate = persona.spec.arrivals.visits_per_week
        mean, size = rate.exact().mean() * spec.horizon / 604_800, rate.cv**-2
        score[:, place] += stats.nbinom.logpmf(more, size, size / (size + mean))
    hour = (visits["start_at_us"].to_numpy() // 1_000_000 + drawn["utc_offset_s"][who]) // 3_600 % 24
    entry = visits["entry"].combine_chunks().indices.to_numpy()
    for place, persona in enumerate(rows):
        hours = np.diff(persona["hour_cdf"], prepend=0)
        for chance in (hours[hour], persona["entry"][entry]):
            score[:, place] += np.bincount(who, np.log(np.maximum(chance, 1e-9)), shoppers)
    return score.argmax(axis=1)
