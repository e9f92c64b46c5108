"""H3, H4, H5: offers of the wrong place, a place that is ignored, and one that depends on how it is written."""

from itertools import count
from math import inf, nan
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from simulator.target.evidence import Fence
from simulator.target.probes.fences import Fences
from simulator.target.probes.moved import Moved
from simulator.target.probes.steps import People
from simulator.target.probes.where import countries_of

OFFERS = (
    "offers: {path: /o, query: {a: '{place.lat?}', b: '{place.lon?}', c: '{shopper.country}'}, "
    "evidence: {items: '$.o[*].id', fences: '$.o[*].fence', geo_used: $.used}}"
)
"""A shop that is told position and country, and says where its offers hold."""


def asked(request):
    """Return the query of a request."""
    return {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}


def offering(*fences, used=None):
    """Return an answer with offers that hold in these fences."""
    offers = [{"id": f"offer-{number}", "fence": fence} for number, fence in enumerate(fences)]
    return 200, {"o": offers, "used": used}


def violated(found):
    """Return the codes that are violated."""
    return {code for code, one in found.items() if one.state == "violated"}


def test_offers_of_far_away_shops_are_found(probed):
    """Whoever is offered what the nearest shops have, however far, is offered it out of place; no more is wrong."""
    found = probed("wrong_place", among=0)
    assert violated(found) == {"H3"}
    assert found["H3"].blamed
    assert set(found["H3"].operations) == {"home", "offers"}
    metres, away, radius = found["H3"].samples[0]["differs"][0]
    assert "metres" in metres
    assert away > radius


def test_a_right_shop_offers_what_holds_there(probed):
    """Every fence holds the shopper, and where they stood is kept to be drawn: some inside, some outside of all."""
    found = probed(codes={"H3"})["H3"]
    assert found.state == "held"
    assert found.drawn
    for place in found.drawn:
        assert place["held"]
        assert all(inside for *_, inside in place["fences"])
    assert {len(fence) for place in found.drawn for fence in place["fences"]} == {4}


def test_offers_out_of_place_are_drawn_as_such(probed):
    """What is drawn says of each fence whether the shopper stood in it."""
    drawn = probed("wrong_place", codes={"H3"})["H3"].drawn
    assert any(not inside for place in drawn for *_, inside in place["fences"])


def test_without_fences_no_place_is_judged(probed, lacking):
    """The path that is missing is named."""
    found = probed(target=lacking("fences", "geo_used"), codes={"H3"})["H3"]
    assert found.state == "not observable"
    assert "with evidence fences" in found.missing[0]


@pytest.mark.parametrize(("away_m", "state"), [(199, "held"), (201, "violated")])
def test_a_position_may_be_off_by_what_is_promised(toy, away_m, state):
    """A fence ends at its radius and the promised error of a position, by default 200 m."""

    def shop(visitor, _request):
        latitude, longitude = visitor.position
        north = (1_000 + away_m) / 111_195
        return offering({"lat": latitude + north, "lon": longitude, "radius_m": 1_000})

    assert toy(OFFERS, shop, "H3").state == state


@pytest.mark.parametrize(("off_deg", "state"), [(0.3, "held"), (5.0, "violated")])
def test_an_answer_for_another_place_is_out_of_place(toy, off_deg, state):
    """A position that was made coarse is still the shopper's; the server's own city is not."""

    def shop(visitor, _request):
        latitude, longitude = visitor.position
        used = {"lat": latitude + off_deg, "lon": longitude}
        return offering({"lat": latitude, "lon": longitude, "radius_m": 1_000}, used=used)

    assert toy(OFFERS, shop, "H3").state == state


NEIGHBOUR = {"GB": "FR", "FR": "GB", "DE": "JP", "US": "AU", "AU": "US", "JP": "IN", "IN": "DE"}


def test_offers_of_the_wrong_country_are_out_of_place_and_not_ignored(toy):
    """Who is taken for somebody of another country is offered what holds there: the place was asked, and mistaken."""

    def shop(_visitor, request):
        return offering(NEIGHBOUR[asked(request)["c"]])

    assert toy(OFFERS, shop, "H3", "H4").state == "violated"
    assert toy(OFFERS, shop, "H4", "H3").state != "violated"


def test_whoever_travels_is_in_two_countries(target_of):
    """A German in Paris may be offered what holds in Germany, and what holds in France, and not what does in Japan."""
    traveller = People(target_of(OFFERS), 7, "run-1").somebody(country="DE", at=(48.85, 2.35))
    assert {"DE", "FR"} <= countries_of(traveller)
    assert not {"JP", "ES"} & countries_of(traveller)


@pytest.mark.parametrize("kind", [Fences, Moved])
def test_whoever_was_not_let_in_is_from_nowhere(people, probe, seen, kind):
    """Where a session failed, the country that it would have told is not known: nobody was taken for somebody else."""
    one, other = probe(kind), probe(kind)
    for number, country in enumerate(("DE", "FR", "US", "GB")):
        visitor = people.somebody(country=country)
        offered = (Fence(nan, nan, inf, "JP" if kind is Moved else ("JP", "AU", "IN", "KR")[number]),)
        one.see(seen(visitor, "offers", evidence={"fences": offered}))
        visitor.context.made.add("session")
        other.see(seen(visitor, "offers", evidence={"fences": offered}))
    assert not one.counts
    assert other.samples


def test_deals_of_all_countries_are_found(probed):
    """Everybody's deals for everybody: the place is ignored, and that is all that is wrong."""
    found = probed("every_country", among=0)
    assert violated(found) == {"H4"}
    assert found["H4"].blamed
    assert found["H4"].operations == ("offers",)
    assert found["H4"].samples[0]["second"].startswith("curl ")


def test_a_right_shop_gives_each_country_its_own(probed):
    """Offers change with the place."""
    assert probed(codes={"H4"})["H4"].state == "held"


def test_without_items_and_fences_nothing_is_known_of_moving(probed, lacking):
    """The paths that are missing are named."""
    found = probed(target=lacking("fences", "items"), codes={"H4"})["H4"]
    assert found.state == "not observable"
    assert "fences" in found.missing[0]


PLAIN = "offers: {path: /o, query: {a: '{place.lat}', b: '{place.lon}'}, evidence: {items: '$.o[*].id'}}"


def test_the_same_offers_in_all_places_are_found(toy):
    """A shop that is told the position and offers the same everywhere does not look at it."""
    found = toy(PLAIN, lambda _visitor, _request: offering(None, None), "H4")
    assert found.state == "violated"
    assert "cities" in found.samples[0]["says"]


def test_offers_that_change_by_themselves_say_nothing_of_places(toy):
    """Where the same place is offered something else each time, the place need not be the reason."""
    numbers = count()
    found = toy(PLAIN, lambda _visitor, _request: (200, {"o": [{"id": f"offer-{next(numbers)}"}]}), "H4")
    assert found.state == "not observable"
    assert "each time" in found.why


def test_no_offers_anywhere_say_nothing(toy):
    """Nothing to be compared is no violation."""
    assert toy(PLAIN, lambda _visitor, _request: offering(), "H4").state == "not observable"


def test_a_catalogue_may_be_the_same_everywhere(toy):
    """Goods on the front page are the same in all places, offers beside them are not: nothing is ignored."""
    home = (
        "home: {path: /, query: {a: '{place.lat?}', b: '{place.lon?}'}, "
        "evidence: {items: '$.items', fences: '$.o[*].fence'}}"
    )

    def shop(visitor, _request):
        latitude, longitude = visitor.position
        status, document = offering({"lat": latitude, "lon": longitude, "radius_m": 5_000})
        return status, document | {"items": ["a", "b"]}

    assert toy(home, shop, "H4").state == "held"


def test_offers_that_are_told_of_no_place_may_be_the_same(toy):
    """Offers by segment, of a shop that heard of the country when the session began, are no violation."""
    calls = (
        "session: {method: POST, path: /s, json: {c: '{shopper.country}'}}\n"
        "offers: {path: /o, evidence: {items: '$.o[*].id'}}"
    )
    assert toy(calls, lambda _visitor, _request: offering(None), "H4").state == "not observable"


def test_a_shop_that_compares_places_as_text_is_found(probed):
    """Small letters and longer numbers are another place to it; nobody else is told something wrong."""
    found = probed("geo_format", among=0)
    assert violated(found) == {"H5"}
    assert found["H5"].blamed
    says = {one["says"] for one in found["H5"].samples}
    assert any("is taken for another place than" in one for one in says)
    assert any("six digits" in one for one in says)


def test_a_right_shop_reads_any_spelling(probed):
    """Nothing changes with the spelling, of words and of numbers."""
    found = probed(codes={"H5"})["H5"]
    assert found.state == "held"
    assert found.alone.checked == 4


def test_without_anything_that_hangs_on_the_place_no_spelling_is_judged(probed, lacking):
    """The path that is missing is named."""
    found = probed(target=lacking("items", "fences", "geo_used", "currency"), codes={"H5"})["H5"]
    assert found.state == "not observable"
    assert "with evidence items" in found.missing[0]


def test_refusing_a_spelling_is_not_mistaking_it(toy):
    """A shop that answers 400 to an exponent says so; of what it takes nothing changes."""

    def shop(_visitor, request):
        latitude = asked(request).get("a", "")
        return (400, {}) if "e" in latitude or "+" in latitude else offering({"lat": 1, "lon": 1, "radius_m": 1})

    found = toy(PLAIN, shop, "H5")
    assert found.state == "held"
    assert found.alone.checked == 1


def test_a_shop_that_answers_by_chance_misreads_nothing(toy):
    """A difference counts only where the usual spelling is answered alike, before, after and once more."""
    turns = count()

    def shop(_visitor, _request):
        return 200, {"o": [{"id": "ab"[(next(turns) * 7919 >> 3) % 2]}]}

    assert toy(PLAIN, shop, "H5").state != "violated"


def test_more_digits_in_json_are_the_same_place(toy):
    """Where positions are numbers and no text, one a centimetre further on is asked for."""
    calls = (
        "offers: {method: POST, path: /o, json: {a: '{place.lat}', b: '{place.lon}'}, evidence: {items: '$.o[*].id'}}"
    )
    assert toy(calls, lambda _visitor, _request: offering(None), "H5").state == "held"

    def strict(_visitor, request):
        latitude = orjson.loads(request.body)["a"]
        return offering(None) if round(latitude, 5) == latitude else offering()

    assert toy(calls, strict, "H5").state == "violated"


def test_three_hazards_of_places_are_told_apart(probed):
    """All at once, each is found."""
    found = probed("wrong_place", "every_country", "geo_format", among=0)
    assert {code for code, one in found.items() if one.blamed} == {"H3", "H4", "H5"}
