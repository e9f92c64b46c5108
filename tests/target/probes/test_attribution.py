"""H14 and H15: tokens that name the right shopper, and events that are kept."""

from itertools import count

LISTS = """home: {path: /, extract: {sku: '$.items[*]', token: $.token},
       evidence: {items: '$.items[*]', token: $.token}}
product: {path: '/p/{extracted.sku}', extract: {viewed: $.sku}}
track: {method: POST, path: /t, json: {sku: '{extracted.viewed?}', token: '{extracted.token?}'},
        evidence: {stored: $.stored, attributed: $.attributed}}
"""


def given(token):
    """Return a step: a list with a token."""
    return "home", {"items": ["a", "b"], "token": token}


def looked_at(sku):
    """Return a step: a product's page."""
    return "product", {"sku": sku}


def told(attributed, stored=1):
    """Return a step: what came of a report."""
    return "track", {"stored": stored, "attributed": attributed}


def test_tokens_of_the_list_before_are_found(probed):
    """A token that was another shopper's is not known when it comes back; nothing else is wrong."""
    found = probed("crossed_token", among=0)
    assert {code for code, one in found.items() if one.state == "violated"} == {"H14"}
    assert found["H14"].blamed
    assert any("did not know" in one["says"] for one in found["H14"].samples)


def test_a_right_shop_knows_its_tokens(probed):
    """Every token comes back to whom it was given."""
    found = probed(codes={"H14"})["H14"]
    assert found.state == "held"
    assert found.operations


def test_without_tokens_nothing_is_attributed(probed, lacking):
    """The path that is missing is named."""
    found = probed(target=lacking("token"), codes={"H14"})["H14"]
    assert found.state == "not observable"
    assert "with evidence token" in found.missing[0]


def test_a_token_of_two_shoppers_is_found(seen_by):
    """A token that is given again, to somebody else, tells nobody apart."""
    own = [[given(f"t{number}")] for number in range(4)]
    crossed = seen_by("H14", LISTS, *own, [given("t1")])
    assert crossed.rule(crossed.counts).held is False
    assert crossed.samples[0].second.startswith("curl ")
    alone = seen_by("H14", LISTS, *own, [given("t9"), given("t9")])
    assert alone.rule(alone.counts).held is True


def test_a_token_that_all_have_names_a_list(seen_by):
    """An id of a campaign, the same for everybody, was never meant to say whom it was shown to."""
    probe = seen_by("H14", LISTS, *([given("spring")] for _ in range(5)))
    assert probe.rule(probe.counts).held is None


def test_an_own_token_must_be_known(seen_by):
    """What comes back in the same visit, about something of that list, is attributed."""
    lost = seen_by("H14", LISTS, [given("t1"), looked_at("b"), told(0)])
    assert lost.rule(lost.counts).held is False
    known = seen_by("H14", LISTS, [given("t1"), looked_at("b"), told(1)])
    assert known.rule(known.counts).held is True


def test_a_report_about_something_else_may_be_refused(seen_by):
    """A thing that the list did not show does not follow from it; nor does what was not accepted at all."""
    for steps in ([looked_at("z"), told(0)], [looked_at("b"), told(0, stored=0)]):
        assert not seen_by("H14", LISTS, [given("t1"), *steps]).samples


def test_lost_events_are_found(probed):
    """One batch of four loses an event: what was accepted is not all there, and nothing else is wrong."""
    found = probed("dropped_events", among=0)
    assert {code for code, one in found.items() if one.state == "violated"} == {"H15"}
    assert found["H15"].blamed
    _, kept, accepted = found["H15"].samples[0]["differs"][0]
    assert kept < accepted


def test_a_right_shop_keeps_every_event(probed):
    """All that was accepted is read back."""
    assert probed(codes={"H15"})["H15"].state == "held"


def test_without_a_reading_and_a_count_no_event_is_seen(probed, lacking):
    """Both ways are named: a reading, or that the answer says what was kept."""
    found = probed(target=lacking("stored", readings=False), codes={"H15"})["H15"]
    assert found.state == "not observable"
    assert "stored" in found.missing[0]


TRACK = "track: {method: POST, path: /t, json: {w: '{shopper.id}', at: '{event.at_ms}'}, evidence: {stored: $.stored}}"
READ = "readings:\n  events: {path: '/n/{shopper.id}', evidence: {stored: $.n}}\n"


def test_an_answer_that_kept_nothing_is_found(toy):
    """A 200 that says that nothing was stored lost what it accepted."""
    assert toy(TRACK, lambda _v, _r: (200, {"stored": 1}), "H15").state == "held"
    assert toy(TRACK, lambda _v, _r: (200, {"stored": 0}), "H15").state == "violated"


def test_late_is_not_lost(toy):
    """A shop that takes twice as long as it promised has lost nothing; one that counts too many neither."""
    sent, readings = count(), count()

    def slow(_visitor, request):
        if request.operation == "track":
            next(sent)
            return 200, {"stored": 1}
        return 200, {"n": 3 if next(readings) % 3 < 2 else 3 + 8 + 1}

    found = toy(TRACK, slow, "H15", head=READ)
    assert found.state == "held"


def test_what_was_refused_was_not_lost(toy):
    """Only what was accepted must be there."""
    numbers, kept = count(), []

    def strict(_visitor, request):
        if request.operation != "track":
            return 200, {"n": len(kept)}
        if next(numbers) % 2:
            return 429, {}
        kept.append(request)
        return 200, {"stored": 1}

    assert toy(TRACK, strict, "H15", head=READ).state == "held"
