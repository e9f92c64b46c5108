"""Identities: the same from the same seed and number, nobody's address twice, ASCII wherever a shop needs it."""

import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.model.places import country_table
from simulator.target.identity import DOMAIN, PREFIX, identity_of, name_pools, password_of

LOCALES = sorted({country.locale for country in country_table().values()})
EMAIL = re.compile(r"[a-z0-9]+\.[a-z0-9]+\.[0-9a-f]+-\d+@shopper\.example")


def test_the_same_again():
    """Seed and number alone decide who somebody is, whatever was asked before."""
    first = identity_of(42, 17, "de_DE")
    identity_of(42, 18, "en_US")
    name_pools.cache_clear()
    assert identity_of(42, 17, "de_DE") == first


def test_unique_among_shoppers_and_seeds():
    """No two shoppers share an id or an address, even those of another seed."""
    everybody = [identity_of(seed, shopper, "en_NG") for seed in (1, 11, 2**62) for shopper in range(1_000)]
    assert len({somebody.id for somebody in everybody}) == 3_000
    assert len({somebody.email for somebody in everybody}) == 3_000


def test_names_vary():
    """A crowd does not share a handful of names."""
    names = {identity_of(1, shopper, "en_US").name for shopper in range(500)}
    assert len(names) > 450


@pytest.mark.parametrize("locale", LOCALES)
def test_every_country_has_names_and_ascii_addresses(locale):
    """Each shipped country's locale gives names, and addresses that any shop accepts."""
    for shopper in range(20):
        somebody = identity_of(7, shopper, locale)
        assert somebody.first_name in somebody.name
        assert somebody.last_name in somebody.name
        assert EMAIL.fullmatch(somebody.email)
        assert len(somebody.email.split("@")[0]) <= 64, "RFC 5321, 4.5.3.1.1"


def test_the_family_name_comes_first_where_it_does():
    """Japanese and Korean names have their own order."""
    somebody = identity_of(1, 1, "ja_JP")
    assert somebody.name == f"{somebody.last_name} {somebody.first_name}"


def test_reserved_names():
    """Ids carry our prefix and addresses a reserved domain, so that a target can tell them and no mail arrives."""
    somebody = identity_of(1, 1, "fr_FR")
    assert somebody.id == f"{PREFIX}-1-1"
    assert somebody.email.endswith(f"@{DOMAIN}")


@given(st.emails())
def test_passwords_satisfy_the_usual_rules(email):
    """A password is long and of all classes of characters, and follows from the address."""
    password = password_of(email)
    assert password == password_of(email)
    assert len(password) >= 12
    assert password.isascii()
    assert all(re.search(kind, password) for kind in ("[a-z]", "[A-Z]", "[^A-Za-z0-9]"))


@pytest.mark.parametrize("locale", LOCALES)
def test_pools_are_seeded_and_of_distinct_names(locale):
    """A pool is drawn from the locale's own seed and holds no name twice."""
    from faker import Faker  # noqa: PLC0415 - as slow to import here as there

    firsts, lasts = name_pools(locale)
    judge = Faker(locale, providers=["faker.providers.person"], use_weighting=False)
    judge.seed_instance(zlib.crc32(locale.encode()))
    assert judge.first_name() == firsts[0]
    assert len(firsts) == len(set(firsts)) <= 200
    assert len(lasts) == len(set(lasts)) <= 200
