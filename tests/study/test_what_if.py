"""A recorded run with other latencies: what it would have been, against what it then really was."""

import zlib

import numpy as np
import pytest

from simulator.export.dataset import write_dataset
from simulator.journey.arms import control_arm
from simulator.journey.plan import DAY_US, calendar_plan
from simulator.journey.records import IMPATIENT, NEVER_US, NOT_SEEN, ONGOING
from simulator.model.faults import FileFaults
from simulator.model.persona import load_population
from simulator.model.population import compile_population
from simulator.page.card import BLOCKING, LCP, OPERATIONS, compile_pages, page_file
from simulator.runfolder.files import prepare_folder
from simulator.scenario.load import load_scenario
from simulator.study.what_if import compare_runs, relative, what_if
from simulator.study.what_if_latency import Latency, changed_us, parse_latency
from simulator.study.what_if_run import Recorded
from simulator.worlds.crowd import Rows, World
from simulator.worlds.live.walk import Seen, Walk
from tests.conftest import PLAIN, SEED

SHOPPERS = 20 if PLAIN else 250
SEARCH = OPERATIONS.index("search")


@pytest.fixture(scope="module")
def world():
    """Return a world of the everyday shoppers."""
    population, _ = compile_population(load_population("everyday"))
    return World(population, compile_pages(page_file()), control_arm(), SEED)


class Shop:
    """A shop whose latencies are known: every call of every visit has its own, whoever asks when."""

    def __init__(self, world, change=lambda _, took_us: took_us):
        self.world, self.change = world, change
        self.events, self.requests = [], []

    def took_us(self, walk, operation):
        """Return what a call takes: exponential of mean 0.7 s, fixed by visit, place and operation."""
        stands = [*(int(walk.visit[name][0]) for name in ("shopper", "visit", "pages"))]
        draw = np.random.default_rng([*stands, zlib.crc32(OPERATIONS[operation].encode())]).random()
        return self.change(operation, int(-700_000 * np.log(draw)))

    def ask(self, walk, state, placement, left_us):
        """Make the calls of a placement as the live world does; return (took, whether the shopper left)."""
        card, took_us = self.world.pages.cards[state], 0
        for place in range(card["calls"]):
            if card["placement"][place] == placement:
                operation = int(card["operation"][place])
                spent_us = min(self.took_us(walk, operation), max(left_us - took_us, 1_000))
                self.requests.append((len(self.events), operation, placement, spent_us))
                took_us += spent_us
                if took_us >= max(left_us, 1_000):
                    return took_us, True
        return took_us, False

    def page(self, walk):
        """Show a page as `LiveVisit` does, whose network is modelled."""
        tap = walk.tap()
        blocking_us, left = self.ask(walk, tap.state, BLOCKING, tap.blind_us - tap.fcp_us)
        if left:
            return Seen(NEVER_US, NEVER_US, blocking_us, blocking_us, True, NOT_SEEN)
        fcp_us = tap.fcp_us + blocking_us
        left_us = walk.patience_us(fcp_us) - fcp_us - tap.rest_us
        lcp_us, left = self.ask(walk, tap.state, LCP, left_us)
        load_us = NEVER_US if left else fcp_us + tap.rest_us + lcp_us
        return Seen(fcp_us, load_us, blocking_us + lcp_us, blocking_us + lcp_us, True, NOT_SEEN)

    def open(self):
        """Let everybody in, and return what was recorded."""
        plan = calendar_plan(self.world.population, SEED, 0, SHOPPERS, DAY_US, 0)
        shoppers, visits = {}, []
        for who, number, arm, start_us in zip(*(column.tolist() for column in plan), strict=True):
            walk = Walk(self.world, who, number, arm, start_us)
            while walk.visit["cause"][0] == ONGOING:
                walk.decide(self.page(walk))
                self.events.append(walk.event.copy())
            shoppers[who] = walk.shopper
            visits.append(walk.visit)
        rows = Rows(*map(np.concatenate, (list(shoppers.values()), visits, self.events)))
        columns = np.array(self.requests, np.int64).T
        return Recorded(
            self.world, rows, dict(zip(("event", "operation", "placement", "took_us"), columns, strict=True))
        )


@pytest.fixture(scope="module")
def recorded(world):
    """Return what the shop recorded."""
    return Shop(world).open()


def _mean(visits, name):
    return float(visits[name].mean())


def test_no_change_changes_nothing(recorded):
    """A factor of 1 gives the recorded visits, and differences of exactly zero."""
    found = compare_runs(recorded, [parse_latency("all x1")])
    assert found.recorded == found.changed
    assert {one.value for one in found.difference.values()} == {0.0}
    assert found.lost.by() == {}
    assert found.recorded["pages"] == _mean(recorded.rows.visits, "pages")
    assert found.measured == (recorded.rows.events["load_us"] != NEVER_US).sum()


@pytest.mark.parametrize("text", ["search +800ms", "all +300ms", "product x3"])
def test_a_slower_shop_is_known_exactly(world, recorded, text):
    """What a slower shop would have been is what it is when it is really opened: nothing of it was never seen."""
    change = parse_latency(text)

    def slower(operation, took_us):
        here = change.operation in {"all", OPERATIONS[operation]}
        return round(change.factor * took_us + 1e6 * change.add_s) if here else took_us

    truth = Shop(world, slower).open().rows.visits
    found = compare_runs(recorded, [change])
    for name, column, scale in (
        ("pages", "pages", 1),
        ("engaged_time", "engaged_us", 1e-6),
        ("ga_time", "ga_us", 1e-6),
    ):
        assert found.changed[name] == pytest.approx(scale * _mean(truth, column))
    assert found.changed["waited_time"] == pytest.approx(1e-6 * _mean(truth, "waited_us"), rel=1e-4)
    assert not found.lost.gained["pages"].any()
    lost = (recorded.rows.visits["pages"] - truth["pages"]).sum()
    assert found.lost.lost["pages"].sum() == lost > 0


@pytest.mark.skipif(PLAIN, reason="needs many visits")
def test_a_faster_shop_is_known_about(world, recorded):
    """A faster shop's gain, part of which was never seen, is within its interval of what it really is."""
    truth = Shop(world, lambda _, took_us: round(0.2 * took_us)).open().rows.visits
    found = compare_runs(recorded, [parse_latency("all x0.2")])
    assert found.drawn > 0
    assert not found.lost.lost["pages"].any()
    gain = _mean(truth, "pages") - _mean(recorded.rows.visits, "pages")
    told = found.difference["pages"]
    assert 0 < told.low <= gain <= told.high
    assert told.value == pytest.approx(gain, rel=0.25)


def test_a_cut_visit_goes_no_further(recorded):
    """A visit that the run's end cut is played as far as it was recorded, and counted."""
    rows = recorded.rows
    long = int(np.flatnonzero(rows.visits["pages"] > 2)[0])
    visits = rows.visits.copy()
    end = np.cumsum(visits["pages"])
    dropped = end[long] - 1
    visits["pages"][long] -= 1
    visits["cause"][long] = ONGOING
    requests = recorded.requests
    keep = requests["event"] != dropped
    shorter = {name: column[keep] for name, column in requests.items()}
    shorter["event"] = shorter["event"] - (shorter["event"] > dropped)
    cut = Recorded(recorded.world, Rows(rows.shoppers, visits, np.delete(rows.events, dropped)), shorter)
    found = compare_runs(cut, [parse_latency("all x0")])
    assert found.cut == 1
    assert found.changed["pages"] * found.visits == pytest.approx(
        compare_runs(recorded, [parse_latency("all x0")]).changed["pages"] * found.visits
        - (_pages_of(recorded, long) - visits["pages"][long]),
        abs=1e-6,
    )


def _pages_of(recorded, row):
    """Return how many pages a visit has with instant answers."""
    rows = recorded.rows
    end = np.cumsum(rows.visits["pages"])
    first = end[row] - rows.visits["pages"][row]
    here = (recorded.requests["event"] >= first) & (recorded.requests["event"] < end[row])
    requests = {name: column[here] for name, column in recorded.requests.items()}
    requests["event"] = requests["event"] - first
    who = rows.shoppers["shopper"] == rows.visits["shopper"][row]
    alone = Recorded(
        recorded.world, Rows(rows.shoppers[who], rows.visits[row : row + 1], rows.events[first : end[row]]), requests
    )
    return compare_runs(alone, [parse_latency("all x0")]).changed["pages"]


def test_another_record_is_refused(recorded):
    """A record that these personas would not have made is refused: its visits end elsewhere."""
    rows = recorded.rows
    events = rows.events.copy()
    events["load_us"][0] = NEVER_US
    other = Recorded(recorded.world, Rows(rows.shoppers, rows.visits, events), recorded.requests)
    if rows.visits["cause"][0] != IMPATIENT or rows.visits["pages"][0] > 1:
        with pytest.raises(FileFaults, match="does not replay"):
            compare_runs(other, [parse_latency("search x1")])


def test_changes_of_latencies():
    """Milliseconds are added, factors multiply, nothing is below zero, and a quantile moves by what was asked."""
    operation = np.array([SEARCH] * 100 + [0] * 100)
    took_us = np.concatenate([np.arange(1, 101) * 10_000, np.arange(1, 101) * 1_000])
    less = changed_us(operation, took_us, [parse_latency("search -300ms")])
    assert less[:100].tolist() == [max(0, one - 300_000) for one in took_us[:100]]
    assert np.array_equal(less[100:], took_us[100:])
    p95 = changed_us(operation, took_us, [parse_latency("search p95 -300ms")])
    moved = np.quantile(p95[:100], 0.95) - np.quantile(took_us[:100], 0.95)
    assert moved == pytest.approx(-300_000, abs=2)
    each = changed_us(operation, took_us, [parse_latency("all p50 +20ms")])
    for here in (operation == SEARCH, operation == 0):
        assert np.median(each[here]) - np.median(took_us[here]) == pytest.approx(20_000, abs=2)
    both = changed_us(operation, took_us, [parse_latency("all x2"), parse_latency("search +1ms")])
    assert both[0] == 2 * took_us[0] + 1_000
    with pytest.raises(FileFaults, match="no such request held a page"):
        changed_us(operation, took_us, [parse_latency("payment x2")])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("search -300ms", Latency("search -300ms", "search", add_s=-0.3)),
        ("search p95 +1s", Latency("search p95 +1s", "search", add_s=1.0, quantile=0.95)),
        ("all x0.5", Latency("all x0.5", "all", factor=0.5)),
    ],
)
def test_what_a_change_says(text, found):
    """A change is an operation, a time more or less or a factor, and maybe a quantile."""
    assert parse_latency(text) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("search", "is no change of latency"),
        ("serch -3ms", "did you mean search?"),
        ("search -300", "must be a duration with its unit"),
        ("search p95 x2", "a factor moves every quantile alike"),
        ("search xinf", "must be a number of 0 or more"),
    ],
)
def test_what_a_change_cannot_say(text, told):
    """What is no change is refused with what was found and an example or the nearest name."""
    with pytest.raises(FileFaults, match="--change") as raised:
        parse_latency(text)
    assert told in str(raised.value)


def test_a_relative_change_is_a_ratio():
    """A relative change is one of sums; without anything before there is none."""
    old, new, who = np.array([1.0, 2.0, 3.0]), np.array([0.5, 2.0, 2.0]), np.array([0, 1, 2])
    found = relative(old, new, who)
    assert found.value == pytest.approx(-0.25)
    assert found.low < found.value < found.high
    assert relative(0 * old, new, who).value is None


def test_a_crowd_run_is_refused(tmp_path):
    """Data that nobody measured has no latencies to change, and says so."""
    folder = tmp_path / "run"
    prepare_folder(folder, overwrite=False)
    write_dataset(load_scenario("demo", {"shoppers": 5}), folder, "parquet")
    with pytest.raises(FileFaults, match="is of the crowd world"):
        what_if(folder, [parse_latency("search x2")])
