"""H24 and H25: shoppers who come back, and the time of day where they are."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
PAGES = """home: {path: /, query: {w: '{shopper.id}', v: '{visit.number}'}, extract: {sku: '$.items[*]'},
       evidence: {items: '$.items[*]', segments: $.segments, fallback: $.fallback, subject: $.subject}}
product: {path: '/p/{extracted.sku}', query: {w: '{shopper.id}'}}
"""


class Shop:
    """A shop that knows how many products each visit looked at; `knows` says what of that counts."""

    def __init__(self, knows, subject=lambda visitor: visitor.value("shopper.id")):
        self.knows, self.subject, self.looks = knows, subject, {}

    def __call__(self, visitor, request):
        """Answer a request."""
        key = visitor.number, visitor.visit
        if request.operation == "product":
            self.looks[key] = self.looks.get(key, 0) + 1
            return 200, {}
        known = self.knows(self.looks, visitor)
        segments = ["regular"] if known else ["newcomer"]
        subject = self.subject(visitor)
        return 200, {"items": ["a", "b"], "segments": segments, "fallback": not known, "subject": subject}


def of_the_visitor(looks, visitor):
    """Count everything that a visitor ever looked at."""
    return sum(number for (who, _), number in looks.items() if who == visitor.number)


def of_the_visit(looks, visitor):
    """Count what was looked at in this visit."""
    return looks.get((visitor.number, visitor.visit), 0)


def test_a_shop_that_forgets_is_found(probed):
    """Whoever was known at the end of a visit is a newcomer in the next; nothing else is wrong."""
    found = probed("forgets_returning", among=0)
    assert {code for code, one in found.items() if one.state == "violated"} == {"H24"}
    assert found["H24"].blamed
    assert {what for what, _, _ in found["H24"].samples[0]["differs"]} == {"segments", "fallback"}


def test_a_right_shop_knows_who_comes_back(probed):
    """They are met as they left."""
    assert probed(codes={"H24"})["H24"].state == "held"


def test_without_anything_personal_nobody_can_be_forgotten(probed, lacking):
    """The path that is missing is named."""
    found = probed(target=lacking("subject", "segments", "fallback"), codes={"H24"})["H24"]
    assert found.state == "not observable"
    assert "segments or fallback or subject" in found.missing[0]


def test_a_toy_that_forgets_is_found(toy):
    """The toy is right until it is made wrong."""
    assert toy(PAGES, Shop(of_the_visitor), "H24").state == "held"
    assert toy(PAGES, Shop(of_the_visit), "H24").state == "violated"


def test_a_shop_that_never_knew_forgets_nothing(toy):
    """Where a first visit stays a stranger's, as with profiles made at night, the next one says nothing of memory."""
    pages = PAGES.replace(", subject: $.subject", "")
    found = toy(pages, Shop(lambda *_: 0), "H24")
    assert found.state == "not observable"
    assert "first visit" in found.why


def test_a_new_name_for_somebody_known_is_no_stranger(toy):
    """A name that goes with the visit is no harm where what was learned is there; where nothing shows it, it is."""
    of_visit = lambda visitor: visitor.value("visit.id")  # noqa: E731
    assert toy(PAGES, Shop(of_the_visitor, of_visit), "H24").state == "held"
    names = PAGES.replace("segments: $.segments, fallback: $.fallback, ", "")
    assert toy(names, Shop(of_the_visitor, of_visit), "H24").state == "violated"
    assert toy(names, Shop(of_the_visitor), "H24").state == "held"


def test_falling_back_under_load_is_not_forgetting(toy):
    """A shop that falls back by chance, whoever asks, does not forget those who come back."""
    turns = iter(range(10_000))

    def tired(looks, visitor):
        return of_the_visitor(looks, visitor) and next(turns) * 7919 % 10 > 3

    assert toy(PAGES, Shop(tired), "H24", among=20).state == "held"


@pytest.mark.parametrize("hour", [0, 6, 12, 19])
def test_the_servers_clock_is_found(probed, hour):
    """Whatever time it is there, it is not that time everywhere; nothing else is wrong."""
    found = probed("server_time", among=0, begin=NOON.replace(hour=hour), codes={"H4", "H25", "H24", "H3"})
    assert {code for code, one in found.items() if one.state == "violated"} == {"H25"}
    assert found["H25"].blamed


@pytest.mark.parametrize(("month", "hour"), [(1, 0), (7, 5), (3, 12), (10, 17), (7, 22)])
def test_a_right_shop_goes_by_the_shoppers_clock(probed, month, hour):
    """In summer and winter, at any hour, the parts of the day are those of where the shopper is."""
    found = probed(codes={"H25", "H4"}, begin=datetime(2026, month, 1, hour, tzinfo=UTC), among=0)
    assert found["H25"].state == "held"


def test_without_a_part_of_the_day_no_clock_is_judged(probed, lacking):
    """Segments alone, none of which is a part of the day, show nothing; without them the path is named."""
    found = probed(target=lacking("daypart"), codes={"H25"}, among=0)["H25"]
    assert (found.state, found.why) == ("not observable", "no part of the day was named")
    found = probed(target=lacking("daypart", "segments"), codes={"H25"}, among=0)["H25"]
    assert "with evidence daypart or segments" in found.missing[0]


ZONED = "home: {path: /, query: {z: '{shopper.time_zone}'}, evidence: {segments: $.s, generated_at: $.at}}"


def told(visitor, zone, *segments):
    """Return an answer with the part of the day in a zone among its segments."""
    del visitor
    hour = NOON.astimezone(ZoneInfo(zone)).hour
    part = "night" if hour < 6 else "morning" if hour < 12 else "afternoon" if hour < 18 else "evening"
    return 200, {"s": [*segments, f"daypart:{part}"], "at": NOON.isoformat()}


def test_segments_may_name_the_part_of_the_day(toy):
    """A segment that is a part of the day is judged like evidence of its own; somebody's kind, `night_owl`, is not."""
    right = lambda visitor, _: told(visitor, visitor.value("shopper.time_zone"), "night_owl")  # noqa: E731
    assert toy(ZONED, right, "H25").state == "held"
    assert toy(ZONED, lambda visitor, _: told(visitor, "UTC", "night_owl"), "H25").state == "violated"
    assert toy(ZONED, lambda *_: (200, {"s": ["night_owl"], "at": NOON.isoformat()}), "H25").state == "not observable"


def test_clocks_that_stand_together_show_nothing(toy):
    """Where all shoppers live in one zone, the server's clock and theirs are the same."""
    found = toy(ZONED, lambda visitor, _: told(visitor, "UTC"), "H25", countries=("GB", "IE"))
    assert (found.state, found.why) == ("not observable", "shoppers' clocks stood too near together")


def test_one_hour_is_one_part_of_the_day(toy):
    """Two places where it is the same hour are treated alike."""

    def shop(visitor, _request):
        zone = visitor.value("shopper.time_zone")
        return told(visitor, "Asia/Tokyo" if zone == "Europe/Paris" else zone)

    found = toy(ZONED, shop, "H25")
    assert found.state == "violated"
    assert "one and the same hour" in found.samples[0]["says"]
