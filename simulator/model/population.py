"""A population compiled to arrays: the only form in which the kernel, in every world, sees a persona."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from simulator.model.compiled import record_dtype
from simulator.model.devices import device_table
from simulator.model.distributions import DIST, Constant, Distribution, Gamma, TableBook
from simulator.model.gaps import FIRST_GAPS, first_gap_quantiles, gap_scale
from simulator.model.homes import city_weights
from simulator.model.networks import STAYS, network_table
from simulator.model.places import city_table
from simulator.model.schema import CATEGORIES, CHANNELS, CONSENTS, SITUATIONS, TECHNOLOGIES
from simulator.model.states import EXIT, STATE_INDEX, STATE_NAMES, STATES, bits, guard_bits
from simulator.model.tempo import edges_of, think_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.model.persona import Persona, PopulationSpec
    from simulator.model.schema import Arrivals, Mix

S = len(STATE_NAMES)
ENDS = (*STATE_NAMES, EXIT)
"""What may follow a state, as the columns of `transition` stand."""
HOUR_GUIDE = 64
"""Steps at which `hour_guide` says where to begin the search in `hour_cdf`: the hour at each step's lower edge."""
PERSONA = record_dtype(
    [
        ("key", "u4"),
        ("weight", "f8"),
        ("entry", "f8", (S,)),
        ("transition", "f8", (S, S + 1)),
        ("ways", "i2", (S + 1,)),
        ("way", "i2", (S + 1, S + 1)),
        ("needs", "u4", (S,)),
        ("forbids", "u4", (S,)),
        ("sets", "u4", (S,)),
        ("clears", "u4", (S,)),
        ("think", DIST, (S,)),
        # Where an edge has a think time of its own: its place in `TABLES.edges`, else -1; `edges` counts them.
        ("edges", "i8"),
        ("edge", "i2", (S, S + 1)),
        ("hazard_per_s", "f8", (S,)),
        ("patience_shape", "f8"),
        ("feedback", "f8"),
        ("frailty", DIST),
        ("error_exit", "f8"),
        ("put_off", "f8", (S,)),
        ("memory", "f8"),
        ("memory_decay", "f8"),
        ("tau_s", "f8"),
        ("dwell", "f8"),
        ("budget", DIST),
        ("refund_s", "f8"),
        ("budget_waiting", "f8"),
        ("relevance_pull", "f8"),
        ("price_sensitivity", DIST),
        ("category_cdf", "f8", (len(CATEGORIES),)),
        ("consent", "f8", (len(CONSENTS),)),
        ("member", "f8"),
        ("logged_in", "f8"),
        ("situation_cdf", "f8", (len(SITUATIONS),)),
        ("stay_cdf", "f8", (len(SITUATIONS), len(STAYS))),
        ("jump_cdf", "f8", (len(SITUATIONS), len(STAYS), len(STAYS))),
        ("stay_s", DIST, (len(SITUATIONS), len(STAYS))),
        ("met_stay_s", DIST, (len(SITUATIONS), len(STAYS))),
        ("stall_share", "f8", (len(SITUATIONS),)),
        ("stall_s", DIST, (len(SITUATIONS),)),
        ("switch_us", "i8"),
        ("rtt_ms", DIST, (len(TECHNOLOGIES),)),
        ("down_kbps", DIST, (len(TECHNOLOGIES),)),
        ("up_kbps", DIST, (len(TECHNOLOGIES),)),
        ("promotion_s", "f8", (len(TECHNOLOGIES),)),
        ("good_loss", "f8", (len(TECHNOLOGIES),)),
        ("bad_loss", "f8", (len(TECHNOLOGIES),)),
        ("burst_share", "f8", (len(TECHNOLOGIES),)),
        ("visits_per_week", DIST),
        ("hour_cdf", "f8", (24,)),
        ("hour_guide", "i8", (HOUR_GUIDE,)),
        ("weekend", "f8"),
        # By opt-in: e-mail counts 1, push 2.
        ("channel_cdf", "f8", (4, len(CHANNELS))),
        ("returning_cdf", "f8", (4, len(CHANNELS))),
        ("campaign_response", DIST),
        ("biometric", "f8"),
        ("ar", "f8"),
        ("known", "f8"),
        ("tenure", DIST),
        ("orders_per_visit", "f8"),
        ("basket", DIST),
        ("holiday", "f8"),
        ("peak", "f8"),
        ("day_most", "f8"),
        ("day_mean", "f8"),
        ("gap_exponent", "f8"),
        ("gap_scale", "f8"),
        ("gap_kept", "f8"),
        ("first_gap", "f8", (FIRST_GAPS,)),
    ]
)
DEVICE = record_dtype([("cpu_slowdown", "f8"), ("is_ios", "i8"), ("ar", "i8"), ("biometric", "i8")])
CITY = record_dtype([("country", "i8"), ("latitude_deg", "f8"), ("longitude_deg", "f8"), ("utc_offset_s", "i8")])


class Population(NamedTuple):
    """Arrays for the kernel; P personas, C countries, D devices, N cities."""

    personas: NDArray[Any]
    """(P,) of PERSONA."""
    cities: NDArray[Any]
    """(N,) of CITY."""
    city_cdf: NDArray[np.float64]
    """(P, N) cumulative."""
    devices: NDArray[Any]
    """(D,) of DEVICE."""
    device_cdf: NDArray[np.float64]
    """(P, C, D) cumulative."""
    tables: NDArray[Any]
    """(1,) of TABLES."""


@dataclass(frozen=True, slots=True)
class Roster:
    """The names behind a population's numbers, in the order of its arrays."""

    name: str
    personas: tuple[str, ...]
    countries: tuple[str, ...]
    cities: tuple[str, ...]
    devices: tuple[str, ...]


def name_key(name: str) -> int:
    """Return a name's 32-bit key: what it is called decides its draws, not where it stands in a list."""
    return zlib.crc32(name.encode())


def compile_population(spec: PopulationSpec, reference: datetime | None = None) -> tuple[Population, Roster]:
    """Return the arrays of a population and the names behind them.

    `reference` is the run's reference instant; it decides each city's UTC offset (default 2026-01-05).
    """
    at = reference or datetime(2026, 1, 5, tzinfo=UTC)
    book = TableBook()
    countries = tuple(sorted({city.country for city in city_table()}))
    population = Population(
        personas=_personas(spec, book),
        cities=_cities(countries, at),
        city_cdf=np.array([cumulative(city_weights(persona.spec.place)) for persona in spec.personas]),
        devices=np.array([(d.cpu_slowdown, d.os == "ios", d.ar, d.biometric) for d in device_table().devices], DEVICE),
        device_cdf=np.array([[_device_cdf(persona, c) for c in countries] for persona in spec.personas]),
        tables=np.empty(0),
    )._replace(tables=book.tables())
    names = tuple(persona.name for persona in spec.personas)
    cities, devices = (tuple(c.name for c in city_table()), tuple(d.model for d in device_table().devices))
    return population, Roster(spec.name, names, countries, cities, devices)


def cumulative(weights: list[float]) -> NDArray[np.float64]:
    """Return the cumulative shares of weights; the last is exactly 1, and all are 1 when no weight is above zero."""
    total = sum(weights)
    if total <= 0:
        return np.ones(len(weights))
    shares = np.cumsum(np.array(weights, dtype=np.float64) / total)
    shares[np.flatnonzero(weights)[-1] :] = 1.0
    return shares


def _weights(row: Mix) -> list[float]:
    return [row.get(name, 0.0) for name in (*STATE_NAMES, EXIT)]


def _mix(mix: Mix, names: tuple[str, ...]) -> NDArray[np.float64]:
    return cumulative([mix.get(name, 0.0) for name in names])


def set_journey(row: Any, entry: Any, transition: Any) -> None:  # noqa: ANN401 - a row of PERSONA, and arrays
    """Fill a persona's entry (S,) and transition (S, S + 1), and `way`, where `ways` positive weights of each stand.

    The last of `way` is the entry's. Few states follow a state, and the kernel looks at no others.
    """
    row["entry"], row["transition"] = entry, transition
    weights = np.zeros((S + 1, S + 1))
    weights[:S], weights[S, :S] = row["transition"], row["entry"]
    row["ways"] = (weights > 0).sum(axis=1)
    row["way"] = np.argsort(weights <= 0, axis=1, kind="stable")


def _personas(spec: PopulationSpec, book: TableBook) -> NDArray[Any]:
    rows = np.zeros(len(spec.personas), PERSONA)
    for row, persona, weight in zip(rows, spec.personas, spec.weights, strict=True):
        _fill_persona(row, persona, weight, book)
    return rows


def _fill_persona(row: np.void, persona: Persona, weight: float, book: TableBook) -> None:
    spec = persona.spec
    row["key"], row["weight"] = name_key(persona.name), weight
    outs = [spec.journey.rows.get(name, {EXIT: 1.0}) for name in STATE_NAMES]
    set_journey(row, _weights(spec.journey.entry)[:S], [_weights(out) for out in outs])
    for index in range(S):
        _fill_state(row, index, persona, book)
    row["edge"] = -1
    for (state, following), think in edges_of(spec.tempo).items():
        row["edge"][STATE_INDEX[state], ENDS.index(following)] = book.edge(think)
        row["edges"] += 1
    row["patience_shape"], row["feedback"] = spec.patience.shape, spec.patience.feedback
    row["frailty"] = book.row(frailty(spec.patience.frailty_variance))
    row["error_exit"] = spec.patience.error_exit
    row["memory"], row["memory_decay"] = spec.put_off.memory, spec.put_off.memory_decay
    row["tau_s"], row["dwell"] = spec.put_off.tau, spec.put_off.dwell
    row["budget"], row["refund_s"] = book.row(spec.budget.time), spec.budget.refund_per_relevant_page
    row["budget_waiting"] = spec.budget.waiting
    row["relevance_pull"] = spec.affinity.relevance_pull
    row["price_sensitivity"] = book.row(spec.affinity.price_sensitivity)
    row["category_cdf"] = _mix(spec.affinity.categories, CATEGORIES)
    row["consent"] = [getattr(spec.consent, name) for name in CONSENTS]
    row["member"], row["logged_in"] = spec.loyalty.member, spec.loyalty.logged_in
    row["situation_cdf"] = _mix(spec.network.situations, SITUATIONS)
    _fill_network(row, book)
    _fill_situations(row, persona, book)
    _fill_arrivals(row, spec.arrivals, book)
    _fill_layers(row, persona, book)


def _fill_layers(row: np.void, persona: Persona, book: TableBook) -> None:
    """Fill the columns of acquisition, features and history."""
    acquisition, features, history = persona.spec.acquisition, persona.spec.features, persona.spec.history
    row["channel_cdf"] = [_channels(acquisition.channels, opted_in) for opted_in in range(4)]
    row["returning_cdf"] = [_channels(acquisition.returning, opted_in) for opted_in in range(4)]
    row["campaign_response"] = book.row(acquisition.campaign_response)
    row["biometric"], row["ar"] = features.biometric.enrolled, features.ar.uses
    row["known"], row["orders_per_visit"] = history.known, history.orders_per_visit
    row["tenure"], row["basket"] = book.row(history.tenure), book.row(history.basket)


def _channels(mix: Mix, opted_in: int) -> NDArray[np.float64]:
    """Return the cumulative mix for an opt-in to e-mail (1), push (2), both or neither; `direct` if nothing is left."""
    closed = {name for bit, name in ((1, "email"), (2, "push")) if not opted_in & bit}
    left = {name: weight for name, weight in mix.items() if name not in closed}
    return _mix(left if any(left.values()) else {"direct": 1.0}, CHANNELS)


def _fill_arrivals(row: np.void, arrivals: Arrivals, book: TableBook) -> None:
    """Fill the columns of who comes when.

    `peak` is the busiest hour over the mean hour; of the factors of days, `day_most` is the largest and `day_mean`
    that of a week without holidays. A `gap_exponent` of 0 stands for gaps without memory.
    """
    row["visits_per_week"] = book.row(arrivals.visits_per_week)
    row["hour_cdf"] = cumulative(arrivals.hours)
    row["hour_guide"] = np.searchsorted(row["hour_cdf"], np.arange(HOUR_GUIDE) / HOUR_GUIDE, side="right")
    row["peak"] = 24 * max(arrivals.hours) / sum(arrivals.hours)
    row["weekend"], row["holiday"] = arrivals.weekend, arrivals.holiday
    row["day_most"] = max(1.0, arrivals.weekend) * max(1.0, arrivals.holiday)
    row["day_mean"] = (5 + 2 * arrivals.weekend) / 7
    gap = arrivals.return_gap
    if gap is not None:
        scale = gap_scale(gap.exponent, gap.longest)
        row["gap_exponent"], row["gap_scale"] = gap.exponent, scale
        row["gap_kept"] = 1 - (1 + gap.longest / scale) ** -gap.exponent
        row["first_gap"] = first_gap_quantiles(gap.exponent, gap.longest)


def _fill_network(row: np.void, book: TableBook) -> None:
    """Fill the columns of technologies."""
    table = network_table()
    row["switch_us"] = round(1e6 * table.switch_penalty)
    for index, name in enumerate(TECHNOLOGIES):
        technology = table.technologies[name]  # type: ignore[index] # TECHNOLOGIES are the table's own keys
        row["rtt_ms"][index] = book.row(technology.rtt_ms)
        row["down_kbps"][index] = book.row(technology.down_kbps)
        row["up_kbps"][index] = book.row(technology.up_kbps)
        row["promotion_s"][index] = technology.radio_promotion
        loss = technology.loss
        row["good_loss"][index], row["bad_loss"][index], row["burst_share"][index] = loss.good, loss.bad, loss.burst


def _fill_situations(row: np.void, persona: Persona, book: TableBook) -> None:
    """Fill the columns of situations: the chain over technologies, its stays, and stalls."""
    table, mixes = network_table(), persona.spec.network.mix
    for index, name in enumerate(SITUATIONS):
        situation = table.situations[name]  # type: ignore[index] # SITUATIONS are the table's own keys
        mix = mixes.get(name, {"wifi": 1.0})
        row["stay_cdf"][index] = cumulative(situation.shares(mix).tolist())
        row["jump_cdf"][index] = [cumulative(jumps) for jumps in situation.jumps(mix).tolist()]
        for place, stay in enumerate(STAYS):
            row["stay_s"][index][place] = book.row(situation.dwell[stay].stay())
            row["met_stay_s"][index][place] = book.row(situation.dwell[stay].met())
        row["stall_share"][index] = situation.stalls.share
        row["stall_s"][index] = book.row(situation.stalls.length)


def _fill_state(row: np.void, index: int, persona: Persona, book: TableBook) -> None:
    """Fill the columns of one state: guards, effects, think time and what slowness does on its stage."""
    spec, state = persona.spec, STATES[index]
    needs, forbids = guard_bits(spec.journey.guards.get(state.name, []))
    row["needs"][index] = bits(state.needs) | needs
    row["forbids"][index] = bits(state.forbids) | forbids
    row["sets"][index], row["clears"][index] = bits(state.sets), bits(state.clears)
    row["think"][index] = book.row(think_of(spec.tempo, state.name))
    row["hazard_per_s"][index] = spec.patience.hazard_per_s * spec.patience.by_stage.get(state.stage, 1.0)
    row["put_off"][index] = spec.put_off.per_log_load * spec.put_off.by_stage.get(state.stage, 1.0)


def frailty(variance: float) -> Distribution:
    """Return the distribution of Z: gamma with mean 1; no variance means that everybody is alike."""
    if variance == 0:
        return Constant(dist="constant", value=1.0)
    return Gamma.model_validate({"dist": "gamma", "mean": 1.0, "cv": variance**0.5})


def _cities(countries: tuple[str, ...], at: datetime) -> NDArray[Any]:
    rows = []
    for city in city_table():
        offset = at.astimezone(ZoneInfo(city.timezone)).utcoffset()
        assert offset is not None
        rows.append((countries.index(city.country), city.latitude_deg, city.longitude_deg, offset.total_seconds()))
    return np.array(rows, CITY)


def _device_cdf(persona: Persona, country: str) -> NDArray[np.float64]:
    """Return shares of devices: the table's own within a system, weighed by the persona's tiers."""
    table, spec = device_table(), persona.spec.device
    ios = table.ios_in(country)
    systems = {"ios": ios, "android": 1 - ios} if isinstance(spec.os, str) else spec.os
    weights = [device.share * spec.tier.get(device.tier, 0.0) for device in table.devices]
    of_system: dict[str, float] = {}
    for device, weight in zip(table.devices, weights, strict=True):
        of_system[device.os] = of_system.get(device.os, 0.0) + weight
    return cumulative(
        [
            systems.get(device.os, 0.0) * weight / of_system[device.os] if weight > 0 else 0.0
            for device, weight in zip(table.devices, weights, strict=True)
        ]
    )
