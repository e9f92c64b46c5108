"""Fences are crossed in the order in which they were walked, however late and mixed up the positions come."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from simulator.storefront.places import Places, Position, distance_m

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Visitor

PATH = "/api/geofence/positions"
PLACES = Places()
BERLIN = next(s for s in PLACES.stores if s.city == "Berlin" and s.radius_m == 25_000)


def step(kilometres_north: float, at_ms: int) -> dict[str, Any]:
    """Return a position so far north of the middle of Berlin."""
    return {"lat": BERLIN.position.lat + kilometres_north / 111.195, "lon": BERLIN.position.lon, "at_ms": at_ms}


WALK = [step(north, at_ms) for at_ms, north in enumerate((30, 24, 6, 0.1, -6, -24, -30), start=1_000)]


def expected() -> list[tuple[str, str, int]]:
    """Return the crossings of the walk by comparing each position with every fence."""
    inside = [frozenset(), *(
        frozenset(s.id for s in PLACES.stores if distance_m(Position(p["lat"], p["lon"]), s.position) <= s.radius_m)
        for p in WALK
    )]  # fmt: skip
    return [
        (event, store, at["at_ms"])
        for (before, after), at in zip(pairwise(inside), WALK, strict=True)
        for event, stores in (("EXIT", before - after), ("ENTER", after - before))
        for store in sorted(stores)
    ]


def crossings(answer: dict[str, Any]) -> list[tuple[str, str, int]]:
    """Return the crossings of an answer, those of one moment in the order of their stores."""
    found = [(c["event"], c["store"], c["at_ms"]) for c in answer["crossings"]]
    return sorted(found, key=lambda c: (c[2], c[0] == "ENTER", c[1]))


def test_a_batch_is_walked_in_its_own_order(vera: Visitor):
    """A batch that comes late and shuffled gives the crossings of the walk, and one ends outside of everything."""
    answer = vera.post(PATH, positions=[WALK[n] for n in (3, 0, 6, 2, 5, 1, 4)])
    assert crossings(answer) == expected()
    assert {event for event, _, _ in expected()} == {"ENTER", "EXIT"}
    assert (answer["inside"], answer["accepted"], answer["late"]) == ([], 7, 0)
    assert all(crossing["fence"]["radius_m"] > 0 for crossing in answer["crossings"])


def test_batches_go_on_where_the_last_one_ended(vera: Visitor, come_in: Callable[..., Visitor]):
    """One position at a time gives the same; others, and what comes after it was overtaken, change nothing."""
    found = []
    for position in WALK[:4]:
        found += crossings(vera.post(PATH, positions=[position]))
        come_in("ben").post(PATH, positions=[step(0, position["at_ms"])])
    late = vera.post(PATH, positions=[step(90, 900), WALK[3]])
    assert (late["accepted"], late["late"], late["crossings"]) == (0, 2, [])
    for position in WALK[4:]:
        found += crossings(vera.post(PATH, positions=[position]))
    assert found == expected()


def test_an_offer_is_sent_on_the_way_in(come_in: Callable[..., Visitor]):
    """Whoever agreed to push messages is told of the fences they enter, by day at most three; others are not."""
    vera = come_in(push=True)
    vera.post("/api/push/endpoints", endpoint="https://push.example/vera")
    assert vera.post(PATH, positions=WALK[:2])["told"] == 1
    (message,) = vera.get("/api/push")["messages"]
    assert message["campaign"] == f"offer-{BERLIN.id}"
    assert message["expires_at"] == "2026-03-05T00:00:00+00:00"
    assert come_in("ben").post(PATH, positions=WALK[:2])["told"] == 0


def test_no_position_is_taken_without_consent(come_in: Callable[..., Visitor], nobody: Visitor):
    """Without it nothing is stored; whoever withdraws it is forgotten."""
    assert nobody.refused("POST", PATH, json={"positions": WALK}) == (401, "no_session")
    shy = come_in("shy", location=False)
    assert shy.refused("POST", PATH, json={"positions": WALK}) == (403, "no_consent")
    vera = come_in()
    vera.post(PATH, positions=WALK[:4])
    assert vera.has("positions") == 1
    vera.post("/api/consent", location=False)
    assert vera.has("positions") == vera.has("fences") == 0


@pytest.mark.parametrize("positions", [None, [], WALK * 2, [{}], ["here"], [step(0, -1)], [WALK[0] | {"lat": "x"}],
                                       [WALK[0] | {"lat": True}], [WALK[0] | {"lon": 181}]])  # fmt: skip
def test_positions_are_told_properly(vera: Visitor, positions: object):
    """One to ten of them, each on earth and at a time."""
    assert vera.refused("POST", PATH, json={"positions": positions}) == (422, "invalid")
    assert vera.has("positions") == 0
