"""Who a shopper is, which arm they are in, and what surrounds them."""

import numpy as np
import pytest
from scipy import stats

from simulator.journey.arms import choose_arm, compile_arms, control_arm
from simulator.journey.plan import draw_shoppers
from simulator.journey.shopper import pick
from simulator.model.networks import network_table
from simulator.model.schema import CATEGORIES, SITUATIONS, TECHNOLOGIES
from simulator.model.states import EXIT, STATE_NAMES
from simulator.worlds.crowd import World, play

LEVEL = 1e-4
SHOPPERS = 20_000


@pytest.fixture(scope="module")
def crowd(everyday, instant, once):
    """Return one visit each of many shoppers on instant pages."""
    return play(World(everyday[0], instant, control_arm(), 99), once(SHOPPERS))


def test_pick_takes_the_first_share_above_the_draw():
    """The position whose cumulative share exceeds the draw; a share of nothing is never picked."""
    cdf = np.array([0.0, 0.25, 0.25, 1.0])
    assert [pick(cdf, u) for u in (1e-9, 0.24, 0.25, 0.9, 1 - 1e-12)] == [1, 1, 3, 3, 3]


def test_personas_come_by_weight(everyday, crowd):
    """The rendezvous gives each persona its weight's share of shoppers (chi-square)."""
    weights = everyday[0].personas["weight"]
    counts = np.bincount(crowd.shoppers["persona"], minlength=len(weights))
    assert stats.chisquare(counts, weights / weights.sum() * SHOPPERS).pvalue > LEVEL


def test_weights_need_no_sum(everyday):
    """Weights ten times as large assign everybody to the same persona."""
    larger = everyday[0].personas.copy()
    larger["weight"] *= 10
    people = (
        draw_shoppers(population, 1, 0, 300) for population in (everyday[0], everyday[0]._replace(personas=larger))
    )
    one, other = (rows["persona"].tolist() for rows in people)
    assert one == other


def test_countries_devices_and_consent_follow_the_files(everyday, everybody, crowd):
    """Country, tier, consent and membership of each persona's shoppers have the shares that its file gives."""
    population, roster = everyday
    specs = {persona.name: persona.spec for persona in everybody.personas}
    for index, name in enumerate(roster.personas):
        mine = crowd.shoppers[crowd.shoppers["persona"] == index]
        spec, count = specs[name], len(mine)
        sums = sum(spec.place.countries.values())
        for code, share in spec.place.countries.items():
            expected = share / sums
            found = (mine["country"] == roster.countries.index(code)).mean()
            assert abs(found - expected) <= 4.5 * np.sqrt(expected * (1 - expected) / count), (name, code)
        for consent in ("analytics", "personalization", "location", "push"):
            expected = getattr(spec.consent, consent)
            assert abs(mine[consent].mean() - expected) <= 4.5 * np.sqrt(expected * (1 - expected) / count)
    assert len(population.devices) == len(roster.devices)


def test_homes_lie_round_their_city(everyday, crowd):
    """Homes scatter about 3 km round the centre of their city."""
    cities = everyday[0].cities[crowd.shoppers["city"]]
    north_km = (crowd.shoppers["latitude_deg"] - cities["latitude_deg"]) * 111.2
    assert abs(north_km.mean()) < 0.1
    assert 3.0 < north_km.std() < 3.6


def test_visits_meet_the_networks_of_their_file(everyday, everybody, crowd):
    """On the first page, situation and technology have the shares of the persona's file, outages being waited out."""
    roster = everyday[1]
    first = crowd.events[crowd.events["step"] == 0]
    spec = next(p.spec for p in everybody.personas if p.name == "commuter_browser")
    mine = first[first["persona"] == roster.personas.index("commuter_browser")]
    for code, situation in enumerate(SITUATIONS):
        here = mine[mine["situation"] == code]
        share = spec.network.situations.get(situation, 0.0)
        if not share:
            assert not len(here)
            continue
        assert abs(len(here) / len(mine) - share) < 4.5 * np.sqrt(share * (1 - share) / len(mine))
        chain, mix = network_table().situations[situation], spec.network.mix[situation]
        shares, jumps = chain.shares(mix), chain.jumps(mix)
        # Who comes without a network is served by the one that follows.
        expected = len(here) * (shares[:-1] + shares[-1] * jumps[-1, :-1] / (1 - jumps[-1, -1]))
        assert stats.chisquare(np.bincount(here["network"], minlength=len(TECHNOLOGIES)), expected).pvalue > LEVEL


def test_products_are_of_categories_they_like(everyday, everybody, crowd):
    """Categories of viewed products have the persona's weights; low product numbers are popular."""
    roster = everyday[1]
    spec = next(p.spec for p in everybody.personas if p.name == "tourist")
    index = roster.personas.index("tourist")
    seen = crowd.events[(crowd.events["persona"] == index) & (crowd.events["product"] >= 0)]
    seen = seen[seen["nth"] == 0]
    weights = np.array([spec.affinity.categories[name] for name in CATEGORIES])
    found = np.bincount(seen["category"], minlength=len(CATEGORIES)) / len(seen)
    assert np.abs(found - weights / weights.sum()).max() < 0.05
    assert (seen["product"] // 100 == seen["category"]).all()
    assert (seen["product"] % 100 < 10).mean() > 0.25


def test_arms_come_by_share():
    """Each arm gets its share of shoppers, and one without a share gets nobody."""
    arms = compile_arms([("control", 0.7, {}, {}), ("slower", 0.3, {}, {}), ("never", 0.0, {}, {})])
    counts = np.bincount([choose_arm(arms, 5, who) for who in range(SHOPPERS)], minlength=3)
    assert counts[2] == 0
    assert stats.chisquare(counts[:2], [0.7 * SHOPPERS, 0.3 * SHOPPERS]).pvalue > LEVEL


def test_a_new_arm_takes_shoppers_for_itself():
    """Adding an arm, wherever it stands in the list, moves shoppers to it and none between the others."""
    shares = {"control": 0.5, "faster": 0.5, "slower": 0.5}
    names = [name for name in shares if name != "faster"]
    two, three = (compile_arms([(name, shares[name], {}, {}) for name in some]) for some in (names, list(shares)))
    pairs = [(names[choose_arm(two, 5, who)], list(shares)[choose_arm(three, 5, who)]) for who in range(3_000)]
    assert all(after in {before, "faster"} for before, after in pairs)
    assert 0.28 < sum(after == "faster" for _, after in pairs) / 3_000 < 0.39


def test_arms_do_not_go_with_personas(everyday):
    """Arm and persona of a shopper are independent (chi-square of the table)."""
    arms = compile_arms([("control", 0.5, {}, {}), ("slower", 0.5, {}, {})])
    table = np.zeros((2, len(everyday[0].personas)))
    for who, persona in enumerate(draw_shoppers(everyday[0], 5, 0, 8_000)["persona"]):
        table[choose_arm(arms, 5, who), persona] += 1
    assert stats.chi2_contingency(table).pvalue > LEVEL


def test_an_arm_is_compiled_as_it_was_written():
    """`all` stands for every state that has no delay of its own; factors fall on the state they name."""
    slower = compile_arms([("slower", 1.0, {"all": 0.5, "cart": 2.0}, {"exit": 1.5})])[0]
    assert dict(zip(STATE_NAMES, slower["delay_us"].tolist(), strict=True)) == {
        name: 2_000_000 if name == "cart" else 500_000 for name in STATE_NAMES
    }
    pulls = dict(zip((*STATE_NAMES, EXIT), slower["pull"].tolist(), strict=True))
    assert pulls == {name: 1.5 if name == EXIT else 1.0 for name in pulls}


@pytest.fixture(scope="module")
def loaded(everyday, cards, once):
    """Return one visit each of many shoppers on pages that take their time."""
    return play(World(everyday[0], cards, control_arm(), 98), once(SHOPPERS))


def test_a_technology_is_kept_for_a_while(crowd):
    """Within a visit the network changes on the way far more often than at home."""
    same = np.diff(crowd.events["shopper"]) == 0
    changed = np.diff(crowd.events["network"])[same] != 0
    situation = crowd.events["situation"][1:][same]
    home, commute = (changed[situation == SITUATIONS.index(name)].mean() for name in ("home", "commute"))
    assert commute > 5 * home


def test_a_stay_keeps_its_round_trip(loaded):
    """Round trip and throughput change within a visit only when the phone changes cells, which costs the page time."""
    same = np.diff(loaded.events["shopper"]) == 0
    changed = (np.diff(loaded.events["rtt_ms"])[same] != 0) | (np.diff(loaded.events["down_kbps"])[same] != 0)
    assert (loaded.events["stalled_us"][1:][same][changed] > 0).all()
    assert changed.mean() < 0.5


def test_losses_and_stalls_have_the_shares_of_the_table(loaded):
    """Pages meet lossy bursts and stalls as often as the network table says (five standard errors)."""
    table, first = network_table(), loaded.events[loaded.events["step"] == 0]
    for code, name in enumerate(TECHNOLOGIES):
        mine, share = first[first["network"] == code], table.technologies[name].loss.burst
        assert abs((mine["loss"] > 0).mean() - share) < 5 * np.sqrt(share * (1 - share) / len(mine))
    for code, name in enumerate(SITUATIONS):
        mine, situation = first[first["situation"] == code], table.situations[name]
        if len(mine):
            share = 1 - (1 - situation.stalls.share) * (1 - situation.outage)
            assert abs((mine["stalled_us"] > 0).mean() - share) < 5 * np.sqrt(share * (1 - share) / len(mine))
