"""Visits as a target sees them: real requests to a shop that writes everything down."""

from __future__ import annotations

import re
from itertools import pairwise
from statistics import median

import numpy as np
import pytest

from simulator.journey.mobility import distance_km
from simulator.model.devices import device_table
from simulator.model.places import country_table
from simulator.page.card import PLACEMENTS
from simulator.target.headers import CHROMIUM
from simulator.target.request import Target
from simulator.worlds.live.gauge import Gauge, judge_generator, report_of

HINTS = {"sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform"}
NETWORK = {"ect", "rtt", "downlink"}
PLACED = {
    "home": {"home": "blocking", "recommend": "lcp", "offers": "deferred", "track": "deferred"},
    "search": {"search": "blocking", "track": "deferred"},
    "category": {"category": "blocking", "track": "deferred"},
    "recommend": {"recommend": "blocking", "track": "deferred"},
    "offers": {"offers": "blocking", "track": "deferred"},
    "product": {"product": "blocking", "recommend": "deferred", "track": "deferred"},
    "add_to_cart": {"add_to_cart": "blocking", "track": "deferred"},
    "cart": {"cart": "lcp", "recommend": "deferred"},  # the target file says lcp, the page card blocking
    "checkout": {"checkout": "blocking"},
    "payment": {"payment": "blocking"},
    "purchase": {"purchase": "blocking", "track": "deferred"},
    "login": {"login": "blocking"},
}
NEEDS = {"offers": "location", "track": "analytics"}
PATHS = {"add_to_cart": "add"}


class Played:
    """Forty visits of hurried shoppers: what the shop was asked, by visit, and the tables of the run."""

    def __init__(self, run, asked, tables):
        self.run = run
        self.asked = asked
        self.tables = tables
        self.who = {row["shopper"]: row for row in tables["shoppers"]}
        self.devices = {device.model: device for device in device_table().devices}
        self.by_visit = {}
        for one in asked:
            self.by_visit.setdefault(one.visit, []).append(one)

    def shopper_of(self, one):
        """Return the row of the shopper who asked."""
        return self.who[int(one.visit.split("-")[2])]

    def pairs(self):
        """Return each request beside its row in the requests table."""
        rows = sorted(self.tables["requests"], key=lambda row: (row["shopper"], row["sent_us"]))
        visits = sorted(self.by_visit, key=lambda visit: int(visit.split("-")[2]))
        return list(zip([one for visit in visits for one in self.by_visit[visit]], rows, strict=True))


@pytest.fixture(scope="module")
def played(recording, play, tables):
    """Play forty visits before a healthy shop, once for this file."""
    with recording.Shop() as shop:
        run = play(shop.url, shoppers=40)
        return Played(run, list(shop.asked), tables(run))


def test_every_request_carries_the_marker_and_baggage(played):
    """A target can tell our traffic from people's by either of two headers, on every request."""
    for one in played.asked:
        assert one.headers["x-footfall-run"] == "run-1"
        assert re.fullmatch(r"synthetic_request=true,session\.id=ff-7-\d+-0", one.headers["baggage"])


def test_each_header_stands_once(played):
    """No header is sent twice, as no phone would."""
    assert all(one.lines == len(one.headers) for one in played.asked)


def test_a_visit_is_one_connection(played):
    """Every visit opens a connection of its own and keeps it to the end."""
    connections = {visit: {one.connection for one in asked} for visit, asked in played.by_visit.items()}
    assert len(connections) == 40
    assert all(len(found) == 1 for found in connections.values())
    assert len(set.union(*connections.values())) == 40


def test_headers_are_those_of_the_shoppers_phone(played):
    """The user agent is the device's, and only Chromium sends client hints, as the device table has them."""
    for one in played.asked:
        device = played.devices[played.shopper_of(one)["device"]]
        assert one.headers["user-agent"] == device.user_agent
        hints = {name for name in one.headers if name.startswith("sec-ch-ua")}
        assert hints == (HINTS if device.browser in CHROMIUM else set())
        if device.browser in CHROMIUM:
            assert one.headers["sec-ch-ua"] == device.client_hints["Sec-CH-UA"]


def test_there_are_phones_of_both_kinds(played):
    """The promise above is not an empty one: some phones send hints, and some do not."""
    assert {row["browser"] in CHROMIUM for row in played.tables["shoppers"]} == {True, False}


def test_the_language_is_the_countrys(played):
    """`Accept-Language` begins with the language of the country that the shopper comes from."""
    for one in played.asked:
        first = country_table()[played.shopper_of(one)["country"]].accept_language.split(",")[0]
        assert re.match(rf"{first}(,|$)", one.headers["accept-language"])


def test_network_hints_are_those_of_the_moment(played):
    """Chromium tells round trip and downlink of the page's own network; other browsers tell none."""
    events = {(row["shopper"], row["step"]): row for row in played.tables["events"]}
    for one, row in played.pairs():
        if played.shopper_of(one)["browser"] not in CHROMIUM:
            assert not NETWORK & set(one.headers)
            continue
        event = events[row["shopper"], row["step"]]
        assert int(one.headers["rtt"]) == pytest.approx(event["rtt_ms"], abs=12.6)
        assert 1e3 * float(one.headers["downlink"]) == pytest.approx(min(event["down_kbps"], 10_000), abs=12.6)


def test_cookies_and_token_belong_to_the_visit(played):
    """What the session call gave, a cookie and a bearer token, comes back with every later request of that visit."""
    for asked in played.by_visit.values():
        first, *later = asked
        assert first.path == "/api/session"
        assert not {"cookie", "authorization"} & set(first.headers)
        for one in later:
            assert one.headers["cookie"] == f"sid=s{one.connection}"
            assert one.headers["authorization"] == f"Bearer token-{one.connection}"


def test_a_session_is_opened_once_a_visit(played):
    """`once: visit` calls are made until they have worked, and then no more."""
    assert all([one.path for one in asked].count("/api/session") == 1 for asked in played.by_visit.values())


def test_who_arrives_logged_in_has_logged_in(played):
    """The second request of a shopper who arrives logged in is the login; nobody else begins so."""
    for asked in played.by_visit.values():
        assert (asked[1].path == "/api/login") == played.shopper_of(asked[0])["logged_in"]


def test_the_session_tells_the_consents(played):
    """The target is told what the shopper agreed to, as booleans."""
    for one in played.asked:
        if one.path == "/api/session":
            shopper = played.shopper_of(one)
            assert one.json == {
                "visitor": f"ff-7-{shopper['shopper']}",
                "analytics": shopper["analytics"],
                "location": shopper["location"],
            }


def test_no_position_is_sent_without_consent(played):
    """Latitude and longitude stand in no request of a shopper who does not share their location."""
    asked = [one for one in played.asked if not played.shopper_of(one)["location"]]
    assert asked
    assert not any({"lat", "lon"} & set(one.query) or b"lat" in one.body for one in asked)


def test_with_consent_the_position_is_the_shoppers(played):
    """Who shares their location and is at home tells where the shoppers table says, as blurred as a phone is."""
    told = [one for one in played.asked if "lat" in one.query]
    assert told
    at = {row["shopper"]: row["situation"] for row in played.tables["visits"]}
    away_km = {"home": [], "elsewhere": []}
    for one in told:
        shopper = played.shopper_of(one)
        place = float(one.query["lat"]), float(one.query["lon"])
        where = "home" if at[shopper["shopper"]] == "home" else "elsewhere"
        away_km[where].append(distance_km(shopper["latitude_deg"], shopper["longitude_deg"], *place))
    assert max(away_km["home"]) < 0.08
    assert np.median(away_km["elsewhere"]) > 0.3


def test_calls_that_need_a_consent_are_not_made_without(played):
    """Tracking needs consent to analytics and offers need the location; a skipped call is counted with its reason."""
    for one in played.asked:
        last = one.path.rpartition("/")[2]
        if last in NEEDS:
            assert played.shopper_of(one)[NEEDS[last]]
    assert played.run.skipped["track", "no analytics consent"] > 0
    assert played.run.skipped["offers", "no location consent"] > 0


def test_each_page_makes_its_calls_where_card_and_target_file_place_them(played):
    """Operations and placements of every page are those of the page card, unless the target file says otherwise."""
    for page in played.tables["events"]:
        mine = [
            row for row in played.tables["requests"] if (row["shopper"], row["step"]) == (page["shopper"], page["step"])
        ]
        found = {row["operation"]: row["placement"] for row in mine}
        if page["step"] == 0:
            opening = {"session": found.pop("session")}
            if page["page"] != "login" and "login" in found:
                opening["login"] = found.pop("login")
            assert set(opening.values()) == {"blocking"}
        shopper = played.who[page["shopper"]]
        expected = {op: place for op, place in PLACED[page["page"]].items() if shopper.get(NEEDS.get(op), True)}
        assert found == expected


def test_calls_of_a_page_go_out_in_the_order_of_their_placement(played):
    """Blocking calls come first, then what holds the main content, then the rest, one after another."""
    by_page = {}
    for row in sorted(played.tables["requests"], key=lambda row: row["sent_us"]):
        by_page.setdefault((row["shopper"], row["step"]), []).append(row)
    for rows in by_page.values():
        order = [PLACEMENTS.index(row["placement"]) for row in rows]
        assert order == sorted(order)
        assert all(a["done_us"] <= b["sent_us"] for a, b in pairwise(rows))


def test_requests_are_what_the_target_file_says(played):
    """Each operation goes to its own path with its own method; the table and the wire agree on which was which."""
    for one, row in played.pairs():
        name = row["operation"]
        if name == "product":
            assert one.path.startswith("/products/")
            continue
        assert one.path == f"/api/{PATHS.get(name, name)}"
        posts = {"session", "add_to_cart", "checkout", "payment", "purchase", "login", "track"}
        assert one.method == ("POST" if name in posts else "GET")


def test_a_product_page_is_one_of_the_products_that_were_shown(played):
    """A product's path comes from the list that the shopper saw before, and different shoppers choose differently."""
    paths = {one.path for one in played.asked if one.path.startswith("/products/")}
    assert paths <= {f"/products/A-{number}" for number in range(1, 6)}
    assert len(paths) > 2


def test_what_goes_into_the_cart_is_what_was_looked_at(played):
    """The SKU of an `add_to_cart` is that of the last product page of the visit."""
    bought = 0
    for asked in played.by_visit.values():
        viewed = None
        for one in asked:
            if one.path.startswith("/products/"):
                viewed = one.path.rpartition("/")[2]
            elif one.path == "/api/add":
                assert one.json == {"sku": viewed, "quantity": 1}
                bought += 1
    assert bought > 5


def test_a_form_is_a_form(played):
    """A `form` body is urlencoded and says so; a JSON body says so too; a body that is none has no type."""
    kinds = {"/api/payment": ("application/x-www-form-urlencoded", b"card=tok_test")}
    kinds |= {"/api/checkout": ("application/json", b"{}"), "/api/purchase": (None, b"")}
    seen = {one.path: (one.headers.get("content-type"), one.body) for one in played.asked if one.path in kinds}
    assert seen == kinds


def test_tracking_tells_page_and_time(played):
    """A tracked event names the page that it stands for, and a time on the scenario's calendar, never the clock's."""
    begin_ms = played.run.reference_ms
    for one, row in played.pairs():
        if row["operation"] == "track":
            assert one.json["type"] == row["page"]
            assert begin_ms <= one.json["at_ms"] < begin_ms + 60_000


def test_three_clocks_never_run_backwards(played):
    """Due ≤ sent ≤ done for every request, so latency from due is never below latency from sent."""
    assert all(row["due_us"] <= row["sent_us"] <= row["done_us"] for row in played.tables["requests"])


def test_a_healthy_shop_has_no_errors(played):
    """Before a shop that answers, every request is good and every page arrives."""
    assert {(row["status"], row["error"], row["abandoned"]) for row in played.tables["requests"]} == {
        (200, None, False)
    }
    assert all(row["ok"] for row in played.tables["events"])
    assert played.run.recorder.failed == 0


def test_every_visit_ended_by_itself_and_has_its_pages(played):
    """Each visit that was sent in is in the tables once, over, with as many pages as it says."""
    visits, events = played.tables["visits"], played.tables["events"]
    assert [row["shopper"] for row in visits] == list(range(40))
    assert "ongoing" not in {row["cause"] for row in visits}
    for row in visits:
        assert sum(event["shopper"] == row["shopper"] for event in events) == row["pages"]


def test_load_times_hold_what_was_measured(played):
    """With pages that take no time themselves, the load time is exactly what the blocking and lcp calls took."""
    for event in played.tables["events"]:
        waited = sum(
            row["done_us"] - row["sent_us"]
            for row in played.tables["requests"]
            if (row["shopper"], row["step"]) == (event["shopper"], event["step"]) and row["placement"] != "deferred"
        )
        assert event["load_us"] == event["measured_us"]
        assert event["measured_us"] == pytest.approx(waited, abs=10)


def test_an_arms_delay_is_added_to_what_was_measured(shop, play, tables):
    """A slower arm waits for the same answers and its delay on top, and reports the answers alone as measured."""
    run = play(shop.url, shoppers=4, arm=1)
    for event in tables(run)["events"]:
        assert event["arm"] == "slower"
        assert event["load_us"] == event["measured_us"] + 50_000


def test_an_arms_delay_holds_the_answer_back_on_the_clock(shop, play, tables):
    """What a page asks for next goes out a delay later than its first answer came; without a delay it goes at once."""

    def gaps_us(arm):
        rows = tables(play(shop.url, shoppers=24, arm=arm))["requests"]
        by_page = {(row["shopper"], row["step"]): {} for row in rows}
        for row in rows:
            by_page[row["shopper"], row["step"]].setdefault(row["placement"], []).append(row)
        return [
            min(row["sent_us"] for row in page["lcp"]) - max(row["done_us"] for row in page["blocking"])
            for page in by_page.values()
            if {"lcp", "blocking"} <= page.keys()
        ]

    at_once, held = gaps_us(0), gaps_us(1)
    assert min(len(at_once), len(held)) > 5
    assert min(held) >= 50_000
    assert median(at_once) < 25_000


def test_a_delay_beyond_patience_sends_nothing_more(shop, play, tables):
    """Whoever leaves while an answer is held back never asks for the rest of the page; the answer was no error."""
    endless = [{"name": "endless", "share": 0.5, "delay": {"all": "10min"}}]
    found = tables(play(shop.url, shoppers=8, arm=1, name="impatient", arms=endless))
    assert {row["cause"] for row in found["visits"]} == {"impatient"}
    assert {row["placement"] for row in found["requests"]} == {"blocking"}
    assert {row["error"] for row in found["requests"]} == {None}


def test_modelled_pages_take_longer_than_what_was_measured(shop, begin, tables):
    """On real page cards the load time is what was measured and what the phone and its network add."""
    events = tables(begin(shop.url, seconds=0.5, pages="cards"))["events"]
    assert len(events) == 12
    assert all(0 < event["measured_us"] < event["load_us"] for event in events)


def test_a_shop_slower_by_a_second_is_felt(recording, play, tables):
    """When the home page's answer takes a second longer, so does loading it; the rest of the page stays the same."""

    def first_pages(behave):
        with recording.Shop() as shop:
            shop.behave |= behave
            events = tables(play(shop.url, shoppers=6))["events"]
        return {row["shopper"]: row for row in events if row["step"] == 0 and row["page"] == "home"}

    fast, slow = first_pages({}), first_pages({"home": recording.slow(1.0)})
    assert fast.keys() == slow.keys() != set()
    for shopper, row in slow.items():
        assert row["load_us"] >= 1_000_000
        assert row["load_us"] - row["measured_us"] == fast[shopper]["load_us"] - fast[shopper]["measured_us"]


def test_impatient_shoppers_leave_a_shop_that_hangs(recording, shop, play, tables):
    """Who waits longer than their patience leaves: `impatient`, and what they left is abandoned and no error."""
    shop.always = recording.slow(30.0)
    run = play(shop.url, shoppers=15, name="impatient")
    found = tables(run)
    assert {row["cause"] for row in found["visits"]} == {"impatient"}
    assert all(row["load_us"] is None for row in found["events"])
    assert {(row["abandoned"], row["error"], row["status"]) for row in found["requests"]} == {(True, None, 0)}
    assert run.recorder.failed == 0


def test_how_long_they_wait_is_their_patience(recording, shop, play, tables):
    """A page that never came was waited for as long as the shopper's patience says, neither more nor less."""
    shop.always = recording.slow(30.0)
    found = tables(play(shop.url, shoppers=10, name="impatient"))
    for event, request in zip(found["events"], found["requests"], strict=True):
        assert event["waited_us"] == event["patience_us"]
        spent_us = request["done_us"] - request["sent_us"]
        assert event["patience_us"] <= spent_us + 1_000
        assert spent_us < event["patience_us"] + 1_500_000


FAULTS = {
    "close": "connection closed",
    "reset": "connection closed",
    "garbage": "bad http",
    "truncated": "answer cut short",
    "no_json": "not json",
    "status 500": "status 500",
    "status 404": "status 404",
    "redirect": "status 302",
    "an answer without the token": "missing $.session",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_with_a_page_is_named_and_counted(recording, shop, play, tables, fault):
    """A fault of a blocking call is an error by its name, the page is not ok, and the visit goes on or ends `error`."""
    behaviours = {
        "status 500": recording.status(500),
        "status 404": recording.status(404),
        "redirect": recording.status(302),
        "an answer without the token": recording.body(b"{}"),
    }
    behave = behaviours[fault] if fault in behaviours else getattr(recording, fault)
    shop.behave["session"] = behave
    run = play(shop.url, shoppers=8)
    found = tables(run)
    errors = [row for row in found["requests"] if row["error"]]
    assert {(row["operation"], row["error"]) for row in errors} == {("session", FAULTS[fault])}
    assert run.recorder.failed == len(errors) == 8
    first = [row for row in found["events"] if row["step"] == 0]
    assert not any(row["ok"] for row in first)
    assert all(row["load_us"] is not None for row in first)
    assert {row["cause"] for row in found["visits"]} >= {"error"}


def test_a_timeout_that_nobodys_patience_ended_is_an_error(recording, shop, play, tables, files, tmp_path):
    """A target that does not answer within its own timeout made an error; the shopper had not left."""
    text = (files / "shop.yaml").read_text().replace("timeout: 5s", "timeout: 200ms")
    (tmp_path / "strict.yaml").write_text(text)
    shop.behave["home"] = recording.hang
    found = tables(play(shop.url, shoppers=8, target=str(tmp_path / "strict.yaml")))
    homes = [row for row in found["requests"] if row["operation"] == "home"]
    assert {(row["error"], row["abandoned"]) for row in homes} == {("timeout", False)}


def test_a_fault_of_a_call_that_holds_nothing_harms_no_page(recording, shop, play, tables):
    """Errors of lcp and deferred calls are counted, and the page is shown all the same."""
    shop.behave |= {"recommend": recording.status(500), "track": recording.close}
    found = tables(play(shop.url, shoppers=12))
    named = {(row["operation"], row["error"]) for row in found["requests"] if row["error"]}
    assert named == {("recommend", "status 500"), ("track", "connection closed")}
    bad = [row for row in found["events"] if not row["ok"]]
    assert {row["page"] for row in bad} <= {"recommend"}


def test_after_a_hang_up_the_visit_goes_on_over_a_new_connection(recording, shop, play, tables):
    """A connection that the server cut costs one request and not the rest of the visit."""
    shop.behave["track"] = recording.close
    found = tables(play(shop.url, shoppers=12))
    assert {row["error"] for row in found["requests"] if row["operation"] != "track"} == {None}
    assert all(row["ok"] for row in found["events"])


def test_a_shop_that_closes_under_its_shoppers(recording, begin, tables):
    """When the shop goes away in the middle of a run, what follows are named errors, and every visit ends."""
    with recording.Shop() as shop:
        shop.behave["home"] = lambda handler, _asked: handler.server.closing.wait(1.0)
        run = begin(shop.url, seconds=0.3)
        url = shop.url
    after = begin(url, seconds=5.0)
    assert run.recorder.failed == 0
    found = tables(after)
    assert {row["error"] for row in found["requests"]} == {"connection refused"}
    assert {row["cause"] for row in found["visits"]} >= {"error"}
    assert after.open == 0


def test_a_defect_of_ours_ends_one_visit_and_makes_the_run_invalid(shop, begin, monkeypatch):
    """An error that no target made is no error of the target: the manifest names it among the reasons for `invalid`."""

    def broken(self, operation, *_):
        if operation == "product":
            raise ValueError("a defect")
        return send(self, operation, *_)

    send = Target.build
    monkeypatch.setattr(Target, "build", broken)
    run = begin(shop.url, seconds=5.0)
    assert run.recorder.failed == 0
    assert run.open == 0
    count = run.defects["ValueError: a defect"]
    assert 0 < count < 12
    assert (
        f"{count} visits were broken off by a defect: ValueError: a defect"
        in judge_generator([report_of(run, Gauge())], interrupted=False)["saturated"]
    )


def test_without_a_session_the_visitor_stays_anonymous(recording, shop, play):
    """Where the session call fails, later requests are made without a token rather than with a wrong one."""
    shop.behave["session"] = recording.status(503)
    play(shop.url, shoppers=8)
    later = [one for one in shop.asked if one.path != "/api/session"]
    assert later
    assert not any("authorization" in one.headers for one in later)


def test_a_visit_that_is_cut_is_written_down_as_far_as_it_came(recording, shop, begin, tables):
    """When the run ends under a visit, its pages so far are kept and its cause is `ongoing`."""
    shop.behave |= {f"A-{number}": recording.hang for number in range(1, 6)}
    run = begin(shop.url, seconds=1.0)
    found = tables(run)
    cut = [row for row in found["visits"] if row["cause"] == "ongoing"]
    assert cut
    for row in cut:
        assert row["pages"] == sum(event["shopper"] == row["shopper"] for event in found["events"])
    assert run.open == 0


@pytest.mark.parametrize("pace", [1, 1000])
def test_pace_shortens_thinking_and_nothing_else(shop, play, tables, pace):
    """A page is due when the wait for the last one is over and its thinking, divided by the pace, is done."""
    found = tables(play(shop.url, shoppers=6, name="everyday", population="hurried_population", pace=pace))
    due_us = {}
    for row in found["requests"]:
        if row["placement"] != "deferred":
            key = row["shopper"], row["step"]
            due_us[key] = min(row["due_us"], due_us.get(key, row["due_us"]))
    checked = 0
    for event in found["events"]:
        here, after = ((event["shopper"], event["step"] + more) for more in (0, 1))
        if here in due_us and after in due_us:
            expected = event["waited_us"] + round(event["think_us"] / pace)
            assert due_us[after] - due_us[here] == pytest.approx(expected, abs=2)
            assert event["think_us"] >= 20_000
            checked += 1
    assert checked > 10


def test_setup_calls_are_made_once_and_known_to_every_visit(shop, play, files, tmp_path):
    """What a setup call extracted is there before a visit's first page: a link from outside may lead to a product."""
    text = (files / "shop.yaml").read_text()
    setup = 'setup:\n  popular: {path: /api/popular, extract: {sku: "$.items[*].sku"}}\noperations:\n'
    (tmp_path / "set_up.yaml").write_text(text.replace("operations:\n", setup))
    run = play(shop.url, shoppers=6, target=str(tmp_path / "set_up.yaml"))
    assert [one.path for one in shop.asked].count("/api/popular") == 1
    assert shop.asked[0].path == "/api/popular"
    assert run.known == {"extracted.sku": ("A-1", "A-2", "A-3", "A-4", "A-5")}
