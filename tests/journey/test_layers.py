"""The layers on every shopper: how they came, what their phone can do, their opt-ins, and what they are worth."""

import numpy as np
import pytest
from scipy import stats

from simulator.journey import keys
from simulator.journey.closed_form import device_abilities, expectations
from simulator.journey.kernel import S, first_flags
from simulator.journey.keys import NOWHERE, PAST_ORDER, four_uniforms, philox4x32, uniform
from simulator.journey.plan import draw_shoppers
from simulator.journey.records import SHOPPER
from simulator.journey.shopper import visit_channel
from simulator.journey.tables import Names, shoppers_table, visits_table
from simulator.model.distributions import DIST, Constant, TableBook
from simulator.model.population import compile_population
from simulator.model.schema import CHANNELS, CONSENTS
from simulator.model.states import FLAGS, STATE_INDEX, STATE_NAMES

LEVEL = 1e-4
"""Each comparison fails by chance once in 10,000 seeds."""
ERRORS = stats.norm.isf(LEVEL / 2)
SHOPPERS = 60_000
EMAIL, PUSH = CHANNELS.index("email"), CHANNELS.index("push")


@pytest.fixture(scope="module")
def compiled(everybody):
    """Return all shipped personas compiled together, with their names."""
    return compile_population(everybody)


@pytest.fixture(scope="module")
def drawn(compiled, few):
    """Return the shoppers of a seed."""
    return draw_shoppers(compiled[0], 7, 0, few(SHOPPERS))


@pytest.fixture(scope="module")
def of_persona(everybody, compiled, drawn):
    """Return (file, index, shoppers) of each persona."""
    by_name = {persona.name: persona.spec for persona in everybody.personas}
    return [(by_name[name], i, drawn[drawn["persona"] == i]) for i, name in enumerate(compiled[1].personas)]


def near_share(found, expected):
    """Assert that the mean of yes and no is the expected share."""
    allowed = ERRORS * np.sqrt(expected * (1 - expected) / len(found))
    assert abs(found.mean() - expected) <= allowed, f"{found.mean()} against {expected}"


def test_four_draws_are_the_words_of_one_block():
    """`four_uniforms` gives the four words of one Philox block, each in the middle of its 2^-32."""
    words = philox4x32(*(np.uint64(word) for word in (5, 0, 3, int(PAST_ORDER), 9, 0)))
    assert four_uniforms(9, 5, 3, PAST_ORDER) == tuple((float(word) + 0.5) / 2**32 for word in words)


def test_opt_ins_and_known_shoppers_have_their_shares(of_persona):
    """E-mail consent, and who was here before, come as often as each persona's file says."""
    for spec, _, mine in of_persona:
        near_share(mine["email"], spec.consent.email)
        near_share(mine["tenure_days"] > 0, spec.history.known)


def test_features_need_a_phone_that_has_them(compiled, drawn, of_persona):
    """Nobody uses what their phone cannot do, and of those who could as many do as the file says."""
    population = compiled[0]
    for name, share in (("biometric", lambda s: s.features.biometric.enrolled), ("ar", lambda s: s.features.ar.uses)):
        can = population.devices[name][drawn["device"]] > 0
        assert not drawn[name][~can].any()
        for spec, index, mine in of_persona:
            near_share(mine[name][can[drawn["persona"] == index]], share(spec))


def test_device_abilities_are_those_of_the_phones_drawn(compiled, of_persona):
    """The closed form knows how many of a persona's phones can do what."""
    population = compiled[0]
    for _, index, mine in of_persona:
        shares = device_abilities(population, index)
        assert sum(shares.values()) == pytest.approx(1.0)
        able = population.devices[mine["device"]]
        for (ar, biometric), share in shares.items():
            near_share((able["ar"] == ar) & (able["biometric"] == biometric), share)


def test_email_and_push_bring_only_who_opted_in(drawn):
    """Nobody's first channel is one they did not opt in to."""
    assert (drawn["email"][drawn["channel"] == EMAIL] == 1).all()
    assert (drawn["push"][drawn["channel"] == PUSH] == 1).all()


def test_channels_come_by_weight(of_persona):
    """Within each pair of opt-ins, first channels have the file's weights among those that are open (chi-square)."""
    for spec, _, mine in of_persona:
        for email, push in ((0, 0), (0, 1), (1, 0), (1, 1)):
            some = mine[(mine["email"] == email) & (mine["push"] == push)]
            open_to = {"email": email, "push": push}
            weights = [spec.acquisition.channels.get(name, 0.0) * open_to.get(name, 1) for name in CHANNELS]
            expected = np.array(weights) / sum(weights) * len(some)
            counts = np.bincount(some["channel"], minlength=len(CHANNELS))
            assert not counts[expected == 0].any()
            if len(some) > 500:
                assert stats.chisquare(counts[expected > 0], expected[expected > 0]).pvalue > LEVEL


def test_campaign_response_has_its_distribution(of_persona):
    """Campaign response lies in 0 to 1 and follows the persona's distribution (Kolmogorov-Smirnov)."""
    for spec, _, mine in of_persona:
        response = mine["campaign_response"]
        assert ((response >= 0) & (response <= 1)).all()
        assert stats.kstest(response, spec.acquisition.campaign_response.exact().cdf).pvalue > LEVEL


def test_tenure_has_its_distribution(of_persona):
    """The tenure of who was here before follows the persona's distribution, between its clips."""
    for spec, _, mine in of_persona:
        tenure = mine["tenure_days"][mine["tenure_days"] > 0]
        low, high = (bound / 86_400 for bound in spec.history.tenure.bounds())
        assert ((tenure >= low * (1 - 1e-12)) & (tenure <= high * (1 + 1e-12))).all()
        for share in (0.25, 0.5, 0.9):
            if len(tenure):
                near_share(tenure <= spec.history.tenure.quantile(share) / 86_400, share)


def channel_of(persona, shopper, visit):
    """Return the channel of a shopper's visit."""
    u = uniform(7, int(shopper["shopper"]), visit, NOWHERE, 0, keys.VISIT_CHANNEL)
    return visit_channel(persona, shopper, visit, u)


def test_first_visits_come_by_the_shopper_s_own_channel(compiled, drawn):
    """Who was never here comes first by the channel that found them; every other visit by the returning mix."""
    population = compiled[0]
    later = np.zeros((4, len(CHANNELS)))
    for shopper in drawn[:3_000]:
        persona = population.personas[shopper["persona"]]
        first, second = (channel_of(persona, shopper, visit) for visit in (0, 1))
        if shopper["tenure_days"] == 0:
            assert first == shopper["channel"]
        later[shopper["email"] + 2 * shopper["push"], second] += 1
    assert later[:, [EMAIL, PUSH]].astype(bool).tolist() == [[0, 0], [1, 0], [0, 1], [1, 1]]


def test_returning_visits_have_the_returning_mix(compiled, drawn):
    """Later visits of shoppers with both opt-ins have the file's own weights (chi-square)."""
    population = compiled[0]
    both = drawn[(drawn["email"] == 1) & (drawn["push"] == 1)][:4_000]
    index = np.bincount(both["persona"]).argmax()
    mine, persona = both[both["persona"] == index], population.personas[index]
    counts = np.bincount([channel_of(persona, shopper, 3) for shopper in mine], minlength=len(CHANNELS))
    expected = np.diff(persona["returning_cdf"][3], prepend=0.0) * len(mine)
    assert not counts[expected == 0].any()
    assert stats.chisquare(counts[expected > 0], expected[expected > 0]).pvalue > LEVEL


def test_visits_say_whether_they_return_and_how_they_came(week, everyday):
    """A visit returns when the shopper was known or it is not their first; its channel respects the opt-ins."""
    rows = week(2_000)
    names = Names(everyday[1], ("control",))
    shoppers = {row["shopper"]: row for row in shoppers_table(rows.shoppers, names).to_pylist()}
    visits = visits_table(rows.visits, rows.shoppers, rows.events, names).to_pylist()
    for visit in visits:
        shopper = shoppers[visit["shopper"]]
        assert visit["returning"] == (shopper["tenure_days"] > 0 or visit["visit"] > 0)
        assert shopper["email"] or visit["channel"] != "email"
        assert shopper["push"] or visit["channel"] != "push"
        if not visit["returning"]:
            assert visit["channel"] == shopper["channel"]
    assert {visit["returning"] for visit in visits} == {True, False}
    assert {"email", "push", "organic", "direct"} <= {visit["channel"] for visit in visits}


def test_opting_in_changes_no_other_trait(compiled):
    """With everybody's e-mail consent taken away, nothing of a shopper changes but it, and the channel of some."""
    population = compiled[0]
    personas = population.personas.copy()
    personas["consent"][:, CONSENTS.index("email")] = 0.0
    before, after = (draw_shoppers(p, 7, 0, 3_000) for p in (population, population._replace(personas=personas)))
    for name in set(SHOPPER.names) - {"email", "channel"}:
        assert np.array_equal(before[name], after[name]), name
    same = before["email"] == 0
    assert np.array_equal(before["channel"][same], after["channel"][same])
    assert not after["email"].any()


@pytest.mark.parametrize(
    ("trait", "flag"),
    [
        ("logged_in", "logged_in"),
        ("location", "location_shared"),
        ("personalization", "personalization_allowed"),
        ("push", "push_allowed"),
        ("ar", "ar_capable"),
        ("biometric", "biometric_enrolled"),
    ],
)
def test_a_visit_begins_with_the_flags_of_its_shopper(trait, flag):
    """Each trait sets its flag and no other."""
    shopper = np.zeros(1, SHOPPER)
    assert first_flags(shopper[0]) == 0
    shopper[trait] = 1
    assert first_flags(shopper[0]) == FLAGS[flag]


@pytest.mark.parametrize(
    ("state", "flag"), [("content", "push_allowed"), ("ar_preview", "ar_capable"), ("biometric_login", None)]
)
def test_the_closed_form_mixes_over_features(compiled, drawn, state, flag):
    """A state behind a feature is entered by as many visits, in theory, as there are shoppers who have the feature."""
    population, roster = compiled
    index = roster.personas.index("tourist")
    personas = population.personas.copy()
    one = personas[index]
    one["entry"], one["transition"] = 0.0, 0.0
    one["entry"][STATE_INDEX["product"]] = 1.0
    one["transition"][:, S] = 1.0
    one["transition"][STATE_INDEX["product"]] = [float(name == state) for name in STATE_NAMES] + [0.0]
    one["logged_in"] = 0.0
    if flag:
        one["needs"][STATE_INDEX[state]] |= FLAGS[flag]
    one["think"] = np.array([TableBook().row(Constant(dist="constant", value=1))], DIST)
    theory = expectations(population._replace(personas=personas), index)
    mine = drawn[drawn["persona"] == index]
    trait = {"content": "push", "ar_preview": "ar", "biometric_login": "biometric"}[state]
    near_share(mine[trait], theory.visits[state])
    assert theory.visits[state] > 0


def test_lifetime_value_is_the_documented_sum(drawn):
    """Past spend and 365 days more of the shopper's own rate of orders at their own mean value."""
    weeks = 365 / 7
    assert np.allclose(
        drawn["lifetime_value_cents"] - drawn["past_spend_cents"],
        drawn["orders_per_year"] * drawn["basket_cents"],
        atol=0.51,
    )
    assert (drawn["orders_per_year"] <= drawn["visits_per_week"] * weeks).all()
