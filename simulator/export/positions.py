"""Part `positions`: what phones tell of where shoppers are, and the shop's stores with their fences.

Whoever denied location tells nothing. Others are asked on each visit (`foreground`), some minutes late at most; those
who allow it always also send fixes taken between visits, in late batches (`background`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from simulator.export.chance import chance, lognormal_us
from simulator.export.reading import codes, flags, made, named, nullable, place_of, words
from simulator.export.source import Part
from simulator.journey.mobility import fences_at, positions
from simulator.journey.places import city_places, store_places
from simulator.journey.records import SHOPPER
from simulator.journey.tables import CODE, NAME, Column
from simulator.model.places import city_table
from simulator.model.schema import SITUATIONS
from simulator.model.stores import store_table

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from simulator.export.source import Source

PERMISSIONS = ("denied", "approximate", "while_using", "always")
APPROXIMATE_SHARE, ALWAYS_SHARE = 0.15, 0.25
"""Of those who share their location (assumed; iOS asks for either since version 13 and 14)."""
APPROXIMATE_DEG = 0.05
"""An approximate position is the middle of a cell of about 5 km (iOS: an area of a few kilometres, assumed)."""
APPROXIMATE_M = 3_900.0
FOREGROUND_AGE_US, BACKGROUND_AGE_US = 4_000_000.0, 8 * 60_000_000.0
"""Median age of a fix when it is sent (assumed; phones batch background fixes for minutes)."""

POSITIONS = (
    Column("shopper", pa.int64(), "who"),
    Column("visit", pa.int32(), "which of their visits"),
    Column("kind", CODE, "foreground: asked in the visit; background: sent in a batch, between visits"),
    Column("permission", CODE, "denied, approximate, while_using or always"),
    Column("fixed_at_us", pa.int64(), "when the phone took the fix"),
    Column("sent_at_us", pa.int64(), "when it told the shop"),
    Column("latitude_deg", pa.float64(), "what the phone told, WGS 84"),
    Column("longitude_deg", pa.float64(), "what the phone told, WGS 84"),
    Column("accuracy_m", pa.float32(), "two in three fixes lie within this of the truth"),
    Column("fence", NAME, "store in whose fence the told position lies, the nearest; null for none"),
    Column("situation", CODE, "truth: home, commute, work, store or travel"),
    Column("place", NAME, "truth: the store or city they are at; null elsewhere"),
    Column("true_latitude_deg", pa.float64(), "truth: where they are"),
    Column("true_longitude_deg", pa.float64(), "truth: where they are"),
)
STORES = (
    Column("store", NAME, "name"),
    Column("city", NAME, "its city"),
    Column("country", CODE, "ISO 3166 code"),
    Column("latitude_deg", pa.float64(), "WGS 84"),
    Column("longitude_deg", pa.float64(), "WGS 84"),
    Column("fence_m", pa.float32(), "radius of the fence around it"),
)


def stores() -> pa.Table:
    """Return the table `stores`."""
    table, cities = store_table(), city_table()
    values = {
        "store": [store.name for store in table],
        "city": [cities[store.city].name for store in table],
        "country": [cities[store.city].country for store in table],
        **{name: [getattr(store, name) for store in table] for name in ("latitude_deg", "longitude_deg", "fence_m")},
    }
    return made(STORES, {c.name: pa.array(values[c.name]) for c in STORES})


def told(source: Source) -> pa.Table:
    """Return the table `positions`: by shopper and visit, foreground before background."""
    visits = _once(source)
    who, rows = place_of(source, visits.shopper), _shopper_rows(source)
    first_store = store_places()[1]
    at = positions(source.seed, rows, who, visits.visit, visits.situation, *store_places(), city_places())
    permission = _permissions(source)[who]
    foreground, background = np.arange(len(who)), np.flatnonzero(permission == PERMISSIONS.index("always"))
    taken = np.concatenate([foreground, background])
    kind = np.repeat([0, 1], [len(foreground), len(background)])
    fixed_us, sent_us = _times(source, visits, taken, kind)
    latitude, longitude, accuracy = _blurred(at[taken], permission[taken])
    city = np.where(visits.situation == SITUATIONS.index("travel"), at["place"], rows["city"][who])[taken]
    fences = np.array([store.fence_m for store in store_table()])
    inside = fences_at(latitude, longitude, store_places()[0], fences, first_store[city], first_store[city + 1])
    known = permission[taken] != PERMISSIONS.index("denied")
    order = np.lexsort((kind, taken))
    values = {
        "shopper": visits.shopper[taken],
        "visit": visits.visit[taken],
        "kind": named(kind, ("foreground", "background")),
        "permission": named(permission[taken], PERMISSIONS),
        "fixed_at_us": nullable(fixed_us, known),
        "sent_at_us": nullable(sent_us, known),
        "latitude_deg": nullable(latitude, known),
        "longitude_deg": nullable(longitude, known),
        "accuracy_m": nullable(accuracy, known),
        "fence": _names(np.where(known, inside, -1), [store.name for store in store_table()]),
        "situation": named(visits.situation[taken], SITUATIONS),
        "place": _place_names(at["place"][taken], visits.situation[taken]),
        "true_latitude_deg": at["latitude_deg"][taken],
        "true_longitude_deg": at["longitude_deg"][taken],
    }
    return made(POSITIONS, values).take(pa.array(order))


class _Visits(NamedTuple):
    """One row a visit, whatever the number of arms."""

    shopper: NDArray[np.int64]
    visit: NDArray[np.int64]
    situation: NDArray[np.int64]
    start_us: NDArray[np.int64]
    wall_us: NDArray[np.int64]


def _once(source: Source) -> _Visits:
    """Return the visits by shopper and number; of those in several arms the first arm's."""
    shopper, visit, start, wall = (
        source.visits[name].to_numpy().astype(np.int64) for name in ("shopper", "visit", "start_at_us", "wall_us")
    )
    here = np.array([SITUATIONS.index(word) for word in words(source.visits, "situation")], np.int64)
    situation = here[codes(source.visits, "situation")]
    order = np.lexsort((codes(source.visits, "arm"), visit, shopper))
    columns = [column[order] for column in (shopper, visit, situation, start, wall)]
    fresh = np.append(True, (np.diff(columns[0]) != 0) | (np.diff(columns[1]) != 0))[: len(order)]
    return _Visits(*(column[fresh] for column in columns))


def _shopper_rows(source: Source) -> NDArray[Any]:
    """Return the shoppers as rows of SHOPPER, as far as the mobility model reads them."""
    rows = np.zeros(source.shoppers.num_rows, SHOPPER)
    for name in ("shopper", "latitude_deg", "longitude_deg"):
        rows[name] = source.shoppers[name].to_numpy()
    row_of = {(city.name, city.country): row for row, city in enumerate(city_table())}
    cities = np.array(words(source.shoppers, "city"))[codes(source.shoppers, "city")]
    countries = np.array(words(source.shoppers, "country"))[codes(source.shoppers, "country")]
    rows["city"] = [row_of[pair] for pair in zip(cities.tolist(), countries.tolist(), strict=True)]
    return rows


def _permissions(source: Source) -> NDArray[np.int64]:
    """Return each shopper's permission, as a position in `PERMISSIONS`."""
    u = chance(source.seed, "permission", source.shoppers["shopper"].to_numpy())
    given = np.where(u < APPROXIMATE_SHARE, 1, np.where(u < APPROXIMATE_SHARE + ALWAYS_SHARE, 3, 2))
    return np.where(flags(source.shoppers, "location"), given, 0)


def _times(
    source: Source, visits: _Visits, taken: NDArray[np.int64], kind: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return when fixes were taken and sent: a little before the visit, or in it and much later."""
    shopper, visit = visits.shopper[taken], visits.visit[taken]
    age_us = lognormal_us(
        chance(source.seed, "fix_age", shopper, visit, kind),
        np.where(kind == 0, FOREGROUND_AGE_US, BACKGROUND_AGE_US),
        1.0,
    )
    share = chance(source.seed, "fix_moment", shopper, visit)
    during = visits.start_us[taken] + (share * visits.wall_us[taken]).astype(np.int64)
    fixed = np.where(kind == 0, visits.start_us[taken] - age_us, during)
    return fixed, fixed + age_us


def _blurred(
    at: NDArray[Any], permission: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return latitude, longitude and accuracy as they are told: an approximate one is the middle of its cell."""
    coarse = permission == PERMISSIONS.index("approximate")

    def cell(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(coarse, (np.floor(degrees / APPROXIMATE_DEG) + 0.5) * APPROXIMATE_DEG, degrees)

    accuracy = np.where(coarse, APPROXIMATE_M, at["accuracy_m"])
    return cell(at["fix_latitude_deg"]), cell(at["fix_longitude_deg"]), accuracy


def _names(rows: NDArray[np.int64], known: list[str]) -> pa.DictionaryArray:
    """Return a dictionary column of names, null for −1."""
    return pa.DictionaryArray.from_arrays(pa.array(rows.astype(np.int16), mask=rows < 0), pa.array(known))


def _place_names(place: NDArray[np.int64], situation: NDArray[np.int64]) -> pa.DictionaryArray:
    """Return the name of a store in the store and of a city on a journey."""
    stores_known, cities = [store.name for store in store_table()], [city.name for city in city_table()]
    at = np.where(situation == SITUATIONS.index("travel"), place + len(stores_known), place)
    return _names(np.where(place < 0, -1, at), stores_known + cities)


def _make(source: Source) -> dict[str, pa.Table]:
    tables = {"positions": told(source)}
    numbers = source.shoppers["shopper"]
    # Stores are the same in every shard, so they stand in the first only.
    return tables | {"stores": stores()} if source.shoppers.num_rows and numbers[0].as_py() == 0 else tables


PART = Part("positions", "Where phones say their shoppers are, fences entered, and the shop's stores.", _make)
