"""Paired experiments: what a delay takes away, where it was lost, and how sure that is."""

from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from simulator.analysis.estimates import mean, share
from simulator.journey.arms import compile_arms
from simulator.model.states import STATE_NAMES
from simulator.scenario.load import load_scenario
from simulator.study.attribution import AMOUNTS
from simulator.study.dose import FUNNEL, METRICS, delay, dose_response, sensitivity
from simulator.study.dose_run import Experiment
from simulator.worlds.crowd import World, play
from tests.conftest import PLAIN

SHOPPERS = 60 if PLAIN else 1_500
CHANGES = (delay(0.0), delay(0.5), delay(2.0), delay(8.0))


@pytest.fixture(scope="module")
def scenario():
    """Return the demo's shoppers, who come several times in a week."""
    return load_scenario("demo")


@pytest.fixture(scope="module")
def response(scenario):
    """Return what four delays did to them."""
    return dose_response(scenario, CHANGES, shoppers=SHOPPERS)


@pytest.fixture(scope="module")
def played(scenario):
    """Return the same visits in the same arms, played by the crowd world with all their events."""
    arms = compile_arms([("control", 1.0, {}, {}), *((one.name, 0.0, one.delay_s, {}) for one in CHANGES)])
    wider = replace(scenario, arms=arms)
    world = World(scenario.population, scenario.pages, arms, scenario.spec.seed)
    return play(world, wider.calendar_plan(0, SHOPPERS))


def _same(one, other):
    if is_dataclass(one):
        return all(_same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    return one == other


def _values(visits, name):
    """Return a metric of each visit in the unit that it is told in, from the crowd world's own rows."""
    times = {
        "wall_time": "elapsed_us", "engaged_time": "engaged_us", "waited_time": "waited_us", "ga_time": "ga_us",
        "landing_load": "landing_load_us",
    }  # fmt: skip
    if name in times:
        return visits[times[name]] / 1e6
    causes = ("ongoing", "done", "impatient", "put_off", "error", "budget")
    if name.startswith("left_"):
        return (visits["cause"] == causes.index(name.removeprefix("left_"))) * 1.0
    if name == "revenue_per_1000":
        return visits["revenue_cents"] * 10.0
    plain = {"pages": visits["pages"], "bounce": visits["pages"] == 1, "orders": visits["orders"]}
    return (plain[name] if name in plain else visits["orders"] > 0) * 1.0


@pytest.mark.parametrize("name", METRICS)
def test_every_figure_is_that_of_the_crowd_world(response, played, name):
    """Means, paired differences and intervals are those of the crowd world's rows and the analysis' estimators."""
    visits = played.visits
    control = visits[visits["arm"] == 0]
    for arm, dose in enumerate(response.doses, 1):
        treated = visits[visits["arm"] == arm]
        change = mean(_values(treated, name) - _values(control, name), control["shopper"])
        told = dose.difference[name]
        assert (told.value, told.low, told.high) == pytest.approx((change.value, change.low, change.high), 1e-4, 1e-9)
        values = _values(treated, name)
        is_share = name in {"bounce", "conversion"} or name.startswith("left_")
        alone = share(values > 0, treated["shopper"]) if is_share else mean(values, treated["shopper"])
        told = dose.outcome.means[name]
        assert told.value == pytest.approx(alone.value, 1e-9)
        if name != "pages":
            low = max(0.0, alone.low)
            assert (told.low, told.high) == pytest.approx((low, alone.high), 1e-4, 1e-9)


def test_counts_are_those_of_the_crowd_world(response, played):
    """The curves' counts, by cause and page or second, and the funnel hold every visit once, where it belongs."""
    visits, events = played.visits, played.events
    for arm, outcome in enumerate((response.control, *(dose.outcome for dose in response.doses))):
        here = visits[visits["arm"] == arm]
        for counts, column, unit in ((outcome.pages, "pages", 1), (outcome.wall_s, "elapsed_us", 10**6),
                                     (outcome.engaged_s, "engaged_us", 10**6)):  # fmt: skip
            expected = np.zeros_like(counts)
            np.add.at(expected, (here["cause"], np.minimum(here[column] // unit, counts.shape[1] - 1)), 1)
            assert np.array_equal(counts, expected)
        seen = events[(events["arm"] == arm) & (events["cause"] != 2)]
        for step in FUNNEL:
            reached = seen[seen["state"] == STATE_NAMES.index(step)]
            visited = np.unique(reached["shopper"] << 16 | reached["visit"])
            assert outcome.funnel[step] == len(visited)


def test_no_delay_is_control(response):
    """An arm with a delay of zero equals control exactly, in every number."""
    nothing = response.doses[0]
    assert _same(nothing.outcome, response.control)
    assert all(one.value == one.low == one.high == 0 for one in nothing.difference.values())
    assert nothing.lost.by() == {}
    assert set(nothing.variance_reduction.values()) == {np.inf}


def test_what_is_lost_sums_to_the_whole(response, played):
    """The attributed losses of each change sum to control less treated, exactly, in whole numbers."""
    columns = dict(zip(AMOUNTS[1:], ("pages", "engaged_us", "orders", "revenue_cents"), strict=True))
    visits = played.visits
    for arm, dose in enumerate(response.doses[1:], 2):
        for amount, column in columns.items():
            whole = visits[column][visits["arm"] == 0].sum() - visits[column][visits["arm"] == arm].sum()
            assert dose.lost.lost[amount].sum() - dose.lost.gained[amount].sum() == whole
            assert sum(row[amount] for row in dose.lost.by("page", "cause").values()) == whole


def test_nobody_gains_a_page_by_waiting(scenario, response):
    """Waiting longer never adds a page, an order or a visit that lasts: not in sums, and not for any single visit."""
    for dose in response.doses:
        assert not any(dose.lost.gained[amount].any() for amount in ("visits", "pages", "orders"))
    rows = Experiment.of(scenario, CHANGES).losses(0, SHOPPERS)
    pages = {}
    for row in rows:
        pages.setdefault((int(row["shopper"]), int(row["visit"])), np.zeros(len(CHANGES)))[row["change"]] = row[
            "amounts"
        ][1]
    lost = np.array(list(pages.values()))
    assert (np.diff(lost, axis=1) >= 0).all()
    assert lost[:, 0].sum() == 0 < lost[:, 1].sum()


def test_single_losses_sum_to_the_table(scenario, response):
    """The rows of single shoppers are those that the table of losses adds up."""
    rows = Experiment.of(scenario, CHANGES).losses(0, SHOPPERS)
    for place, dose in enumerate(response.doses):
        amounts = rows["amounts"][rows["change"] == place].sum(axis=0)
        table = [dose.lost.lost[name].sum() - dose.lost.gained[name].sum() for name in AMOUNTS]
        assert amounts.tolist() == table
    parts = np.concatenate([Experiment.of(scenario, CHANGES).losses(*ends) for ends in ((0, 20), (20, SHOPPERS))])
    assert parts.tobytes() == rows.tobytes()


def test_a_loss_names_the_last_page(scenario, played):
    """Each row says the page, network, device, wait and cause of the treated visit's last event."""
    rows = Experiment.of(scenario, CHANGES).losses(0, SHOPPERS)
    keys = ("shopper", "visit", "arm", "step")
    last = {tuple(int(event[key]) for key in keys): event for event in played.events if event["cause"]}
    for row in rows:
        event = last[int(row["shopper"]), int(row["visit"]), int(row["change"]) + 1, int(row["step"])]
        for name, column in (("page", "state"), ("network", "network"), ("device", "device"), ("cause", "cause"),
                             ("waited_us", "waited_us")):  # fmt: skip
            assert row[name] == event[column]


@pytest.mark.parametrize("block", [37, 1_000])
def test_blocks_never_show(scenario, response, block):
    """Blocks of any size give the same numbers to the last bit."""
    assert _same(dose_response(scenario, CHANGES, shoppers=SHOPPERS, block=block), response)


@pytest.mark.skipif(PLAIN, reason="other processes would compile")
def test_workers_never_show(scenario, response):
    """Two processes give what one gives, to the last bit, and every part is told."""
    told = []
    found = dose_response(
        scenario, CHANGES, shoppers=SHOPPERS, workers=2, block=400, progress=lambda *part: told.append(part)
    )
    assert _same(found, response)
    assert np.sum(told, axis=0).tolist() == [SHOPPERS, response.control.visits]


def test_groups_add_up(response):
    """Groups of a kind hold every visit once; their differences, weighed by visits, are the whole's."""
    for dose in response.doses:
        for labels in {tuple(group.where) for group in dose.groups}:
            groups = [group for group in dose.groups if tuple(group.where) == labels]
            assert sum(group.visits for group in groups) == response.control.visits
            for name in ("pages", "engaged_time", "conversion"):
                total = sum(group.visits * group.difference[name].value for group in groups)
                assert total == pytest.approx(response.control.visits * dose.difference[name].value, 1e-9, 1e-9)


def test_a_group_is_its_visits(response, played):
    """A network's difference and interval are those of the visits that landed on it, clustered by shopper."""
    visits, events = played.visits, played.events
    control, treated = (visits[visits["arm"] == arm] for arm in (0, 4))
    landed = events["network"][(events["arm"] == 0) & (events["step"] == 0)]
    for network, name in ((0, "wifi"), (2, "lte")):
        here = landed == network
        expected = mean((treated["pages"] - control["pages"])[here] * 1.0, control["shopper"][here])
        told = next(one for one in response.doses[3].groups if one.where == {"network": name})
        found = told.difference["pages"]
        assert (told.visits, told.shoppers) == (here.sum(), len(np.unique(control["shopper"][here])))
        assert (found.value, found.low, found.high) == pytest.approx(
            (expected.value, expected.low, expected.high), 1e-9
        )


def test_a_relative_effect_is_as_sure_as_its_jackknife(response, played):
    """The interval of a relative effect is as wide as leaving out one shopper at a time says, within five per cent."""
    visits = played.visits
    control, treated = (visits[visits["arm"] == arm] for arm in (0, 4))
    who = np.unique(control["shopper"], return_inverse=True)[1]
    x, y = (np.bincount(who, arm["pages"]) for arm in (control, treated))
    without = (y.sum() - y) / (x.sum() - x) - 1
    error = np.sqrt((len(x) - 1) / len(x) * ((without - without.mean()) ** 2).sum())
    told = response.doses[3].relative["pages"]
    assert told.value == pytest.approx(y.sum() / x.sum() - 1)
    assert (told.high - told.low) / 2 == pytest.approx(1.96 * error, rel=0.05)


def test_pairing_narrows_the_interval(response):
    """Pairing is worth visits: a small delay's effect on pages needs many times more visits of different shoppers."""
    for dose in response.doses[1:]:
        assert dose.variance_reduction["pages"] > 1
    assert response.doses[1].variance_reduction["pages"] > response.doses[3].variance_reduction["pages"]
    assert 1 < response.variance_reduction["pages"] < np.inf


def test_sensitivity_to_the_hazard(scenario):
    """With no hazard nobody leaves while waiting; the loss of pages grows with the hazard."""
    found = sensitivity(scenario, (delay(4.0),), shoppers=SHOPPERS)
    lost = {h: one.doses[0].relative["pages"].value for h, one in found.items()}
    assert list(found) == [0.0, 0.01, 0.025, 0.05]
    assert found[0.0].doses[0].outcome.means["left_impatient"].value == 0
    assert 0 >= lost[0.0] > lost[0.01] > lost[0.025] > lost[0.05]


def test_nobody_comes(scenario):
    """An experiment with no shoppers has no estimates, and says so by having none."""
    found = dose_response(scenario, CHANGES[:2], shoppers=0)
    assert found.control.means["pages"].value is None
    assert found.doses[1].relative["pages"].value is None
    assert found.doses[1].groups == ()
