"""Which hazards a target file lets be judged: the table, and that nothing unobservable ever counts."""

import pytest

from simulator.page.card import OPERATIONS
from simulator.target.hazards import HAZARDS, judgeable
from simulator.target.request import load_target
from simulator.target.schema import READINGS, Evidence


def verdicts(target):
    """Return whether each hazard can be judged, by its code."""
    return {row.hazard.code: row.ok for row in judgeable(target)}


def test_the_table_is_whole():
    """There are H1 to H25, and every need names what target files have."""
    assert [hazard.code for hazard in HAZARDS] == [f"H{number}" for number in range(1, 26)]
    assert len({hazard.name for hazard in HAZARDS}) == len(HAZARDS)
    for need in (need for hazard in HAZARDS for way in hazard.ways for need in way):
        assert set(need.operations) <= set(OPERATIONS)
        assert set(need.evidence) <= set(Evidence.model_fields)
        assert set(need.readings) <= set(READINGS)


def test_without_evidence_nothing_is_judged(target_of):
    """A file that points to no evidence lets no hazard be judged that needs some."""
    calls = "home: {path: /}\nsearch: {path: /s}\ntrack: {method: POST, path: /t, json: {w: '{shopper.id}'}}"
    assert not any(verdicts(target_of(calls)).values())


NEEDS = {
    "H1": "home: {path: /, query: {w: '{shopper.id}'}, evidence: {subject: $.w}}",
    "H3": "offers: {path: /, query: {a: '{place.lat}'}, evidence: {fences: $.f}}",
    "H10": "decide: {path: /, evidence: {variant: $.v}}",
    "H12": "product: {path: /p, evidence: {price: $.p}}\ncart: {path: /c, evidence: {total: $.t}}",
    "H13": "home: {path: /, extract: {id: $.id}}\nloyalty_balance: {path: '/a/{extracted.id}'}",
    "H16": "recommend: {path: /, evidence: {items: $.i}}",
    "H17": "recommend: {path: /, evidence: {fallback: $.f}}",
    "H20": "auth_begin: {path: /a}\nauth_finish: {path: /b}",
    "H21": "ar_asset: {path: /a}",
    "H23": "home: {path: /, query: {c: '{shopper.country}'}, evidence: {currency: $.c}}",
}


@pytest.mark.parametrize(("code", "calls"), NEEDS.items(), ids=NEEDS)
def test_what_makes_a_hazard_judgeable(target_of, code, calls):
    """A file with just what a hazard needs lets it be judged; without its evidence, or what it sends, it does not."""
    assert verdicts(target_of(calls))[code]
    bare = calls.replace("evidence:", "extract:") if "evidence" in calls else calls.replace("auth_finish", "login")
    bare = bare.replace("ar_asset", "home").replace("{extracted.id}", "x")
    assert not verdicts(target_of(bare))[code]


def test_a_token_sent_back_is_the_token(target_of):
    """Sending any extracted value is not attribution; it must be the one that the evidence points to."""
    home = "home: {path: /, extract: {t: $.t, sku: $.sku}, evidence: {token: $.t}}\n"
    track = "track: {method: POST, path: /t, json: {t: '{extracted.SENT}'}}"
    assert verdicts(target_of(home + track.replace("SENT", "t")))["H14"]
    assert not verdicts(target_of(home + track.replace("SENT", "sku")))["H14"]


def test_readings_are_what_probes_ask(target_of, shopper):
    """What a target lets be read back makes more hazards judgeable; no shopper sends it."""
    head = "readings:\n  inbox: {path: '/m/{shopper.id}', evidence: {sent_at: '$[*].at', campaign: '$[*].c'}}\n"
    head += "  popularity: {path: /popular, evidence: {counts: '$[*].views'}}\n"
    target = target_of("push_register: {method: POST, path: /p, json: {id: '{shopper.id}'}}", head)
    assert {code for code, ok in verdicts(target).items() if ok} == {"H7", "H8", "H22"}
    assert target.operations == ("push_register",)
    assert target.build("readings.inbox", shopper(target)).url == "/m/ff-2a-17"
    assert target.observable("readings.inbox") == {"sent_at", "campaign"}


def test_what_is_missing_is_named(target_of):
    """What cannot be judged says which path would make it so."""
    rows = {row.hazard.code: row for row in judgeable(target_of("home: {path: /}"))}
    assert rows["H8"].missing == ("readings.inbox with evidence sent_at",)
    assert rows["H12"].missing == (
        "home or search or category or 3 more with evidence price",
        "add_to_cart or cart or checkout or 2 more with evidence price or total",
    )


def test_the_embedded_shop():
    """The shop that is made to be judged lets most hazards be judged."""
    found = verdicts(load_target("storefront"))
    assert sum(found.values()) >= 21
    assert found["H1"]
    assert found["H14"]
