"""H2: sessions that are given to two, or by a cache."""

import pytest

from simulator.target.probes.cookies import Cookie, from_cache, is_session, set_cookies
from simulator.target.probes.echo import Leak
from simulator.target.probes.sessions import Session

PLAIN = '{"target": "plain", "operations": {"home": {"path": "/shelf/shoes"}}}'


def test_a_session_out_of_a_cache_is_found(probed, near):
    """A cookie that a cache kept with a shelf is found when the next shopper asks, and nothing else is blamed."""
    every = probed("cached_cookie", codes=near)
    assert [code for code, one in every.items() if one.state == "violated"] == ["H2"]
    assert every["H2"].blamed
    assert set(every["H2"].operations) == {"category", "suggest"}
    assert every["H2"].samples[0]["differs"][0][0] == "set-cookie"


def test_sessions_of_a_right_shop_are_each_ones_own(probed):
    """Answers out of a cache, and sessions, are counted and held."""
    found = probed(codes={"H1", "H2"})["H2"]
    assert found.state == "held"
    assert found.alone.checked > 5


@pytest.mark.parametrize("wrong", ["one_session", "cookie_kept"])
def test_two_with_one_cookie_are_no_leak_besides(bazaar, wrong):
    """Whoever was given another's session sees what is another's: that is this hazard, and no other."""
    assert [code for code, one in bazaar(wrong).items() if one.state == "violated"] == ["H2"]


def test_one_token_for_two_is_found(people, seen, probe):
    """A token that the target file sends as `auth` must not be told to two; the same shopper may have it twice."""
    session, one, other = probe(Session), people.somebody(), people.somebody()
    for visitor, token in ((one, "of-one"), (one, "of-one"), (other, "of-other")):
        visitor.context.values["extracted.session"] = token
        session.see(seen(visitor, "session"))
    assert not any(key.what == "violated" for key in session.counts)
    other.context.values["extracted.session"] = "of-one"
    session.see(seen(other, "session"))
    assert any(key.what == "violated" for key in session.counts)


def test_what_is_seen_with_anothers_session_is_foreign_and_no_leak(people, seen, probe):
    """Other probes must not judge it, and H1 does not count it."""
    session, leak, one, other = probe(Session), probe(Leak), people.somebody(), people.somebody()
    leak.see(seen(one, "session", evidence={"subject": one.value("shopper.id")}))
    for visitor in (one, other):
        session.see(seen(visitor, "home", headers={"set-cookie": "sid=0123456789abcdef; HttpOnly"}))
    shown = seen(other, "home", evidence={"subject": one.value("shopper.id")})
    leak.see(shown)
    assert shown.foreign
    assert not any(key.what == "violated" for key in leak.counts)


def test_without_sessions_nothing_is_said(probed, tmp_path):
    """A file that knows no session, of a shop that gives none, says what is missing."""
    path = tmp_path / "plain.yaml"
    path.write_text(PLAIN)
    found = probed(target=str(path))["H2"]
    assert found.state == "not observable"
    assert "a session: auth of kind cookie or bearer" in found.missing


@pytest.mark.parametrize(
    ("headers", "cached"),
    [
        ({"age": "12"}, True),
        ({"age": "0"}, False),
        ({"x-cache": "Hit from cloudfront"}, True),
        ({"x-cache": "MISS, HIT"}, True),
        ({"x-cache": "Miss from cloudfront"}, False),
        ({"cf-cache-status": "DYNAMIC"}, False),
        ({"cf-cache-status": "HIT"}, True),
        ({"x-varnish": "32770 3"}, True),
        ({"x-varnish": "32770"}, False),
        ({"cache-status": "edge; hit; ttl=30"}, True),
        ({"cache-status": "edge; fwd=miss"}, False),
        ({}, False),
    ],
)
def test_caches_are_known_by_what_they_say(headers, cached):
    """Age, Cache-Status (RFC 9211) and what caches in use call theirs; a miss is no hit."""
    assert bool(from_cache(headers)) == cached


@pytest.mark.parametrize(
    ("line", "session"),
    [
        ("sid=0123456789abcdef; Path=/; HttpOnly", True),
        ("PHPSESSID=q1w2e3r4t5y6", True),
        ("connect.sid=s%3Aabcdefghij.k", True),
        ("auth_token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.x", True),
        ("lang=en-GB-oxendict", False),
        ("csrftoken=0123456789abcdef", False),
        ("AWSALB=0123456789abcdefsession", False),
        ("__cf_bm=0123456789abcdef", False),
        ("session=eyJsYW5nIjoiZW4ifQ.signature", False),
        ("sid=; Max-Age=0", False),
        ("sid=deleted0; expires=Thu, 01 Jan 1970", False),
        ("session=eyJ1c2VyIjoiNDIzNDU2In0.signature", True),
    ],
)
def test_sessions_are_told_from_other_cookies(line, session):
    """What is given to all, taken away, or says nothing of anybody is no session."""
    assert any(is_session(cookie) for cookie in set_cookies({"set-cookie": f"theme=dark\n{line}"})) == session


def test_cookies_are_read_line_by_line():
    """Values keep what stands in them; a line without `=` sets none."""
    assert list(set_cookies({"set-cookie": 'a="b=c"; Path=/\nnothing\nd=e'})) == [Cookie("a", "b=c"), Cookie("d", "e")]
    assert list(set_cookies({})) == []
