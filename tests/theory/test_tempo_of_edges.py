"""Think times by edge: what follows a page says how long shoppers look at it.

Medians of n draws lie within 4 standard errors of the file's (sqrt(pi/2) σ/√n of the logarithm): one comparison in
16,000 would not.
"""

import math

import numpy as np
import pytest

from simulator.journey.arms import control_arm
from simulator.journey.closed_form import expectations, think_quantiles
from simulator.journey.kernel import S
from simulator.model.persona import PopulationSpec, load_persona
from simulator.model.population import compile_population
from simulator.model.states import STATE_INDEX
from simulator.worlds.crowd import World, play

VISITS = 30_000
SIGMA = 0.5
MEDIANS_S = {("product", "add_to_cart"): 40.0, ("product", "exit"): 4.0}
PERSONA = """
    persona: looker
    describe: looks longer at what goes into the cart
    extends: base_mobile
    tempo:
      "product > add_to_cart": {dist: lognormal, median: 40s, sigma: 0.5}
      product > exit: {dist: lognormal, median: 4s, sigma: 0.5}
    """
PRODUCT = STATE_INDEX["product"]


@pytest.fixture
def looker(persona_file, unhurried):
    """Return the population of one persona with think times by edge, without a time budget."""
    persona = load_persona(persona_file(PERSONA, "looker.yaml"))
    return unhurried(compile_population(PopulationSpec("looker", (persona,), (1.0,)))[0])


@pytest.fixture
def rows(looker, once, instant, few):
    """Return many undisturbed visits of that persona."""
    return play(World(looker, instant, control_arm(), 5), once(few(VISITS)))


def thoughts(rows):
    """Return the think times on product pages in seconds, and what followed each (S for leaving)."""
    last = np.zeros(len(rows.events), bool)
    last[np.cumsum(rows.visits["pages"]) - 1] = True
    following = np.where(last, S, np.roll(rows.events["state"].astype(int), -1))
    there = rows.events["state"] == PRODUCT
    return rows.events["think_us"][there] / 1e6, following[there]


@pytest.mark.parametrize("edge", MEDIANS_S)
def test_an_edge_has_its_own_think_time(rows, edge):
    """Before putting a product into the cart, and before leaving, shoppers look as long as the file says."""
    times, following = thoughts(rows)
    mine = times[following == STATE_INDEX.get(edge[1], S)]
    assert abs(np.median(np.log(mine)) - math.log(MEDIANS_S[edge])) < 4 * math.sqrt(math.pi / 2 / len(mine)) * SIGMA


def test_other_edges_keep_the_state_s(rows, persona_file, once, instant, unhurried, few):
    """Every other think time is, to the microsecond, the one without the edges; so is every page."""
    usual = load_persona(persona_file("persona: looker\ndescribe: x\nextends: base_mobile\n", "usual.yaml"))
    plain = unhurried(compile_population(PopulationSpec("looker", (usual,), (1.0,)))[0])
    usual = play(World(plain, instant, control_arm(), 5), once(few(VISITS)))
    assert (usual.events["state"] == rows.events["state"]).all()
    _, following = thoughts(rows)
    changed = np.zeros(len(rows.events), bool)
    own = np.isin(following, [S, STATE_INDEX["add_to_cart"]])
    changed[np.flatnonzero(rows.events["state"] == PRODUCT)[own]] = True
    assert (usual.events["think_us"][~changed] == rows.events["think_us"][~changed]).all()
    assert (usual.events["think_us"][changed] != rows.events["think_us"][changed]).mean() > 0.99


def test_the_closed_form_knows_edges(looker, rows):
    """Seconds engaged, and the quantiles of the time on a product page over all that follows, are theory's."""
    theory = expectations(looker, 0)
    engaged_s = rows.visits["engaged_us"] / 1e6
    assert abs(engaged_s.mean() - theory.engaged_s) < 4 * engaged_s.std() / math.sqrt(len(engaged_s))
    times, _ = thoughts(rows)
    for share in (0.25, 0.5, 0.9):
        expected = think_quantiles(looker, 0, np.array([share]))["product"][0]
        assert abs((times <= expected).mean() - share) < 4 * math.sqrt(share * (1 - share) / len(times)) + 1e-3
