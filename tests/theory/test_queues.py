"""The capacity world's stations against queueing theory, and against another simulator.

Each figure is a mean over independent replications with fixed seeds; theory must lie within the 99 % interval of
Student's t around it. 24 figures are compared: with seeds drawn anew, one set in five would show one outside.
"""

from __future__ import annotations

import math

import ciw
import numpy as np
import pytest
import simpy
from scipy import stats

from simulator.journey.arms import control_arm
from simulator.journey.plan import open_plan
from simulator.journey.records import IMPATIENT
from simulator.model.persona import Persona, PopulationSpec, find_persona, load_persona
from simulator.model.population import compile_population
from simulator.model.schema import Journey, Patience, PutOff
from simulator.page.card import compile_pages, page_file
from simulator.worlds import capacity
from simulator.worlds.backend import BackendFile, StationSpec
from simulator.worlds.crowd import World
from simulator.worlds.station import FOREVER_US, REJECTED, RENEGED, Station

US = 1_000_000
CALLS = 12_000


def erlang_c(servers, load):
    """Return the chance that a call waits in M/M/c (Erlang 1917): the weight of states from c on, over that of all."""
    waiting = load**servers / math.factorial(servers) / (1 - load / servers)
    return waiting / (sum(load**k / math.factorial(k) for k in range(servers)) + waiting)


def stationary(arrival, leaving, states=2_000):
    """Return the stationary distribution of a birth-death chain: arrivals at a constant rate, `leaving(n)` out of n."""
    ratios = [arrival / leaving(n) for n in range(1, states)]
    weights = np.cumprod([1.0, *ratios])
    return weights / weights.sum()


def erlang_a(arrival, service, patience, servers):
    """Return (abandonment probability, mean wait in seconds, utilisation) of M/M/c+M, all rates per second.

    Mandelbaum & Zeltyn 2007, section 4: a birth-death chain; P(abandon) = θ·E[Q]/λ, and by Little E[W] = E[Q]/λ.
    """
    p = stationary(arrival, lambda n: min(n, servers) * service + max(n - servers, 0) * patience)
    n = np.arange(len(p))
    queue = (np.maximum(n - servers, 0) * p).sum()
    return patience * queue / arrival, queue / arrival, (np.minimum(n, servers) * p).sum() / servers


def play(seed, spec, arrival, calls, patience=None, service=None):
    """Send Poisson calls to a bare station, starting empty; return the ledger by time of asking.

    Exponential service with mean 1 s unless `service` draws it; patience exponential at a rate, or endless.
    """
    rng = np.random.default_rng(seed)
    gaps = np.rint(rng.exponential(US / arrival, calls)).astype(int).tolist()
    services = np.rint(US * (service(rng, calls) if service else rng.exponential(1.0, calls))).astype(int).tolist()
    limits = np.rint(rng.exponential(US / patience, calls)).astype(int).tolist() if patience else [FOREVER_US] * calls
    env = simpy.Environment()
    station = Station(env, spec)

    def arrivals():
        for gap, service_us, limit_us in zip(gaps, services, limits, strict=True):
            yield env.timeout(gap)
            station.call(service_us, limit_us)

    env.process(arrivals())
    env.run()
    return np.sort(station.ledger(), order="asked_us")


def interval(values):
    """Return the 99 % interval for the mean of independent replications."""
    return stats.t.interval(0.99, len(values) - 1, np.mean(values), stats.sem(values))


def agree(figures, expected):
    """Assert that each expected figure lies in the 99 % interval of its column of `figures`, one row a replication."""
    for column, (name, value) in zip(np.array(figures).T, expected.items(), strict=True):
        low, high = interval(column)
        assert low <= value <= high, f"{name}: {value:.5g} is not in [{low:.5g}, {high:.5g}]"
        assert high - low < 0.2 * value, f"{name}: [{low:.5g}, {high:.5g}] is too wide to say anything"


def busy_share(calls, first_us, last_us, servers):
    """Return the utilisation between two instants."""
    held = np.minimum(calls["free_us"], last_us) - np.maximum(calls["left_queue_us"], first_us)
    return np.maximum(held, 0).sum() / (last_us - first_us) / servers


def waits_s(calls):
    """Return the seconds that each call queued."""
    return (calls["left_queue_us"] - calls["asked_us"]) / US


@pytest.mark.parametrize(("servers", "load"), [(1, 0.6), (3, 2.1), (10, 8.0)])
def test_waiting_is_erlang_c(servers, load):
    """M/M/c: the chance to wait is Erlang's C, the mean wait C/(cμ − λ), the utilisation λ/(cμ)."""
    figures = []
    for seed in range(30):
        calls = play(seed, StationSpec(servers=servers), load, CALLS)
        last = calls["asked_us"][-1]
        steady = calls[500:]
        waits = waits_s(steady)
        figures.append(((waits > 0).mean(), waits.mean(), busy_share(calls, steady["asked_us"][0], last, servers)))
    chance = erlang_c(servers, load)
    agree(figures, {"P(wait)": chance, "E[W]": chance / (servers - load), "utilisation": load / servers})


@pytest.mark.parametrize(("servers", "arrival", "patience"), [(1, 1.2, 0.5), (4, 4.4, 0.5), (20, 22.0, 2.0)])
def test_abandonment_is_erlang_a(servers, arrival, patience):
    """M/M/c+M, overloaded: the chance to abandon, the mean wait and the utilisation are those of Erlang's A."""
    figures = []
    for seed in range(30):
        calls = play(seed, StationSpec(servers=servers), arrival, CALLS, patience)
        steady, last = calls[500:], calls["asked_us"][-1]
        use = busy_share(calls, steady["asked_us"][0], last, servers)
        figures.append(((steady["outcome"] == RENEGED).mean(), waits_s(steady).mean(), use))
    chance, wait, use = erlang_a(arrival, 1.0, patience, servers)
    agree(figures, {"P(abandon)": chance, "E[W]": wait, "utilisation": use})


def test_the_chain_knows_erlang_c():
    """Without patience to lose, the numerical chain gives the closed formula's chance to wait."""
    p = stationary(2.4, lambda n: min(n, 3) * 1.0)
    assert p[3:].sum() == pytest.approx(erlang_c(3, 2.4), rel=1e-9)


def ciw_figures(seed, calls):
    """Return (abandoned, refused, mean wait of who was served) of the second referee: Ciw, another simulator."""
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(2.6)],
        service_distributions=[ciw.dists.Lognormal(-0.32, 0.8)],
        number_of_servers=[2],
        queue_capacities=[3],
        reneging_time_distributions=[ciw.dists.Exponential(0.4)],
    )
    ciw.seed(seed)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(calls, method="Arrive")
    records = [record for record in simulation.get_all_records() if record.arrival_date > 100]
    kinds = [record.record_type for record in records]
    waits = [record.waiting_time for record in records if record.record_type == "service"]
    return kinds.count("renege") / len(kinds), kinds.count("rejection") / len(kinds), np.mean(waits)


def our_figures(seed, calls):
    """Return the same of our station."""
    spec = StationSpec(servers=2, queue_limit=3)
    ledger = play(seed, spec, 2.6, calls, 0.4, lambda rng, n: rng.lognormal(-0.32, 0.8, n))
    ledger = ledger[ledger["asked_us"] > 100 * US]
    served = ledger[ledger["free_us"] > ledger["left_queue_us"]]
    outcome = ledger["outcome"]
    return (outcome == RENEGED).mean(), (outcome == REJECTED).mean(), waits_s(served).mean()


def test_another_simulator_says_the_same_where_no_formula_does():
    """M/G/2/5+M with log-normal service: Ciw's and our means differ by no more than Welch's 99 % interval allows."""
    ours = np.array([our_figures(seed, 6_000) for seed in range(20)])
    theirs = np.array([ciw_figures(seed, 6_000) for seed in range(20)])
    for name, a, b in zip(("abandoned", "refused", "wait"), ours.T, theirs.T, strict=True):
        low, high = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.99)
        assert low <= 0 <= high, f"{name}: {a.mean():.4f} here, {b.mean():.4f} there"
        assert high - low < 0.15 * b.mean(), f"{name}: [{low:.4f}, {high:.4f}] is too wide to say anything"


def impatient_world(hazard_per_s):
    """Return a function of a seed that makes a world of one page whose shoppers' patience is exponential."""
    persona = load_persona(find_persona("privacy_minded"))
    spec = persona.spec.model_copy(
        update={
            "patience": Patience(hazard_per_s=hazard_per_s, shape=1.0, frailty_variance=0.0, feedback=1.0),
            "put_off": PutOff(per_log_load=0.0),
            "journey": Journey(entry={"home": 1.0}, rows={"home": {"exit": 1.0}}),
        }
    )
    population, _ = compile_population(PopulationSpec("impatient", (Persona(spec, persona.merged),), (1.0,)))
    pages = compile_pages(page_file(), instant=True)
    return lambda seed: World(population, pages, control_arm(), seed)


def test_shoppers_abandon_as_erlang_a_says():
    """M/M/4+M through the real kernel: a Poisson plan, exponential patience and service, pages of one queueing call.

    The station's reneging is Erlang's A. A shopper's patience also runs while they are served, and the server finishes
    what it began; memoryless, it ends before the service does with chance θ/(θ+μ). So the visits that end impatient are
    P(abandon) + (1 − P(abandon))·θ/(θ+μ).
    """
    arrival, patience, servers = 4.4, 0.5, 4
    backend = BackendFile.model_validate(
        {
            "backend": "erlang",
            "describe": "one queueing station; everything else is free",
            "stations": {"app": {"servers": servers}, "free": {"servers": "unlimited"}},
            "operations": {
                "default": [{"station": "free"}],
                "home": [{"station": "app", "service": {"dist": "exponential", "mean": "1s"}}],
            },
        }
    )
    world_of, figures = impatient_world(patience), []
    for seed in range(24):
        world = world_of(seed)
        plan = open_plan([(0, arrival), (500, arrival)], seed, world.arms)
        rows = capacity.play(world, plan, backend)
        steady = rows.calls[0][rows.calls[0]["asked_us"] > 60 * US]
        visits = rows.visits[rows.visits["start_us"] > 60 * US]
        assert (rows.visits["pages"] == 1).all()
        figures.append(
            (
                (steady["outcome"] == RENEGED).mean(),
                waits_s(steady).mean(),
                (visits["cause"] == IMPATIENT).mean(),
            )
        )
    chance, wait, _ = erlang_a(arrival, 1.0, patience, servers)
    impatient = chance + (1 - chance) * patience / (patience + 1.0)
    agree(figures, {"P(abandon)": chance, "E[W]": wait, "P(impatient)": impatient})
