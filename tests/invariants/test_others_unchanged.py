"""Law 2: adding a persona, a shopper or a purpose changes nobody else; removing a shopper removes only their rows."""

import numpy as np
import pyarrow as pa
import pytest

from simulator.journey import keys
from simulator.journey.arms import control_arm
from simulator.journey.plan import DAY_US, Plan, calendar_plan
from simulator.journey.tables import Names, events_table, shoppers_table, visits_table
from simulator.model.persona import PopulationSpec
from simulator.model.population import compile_population, name_key
from simulator.page.card import OPERATIONS, service_purpose
from simulator.runfolder.tables import plain
from simulator.worlds.crowd import World, play

SHOPPERS, SEED = 1_500, 17


@pytest.fixture(scope="module")
def tables_of(cards, few):
    """Return a function that plays a week of a population spec and gives its tables in plain words."""

    def played(spec, shoppers=SHOPPERS):
        population, roster = compile_population(spec)
        plan = calendar_plan(population, SEED, 0, few(shoppers), 7 * DAY_US, 0)
        rows, names = play(World(population, cards, control_arm(), SEED), plan), Names(roster, ("control",))
        made = {
            "shoppers": shoppers_table(rows.shoppers, names),
            "visits": visits_table(rows.visits, rows.shoppers, rows.events, names),
            "events": events_table(rows.events, names),
        }
        return {name: plain(table) for name, table in made.items()}

    return played


def of(tables, shoppers):
    """Return the rows of some shoppers in every table."""
    wanted = pa.array(sorted(shoppers))
    return {name: table.filter(pa.compute.is_in(table["shopper"], wanted)) for name, table in tables.items()}


def personas_of(tables):
    """Return each shopper's persona."""
    shoppers = tables["shoppers"]
    return dict(zip(shoppers["shopper"].to_pylist(), shoppers["persona"].to_pylist(), strict=True))


def only(spec, names):
    """Return a population of some of the personas, weights kept."""
    kept = [(p, w) for p, w in zip(spec.personas, spec.weights, strict=True) if p.name in names]
    return PopulationSpec("part", tuple(p for p, _ in kept), tuple(w for _, w in kept))


@pytest.mark.parametrize("newcomer", ["bargain_hunter", "in_store_comparer", "tourist"])
def test_a_new_persona_takes_shoppers_for_itself(newcomer, everybody, tables_of):
    """Adding a persona gives it some shoppers; everybody else keeps persona, device, visits and events, to the byte.

    The newcomer is put first, in the middle and last in the order of names.
    """
    everyone = {persona.name for persona in everybody.personas}
    before = tables_of(only(everybody, everyone - {newcomer}))
    after = tables_of(everybody)
    was, is_ = personas_of(before), personas_of(after)
    moved = {shopper for shopper in was if was[shopper] != is_[shopper]}
    assert moved
    assert {is_[shopper] for shopper in moved} == {newcomer}
    stayed = set(was) - moved
    for name, table in of(before, stayed).items():
        assert table.equals(of(after, stayed)[name]), name


def test_a_removed_persona_leaves_its_shoppers_to_the_others(everybody, tables_of):
    """Removing a persona moves only its own shoppers, to several others."""
    names = {persona.name for persona in everybody.personas}
    before, after = tables_of(everybody), tables_of(only(everybody, names - {"tourist"}))
    was, is_ = personas_of(before), personas_of(after)
    moved = {shopper for shopper in was if was[shopper] != is_[shopper]}
    assert {was[shopper] for shopper in moved} == {"tourist"}
    assert {shopper for shopper in was if was[shopper] == "tourist"} == moved
    for name, table in of(before, set(was) - moved).items():
        assert table.equals(of(after, set(was) - moved)[name]), name


def test_a_larger_weight_only_attracts(everybody, tables_of):
    """Raising one persona's weight moves shoppers to it and none between the others."""
    heavier = PopulationSpec("heavier", everybody.personas, (3.0, *everybody.weights[1:]))
    was, is_ = personas_of(tables_of(everybody)), personas_of(tables_of(heavier))
    moved = {shopper for shopper in was if was[shopper] != is_[shopper]}
    assert moved
    assert {is_[shopper] for shopper in moved} == {everybody.personas[0].name}


def test_a_changed_persona_changes_only_its_own_shoppers(everybody, cards, few):
    """Another hazard of one persona leaves every row of the other personas' shoppers as it was."""
    population, _ = compile_population(everybody)
    nervous = population.personas.copy()
    nervous["hazard_per_s"][3] *= 20
    plan = calendar_plan(population, SEED, 0, few(SHOPPERS), 7 * DAY_US, 0)
    before, after = (
        play(World(population._replace(personas=personas), cards, control_arm(), SEED), plan)
        for personas in (population.personas, nervous)
    )
    one, other = (rows.events[rows.events["persona"] != 3] for rows in (before, after))
    assert one.tobytes() == other.tobytes()
    assert (before.events["persona"] == 3).sum() > (after.events["persona"] == 3).sum()


def test_more_shoppers_come_after_the_others(everybody, tables_of):
    """Adding shoppers adds rows at the end of every table and changes none before."""
    few_, more = tables_of(everybody, 30), tables_of(everybody, 40)
    for name, table in few_.items():
        assert more[name].num_rows > table.num_rows
        assert more[name].slice(0, table.num_rows).equals(table), name


def test_without_one_shopper_only_their_rows_are_gone(everyday, cards, few):
    """Leaving a shopper out of a plan removes their rows and touches no other."""
    population, _ = everyday
    plan = calendar_plan(population, SEED, 0, few(300), 7 * DAY_US, 0)
    world = World(population, cards, control_arm(), SEED)
    whole = play(world, plan)
    for gone in (0, 17, few(300) - 1):
        kept = plan.shopper != gone
        rest = play(world, Plan(*(column[kept] for column in plan)))
        for all_, left in zip(whole, rest, strict=True):
            assert all_[all_["shopper"] != gone].tobytes() == left.tobytes()


def test_visits_may_be_played_in_any_order(everyday, cards, few):
    """Shoppers played in a shuffled order have the same rows."""
    population, _ = everyday
    plan = calendar_plan(population, SEED, 0, few(300), 7 * DAY_US, 0)
    world = World(population, cards, control_arm(), SEED)
    order = np.random.default_rng(3).permutation(few(300))
    place = np.argsort(order)[plan.shopper]
    shuffled = play(world, Plan(*(column[np.argsort(place, kind="stable")] for column in plan)))
    for all_, mixed in zip(play(world, plan), shuffled, strict=True):
        assert all_.tobytes() == mixed[np.argsort(mixed["shopper"], kind="stable")].tobytes()


def test_a_new_purpose_changes_nothing(week, monkeypatch):
    """A purpose is its name's key: registering one more renumbers nothing."""
    before = week(100)
    codes = dict(keys.PURPOSES)
    monkeypatch.setattr(keys, "PURPOSES", dict(codes))
    assert keys.purpose("something new") not in codes.values()
    assert {name: keys.PURPOSES[name] for name in codes} == codes
    assert week(100).events.tobytes() == before.events.tobytes()


def test_a_purpose_that_shares_its_key_is_refused(monkeypatch):
    """Two names with one key would share draws; the second is refused by name."""
    monkeypatch.setattr(keys, "PURPOSES", {"an older name": np.uint64(name_key("think"))})
    with pytest.raises(ValueError, match="purpose think shares its key with another; choose another name"):
        keys.purpose("think")


def test_no_two_draws_share_a_purpose(everybody):
    """Purposes, the personas' and arms' own draws and those of server times have different keys."""
    names = [persona.name for persona in everybody.personas]
    found = [*keys.PURPOSES.values(), *(keys.PERSONA ^ np.uint64(name_key(name)) for name in names)]
    found += [keys.ARM ^ np.uint64(name_key(name)) for name in ("control", "slower", "faster", "variant_b")]
    found += [np.uint64(service_purpose(operation)) for operation in OPERATIONS]
    assert len({int(code) for code in found}) == len(found)
