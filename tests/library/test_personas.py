"""The shipped personas: each merges and validates, says where its numbers come from, and differs from all others."""

import itertools
import re
from collections import Counter

import numpy as np
import pytest

from simulator.model.behaviour import CONSENSUS, load_behaviour
from simulator.model.devices import device_table
from simulator.model.library import shipped
from simulator.model.merge import merge_persona
from simulator.model.persona import complete_personas, load_population, place_countries
from simulator.model.problems import section_problems
from simulator.model.schema import CATEGORIES, PersonaFile
from simulator.model.states import EXIT, FLAGS, STATES, bits, guard_bits
from simulator.model.yamlfile import read_yaml, validate

FILES = shipped("personas/shoppers")
MIXINS = sorted(name for name in FILES if name.startswith("with_"))
PERSONAS = sorted(set(FILES) - set(MIXINS))
POPULATIONS = sorted(shipped("personas/populations"))
SECTIONS = [name for name in PersonaFile.model_fields if name not in {"persona", "describe", "evidence"}]
WITHOUT_OWN_EVIDENCE = {"tempo"}
"""A section whose keys are all states; its distributions carry the evidence."""
PUBLISHED = {"pages": (3, 6), "bounce": (0.40, 0.55), "conversion": (0.01, 0.03), "abandonment": (0.70, 0.86)}
"""Ranges of mobile shops; sources stand in base_mobile."""
DEVIATES = {
    "loyal_member": {"bounce", "conversion", "abandonment"},
    "in_store_comparer": {"bounce"},
    "campaign_newcomer": {"conversion", "abandonment"},
    "returning_customer": {"bounce", "conversion", "abandonment"},
    "marketplace_regular": {"bounce"},
    "gift_buyer": {"bounce"},
    "ar_previewer": {"bounce"},
    "style_sharer": {"pages", "conversion"},
    "support_seeker": {"pages", "bounce", "conversion"},
    "training_member": {"pages", "conversion"},
}
"""Personas that leave the published ranges on purpose; their evidence says why."""
STATE = {state.name: state for state in STATES}


def resolved(name):
    """Return a shipped persona with all it inherits."""
    merged = merge_persona(FILES[name])
    return validate(PersonaFile, merged.file, merged.data)


def numbers_in(value):
    """Return whether a parsed value holds a number or a distribution anywhere."""
    if isinstance(value, dict):
        return any(numbers_in(inner) for key, inner in value.items() if key != "evidence")
    if isinstance(value, list):
        return any(numbers_in(inner) for inner in value)
    return isinstance(value, int | float) and not isinstance(value, bool)


def evidence_in(value):
    """Return whether `evidence` stands anywhere in a parsed value."""
    return isinstance(value, dict) and (bool(value.get("evidence")) or any(map(evidence_in, value.values())))


def undisturbed(persona):
    """Return what theory says of a visit with instant pages and no budget, averaged over the shoppers' own flags.

    An absorbing chain over (state, flags): visits N = entry (I - Q)^-1. A state whose guards are not met is not there,
    and its share goes to the others of the row in proportion.
    """
    totals = Counter()
    flags = {
        "location_shared": persona.consent.location,
        "personalization_allowed": persona.consent.personalization,
        "logged_in": persona.loyalty.logged_in,
        "push_allowed": persona.consent.push,
    }
    asked = {guard.removeprefix("not_") for state in STATES for guard in (*state.needs, *state.forbids)}
    asked |= {guard.removeprefix("not_") for guards in persona.journey.guards.values() for guard in guards}
    flags = {name: share for name, share in flags.items() if name in asked}
    for (able, share), on in itertools.product(
        abilities(persona).items(), itertools.product((True, False), repeat=len(flags))
    ):
        weight = share * np.prod([share if yes else 1 - share for yes, share in zip(on, flags.values(), strict=True)])
        start = able + sum(FLAGS[name] for yes, name in zip(on, flags, strict=True) if yes)
        for name, figure in chain(persona.journey, start).items():
            totals[name] += weight * figure
    totals["abandonment"] = 1 - totals["conversion"] / totals["carts"]
    return totals


def abilities(persona):
    """Return the share of shoppers by the flags of what they use of their phone, from the device table itself."""
    table, shares = device_table(), Counter()
    countries = persona.place.countries
    for country, weight in countries.items():
        ios = table.ios_in(country)
        systems = {"ios": ios, "android": 1 - ios} if isinstance(persona.device.os, str) else persona.device.os
        for system, system_share in systems.items():
            phones = [row for row in table.devices if row.os == system]
            weights = [row.share * persona.device.tier.get(row.tier, 0) for row in phones]
            for row, phone in zip(phones, weights, strict=True):
                share = weight / sum(countries.values()) * system_share / sum(systems.values()) * phone / sum(weights)
                uses = row.ar * persona.features.ar.uses
                enrolled = row.biometric * persona.features.biometric.enrolled
                for ar, biometric in itertools.product((True, False), repeat=2):
                    odds = (uses if ar else 1 - uses) * (enrolled if biometric else 1 - enrolled)
                    shares[ar * FLAGS["ar_capable"] + biometric * FLAGS["biometric_enrolled"]] += share * odds
    return {flags: share for flags, share in shares.items() if share > 0}


CARTED, BOUGHT = 1 << 30, 1 << 31


def chain(journey, flags):
    """Return pages, bounce, conversion and carts of visits that begin with `flags`."""

    def onward(row, have):
        open_ = {name: share for name, share in row.items() if name == EXIT or is_open(name, have)}
        return {name: share / sum(open_.values()) for name, share in open_.items() if share}

    def is_open(name, have):
        needs, forbids = guard_bits(journey.guards.get(name, []))
        needs, forbids = needs | bits(STATE[name].needs), forbids | bits(STATE[name].forbids)
        return have & needs == needs and not have & forbids

    def after(name, have):
        have = (have | bits(STATE[name].sets)) & ~bits(STATE[name].clears)
        return have | {"add_to_cart": CARTED, "purchase": BOUGHT}.get(name, 0)

    entry = {(name, after(name, flags)): share for name, share in onward(journey.entry, flags).items()}
    places, waiting, moves = {}, list(entry), {}
    while waiting:
        place = waiting.pop()
        if place in places:
            continue
        places[place] = len(places)
        state, have = place
        moves[place] = onward(journey.rows[state], have)
        waiting += [(name, after(name, have)) for name in moves[place] if name != EXIT]
    q, leave, begin = np.zeros((len(places), len(places))), np.zeros(len(places)), np.zeros(len(places))
    for (state, have), row in moves.items():
        for name, share in row.items():
            if name == EXIT:
                leave[places[state, have]] = share
            else:
                q[places[state, have], places[name, after(name, have)]] = share
    for place, share in entry.items():
        begin[places[place]] = share
    visits = np.linalg.solve((np.eye(len(places)) - q).T, begin)
    ends = {place: visits[index] * leave[index] for place, index in places.items()}
    return {
        "pages": visits.sum(),
        "bounce": begin @ leave,
        "conversion": sum(share for (_, have), share in ends.items() if have & BOUGHT),
        "carts": sum(share for (_, have), share in ends.items() if have & CARTED),
    }


def without_evidence(value):
    """Return a parsed value without what is said about it."""
    if isinstance(value, dict):
        return {key: without_evidence(inner) for key, inner in value.items() if key != "evidence"}
    return value


def distance(one, other):
    """Return the total variation distance of two mixes, 0 (the same) to 1 (nothing in common)."""
    sums = sum(one.values()), sum(other.values())
    names = set(one) | set(other)
    return sum(abs(one.get(name, 0) / sums[0] - other.get(name, 0) / sums[1]) for name in names) / 2


@pytest.mark.parametrize("name", PERSONAS)
def test_a_persona_merges_and_validates(name):
    """Every shipped persona is complete after inheritance, and nothing is wrong with it."""
    persona = resolved(name)
    assert persona.persona == name
    sections = {name: getattr(persona, name) for name in PersonaFile.model_fields}
    assert section_problems(sections, place_countries(), device_table().tiers()) == []


@pytest.mark.parametrize("name", MIXINS)
def test_a_mixin_is_a_part_that_somebody_uses(name):
    """A mixin holds some sections only, and at least one shipped persona takes it."""
    data = read_yaml(FILES[name]).data
    assert 0 < len(set(SECTIONS) & set(data)) < len(SECTIONS)
    assert "extends" not in data
    assert any(name in read_yaml(FILES[persona]).data.get("mixins", []) for persona in PERSONAS)


@pytest.mark.parametrize("name", sorted(FILES))
def test_numbers_have_evidence_beside_them(name):
    """A section that gives a number gives its evidence in the same file; inherited evidence speaks of other numbers."""
    data = read_yaml(FILES[name]).data
    for section in set(SECTIONS) & set(data):
        if not numbers_in(data[section]) and section not in WITHOUT_OWN_EVIDENCE:
            continue
        own = evidence_in(data[section]) if section in WITHOUT_OWN_EVIDENCE else data[section].get("evidence")
        assert own, f"{section} has no evidence"


@pytest.mark.parametrize("name", PERSONAS)
def test_the_closed_form_in_the_evidence_is_true(name):
    """The figures that a persona's evidence quotes are those of its own matrix."""
    persona = resolved(name)
    theory = undisturbed(persona)
    quoted = re.search(
        r"([\d.]+) pages, bounce ([\d.]+) %, conversion ([\d.]+) %, "
        r"cart reached ([\d.]+) %, cart abandonment ([\d.]+) %",
        persona.evidence,
    )
    assert quoted, f"{name}: {dict(theory)}"
    pages, *percent = map(float, quoted.groups())
    assert pages == pytest.approx(theory["pages"], abs=0.006)
    for figure, name_ in zip(percent, ("bounce", "conversion", "carts", "abandonment"), strict=True):
        assert figure == pytest.approx(100 * theory[name_], abs=0.06), f"{name_} is {100 * theory[name_]:.2f} %"


@pytest.mark.parametrize("name", PERSONAS)
def test_undisturbed_visits_look_like_published_ones(name):
    """Pages, bounce, conversion and abandonment lie in the published ranges, save where a persona says why not."""
    theory = undisturbed(resolved(name))
    outside = {figure for figure, (low, high) in PUBLISHED.items() if not low <= theory[figure] <= high}
    assert outside == DEVIATES.get(name, set()), dict(theory)


@pytest.mark.parametrize("name", PERSONAS)
def test_the_past_is_like_the_present(name):
    """Orders a visit in the past are the conversion of today's journey, within a third of it.

    Who seeks support ordered as somebody else did: an order is what these visits are about, not what they make.
    """
    persona = resolved(name)
    if name == "support_seeker":
        assert "became customers as other personas" in " ".join(persona.history.evidence.split())
        return
    assert persona.history.orders_per_visit == pytest.approx(undisturbed(persona)["conversion"], rel=1 / 3)


@pytest.mark.parametrize("name", PERSONAS)
def test_everybody_can_buy(name):
    """From the first page a path leads through product, cart, checkout and payment to a purchase."""
    rows = resolved(name).journey.rows
    way = ["product", "add_to_cart", "cart", "checkout", "payment", "purchase"]
    assert all(rows[here].get(there, 0) > 0 for here, there in itertools.pairwise(way))


@pytest.mark.parametrize(("one", "other"), [*itertools.combinations(sorted(complete_personas()), 2)])
def test_two_personas_clearly_differ(one, other):
    """Any two personas live in other mixes of countries, do other things first and differ in seven sections or more."""
    a, b = resolved(one), resolved(other)
    first, second = a.model_dump(), b.model_dump()
    different = [name for name in SECTIONS if without_evidence(first[name]) != without_evidence(second[name])]
    assert len(different) >= 7, different
    assert distance(a.place.countries, b.place.countries) >= 0.15
    assert distance(a.journey.entry, b.journey.entry) >= 0.1
    assert distance(a.affinity.categories, b.affinity.categories) >= 0.1


@pytest.mark.parametrize("name", PERSONAS)
def test_hazards_stay_between_the_randomised_slow_downs(name):
    """Patience lies within the interval of the fit to the experiments that the evidence names."""
    low, high = load_behaviour(CONSENSUS).spec.intervals["patience.hazard_per_s"]
    assert low <= resolved(name).patience.hazard_per_s <= high


def test_the_base_knows_all_categories():
    """Every category of the shop has a weight that personas can change."""
    assert set(resolved("base_mobile").affinity.categories) == set(CATEGORIES)


@pytest.mark.parametrize("name", POPULATIONS)
def test_a_population_loads(name):
    """A shipped population names at least five complete personas, and its weights sum to 1."""
    spec = load_population(name)
    assert len(spec.personas) >= 5
    assert {persona.name for persona in spec.personas} <= set(complete_personas())
    assert sum(spec.weights) == pytest.approx(1)


def test_a_campaign_brings_newcomers():
    """On a campaign day newcomers and bargain hunters are most visitors; on an ordinary day they are not."""

    def share(name):
        spec = load_population(name)
        weights = dict(zip((persona.name for persona in spec.personas), spec.weights, strict=True))
        return weights["campaign_newcomer"] + weights["bargain_hunter"]

    assert share("everyday") < 0.5 < share("campaign_day")
