"""The shipped target files, and the schema that editors complete them from."""

import jsonschema
import numpy as np
import orjson
import pytest

from simulator.journey.records import SHOPPER
from simulator.model.devices import device_table
from simulator.model.library import shipped
from simulator.model.population import Roster
from simulator.model.schema import CATEGORIES
from simulator.model.yamlfile import read_yaml
from simulator.page.card import page_file
from simulator.target.context import UNKNOWN_FINGER_SHARE, context_for, who_is
from simulator.target.reading import TARGETS, read_target
from simulator.target.request import Request, Skipped, load_target
from simulator.target.schema import TargetFile

NOT_SERVED = {
    "storefront": set(),
    "json_server": {
        "consent_set", "decide", "exposure", "geofence", "identify", "loyalty_earn", "loyalty_redeem", "next_action",
        "price", "push_register", "rank", "remove_from_cart", "suggest",
    },
}  # fmt: skip
"""What a target does not have: a server without behaviour needs no more than makes a load."""


@pytest.mark.parametrize("name", shipped(TARGETS))
def test_every_page_can_be_played(name):
    """A shipped target maps every operation that a page calls, but those named; it is called by its file's name."""
    target = load_target(name)
    called = {call.op for card in page_file().pages.values() for call in card.calls}
    assert target.name == name
    assert called - set(target.operations) == NOT_SERVED[name]


@pytest.mark.parametrize("name", shipped(TARGETS))
def test_the_json_schema_accepts_the_file(name):
    """Editors complete from a schema that agrees with what is read."""
    schema = TargetFile.model_json_schema(by_alias=True)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(read_yaml(shipped(TARGETS)[name]).data, schema)


def test_the_json_schema_refuses_what_is_wrong():
    """The schema knows names and shapes, not only that there is an object."""
    schema = TargetFile.model_json_schema(by_alias=True)
    for wrong in ({"target": "t"}, {"target": "t", "operations": {"hoem": {"path": "/"}}},
                  {"target": "t", "operations": {"home": {"path": "x"}}}):  # fmt: skip
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


@pytest.mark.parametrize("name", shipped(TARGETS))
def test_a_resolved_file_can_be_read_back(name, target_file):
    """What a manifest stores of a target is a target file again."""
    spec = read_target(name)
    stored = orjson.dumps(spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)).decode()
    assert read_target(target_file(stored)) == spec


def test_every_category_has_words():
    """The storefront's target can search and open every category a persona may like."""
    assert set(load_target("storefront").categories) == set(CATEGORIES)


def test_the_json_server_needs_nothing():
    """Every operation of the bare server is one GET that depends on no earlier answer."""
    target = load_target("json_server")
    context = context_for(target, shopper_row(), roster(), seed=1, visit=0, run="r")
    for operation in target.operations:
        request = target.build(operation, context)
        assert isinstance(request, Request)
        assert (request.method, request.url, request.body) == ("GET", "/", None)
        assert target.read(operation, 200, {}, b'{"items": [{"sku": 1}, {"sku": 2}]}').extracted == {"sku": (1, 2)}


def roster() -> Roster:
    """Return a roster of two countries."""
    return Roster("p", ("someone",), ("DE", "JP"), ("Berlin", "Tokyo"), tuple(d.model for d in device_table().devices))


def shopper_row():
    """Return a SHOPPER record of a Japanese shopper who shares nothing but their personal taste."""
    row = np.zeros(1, SHOPPER)[0]
    row["shopper"], row["country"], row["city"], row["device"] = 2**40, 1, 1, 3
    row["latitude_deg"], row["longitude_deg"] = 35.676423, 139.65
    row["personalization"], row["favourite"] = 1, CATEGORIES.index("toys")
    return row


def test_who_a_record_is():
    """A SHOPPER record and the roster give country, device, consents and taste."""
    who = who_is(shopper_row(), roster())
    assert (who.shopper, who.country, who.favourite) == (2**40, "JP", "toys")
    assert who.device == device_table().devices[3]
    assert who.consents == {"personalization"}


def test_the_context_of_a_record():
    """A record's visit has its country's language and currency, its taste, and no position it does not share."""
    context = context_for(load_target("storefront"), shopper_row(), roster(), seed=5, visit=3, run="r")
    values = context.values
    assert values["shopper.id"] == f"ff-5-{2**40}"
    assert values["visit.id"] == f"ff-5-{2**40}-3"
    assert (values["shopper.language"], values["shopper.currency"]) == ("ja-JP", "JPY")
    assert (values["consent.personalization"], values["consent.location"]) == (True, False)
    assert values["page.category"] == "toys"
    assert "place.lat" not in values
    assert all(type(value) in {str, int, bool, float} for value in values.values()), "plain types, as JSON needs them"


def test_most_visits_can_be_unlocked_with_a_finger():
    """What was extracted as `passkey` is answered by the phone, but for the few visits whose finger is not known.

    Of 1,500 visits within four standard errors of the share (one in 16,000 by chance; the seed is fixed).
    """
    target, count = load_target("storefront"), 1_500
    answer = orjson.dumps({"public_key": {"rpId": "shop.example", "challenge": "abcd"}})
    unknown = 0
    for visit in range(count):
        context = context_for(target, shopper_row(), roster(), seed=5, visit=visit, run="r")
        unknown += context.phone is None
        if visit < 40:
            assert target.build("auth_finish", context).reason == "passkey.credential is not known"
            context.learn(target.read("auth_begin", 200, {}, answer))
            sent = target.build("auth_finish", context)
            assert isinstance(sent, Skipped) == (context.phone is None)
            if context.phone:
                assert orjson.loads(sent.body)["credential"]["response"]["signature"]
            context.learn(target.read("auth_begin", 409, {}, b'{"error": {}}'))
    expected = UNKNOWN_FINGER_SHARE * count
    assert abs(unknown - expected) < 4 * (expected * (1 - UNKNOWN_FINGER_SHARE)) ** 0.5


def test_nonsense_from_a_target_unlocks_nothing():
    """Options that are no ceremony leave the phone without an answer, and the password is sent instead."""
    target = load_target("storefront")
    context = context_for(target, shopper_row(), roster(), seed=5, visit=0, run="r")
    for options in (5, "x", [], {}, {"rpId": "x"}):
        context.learn(target.read("auth_begin", 200, {}, orjson.dumps({"public_key": options})))
        assert isinstance(target.build("auth_finish", context), Skipped)


def test_the_same_visit_again_is_the_same():
    """Everything a target sees of a visit follows from seed, shopper and visit."""
    first, again = (
        context_for(load_target("storefront"), shopper_row(), roster(), seed=5, visit=3, run="r") for _ in range(2)
    )
    assert (first.values, first.headers) == (again.values, again.headers)
