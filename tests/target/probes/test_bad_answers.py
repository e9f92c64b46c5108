"""Whatever a target sends: a probe judges it, or says nothing, and never raises."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.target.evidence import TYPES
from simulator.target.probes.probing import Probing

NAMES = (
    "set-cookie",
    "age",
    "x-cache",
    "cache-status",
    "x-varnish",
    "cache-control",
    "vary",
    "content-type",
    "content-range",
)
HEADERS = st.dictionaries(
    st.sampled_from(NAMES), st.text(max_size=60) | st.sampled_from(["sid=\n=;=", "a=b; Max-Age=x"])
)
BODIES = st.binary(max_size=300) | st.sampled_from(
    [b"ff-7-", b"ff-7-1@shopper.example", b".7-@shopper.example", b"glTF"]
)
OPERATIONS = ("session", "home", "recommend", "product", "login", "share", "ar_asset", "support", "purchase")


def evidence(data):
    """Draw evidence of the types that reading makes."""
    values = {}
    for name, (_, many) in TYPES.items():
        if name in ("items", "subject", "segments", "token", "link"):
            word = st.text(max_size=20)
            values[name] = data.draw(st.none() | (st.lists(word, max_size=4).map(tuple) if many else word))
    values["in_stock"] = data.draw(st.lists(st.booleans(), max_size=5).map(tuple))
    return {name: value for name, value in values.items() if value is not None}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_answer_stops_a_probe(people, seen, data):
    """Any headers, bytes and evidence, of any operation and status, pass all probes."""
    probing, visitor = Probing(people.target), people.somebody()
    answer = seen(
        visitor,
        data.draw(st.sampled_from(OPERATIONS)),
        status=data.draw(st.sampled_from([0, 200, 206, 304, 403, 500])),
        headers=data.draw(HEADERS),
        body=data.draw(BODIES),
        evidence=evidence(data),
    )
    probing.see(answer)


@pytest.mark.parametrize("answer", [b"", b"null", b"[]", b'"text"', b'{"items": 1}', b"\xff\xfe", b"{"])
def test_no_target_stops_a_script(nonsense, answer):
    """A target that answers everything with the same nonsense ends no script with an error, and is not called right."""
    found = nonsense(answer)
    assert {one.state for one in found.values()} == {"not observable"}
