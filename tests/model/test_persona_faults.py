"""Faulty persona and population files: all faults at once, each with its line, in full text."""

import json

import pytest

from simulator.model import states
from simulator.model.faults import FileFaults
from simulator.model.persona import find_persona, load_persona, load_population

STATES = ", ".join(states.STATE_NAMES)
GUARDS = ", ".join(states.GUARDS)
MINE = "persona: mine\ndescribe: for a test\nextends: base_mobile\n"


@pytest.fixture
def said(persona_file, monkeypatch, tmp_path):
    """Return a function that reads files and gives the lines that are said of the last."""
    monkeypatch.chdir(tmp_path)

    def of(text, *, load=load_persona, **files):
        for name, content in files.items():
            persona_file(content, f"{name}.yaml")
        with pytest.raises(FileFaults) as error:
            load(persona_file(text))
        return str(error.value).splitlines()

    return of


ONE_FAULT = {
    "an unknown key": (
        "patience:\n  shap: 2\n",
        (
            "mine.yaml:5: patience.shap is not a known key, allowed are evidence, hazard_per_s, shape, "
            "frailty_variance, feedback, by_stage, error_exit. Hint: did you mean shape?"
        ),
    ),
    "an unknown section": (
        "jurney: {}\n",
        (
            "mine.yaml:4: jurney is not a known key, allowed are evidence, persona, describe, place, device, network, "
            "arrivals, tempo, patience, put_off, budget, affinity, consent, loyalty, acquisition, features, history, "
            "journey. "
            "Hint: did you mean journey?"
        ),
    ),
    "a row without its exit": (
        "journey:\n  rows:\n    cart: {checkout: 0.45, home: 0.5}\n",
        "mine.yaml:6: journey.rows.cart sums to 0.95, must be 1. Hint: did you forget exit?",
    ),
    "a row of too much": (
        "journey:\n  rows:\n    cart: {checkout: 0.65, exit: 0.5}\n",
        "mine.yaml:6: journey.rows.cart sums to 1.15, must be 1",
    ),
    "entries of too little": (
        "journey:\n  entry: {home: 0.5}\n",
        "mine.yaml:5: journey.entry sums to 0.5, must be 1",
    ),
    "a state that is none": (
        "journey:\n  rows:\n    home: {serch: 0.5, exit: 0.5}\n",
        (
            f"mine.yaml:6: journey.rows.home.serch is not a state or exit, allowed are {STATES}, exit. "
            "Hint: did you mean search?"
        ),
    ),
    "an entry that leaves": (
        "journey:\n  entry: {home: 0.5, exit: 0.5}\n",
        f"mine.yaml:5: journey.entry.exit is not a state, allowed are {STATES}",
    ),
    "a state without a way out": (
        "journey:\n  rows:\n    category: {category: 1.0}\n",
        (
            "mine.yaml:6: journey.rows.category never reaches exit, every state needs a path to exit. "
            "Hint: give some row an exit"
        ),
    ),
    "a state without a row": (
        "journey:\n  rows:\n    search: null\n",
        "mine.yaml:5: journey.rows has no row for search, every state that can be entered needs a row",
    ),
    "a guard that is none": (
        "journey:\n  guards:\n    offers: [not_logged_in, location_share]\n",
        (
            f"mine.yaml:6: journey.guards.offers.1 is location_share, allowed are {GUARDS}. "
            "Hint: did you mean location_shared?"
        ),
    ),
    "guards of no state": (
        "journey:\n  guards: {ofers: [paid]}\n",
        f"mine.yaml:5: journey.guards.ofers is not a state, allowed are {STATES}. Hint: did you mean offers?",
    ),
    "a quantity without its unit": (
        "put_off:\n  tau: 3\n",
        "mine.yaml:5: put_off.tau is 3, must be a duration with its unit: us, ms, s, min, h, d or w, as 400ms",
    ),
    "a share beyond 100 %": (
        "consent: {push: 140%}\n",
        "mine.yaml:4: consent.push is '140%', must be a share from 0 to 1, or 0% to 100%",
    ),
    "a negative hazard": (
        "patience: {hazard_per_s: -1}\n",
        "mine.yaml:4: patience.hazard_per_s is -1, Input should be greater than or equal to 0",
    ),
    "no number": (
        "patience: {hazard_per_s: .nan}\n",
        "mine.yaml:4: patience.hazard_per_s is nan, Input should be a finite number",
    ),
    "a country without cities": (
        "place: {countries: {XX: 1.0, NO: 0}}\n",
        (
            "mine.yaml:4: place.countries.XX is not a country of the place table, allowed are AU, BR, CA, CH, DE, ES, "
            "FR, "
            "GB, ID, IE, IN, IT, JP, KE, KR, MX, NG, NL, NO, PL, SE, TR, US, ZA"
        ),
    ),
    "a channel that is none": (
        "acquisition:\n  channels: {organik: 1.0, direct: 1.0}\n",
        (
            "mine.yaml:5: acquisition.channels.organik is not a channel, allowed are organic, direct, paid_search, "
            "social, email, push, affiliate, referral. Hint: did you mean organic?"
        ),
    ),
    "returning by no channel": (
        "acquisition:\n  returning: {direct: 0}\n",
        "mine.yaml:5: acquisition.returning has no weight above zero, one is needed",
    ),
    "a campaign response beyond 1": (
        "acquisition:\n  campaign_response: {dist: uniform, low: 0, high: 1.5}\n",
        (
            "mine.yaml:5: acquisition.campaign_response has values from 0 to 1.5, all values must lie from 0 to 1. "
            "Hint: give it a clip"
        ),
    ),
    "a feature that is none": (
        "features: {biometrics: {enrolled: 0.5}}\n",
        (
            "mine.yaml:4: features.biometrics is not a known key, allowed are evidence, biometric, ar, push, support. "
            "Hint: did you mean biometric?"
        ),
    ),
    "more than everybody enrolled": (
        "features: {biometric: {enrolled: 120%}}\n",
        "mine.yaml:4: features.biometric.enrolled is '120%', must be a share from 0 to 1, or 0% to 100%",
    ),
    "a negative tenure": (
        "history:\n  tenure: {dist: uniform, low: -3d, high: 30d}\n",
        (
            "mine.yaml:5: history.tenure has values from -259200 to 2.592e+06, no value may be below 0. "
            "Hint: give it a clip"
        ),
    ),
    "a negative basket": (
        "history:\n  basket: {dist: constant, value: -5}\n",
        "mine.yaml:5: history.basket has values from -5 to -5, no value may be below 0. Hint: give it a clip",
    ),
    "a payment that leads nowhere": (
        "journey:\n  rows:\n    payment: {exit: 1.0}\n",
        (
            "mine.yaml:6: journey.rows.payment never leads to purchase, so that no visit can come to purchase, an "
            "order needs product, add_to_cart, checkout, payment and purchase one after another. Hint: write "
            "journey.buys: never if nobody of this kind shall buy"
        ),
    ),
    "an order closed by a consent that nobody gives": (
        (
            "consent: {location: 0}\njourney:\n  guards: {checkout: [location_shared]}\n"
            "  rows:\n    add_to_cart: {checkout: 0.5, exit: 0.5}\n"
        ),
        (
            "mine.yaml:8: journey.rows.add_to_cart never leads to checkout, so that no visit can come to purchase, an "
            "order needs product, add_to_cart, checkout, payment and purchase one after another. Hint: write "
            "journey.buys: never if nobody of this kind shall buy"
        ),
    ),
    "an order that was not to be": (
        "journey: {buys: never}\n",
        (
            "mine.yaml:4: journey.buys is never, though visits can come to purchase, it must be possible, or no row "
            "may lead there"
        ),
    ),
    "members' pages without a way to log in": (
        (
            "loyalty: {logged_in: 0}\njourney:\n  entry: {rewards: 0.1, home: 0.9}\n"
            "  rows: {rewards: {exit: 1.0}, home: {product: 1.0}, product: {add_to_cart: 0.5, exit: 0.5}, "
            "cart: {checkout: 0.5, exit: 0.5}, checkout: {payment: 0.5, exit: 0.5}, search: {exit: 1.0}, "
            "category: {exit: 1.0}, add_to_cart: {cart: 1.0}, payment: {purchase: 1.0}, purchase: {exit: 1.0}}\n"
        ),
        (
            "mine.yaml:6: journey.entry.rewards can never be entered: it needs logged_in, no visit that could go there "
            "does. Hint: logged_in comes from login and biometric_login and loyalty.logged_in"
        ),
    ),
    "a guard of members only where nobody logs in": (
        (
            "loyalty: {logged_in: 0}\njourney:\n  guards: {home: [logged_in]}\n"
            "  rows: {search: {product: 1.0}, category: {product: 1.0}, cart: {checkout: 0.5, home: 0.1, exit: 0.4}, "
            "checkout: {payment: 1.0}, product: {add_to_cart: 0.5, exit: 0.5}}\n"
        ),
        (
            "mine.yaml:6: journey.guards.home can never be entered: it needs logged_in, no visit that could go there "
            "does. Hint: logged_in comes from login and biometric_login and loyalty.logged_in"
        ),
    ),
    "guards that exclude each other": (
        "journey:\n  guards: {offers: [push_allowed, not_push_allowed]}\n",
        (
            "mine.yaml:5: journey.guards.offers needs push_allowed and not_push_allowed at once, no visit has and "
            "lacks the same. Hint: leave one of them out"
        ),
    ),
    "a guard against the state's own": (
        "journey:\n  guards: {purchase: [not_paid]}\n",
        (
            "mine.yaml:5: journey.guards.purchase needs paid and not_paid at once, no visit has and lacks the same. "
            "Hint: leave one of them out"
        ),
    ),
    "a negative think time": (
        "tempo: {home: {dist: uniform, low: -2s, high: 3s}}\n",
        "mine.yaml:4: tempo.home is {'dist': 'uniform', 'low': '-2s', 'high': '3s'}, no value may be below zero",
    ),
    "a clip below zero": (
        "tempo: {home: {dist: lognormal, median: 2s, p90: 3s, clip: [-2s, -1s]}}\n",
        (
            "mine.yaml:4: tempo.home is {'dist': 'lognormal', 'median': '2s', 'p90': '3s', 'clip'…, no value may be "
            "below zero"
        ),
    ),
    "fewer than no visits": (
        "arrivals: {visits_per_week: {dist: constant, value: -1}}\n",
        "mine.yaml:4: arrivals.visits_per_week is {'dist': 'constant', 'value': -1}, no value may be below zero",
    ),
    "a negative budget": (
        "budget: {time: {dist: constant, value: -5min}}\n",
        "mine.yaml:4: budget.time is {'dist': 'constant', 'value': '-5min'}, no value may be below zero",
    ),
    "price above everything": (
        "affinity: {price_sensitivity: {dist: lognormal, median: 2, p90: 9}}\n",
        (
            "mine.yaml:4: affinity.price_sensitivity has values from 0 to inf, all values must lie from 0 to 1. "
            "Hint: give it a clip"
        ),
    ),
    "a city that does not exist": (
        "place: {countries: {CH: 1}, cities: {Zurick: 1}}\n",
        (
            "mine.yaml:4: place.cities.Zurick is not a city of the place table, there are CH: Zürich, Geneva, Basel, "
            "Lausanne, Bern, Winterthur, Luzern. Hint: did you mean Zürich?"
        ),
    ),
    "a city of another country": (
        "place: {countries: {CH: 1}, cities: {Oslo: 1}}\n",
        "mine.yaml:4: place.cities.Oslo is in NO, that country has no weight in place.countries",
    ),
    "cities without a weight": (
        'place: {countries: {CH: 1}, cities: {"Bern, CH": 0}}\n',
        "mine.yaml:4: place.cities has no weight above zero for CH, one is needed. Hint: leave its cities out",
    ),
    "towns where the table has none": (
        "place: {countries: {CH: 1, US: 1}, towns: {CH: 20%, US: 20%}}\n",
        ("mine.yaml:4: place.towns.CH has no place below 50,000 inhabitants in the table, only DE, GB, IE, US have"),
    ),
    "towns of nobody": (
        "place: {countries: {CH: 1}, towns: {US: 20%}}\n",
        (
            "mine.yaml:4: place.towns.US has no weight in place.countries, only countries that shoppers come from can "
            "be named"
        ),
    ),
    "towns beside cities": (
        "place: {countries: {DE: 1}, towns: {DE: 20%}, cities: {Berlin: 1}}\n",
        "mine.yaml:4: place.towns.DE has its cities named too, a country has either. Hint: leave one of them out",
    ),
    "more than everybody in towns": (
        "place: {countries: {DE: 1}, towns: {DE: 120%}}\n",
        "mine.yaml:4: place.towns.DE is '120%', must be a share from 0 to 1, or 0% to 100%",
    ),
    "a negative system": (
        "device: {os: {ios: -2, android: 3}}\n",
        "mine.yaml:4: device.os.ios is -2, Input should be greater than or equal to 0",
    ),
    "no weight at all": (
        "device: {tier: {low: 0, mid: 0}}\n",
        "mine.yaml:4: device.tier has no weight above zero, one is needed",
    ),
    "an unknown system": (
        "device: {os: {symbian: 1}}\n",
        "mine.yaml:4: device.os.symbian is not an operating system, allowed are android, ios",
    ),
    "a situation without its mix": (
        "network:\n  mix: {work: null}\n",
        "mine.yaml:5: network.mix.work is missing, every situation with a weight needs its mix",
    ),
    "an unknown technology": (
        "network:\n  mix:\n    home: {wifi: 0.5, 4g: 0.5}\n",
        "mine.yaml:6: network.mix.home.4g is not a technology, allowed are wifi, 5g, lte, hspa",
    ),
    "hours of a short day": (
        "arrivals: {hours: [1, 2]}\n",
        "mine.yaml:4: arrivals.hours is [1, 2], List should have at least 24 items after validation, not 2",
    ),
    "a section that is none": ("journey: 3\n", "mine.yaml:4: journey is 3, must be a mapping of keys to values"),
    "a deleted section": ("loyalty: null\n", "mine.yaml:4: loyalty is missing, this key is required"),
    "an edge from no state": (
        "tempo: {produkt > cart: {dist: constant, value: 3s}}\n",
        (
            "mine.yaml:4: tempo.produkt > cart has produkt, which is not a state, allowed are "
            f"{STATES}. Hint: did you mean product?"
        ),
    ),
    "an edge to no state": (
        "tempo: {product > crat: {dist: constant, value: 3s}}\n",
        (
            "mine.yaml:4: tempo.product > crat has crat, which is not a state or exit, allowed are "
            f"{STATES}, exit. Hint: did you mean cart?"
        ),
    ),
    "an edge that no journey has": (
        "tempo: {product > purchase: {dist: constant, value: 3s}}\n",
        (
            "mine.yaml:4: tempo.product > purchase is an edge that the journey does not have, each must have a "
            "probability. Hint: give journey.rows.product a probability of purchase, or leave this think time out"
        ),
    ),
    "a deleted default": (
        "tempo: {default: null, cart: null}\n",
        "mine.yaml:4: tempo.default is missing, states without their own think time need it",
    ),
}
"""What is wrong: a file that extends base_mobile, and the one sentence said of it."""

DISTRIBUTIONS = {
    "an unknown kind": (
        "{dist: lognorm, median: 3s}",
        (
            ".dist is lognorm, allowed are constant, uniform, exponential, lognormal, weibull, gamma, beta. "
            "Hint: did you mean lognormal?"
        ),
    ),
    "a misspelt parameter": (
        "{dist: constant, value: 3s, valu: 4s}",
        ".valu is not a known key, allowed are clip, evidence, dist, value. Hint: did you mean value?",
    ),
    "a missing parameter": ("{dist: constant}", ".value is missing, this key is required"),
    "too few parameters": (
        "{dist: lognormal, median: 3s}",
        " is {'dist': 'lognormal', 'median': '3s'}, needs either p90 or sigma beside the median",
    ),
    "too many parameters": (
        "{dist: weibull, shape: 1, scale: 3, median: 2}",
        " is {'dist': 'weibull', 'shape': 1, 'scale': 3, 'median': 2}, needs either median or scale beside the shape",
    ),
    "a p90 below the median": (
        "{dist: lognormal, median: 3s, p90: 1s}",
        " is {'dist': 'lognormal', 'median': '3s', 'p90': '1s'}, p90 must not be below the median",
    ),
    "a clip the wrong way round": (
        "{dist: constant, value: 3, clip: [5, 1]}",
        " is {'dist': 'constant', 'value': 3, 'clip': [5, 1]}, clip must be two values, the smaller first",
    ),
    "a range the wrong way round": (
        "{dist: uniform, low: 5, high: 1}",
        " is {'dist': 'uniform', 'low': 5, 'high': 1}, low must not be above high",
    ),
    "a mean of nothing": (
        "{dist: exponential, mean: 0s}",
        " is {'dist': 'exponential', 'mean': '0s'}, mean must be above zero",
    ),
    "a word for a number": (
        "{dist: constant, value: true}",
        " is {'dist': 'constant', 'value': True}, must be a number or a duration with its unit, as 400ms",
    ),
    "infinity": (
        "{dist: constant, value: .inf}",
        " is {'dist': 'constant', 'value': inf}, must not be infinite; only a clip may",
    ),
    "a share outside its range": ("{dist: beta, mean: 1.5, n: 2}", ".mean is 1.5, Input should be less than 1"),
    "no mapping": ("3s", " is '3s', must be a mapping of keys to values"),
}
"""What is wrong with a distribution, and what is said after its path."""


@pytest.mark.parametrize("name", ONE_FAULT)
def test_one_fault(name, said):
    """Each kind of fault is one sentence: file, line, path, what was found, what is allowed, and a hint if any."""
    text, sentence = ONE_FAULT[name]
    assert said(MINE + text) == [sentence]


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_faulty_distribution(name, said):
    """A distribution's fault names the field, not the parser's idea of it."""
    text, sentence = DISTRIBUTIONS[name]
    assert said(f"{MINE}tempo:\n  cart: {text}\n") == [f"mine.yaml:5: tempo.cart{sentence}"]


def test_a_distribution_of_no_kind(said):
    """Where nothing is inherited, a distribution must say of which kind it is."""
    assert said(
        "persona: mine\ndescribe: x\nextends: base_mobile\nmixins: [bare]\ntempo:\n  cart: {median: 3s}\n",
        bare="tempo: {cart: null}\n",
    ) == ["mine.yaml:6: tempo.cart.dist is missing, this key is required"]


def test_all_faults_at_once(said):
    """A file with faults of every kind is told all of them, in the order of its lines; none hides another."""
    sentences = said(
        MINE
        + "patience: {hazard_per_s: -1, shap: 2}\n"
        + "consent:\n  push: maybe\n"
        + "tempo:\n  home: {dist: lognorm, median: 3s}\n  produkt: {dist: constant, value: 3s}\n"
        + "affinity: {categories: {shoe: 1}}\n"
        + "journey:\n  rows:\n    cart: {checkout: 0.9}\n    home: {serch: 1.0}\n"
    )
    assert [sentence.split(" is ")[0].split(" sums ")[0] for sentence in sentences] == [
        "mine.yaml:4: patience.hazard_per_s",
        "mine.yaml:4: patience.shap",
        "mine.yaml:6: consent.push",
        "mine.yaml:8: tempo.home.dist",
        "mine.yaml:10: affinity.categories.shoe",
        "mine.yaml:13: journey.rows.cart",
        (
            "mine.yaml:14: journey.rows.home never reaches exit, every state needs a path to exit. Hint: give some row"
            " an"
            " exit"
        ),
        "mine.yaml:14: journey.rows.home.serch",
    ]


def test_probabilities_beyond_one_or_below_zero(said):
    """Each share that is none is told with its line, wherever it stands, and hides nothing else of its section."""
    sentences = said(
        MINE
        + "consent: {push: 1.5, analytics: -0.1}\nhistory: {known: 1.2}\nfeatures: {ar: {uses: -1}}\n"
        + "loyalty: {member: 3}\n"
        + "journey:\n  entry: {home: 1.5, search: -0.5}\n  rows:\n    home: {search: 1.4, exit: -0.4}\n"
        + "    cart: {exit: 0.5}\n    search: {serch: 1}\n"
    )
    assert [sentence.split(",")[0].removeprefix("mine.yaml:") for sentence in sentences] == [
        "4: consent.analytics is -0.1",
        "4: consent.push is 1.5",
        "5: history.known is 1.2",
        "6: features.ar.uses is -1",
        "7: loyalty.member is 3",
        "9: journey.entry.home is 1.5",
        "9: journey.entry.search is -0.5",
        "11: journey.rows.home.exit is -0.4",
        "11: journey.rows.home.search is 1.4",
        "12: journey.rows.cart sums to 0.5",
        "13: journey.rows.search never reaches exit",
        "13: journey.rows.search.serch is not a state or exit",
    ]


def test_nobody_buys_on_purpose(persona_file):
    """A journey without orders is a persona where the file says so."""
    text = MINE + "journey: {buys: never, entry: {content: 1.0}, rows: {content: {content: 0.5, exit: 0.5}}}\n"
    assert load_persona(persona_file(text)).spec.journey.buys == "never"


def test_a_consent_that_nobody_gives_closes_a_state_on_purpose(persona_file):
    """Where a consent or a feature is at 0, a state behind it may stay in the rows: its share goes to the others."""
    text = (
        MINE
        + "consent: {personalization: 0}\nfeatures: {ar: {uses: 0}}\n"
        + "journey:\n  guards: {recommend: [personalization_allowed]}\n"
        + "  rows:\n    ar_preview: {exit: 1.0}\n    product: {ar_preview: 0.2, add_to_cart: 0.1, exit: 0.7}\n"
    )
    assert load_persona(persona_file(text)).spec.journey.rows["product"]["ar_preview"] == 0.2


def test_personas_that_inherit_each_other(said):
    """A circle of three is told as a circle, at the line that closes it."""
    assert said(
        "persona: mine\ndescribe: x\nextends: one\n",
        one="persona: one\ndescribe: x\nextends: two\n",
        two="persona: two\ndescribe: x\n\nmixins: [mine]\n",
    ) == ["two.yaml:4: mixins.0 goes in a circle: mine → one → two → mine, a persona cannot inherit itself"]


def test_unknown_sections_of_a_mixin(said):
    """A mixin's unknown sections are told of the mixin, with its lines, though a persona is read."""
    sentences = said(MINE + "mixins: [with_typos]\n", with_typos="tempoo: {home: 3s}\n\nplacee: {}\n")
    assert [sentence.split(",")[0] for sentence in sentences] == [
        "with_typos.yaml:1: tempoo is not a known key",
        "with_typos.yaml:3: placee is not a known key",
    ]
    assert [sentence.split("Hint: ")[1] for sentence in sentences] == ["did you mean tempo?", "did you mean place?"]


def test_a_fault_in_an_inherited_value_is_told_of_its_file(said):
    """What a parent got wrong is said of the parent, with the parent's line, though it is the child that is read."""
    sentences = said(
        "persona: mine\ndescribe: a child\nextends: parent\n",
        parent="persona: parent\ndescribe: a parent\nextends: base_mobile\n\npatience:\n  shape: 0\n"
        "journey:\n  rows:\n    cart: {exit: 0.5}\n",
    )
    assert sentences == [
        "parent.yaml:6: patience.shape is 0, Input should be greater than 0",
        "parent.yaml:9: journey.rows.cart sums to 0.5, must be 1",
    ]


def test_a_distribution_replaced_by_half_of_one(said):
    """Where a child's distribution lacks a parameter that the parent's had, the child is at fault."""
    assert said(f"{MINE}tempo:\n  home: {{dist: lognormal, p90: 9s}}\n") == [
        "mine.yaml:5: tempo.home.median is missing, this key is required"
    ]


def test_a_persona_needs_its_own_name(said):
    """A name is not inherited: two personas of one name would share every draw."""
    assert said("extends: base_mobile\n") == [
        "mine.yaml:1: describe is missing, this key is required",
        "mine.yaml:1: persona is missing, this key is required",
    ]


def test_an_empty_persona_lacks_every_section(said):
    """Without a parent every section is required, and each is told."""
    sections = "affinity arrivals budget consent device journey loyalty network patience place put_off tempo"
    assert said("persona: mine\ndescribe: nobody\n") == [
        f"mine.yaml:1: {section} is missing, this key is required" for section in sections.split()
    ]


def test_a_mixin_is_checked_on_a_persona(persona_file, said):
    """Laid on a base, a mixin is a whole persona; its faults are told with its own lines."""
    base = find_persona("base_mobile")
    good = load_persona(persona_file("consent:\n  push: 0.9\n", "with_good.yaml"), onto=base)
    assert (good.spec.consent.push, good.spec.consent.location) == (0.9, 0.30)
    assert said("consent:\n  pusch: 0.9\n", load=lambda path: load_persona(path, onto=base)) == [
        (
            "mine.yaml:2: consent.pusch is not a known key, allowed are evidence, analytics, personalization, "
            "location, "
            "push, email. Hint: did you mean push?"
        )
    ]


def test_a_resolved_persona_can_be_read_back(persona_file):
    """What is merged, written out without its parents, is the same persona: every shipped quantity keeps its unit."""
    merged = load_persona(find_persona("tourist"))
    again = load_persona(persona_file(json.dumps(merged.merged.data), "again.yaml"))
    assert again.spec == merged.spec


def load_people(path):
    """Read a population file."""
    return load_population(str(path))


def test_a_population_tells_the_faults_of_all_its_files(said):
    """Faults of the population and of every persona come together; a missing persona is a fault of the population."""
    sentences = said(
        "population: p\ndescribe: x\npersonas:\n  tourst: 1\n  commuter_browser: 0\n  bad: 2\n  gone.yaml: 1\n",
        load=load_people,
        bad=f"{MINE}patience: {{shape: 0}}\nconsent: {{push: 7}}\n",
    )
    assert [sentence.split(", shipped are")[0] for sentence in sentences] == [
        "bad.yaml:4: patience.shape is 0, Input should be greater than 0",
        "bad.yaml:5: consent.push is 7, must be a share from 0 to 1, or 0% to 100%",
        "mine.yaml:4: personas.tourst is not a shipped persona",
        "mine.yaml:5: personas.commuter_browser is 0, Input should be greater than 0",
        "mine.yaml:7: personas.gone.yaml does not exist",
    ]
    assert sentences[2].endswith(". Hint: did you mean tourist?")


def test_two_personas_of_one_name(said):
    """Names decide who gets whom, so that a population refuses two personas that are called alike."""
    assert said(
        "population: p\ndescribe: x\npersonas:\n  one.yaml: 1\n  two.yaml: 1\n",
        load=load_people,
        one=MINE,
        two=MINE,
    ) == ["mine.yaml:5: personas.two.yaml is called mine, like one.yaml, names must differ"]


def test_nobody_comes(said):
    """A population needs somebody."""
    assert said("population: p\ndescribe: x\npersonas: {}\n", load=load_people) == [
        "mine.yaml:3: personas is {}, Dictionary should have at least 1 item after validation, not 0"
    ]


def test_a_persona_beside_the_population_is_found(persona_file):
    """A population names personas beside it, shipped ones, or paths."""
    persona_file(MINE, "neighbour.yaml")
    path = persona_file("population: p\ndescribe: x\npersonas: {neighbour: 3, tourist: 1}\n", "people.yaml")
    spec = load_population(str(path))
    assert [persona.name for persona in spec.personas] == ["mine", "tourist"]
    assert spec.weights == (3.0, 1.0)
