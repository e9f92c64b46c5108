"""Law 3 and 4: arms share their draws, so waiting longer can only shorten a visit, and no effect is no difference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.journey import keys
from simulator.journey.arms import compile_arms, control_arm
from simulator.journey.closed_form import values_at
from simulator.journey.keys import NOWHERE, uniform
from simulator.journey.lanes import STATE_KEYS
from simulator.journey.records import BUDGET, EVENT, IMPATIENT, ONGOING, PUT_OFF, SHOPPER, VISIT
from simulator.model.distributions import DIST, Constant, TableBook
from simulator.model.states import EXIT, STATE_NAMES
from simulator.worlds.crowd import World
from simulator.worlds.replay import replay

SHOPPERS, SEED = 2_000, 20_260_105
TOUCHED = {
    "events": {"arm", "at_us", "fcp_us", "load_us", "waited_us", "patience_us", "put_off_p"},
    "last event": {"think_us", "cause", "cart_items"},
}
"""Columns that a delay may change on any page, and those that it may change only on the page that ends the visit."""


@pytest.fixture(scope="module")
def pairs(week, arms):
    """Return a function that plays control and a slower arm; gives (rows, [(control visit, slower visit)])."""

    def played(delay, shoppers=SHOPPERS):
        rows = week(shoppers, arms=arms(slower=delay))
        ends = np.cumsum(rows.visits["pages"])
        places = [(ends[row] - rows.visits["pages"][row], ends[row]) for row in range(len(ends))]
        return rows, list(zip(places[0::2], places[1::2], strict=True))

    return played


@pytest.fixture(scope="module")
def second(pairs):
    """Return control beside an arm in which every page takes two seconds more."""
    return pairs({"all": 2.0})


def prefix_holds(rows, control, slower):
    """Assert that the slower visit is the control visit, cut: same pages, choices, network and prices."""
    fast, slow = rows.events[slice(*control)], rows.events[slice(*slower)]
    assert len(slow) <= len(fast), "a page was gained by waiting longer"
    fast = fast[: len(slow)]
    for column in rows.events.dtype.names:
        rest = slice(None, -1) if column in TOUCHED["last event"] else slice(None)
        if column not in TOUCHED["events"]:
            assert (fast[column][rest] == slow[column][rest]).all(), column
    assert (slow["load_us"] >= fast["load_us"]).all()
    assert (slow["at_us"] >= fast["at_us"]).all()
    assert (slow["put_off_p"][:-1] >= fast["put_off_p"][:-1]).all()


def test_no_shopper_gains_a_page(second):
    """In the slower arm every visit is the control visit or its beginning; what waiting must not touch agrees."""
    rows, visits = second
    for control, slower in visits:
        prefix_holds(rows, control, slower)


def test_the_delay_is_what_was_asked_for(week, arms):
    """Each page of the slower arm takes exactly its delay longer, until first paint and until usable."""
    rows = week(300, arms=arms(slower={"product": 1.25, "search": 0.5}))
    delay_us = np.array([{"product": 1_250_000, "search": 500_000}.get(name, 0) for name in STATE_NAMES])
    ends = np.cumsum(rows.visits["pages"])
    for row in range(0, len(ends), 2):
        control, slower = (rows.events[ends[at] - rows.visits["pages"][at] : ends[at]] for at in (row, row + 1))
        for column in ("fcp_us", "load_us"):
            longer = slower[column] - control[column][: len(slower)]
            assert (longer == delay_us[slower["state"]]).all()


def test_the_slower_arm_does_lose_pages(second):
    """The law above is not empty: many visits are shorter, and the same people make them."""
    rows, visits = second
    lost = [control[1] - control[0] - (slower[1] - slower[0]) for control, slower in visits]
    assert sum(pages > 0 for pages in lost) > len(visits) / 50
    assert rows.visits["shopper"][0::2].tolist() == rows.visits["shopper"][1::2].tolist()


def cut_short(rows, visits):
    """Yield (control's event, slower's last event) of each visit that lost pages."""
    for control, slower in visits:
        pages = slower[1] - slower[0]
        if pages < control[1] - control[0]:
            yield rows.events[control[0] + pages - 1], rows.events[slower[1] - 1]


def test_each_lost_page_has_a_step_and_a_cause(second):
    """A visit that lost pages ended at one step where control went on, for a cause that waiting can have."""
    cuts = list(cut_short(*second))
    assert {int(slow["cause"]) for _, slow in cuts} == {IMPATIENT, PUT_OFF, BUDGET}
    assert {int(fast["cause"]) for fast, _ in cuts} == {ONGOING}
    for fast, slow in cuts:
        assert (fast["shopper"], fast["visit"], fast["step"]) == (slow["shopper"], slow["visit"], slow["step"])


def test_impatience_is_between_the_two_load_times(second):
    """Who became impatient would have waited for control's page and not for the slower one."""
    cuts = [cut for cut in cut_short(*second) if cut[1]["cause"] == IMPATIENT]
    assert cuts
    for fast, slow in cuts:
        assert fast["load_us"] <= fast["patience_us"]
        assert slow["patience_us"] < slow["load_us"]
        assert slow["waited_us"] == slow["patience_us"]
        assert slow["think_us"] == 0


def test_being_put_off_is_between_the_two_chances(second):
    """Who was put off drew a number between control's chance of leaving and the slower arm's."""
    cuts = [cut for cut in cut_short(*second) if cut[1]["cause"] == PUT_OFF]
    assert cuts
    for fast, slow in cuts:
        who = (int(slow["shopper"]), int(slow["visit"]), STATE_KEYS[slow["state"]], int(slow["nth"]))
        u = uniform(SEED, *who, keys.PUT_OFF)
        assert fast["put_off_p"] <= u < slow["put_off_p"] * (1 + 1e-6)


def test_running_out_of_time_is_between_the_two_clocks(second, everyday):
    """Who ran out of time had time left in control at the same step, and none in the slower arm."""
    population, _ = everyday
    cuts = [cut for cut in cut_short(*second) if cut[1]["cause"] == BUDGET]
    assert cuts
    rows, _ = second
    start_us = dict(zip(rows.visits[["shopper", "visit"]].tolist(), rows.visits["start_us"].tolist(), strict=True))
    for fast, slow in cuts:
        who = (int(slow["shopper"]), int(slow["visit"]))
        u = uniform(SEED, *who, NOWHERE, 0, keys.BUDGET)
        budget = population.personas[slow["persona"]].budget
        budget_us = 1e6 * values_at(budget, population.tables, np.array([u]))[0]
        used = [int(e["at_us"]) + int(e["waited_us"]) + int(e["think_us"]) - start_us[who] for e in (fast, slow)]
        assert used[0] <= budget_us < used[1]


def test_the_surroundings_do_not_wait(second):
    """The nth page of a visit meets the same network in both arms, whatever was waited before."""
    rows, visits = second
    for control, slower in visits:
        fast, slow = rows.events[slice(*control)][: slower[1] - slower[0]], rows.events[slice(*slower)]
        for column in ("network", "rtt_ms", "down_kbps", "server_us"):
            assert (fast[column] == slow[column]).all()


delays = st.dictionaries(st.sampled_from(STATE_NAMES), st.floats(0.0, 20.0), max_size=len(STATE_NAMES))


@settings(deadline=None, derandomize=True, max_examples=25, database=None)
@given(delays, st.integers(0, 2**63 - 1))
def test_any_delays_only_shorten(week, arms, delays, seed):
    """The law holds for any delays of any pages and for any seed."""
    rows = week(120, arms=arms(slower=delays), seed=seed)
    ends = np.cumsum(rows.visits["pages"])
    begins = ends - rows.visits["pages"]
    for row in range(0, len(ends), 2):
        prefix_holds(rows, (begins[row], ends[row]), (begins[row + 1], ends[row + 1]))


@pytest.fixture(scope="module")
def week_of_others(week, everyday, arms):
    """Return a function that plays a week of people of another kind, control beside a slower arm."""

    def played(delay_s, **fields):
        personas = everyday[0].personas.copy()
        for name, value in fields.items():
            personas[name] = value
        population = everyday[0]._replace(personas=personas)
        return week(80, population=population, arms=arms(slower={"all": delay_s}))

    return played


@settings(deadline=None, derandomize=True, max_examples=25, database=None)
@given(
    st.floats(0.0, 9.0),
    st.fixed_dictionaries(
        {
            "hazard_per_s": st.floats(0.0, 2.0),
            "patience_shape": st.floats(0.3, 3.0),
            "feedback": st.floats(0.0, 1.0),
            "put_off": st.floats(0.0, 2.0),
            "memory": st.floats(0.0, 1.0),
            "memory_decay": st.floats(0.0, 0.99),
        }
    ),
)
def test_any_kind_of_patience_only_shortens(week_of_others, delay_s, fields):
    """The law holds for any hazard, shape, feedback, weight and memory that a persona file may give."""
    rows = week_of_others(delay_s, **fields)
    ends = np.cumsum(rows.visits["pages"])
    begins = ends - rows.visits["pages"]
    for row in range(0, len(ends), 2):
        prefix_holds(rows, (begins[row], ends[row]), (begins[row + 1], ends[row + 1]))


@pytest.mark.parametrize("times", [1, 2])
def test_slower_still_is_shorter_still(week, arms, times):
    """Three arms, each slower than the last, nest: pages never rise from one to the next."""
    rows = week(500, arms=arms(a={"all": 0.5 * times}, b={"all": 1.5 * times}, c={"all": 6.0 * times}))
    pages = rows.visits["pages"].reshape(-1, 4)
    assert (np.diff(pages, axis=1) <= 0).all()
    assert (pages.sum(axis=0)[1:] < pages.sum(axis=0)[:-1]).all()


@pytest.fixture(scope="module")
def measured(everyday, cards):
    """Return a function that plays the same measured pages twice, the second time later, for people in a hurry."""
    personas = everyday[0].personas.copy()
    personas["budget"] = np.array([TableBook().row(Constant(dist="constant", value="40s"))], DIST)
    hurried = everyday[0]._replace(personas=personas)

    def played(seed, delay_s, visits=80, pages=20):
        dice = np.random.default_rng(seed)
        shoppers, planned = np.zeros(visits, SHOPPER), np.zeros(visits, VISIT)
        shoppers["shopper"] = planned["shopper"] = np.arange(visits)
        planned["pages"] = pages
        events = np.zeros(visits * pages, EVENT)
        events["fcp_us"], events["ok"] = dice.exponential(5e5, len(events)), dice.random(len(events)) < 0.9
        events["load_us"] = events["fcp_us"] + dice.exponential(1e6, len(events)).astype(int)
        events["relevance"] = dice.random(len(events))
        later = events.copy()
        later["fcp_us"], later["load_us"] = (events[name] + int(delay_s * 1e6) for name in ("fcp_us", "load_us"))
        world = World(hurried, cards, control_arm(), SEED)
        return tuple(replay(world, shoppers, planned, seen) for seen in (events, later))

    return played


@settings(deadline=None, derandomize=True, max_examples=20, database=None)
@given(st.integers(0, 2**32), st.floats(0.1, 10.0))
def test_measured_pages_only_shorten_too(measured, seed, delay_s):
    """With errors, relevance and its refunds of time, the same pages seen later never make a visit longer."""
    both = measured(seed, delay_s)
    fast, slow = both
    assert (slow.visits["pages"] <= fast.visits["pages"]).all()
    for row, count in enumerate(slow.visits["pages"]):
        began = [np.cumsum(rows.visits["pages"])[row] - rows.visits["pages"][row] for rows in both]
        for column in ("state", "nth", "product"):
            one, other = (rows.events[column][at : at + count] for rows, at in zip(both, began, strict=True))
            assert (one == other).all()


NO_EFFECT = {"nothing": ({}, {}), "zeros": ({"all": 0.0}, {}), "ones": ({}, dict.fromkeys((*STATE_NAMES, EXIT), 1.0))}


@pytest.mark.parametrize("name", NO_EFFECT)
def test_an_arm_without_effect_is_control(name, week):
    """An arm that adds no seconds and pulls by 1 gives control's rows exactly, its own number aside."""
    rows = week(400, arms=compile_arms([("control", 1.0, {}, {}), ("same", 1.0, *NO_EFFECT[name])]))
    assert set(rows.visits["arm"]) == {0, 1}
    for table in (rows.visits, rows.events):
        control, same = (table[table["arm"] == arm].copy() for arm in (0, 1))
        same["arm"] = 0
        assert control.tobytes() == same.tobytes()


def test_control_does_not_know_of_other_arms(week, arms):
    """Control's rows are those of a run without any other arm."""
    alone, beside = week(400), week(400, arms=arms(slower={"all": 3.0}))
    for one, both in zip(alone[1:], beside[1:], strict=True):
        assert one.tobytes() == both[both["arm"] == 0].tobytes()


def test_a_pull_moves_where_shoppers_go_and_not_how_long_they_wait(week):
    """A variant that doubles the way to recommendations brings more visits there; the first pages stay the same."""
    rows = week(600, arms=compile_arms([("control", 1.0, {}, {}), ("pull", 1.0, {}, {"recommend": 4.0})]))
    state = STATE_NAMES.index("recommend")
    seen = [(rows.events["state"][rows.events["arm"] == arm] == state).sum() for arm in (0, 1)]
    assert seen[1] > 1.5 * seen[0]
    first = rows.events[rows.events["step"] == 0]
    control, pulled = (first[first["arm"] == arm] for arm in (0, 1))
    for column in ("state", "load_us", "patience_us", "put_off_p", "network"):
        assert (control[column] == pulled[column]).all()
