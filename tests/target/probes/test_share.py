"""H17 and what a report shows: personalised share and relevance, alone and under load."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import sqrt

import pytest
from scipy.stats import hypergeom, norm
from sklearn.metrics import ndcg_score

from simulator.target.probes.fall import Pair, fallen
from simulator.target.probes.measured import measured
from simulator.target.probes.probe import Ground, Key
from simulator.target.probes.relevance import ndcg
from simulator.target.probes.share import Fallback
from simulator.target.probes.steps import Ask
from simulator.target.request import load_target

ASKED = ("home", "recommend", "search")


def alone(shop):
    """Play the probe's own script, as before a load."""
    probe = next(one for one in shop.probing.probes if one.code == "H17")
    [script] = probe.scripts()
    for nth in range(script.times):
        before = shop.desk.requests
        shop.desk.play(script, shop.people, nth, alone=True)
        assert shop.desk.requests - before <= script.cost
    return probe


def load(shop, visits, *, busy=lambda _nth: False, country="US"):
    """Let shoppers with a history ask within a load; while it is `busy`, too many requests wait in the shop."""
    for nth in range(visits):
        visitor = shop.people.somebody(country=country)
        for operation in ("home", "recommend", "product"):
            shop.desk.ask(Ask(visitor, operation), alone=False)
        if busy(nth):
            shop.wire.shop.backlog = lambda: 1_000
        for operation in ASKED:
            shop.desk.ask(Ask(visitor, operation), alone=False)
        shop.wire.shop.backlog = lambda: 0
        shop.wire.wait(1.0)


def test_a_fall_of_the_share_is_found_and_blamed(opened):
    """The shop itself gives way when too many wait: half of all answers are what everybody gets."""
    shop = opened()
    alone(shop)
    load(shop, 24, busy=lambda nth: nth % 2 == 0)
    found = shop.found()
    assert found["H17"].blamed
    assert "100.0 % of 24 alone, 50.0 % of 72 among many; 50.0 points lower" in found["H17"].why
    assert {code for code, one in found.items() if one.state == "violated"} == {"H17"}


@pytest.mark.parametrize("visits", [12, 20])
def test_a_right_shop_holds(opened, visits):
    """While nobody waits, everybody with a history has answers of their own."""
    shop = opened()
    alone(shop)
    load(shop, visits)
    assert shop.found()["H17"].state == "held"
    assert shop.found()["H17"].why == f"personalised share: 100.0 % of 24 alone, 100.0 % of {3 * visits} among many"


@pytest.mark.parametrize(("busy", "state"), [(True, "violated"), (False, "held")])
def test_without_a_word_of_the_target_the_anonymous_baseline_tells(opened, lacking, busy, state):
    """An answer that equals what anonymous visitors get at the same page and place used nobody's own data."""
    shop = opened(target=lacking("fallback"))
    alone(shop)
    load(shop, 24, busy=lambda nth: busy and nth % 2 == 0)
    found = shop.found()["H17"]
    assert found.state == state
    assert found.alone.violated == 0
    assert found.alone.checked >= 10


def test_an_unsteady_list_says_nothing(opened, lacking):
    """Where two anonymous visitors in a row are shown other things, no answer can be told from everybody's."""
    shop = opened(target=lacking("fallback"))
    visitor = shop.people.somebody(consents=())
    seen = shop.desk.ask(Ask(visitor, "home"), alone=False)
    probe = next(one for one in shop.probing.probes if one.code == "H17")
    for nth in range(9):
        probe.see(replace(seen, evidence={"items": (f"{nth}", "b")}))
    assert probe.baseline.differs(replace(seen, evidence={"items": ("x", "y")})) is None
    probe.see(replace(seen, evidence={"items": ("8", "b")}))
    assert probe.baseline.differs(replace(seen, evidence={"items": ("x", "y")})) is True
    assert probe.baseline.differs(replace(seen, evidence={"items": ("8", "b")})) is False


def test_with_nothing_to_go_by_nothing_is_said(opened, lacking):
    """Neither a word of the target nor items: the missing path is named."""
    found = opened(target=lacking("fallback", "items")).found()["H17"]
    assert found.state == "not observable"
    assert "with evidence fallback" in found.missing[0]


def test_who_refused_or_is_new_is_no_reason_for_alarm(opened):
    """Only who agreed and has a history in this visit is expected to get answers of their own."""
    shop = opened()
    alone(shop)
    for consents in ((), ("analytics",)):
        visitor = shop.people.somebody(consents=consents)
        for operation in ("recommend", "product", *ASKED):
            shop.desk.ask(Ask(visitor, operation), alone=False)
    for _ in range(5):
        shop.desk.ask(Ask(shop.people.somebody(), "home"), alone=False)
    found = shop.found()["H17"]
    assert found.state == "not observable"
    assert found.why == "under load no answer to a shopper with a history says whether it was their own"


def test_a_page_older_than_the_history_is_not_judged(opened):
    """What was made before the shopper looked at anything could not know of it."""
    shop = opened()
    visitor = shop.people.somebody()
    early = shop.desk.ask(Ask(visitor, "home"), alone=False)
    for operation in ("recommend", "product"):
        shop.desk.ask(Ask(visitor, operation), alone=False)
    probe = next(one for one in shop.probing.probes if one.code == "H17")
    before = dict(probe.counts)
    probe.see(early)
    assert dict(probe.counts) == before


def ruled(**counts):
    """Return the rule's word on counts, each written as `when_operation_name`."""
    target = load_target("storefront")
    probe = Fallback(Ground(target, target.file.promises))
    table = Counter()
    for name, number in counts.items():
        when, operation, what = name.split("_", 2)
        table[Key(when, operation, what.replace("_", " "))] += number
    return probe.rule(table)


def test_operations_are_compared_with_themselves():
    """The load asks more for what is less personal than the probe did: that is no fall (Simpson's paradox)."""
    ruling = ruled(
        among_home_checked=1,
        alone_home_known_in_GB=100, alone_home_own_in_GB=100, alone_search_known_in_GB=10, alone_search_own_in_GB=1,
        among_home_known_in_GB=100, among_home_own_in_GB=100, among_search_known_in_GB=900, among_search_own_in_GB=90,
    )  # fmt: skip
    assert ruling.held is True
    ruling = ruled(
        among_home_checked=1,
        alone_home_known_in_GB=20, alone_home_own_in_GB=20, among_home_known_in_GB=900, among_home_own_in_GB=500,
        alone_home_known_in_FR=20, alone_home_own_in_FR=0, among_home_known_in_US=900, among_home_own_in_US=0,
    )  # fmt: skip
    assert ruling.held is False
    assert "100.0 % of 20 alone, 55.6 % of 900 among many; 44.4 points lower" in ruling.why


def test_without_answers_alone_busy_times_are_compared_with_quiet_ones():
    """A run without requests of our own before it is held to itself, if its load rose."""
    rising = {f"among_home_answers_at_{at}": 20 * (1 + at) for at in range(6)}
    known = {f"among_home_known_at_{at}": 10 * (1 + at) for at in range(6)}
    own = {f"among_home_own_at_{at}": 10 * (1 + at) if at < 3 else 5 * (1 + at) for at in range(6)}
    ruling = ruled(among_home_checked=1, **rising, **known, **own)
    assert ruling.held is False
    assert ruling.why.startswith("personalised share: 100.0 % of 30 in quiet times, 50.0 % of 110 in busy ones")
    level = dict.fromkeys(rising, 50)
    assert ruled(among_home_checked=1, **level, **known, **own).held is None


@pytest.mark.parametrize(
    "pairs", [[(Pair(20, 20), Pair(500, 900))], [(Pair(9, 10), Pair(70, 80)), (Pair(3, 12), Pair(20, 40))]]
)
def test_the_fall_against_the_hypergeometric_distribution(pairs):
    """Cochran's test has the mean and the variance that SciPy's hypergeometric distribution has."""
    excess = variance = 0.0
    for one, many in pairs:
        law = hypergeom(one.known + many.known, one.own + many.own, one.known)
        excess, variance = excess + one.own - law.mean(), variance + law.var()
    fall, p = fallen(pairs)
    assert p == pytest.approx(norm.sf(excess / sqrt(variance)))
    due = sum(many.known * (one.own / one.known - many.own / many.known) for one, many in pairs)
    assert fall == pytest.approx(due / sum(many.known for _, many in pairs))


@pytest.mark.parametrize("shown", ["aab", "bba", "abcabc", "a", "b"])
def test_relevance_against_scikit_learn(shown):
    """The nDCG of a list against the best list is scikit-learn's, of the shown list beside as many favourites."""
    truth = [[1.0 if one == "a" else 0.0 for one in shown] + [1.0] * len(shown)]
    order = [[float(2 * len(shown) - rank) for rank in range(2 * len(shown))]]
    assert ndcg(tuple(shown), "a") == pytest.approx(ndcg_score(truth, order, k=len(shown)))
    given = ndcg(tuple(shown), "a", given=True)
    if "a" not in shown:
        assert given is None
    elif len(shown) > 1:
        assert given == pytest.approx(ndcg_score([truth[0][: len(shown)]], [order[0][: len(shown)]]))


def test_what_a_report_shows(opened):
    """Rows by operation, alone and among many, and by five seconds: shares with intervals, relevance of both kinds."""
    shop = opened()
    probe = alone(shop)
    load(shop, 12, busy=lambda nth: nth >= 6)
    rows = {(row.operation, row.when): row for row in measured(probe.counts)}
    home = rows["home", "among"]
    assert (home.answers, home.eligible, home.known, home.share) == (24, 12, 12, 0.5)
    assert 0.2 < home.low < 0.5 < home.high < 0.8
    assert rows["home", "alone"].share == 1.0
    # Newcomers are shown what is popular, whatever they like.
    assert 0 <= home.ndcg_rest <= 1
    bins = [row for row in measured(probe.counts, by_bin=True) if (row.operation, row.when) == ("home", "among")]
    assert [row.from_s for row in bins] == [0, 5, 10]
    assert [row.share for row in bins] == [1.0, pytest.approx(0.2), 0.0]
    assert sum(row.answers for row in bins) == home.answers


def test_relevance_is_of_the_shoppers_true_favourite(opened):
    """Who likes shoes and looks at shoes is shown shoes, in the target's own word for them."""
    shop = opened()
    visitor = shop.people.somebody(favourite="shoes")
    for operation in ("category", "product", "recommend"):
        shop.desk.ask(Ask(visitor, operation), alone=False)
    probe = next(one for one in shop.probing.probes if one.code == "H17")
    [row] = [row for row in measured(probe.counts) if row.operation == "recommend"]
    assert row.ndcg > 0.8
