"""Each estimator against an exact referee: scipy, the kernel's own weights, or figures worked out by hand."""

import numpy as np
import pytest
from scipy import stats

from simulator.fit.exposure import expose, open_states
from simulator.fit.hits import Hits
from simulator.fit.moves import count_moves, fit_rows
from simulator.fit.sessions import cut
from simulator.fit.thinking import fit_think
from simulator.journey.kernel import S
from simulator.model.states import FLAGS, STATE_INDEX, STATE_NAMES

GRID = (np.arange(4_000) + 0.5) / 4_000


def hits(*visits, **more):
    """Return hits of one user a visit: lists of (second, state)."""
    rows = [(user, at, STATE_INDEX[state]) for user, visit in enumerate(visits) for at, state in visit]
    user, at, state = (np.array(column) for column in zip(*rows, strict=True))
    return Hits(
        user.astype(np.int32), at * 1_000_000, state.astype(np.int8), tuple(map(str, range(len(visits)))),
        np.full(len(rows), -1, np.int64), **more,
    )  # fmt: skip


def test_a_pause_of_more_than_half_an_hour_ends_a_visit():
    """30 minutes belong to the visit, one second more does not, and the last page has no think time."""
    log = hits([(0, "home"), (1_800, "search"), (3_601, "home")])
    visits = cut(log)
    assert visits.first.tolist() == [0, 2]
    assert visits.next.tolist() == [STATE_INDEX["search"], S, S]
    assert visits.think_us.tolist() == [1_800_000_000, -1, -1]


def test_the_logs_own_sessions_end_visits_too():
    """A change of the logged session begins a visit however short the pause; other users' sessions do not matter."""
    log = hits([(0, "home"), (60, "search"), (61, "home")], session=np.array([7, 7, 8]))
    assert cut(log).first.tolist() == [0, 2]


def test_load_times_are_no_think_times():
    """The time from the usable page to the next tap is thought; a load that outlasts it leaves none, and is counted."""
    log = hits([(0, "home"), (10, "search"), (12, "home"), (20, "home")])
    log.load_us[:] = [3_000_000, 5_000_000, 0, 0]
    visits = cut(log)
    assert visits.think_us.tolist() == [7_000_000, -1, 8_000_000, -1]
    assert visits.overlapping == 1


@pytest.mark.parametrize("exact", [stats.lognorm(1.08, scale=8.0), stats.lognorm(0.4, scale=0.5)])
def test_a_lognormal_is_found(exact):
    """On exact quantiles the log-normal wins, its parameters are right and scipy's own fit agrees."""
    times = exact.ppf(GRID)
    think = fit_think(times, np.ones(len(times)))
    shape, _, scale = stats.lognorm.fit(times, floc=0)
    assert think.dist == "lognormal"
    assert np.exp(think.a) == pytest.approx(exact.median(), rel=0.005)
    assert (np.exp(think.a), think.b) == (pytest.approx(scale, rel=0.01), pytest.approx(shape, rel=0.01))
    assert think.ks < 0.005
    assert think.aic_lead > 10


@pytest.mark.parametrize("shape", [0.7, 0.9, 1.6])
def test_a_weibull_is_found(shape):
    """On exact quantiles the Weibull wins, its parameters are right and scipy's own fit agrees."""
    times = stats.weibull_min(shape, scale=26.0).ppf(GRID)
    think = fit_think(times, np.ones(len(times)))
    found, _, scale = stats.weibull_min.fit(times, floc=0)
    assert think.dist == "weibull"
    assert (think.a, think.b) == (pytest.approx(shape, rel=0.01), pytest.approx(26.0, rel=0.01))
    assert (think.a, think.b) == (pytest.approx(found, rel=0.015), pytest.approx(scale, rel=0.015))
    assert think.ks < 0.005


def test_times_cut_at_a_smallest_value_are_censored():
    """A clip that moves a fifth of the times bends neither the median nor the shape, and is found."""
    exact = stats.weibull_min(0.8, scale=26.0)
    times = np.maximum(exact.ppf(GRID), 4.0)
    think = fit_think(times, np.ones(len(times)))
    assert think.low_s == pytest.approx(4.0)
    assert think.a == pytest.approx(0.8, rel=0.02)
    assert think.median_s == pytest.approx(exact.median(), rel=0.01)


def test_weights_count_like_copies():
    """A time of weight 3 is three times."""
    times = stats.lognorm(1.0, scale=8.0).ppf(GRID[::4])
    weights = np.where(times > 8, 3.0, 1.0)
    weighed, copied = fit_think(times, weights), fit_think(np.repeat(times, weights.astype(int)), np.ones(2_000))
    assert weighed.median_s == pytest.approx(copied.median_s, rel=0.01)


def test_flags_are_the_visits_own():
    """A cart opens the checkout, a purchase empties it, a new visit begins without; a logged fact holds throughout."""
    log = hits(
        [(0, "product"), (1, "add_to_cart"), (2, "checkout"), (3, "payment"), (4, "purchase"), (9_999, "home")],
        facts={"location": np.ones(6, np.int8)},
    )
    exposure = expose(log, cut(log))
    located, seen = FLAGS["location_shared"], FLAGS["item_seen"]
    cart, out, paid = FLAGS["cart_not_empty"], FLAGS["checked_out"], FLAGS["paid"]
    expected = [seen, seen + cart, seen + cart + out, seen + cart + out + paid, seen, 0]
    assert exposure.after.tolist() == [flags + located for flags in expected]
    assert exposure.before.tolist() == [located, *(flags + located for flags in expected[:4]), located]
    assert exposure.broken == {}


def test_a_broken_guard_is_counted():
    """A purchase out of nowhere is told, not hidden."""
    log = hits([(0, "home"), (5, "purchase")])
    assert expose(log, cut(log)).broken == {"purchase": 1}


def test_open_states_are_those_of_the_state_table():
    """Without flags nothing that needs one is open; exit always is."""
    none = open_states(np.zeros(1, np.int32))[0]
    named = {name for name, there in zip((*STATE_NAMES, "exit"), none, strict=True) if there}
    assert {"home", "product", "login", "exit"} <= named
    assert not named & {"add_to_cart", "checkout", "payment", "purchase", "rewards", "ar_preview", "share"}


def test_a_closed_state_is_no_evidence_against_it():
    """From home a cart leads to checkout half the time; that most visits have no cart changes the row not at all.

    100 visits with a cart: 50 go on to checkout, 25 to search, 25 leave. 300 without: 150 search, 150 leave. The raw
    share of checkout is 50/400; the row that explains both is checkout 0.5, search 0.25, exit 0.25.
    """
    to_cart = [(0, "product"), (1, "add_to_cart"), (2, "home")]
    log = hits(
        *[[*to_cart, (3, "checkout")]] * 50, *[[*to_cart, (3, "search")]] * 25, *[to_cart] * 25,
        *[[(0, "home"), (1, "search")]] * 150, *[[(0, "home")]] * 150,
    )  # fmt: skip
    visits = cut(log)
    moves, _, column = count_moves(log, visits, expose(log, visits))
    rows = fit_rows(moves, np.bincount(column)[:, None].astype(float), weight=0.0, rounds=500, leak=0.0)
    home = rows.p[STATE_INDEX["home"], :, 0]
    assert home[STATE_INDEX["checkout"]] == pytest.approx(0.5, abs=1e-6)
    assert home[STATE_INDEX["search"]] == pytest.approx(0.25, abs=1e-6)
    assert home[S] == pytest.approx(0.25, abs=1e-6)


def test_a_guard_of_a_persona_is_found():
    """Shoppers who share no location never see offers: the row is that of those who do, and the guard is named."""
    have = [[(0, "home"), (1, "offers")]] * 60 + [[(0, "home")]] * 40
    lack = [[(0, "home")]] * 100
    fact = np.array([1] * (2 * 60 + 40) + [0] * 100, np.int8)
    log = hits(*have, *lack, facts={"location": fact})
    visits = cut(log)
    moves, _, column = count_moves(log, visits, expose(log, visits))
    rows = fit_rows(moves, np.bincount(column)[:, None].astype(float), weight=0.0, rounds=200, leak=0.0)
    assert rows.guards[STATE_INDEX["offers"], moves.asked.index("location_shared"), 0]
    assert rows.p[STATE_INDEX["home"], STATE_INDEX["offers"], 0] == pytest.approx(0.6, abs=1e-6)
