"""What a change may change: pages, networks, phones and the server, each as said, and nothing else."""

import numpy as np
import pytest

from simulator.journey.arms import control_arm
from simulator.model.distributions import DIST, Constant, Gamma, Lognormal, TableBook, Uniform, Weibull, sample
from simulator.model.faults import FileFaults
from simulator.model.networks import network_table
from simulator.page.card import OPERATIONS
from simulator.scenario.load import load_scenario
from simulator.study.dose import dose_response
from simulator.study.dose_arms import compile_changes, scaled, shifted
from simulator.study.dose_change import Amount, Change, Link, Server
from simulator.worlds.crowd import World
from tests.conftest import PLAIN

SHOPPERS = 40 if PLAIN else 500
LAWS = (
    Lognormal(dist="lognormal", median=0.12, sigma=0.5, clip=(0.02, 3.0)),
    Gamma(dist="gamma", mean=0.2, cv=0.7),
    Weibull(dist="weibull", shape=0.8, median=0.3),
    Uniform(dist="uniform", low=0.1, high=0.4),
    Constant(dist="constant", value=0.25),
)
FASTER = {
    "half the round trips": Change("a", link=Link(rtt={"all": 0.5})),
    "hspa as lte": Change("b", link=Link(swap={"hspa": "lte"})),
    "twice the throughput": Change("c", link=Link(down={"all": 2.0})),
    "no loss": Change("d", link=Link(loss={"all": 0.0})),
    "half the script": Change("e", pages={"all": {"script_kb": Amount(0.5)}}),
    "no content on home": Change("f", pages={"home": {"content_bytes": Amount(replace=0.0)}}),
    "recommendations later": Change("g", placements={"recommend": "deferred"}),
    "faster phones": Change("h", cpu=Amount(0.5)),
    "a desktop for everybody": Change("i", cpu=Amount(replace=1.0)),
    "half the server time": Change("j", server={"all": Server(factor=0.5)}),
    "search 300 ms faster": Change("k", server={"search": Server(add_s=-0.3)}),
    "an instant server": Change("l", server={"all": Server(law=Constant(dist="constant", value=0.0))}),
}
SLOWER = {
    "everybody on slow 4G": Change("m", link=Link(profile="devtools-slow-4g")),
    "lte as hspa": Change("n", link=Link(swap={"lte": "hspa", "5g": "hspa"})),
    "server a second slower": Change("o", server={"all": Server(add_s=1.0)}),
    "slow phones": Change("p", cpu=Amount(3.0)),
    "heavy pages": Change("q", pages={"all": {"critical_bytes": Amount(4.0)}}),
}


@pytest.fixture(scope="module")
def scenario():
    """Return the demo's shoppers."""
    return load_scenario("demo")


@pytest.fixture(scope="module")
def doses(scenario):
    """Return what each change came to, by its name."""
    changes = [*FASTER.values(), *SLOWER.values()]
    found = dose_response(scenario, changes, shoppers=SHOPPERS).doses
    return dict(zip((*FASTER, *SLOWER), found, strict=True))


def _world(scenario):
    return World(scenario.population, scenario.pages, control_arm(), scenario.spec.seed)


@pytest.mark.parametrize("name", FASTER)
def test_what_makes_pages_faster_loses_no_page(doses, name):
    """A faster page, network, phone or server takes no page from anybody, and never makes a landing slower."""
    dose = doses[name]
    assert dose.difference["landing_load"].value <= 0
    assert not dose.lost.lost["pages"].any()
    assert dose.difference["pages"].value >= 0


@pytest.mark.parametrize("name", SLOWER)
def test_what_makes_pages_slower_gains_no_page(doses, name):
    """A slower page, network, phone or server gives no page to anybody, and makes landings slower."""
    dose = doses[name]
    assert dose.difference["landing_load"].value > 0
    assert not dose.lost.gained["pages"].any() or name in {"everybody on slow 4G", "lte as hspa"}
    assert dose.difference["pages"].value < 0


def test_what_is_gained_sums_to_the_whole(doses):
    """What a better shop gains is attributed as exactly as what a worse one loses."""
    for dose in doses.values():
        whole = dose.difference["pages"].value * dose.outcome.visits
        assert dose.lost.gained["pages"].sum() - dose.lost.lost["pages"].sum() == round(whole)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.dist)
def test_a_law_times_a_factor(law):
    """A scaled law is the law of the scaled quantity, at every share, its clip included."""
    book = TableBook()
    row = np.array(book.row(law), DIST)[()]
    tables = book.tables()
    new = scaled(row, tables, 2.5)
    for u in (0.001, 0.1, 0.5, 0.9, 0.999):
        assert sample(new, tables[0], u) == pytest.approx(2.5 * sample(row, tables[0], u), rel=1e-9)
        assert sample(scaled(row, tables, 0.0), tables[0], u) == pytest.approx(0.0, abs=1e-8)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.dist)
@pytest.mark.parametrize("add", [0.3, -0.15])
def test_a_law_moved(law, add):
    """A moved law is the law of the moved quantity, not below zero; its table is right to a millisecond."""
    book = TableBook()
    row = np.array(book.row(law), DIST)[()]
    tables = book.tables()
    new = shifted(row, tables, add)
    for u in np.linspace(0.001, 0.999, 333):
        assert sample(new, tables[0], u) == pytest.approx(max(0.0, sample(row, tables[0], u) + add), abs=1e-3)


def test_what_a_change_does_not_name_stays(scenario):
    """A change of one technology, state or operation leaves every other as it was, byte for byte."""
    change = Change("a", link=Link(rtt={"lte": 0.5}), pages={"home": {"script_kb": Amount(0.5)}},
                    server={"search": Server(factor=2)})  # fmt: skip
    arms = compile_changes(_world(scenario), [change])
    before, after = arms.personas
    for column in before.dtype.names:
        changed = column == "rtt_ms"
        assert np.array_equal(before[column], after[column]) != changed
    assert before["rtt_ms"][:, [0, 1, 3]].tobytes() == after["rtt_ms"][:, [0, 1, 3]].tobytes()
    old, new = arms.cards
    for state, (one, other) in enumerate(zip(old, new, strict=True)):
        serves = OPERATIONS.index("search") in one["operation"][: one["calls"]]
        assert (one.tobytes() == other.tobytes()) == (state != 0 and not serves)


def test_a_profile_is_its_numbers(scenario):
    """Under a profile every technology has the profile's round trip and throughput."""
    arms = compile_changes(_world(scenario), [SLOWER["everybody on slow 4G"]])
    profile = network_table().profiles["devtools-slow-4g"]
    assert set(arms.personas[1]["rtt_ms"]["a"].ravel()) == {profile.rtt_ms}
    assert set(arms.personas[1]["down_kbps"]["a"].ravel()) == {profile.down_kbps}


def test_a_law_of_the_server_takes_the_place_of_another(scenario):
    """A replaced law is drawn wherever the operation is called, and only there."""
    law = Gamma(dist="gamma", mean=0.4, cv=0.5)
    arms = compile_changes(_world(scenario), [Change("a", server={"search": Server(law=law)})])
    search = OPERATIONS.index("search")
    for card in arms.cards[1]:
        for place in range(card["calls"]):
            if card["operation"][place] == search:
                median = sample(card["service"][place], arms.page_tables[0], 0.5)
                assert median == pytest.approx(law.quantile(0.5), rel=1e-6)


def test_every_fault_at_once(scenario):
    """A change that names what there is not is refused, with all faults, what is allowed, and the nearest name."""
    wrong = [
        Change("one", {"hom": 1.0, "cart": np.inf}, server={"serch": Server()}, placements={"search": "never"}),
        Change("two", link=Link(swap={"lte": "3g"}, profile="slow", rtt={"wfi": 0.0}), cpu=Amount(0.0)),
        Change(
            "three", pages={"home": {"script_kb": Amount(float("nan"))}}, server={"search": Server(add_s=float("inf"))}
        ),
    ]
    with pytest.raises(FileFaults) as raised:
        compile_changes(_world(scenario), wrong)
    told = [str(fault) for fault in raised.value.faults]
    for expected in (
        "one: delay_s names hom, allowed are home",
        "one: delay_s.cart is inf, must be a number of seconds",
        "one: server names serch",
        "did you mean search?",
        "one: placements.search names never, allowed are blocking, lcp, deferred",
        "two: link.swap.lte names 3g, allowed are wifi, 5g, lte, hspa",
        "two: link.profile names slow",
        "two: link.rtt names wfi",
        "two: link.rtt.wfi is 0, must be above 0",
        "two: cpu is 0, must be above 0",
        "three: pages.home.script_kb is nan, must be 0 or more",
        "three: server.search.add_s is inf, must be a number of seconds",
    ):
        assert any(expected in line for line in told), expected
