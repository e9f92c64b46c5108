"""A population compiled to arrays says what its files say."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from simulator.model.compiled import Row, record_dtype
from simulator.model.devices import device_table
from simulator.model.persona import PopulationSpec, load_persona, load_population
from simulator.model.places import city_table
from simulator.model.population import compile_population, cumulative, frailty, name_key
from simulator.model.schema import CATEGORIES, CONSENTS, SITUATIONS, TECHNOLOGIES
from simulator.model.states import EXIT, FLAGS, STATE_INDEX, STATE_NAMES, STATES, bits, guard_bits


def test_rows_are_the_files_rows(everybody):
    """Transitions, entries, consent, loyalty and patience of each persona arrive in the arrays as written."""
    population, roster = compile_population(everybody)
    assert roster.personas == tuple(persona.name for persona in everybody.personas)
    for row, persona in zip(population.personas, everybody.personas, strict=True):
        spec = persona.spec
        for state, out in spec.journey.rows.items():
            expected = [out.get(name, 0.0) for name in (*STATE_NAMES, EXIT)]
            assert row["transition"][STATE_INDEX[state]] == pytest.approx(expected)
        assert row["entry"] == pytest.approx([spec.journey.entry.get(name, 0.0) for name in STATE_NAMES])
        assert row["consent"].tolist() == [getattr(spec.consent, name) for name in CONSENTS]
        assert (row["member"], row["logged_in"]) == (spec.loyalty.member, spec.loyalty.logged_in)
        assert (row["patience_shape"], row["feedback"]) == (spec.patience.shape, spec.patience.feedback)
        assert row["key"] == name_key(persona.name)


def test_stages_scale_hazards_and_put_off(everybody):
    """A state's hazard and weight of being put off are the persona's, times its stage's factor."""
    population, _ = compile_population(everybody)
    for row, persona in zip(population.personas, everybody.personas, strict=True):
        patience, put_off = persona.spec.patience, persona.spec.put_off
        for index, state in enumerate(STATES):
            assert row["hazard_per_s"][index] == pytest.approx(
                patience.hazard_per_s * patience.by_stage.get(state.stage, 1.0)
            )
            assert row["put_off"][index] == pytest.approx(put_off.per_log_load * put_off.by_stage.get(state.stage, 1.0))


def test_guards_of_a_file_come_on_top(persona_file):
    """A persona's guards add to the states' own and never take one away."""
    path = persona_file(
        "persona: mine\ndescribe: x\nextends: base_mobile\n"
        "journey: {guards: {checkout: [logged_in], offers: [not_location_shared]}}\n"
    )
    row = compile_population(PopulationSpec("p", (load_persona(path),), (1.0,)))[0].personas[0]
    assert row["needs"][STATE_INDEX["checkout"]] == FLAGS["cart_not_empty"] | FLAGS["logged_in"]
    assert row["forbids"][STATE_INDEX["offers"]] == FLAGS["location_shared"]
    assert row["needs"][STATE_INDEX["purchase"]] == FLAGS["paid"]


def test_the_states_own_guards_keep_causal_order():
    """Purchase needs payment, payment checkout, checkout a cart and adding a product seen; bits do not overlap."""
    needs = {state.name: state.needs for state in STATES}
    assert needs["purchase"] == ("paid",)
    assert {"checked_out", "cart_not_empty"} == set(needs["payment"])
    assert needs["checkout"] == ("cart_not_empty",)
    assert needs["add_to_cart"] == ("item_seen",)
    assert sum(FLAGS.values()) == bits(list(FLAGS)) == 2 ** len(FLAGS) - 1
    assert guard_bits(["paid", "not_logged_in"]) == (FLAGS["paid"], FLAGS["logged_in"])


@pytest.mark.parametrize(
    ("weights", "shares"),
    [
        ([1, 1, 2], [0.25, 0.5, 1.0]),
        ([0, 3, 0, 1, 0], [0.0, 0.75, 0.75, 1.0, 1.0]),
        ([0.1] * 10, None),
        ([0, 0], [1.0, 1.0]),
        ([1e-300, 1e300], [0.0, 1.0]),
    ],
)
def test_cumulative_shares_end_at_one(weights, shares):
    """Cumulative shares never fall, end at exactly 1, and give nothing to what has no weight."""
    found = cumulative(weights)
    assert found[-1] == 1.0
    assert (np.diff(found) >= 0).all()
    assert shares is None or found == pytest.approx(shares)


def test_cities_of_a_country_share_by_inhabitants(everyday):
    """A persona's countries have the shares of its file, whatever the size of their cities."""
    population, roster = everyday
    index = roster.personas.index("tourist")
    shares = np.diff(population.city_cdf[index], prepend=0.0)
    norway = population.cities["country"] == roster.countries.index("NO")
    spec = next(p.spec for p in load_population("everyday").personas if p.name == "tourist")
    weights = spec.place.countries
    assert shares[norway].sum() == pytest.approx(weights["NO"] / sum(weights.values()))


def city_shares(persona_file, place):
    """Return the share of each city, by name, of a persona with this place section."""
    path = persona_file(f"persona: mine\ndescribe: x\nextends: base_mobile\nplace: {place}\n")
    population, roster = compile_population(PopulationSpec("p", (load_persona(path),), (1.0,)))
    return dict(zip(roster.cities, np.diff(population.city_cdf[0], prepend=0.0).tolist(), strict=True))


def test_named_cities_share_their_country(persona_file):
    """Named cities have their country's weight by their own; in other countries inhabitants decide as ever."""
    named = city_shares(persona_file, "{countries: {DE: 3, FR: 1, US: 0, GB: 0}, cities: {Berlin: 5, 'Munich, DE': 2}}")
    usual = city_shares(persona_file, "{countries: {DE: 3, FR: 1, US: 0, GB: 0}}")
    assert (named["Berlin"], named["Munich"]) == pytest.approx((0.75 * 5 / 7, 0.75 * 2 / 7))
    french = [city.name for city in city_table() if city.country == "FR"]
    assert [named[name] for name in french] == pytest.approx([usual[name] for name in french])
    assert sum(named.values()) == pytest.approx(named["Berlin"] + named["Munich"] + 0.25)


def test_towns_have_their_share(persona_file):
    """Of a country with towns, places below 50,000 inhabitants have their share; within it inhabitants decide."""
    share = city_shares(persona_file, "{countries: {DE: 1, FR: 1, US: 0, GB: 0}, towns: {DE: 80%}}")
    towns = {city.name: city.population for city in city_table() if city.country == "DE" and city.population < 50_000}
    assert len(towns) == 8
    assert sum(share[name] for name in towns) == pytest.approx(0.4)
    for name, population in towns.items():
        assert share[name] == pytest.approx(0.4 * population / sum(towns.values()))
    assert share["Berlin"] / share["Hamburg"] == pytest.approx(
        next(c.population for c in city_table() if c.name == "Berlin")
        / next(c.population for c in city_table() if c.name == "Hamburg")
    )


def test_cities_are_replaced_whole(persona_file):
    """A child's cities replace its parent's: half of an old mix and half of a new one is neither."""
    persona_file(
        "persona: parent\ndescribe: x\nextends: base_mobile\nplace: {countries: {DE: 1}, cities: {Berlin: 1}}\n",
        "parent.yaml",
    )
    path = persona_file("persona: mine\ndescribe: x\nextends: parent\nplace: {cities: {Hamburg: 2}}\n")
    assert load_persona(path).spec.place.cities == {"Hamburg": 2}


def test_devices_follow_country_and_system(everyday, everybody):
    """In every country the share of iOS is the table's, or the persona's own, whatever the tiers."""
    population, roster = everyday
    ios = population.devices["is_ios"] == 1
    systems = {persona.name: persona.spec.device.os for persona in everybody.personas}
    for persona, name in enumerate(roster.personas):
        for code, country in enumerate(roster.countries):
            own = systems[name]
            expected = device_table().ios_in(country) if isinstance(own, str) else own["ios"] / sum(own.values())
            shares = np.diff(population.device_cdf[persona, code], prepend=0.0)
            assert shares.sum() == pytest.approx(1.0)
            assert shares[ios].sum() == pytest.approx(expected), (name, country)


def test_mixes_are_cumulative(everyday):
    """Situations, technologies, categories and hours are cumulative shares that end at 1."""
    for name, length in (("situation_cdf", len(SITUATIONS)), ("category_cdf", len(CATEGORIES)), ("hour_cdf", 24)):
        column = everyday[0].personas[name]
        assert column.shape[1] == length
        assert (column[:, -1] == 1.0).all()
    assert everyday[0].personas["stay_cdf"].shape[1:] == (len(SITUATIONS), len(TECHNOLOGIES) + 1)


def test_frailty_has_mean_one():
    """Whatever its variance, frailty leaves the mean hazard; without variance everybody is alike."""
    for variance in (0.1, 0.5, 2.0):
        assert frailty(variance).mean() == pytest.approx(1.0)
        assert frailty(variance).exact().var() == pytest.approx(variance)
    assert frailty(0.0).mean() == 1.0


@pytest.mark.parametrize("offset_h", [0, 9, -8])
def test_the_reference_is_an_instant(offset_h):
    """However its offset is written, the same reference instant gives the same cities."""
    spec = load_population("everyday")
    instant = datetime(2026, 7, 1, 12, tzinfo=UTC)
    moved = instant.astimezone(timezone(timedelta(hours=offset_h)))
    one, other = (compile_population(spec, at)[0].cities for at in (instant, moved))
    assert one.tobytes() == other.tobytes()


def test_the_order_in_a_file_does_not_matter(persona_file):
    """Personas are compiled in the order of their names, whatever the order of the file."""
    text = "population: p\ndescribe: x\npersonas: {%s}\n"
    orders = ("tourist: 1, bargain_hunter: 2", "bargain_hunter: 2, tourist: 1")
    made = [compile_population(load_population(str(persona_file(text % order, "p.yaml")))) for order in orders]
    assert made[0][1] == made[1][1]
    for one, other in zip(made[0][0], made[1][0], strict=True):
        assert one.tobytes() == other.tobytes()


def test_a_row_reads_like_compiled_code():
    """Fields called like numpy's own attributes are fields, and numbers come with 64 bits, as in compiled code."""
    dtype = record_dtype([("device", "i2"), ("flags", "u4"), ("shape", "f4"), ("count", "i8", (3,))])
    row = np.zeros(1, dtype)[0]
    row.device, row.flags, row.shape = 30_000, 2**32 - 1, 0.1
    row.count[1] = 5
    assert isinstance(row, Row)
    assert row.device * 2 == 60_000
    assert row.flags + 1 == 2**32
    assert row.shape == float(np.float32(0.1))
    assert isinstance(row.shape, float)
    assert row.count.tolist() == [0, 5, 0]
    with pytest.raises(AttributeError):
        _ = row.nothing
