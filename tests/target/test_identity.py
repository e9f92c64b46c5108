"""Identities: the same from the same seed and number, nobody's address twice, ASCII wherever a shop needs it."""

import re
import zlib

import numpy as np
import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.model.places import city_table, country_table
from simulator.target import pools
from simulator.target.contacts import LETTERS, ShapeBook, cards_of, contact_table, filled
from simulator.target.identity import DOMAIN, PREFIX, Identity, identity_of, password_of
from simulator.target.people import Crowd
from simulator.target.pools import POOL, ascii_name, name_pools, pools_digest, street_pool

COUNTRIES = sorted(country_table())
LOCALES = sorted({country.locale for country in country_table().values()})
EMAIL = re.compile(r"[a-z0-9]+\.[a-z0-9]+\.[0-9a-f]+-\d+@shopper\.example")


def test_the_same_again():
    """Seed and number alone decide who somebody is, whatever was asked before."""
    first = identity_of(42, 17, "DE")
    identity_of(42, 18, "US")
    name_pools.cache_clear()
    assert identity_of(42, 17, "DE") == first


def test_unique_among_shoppers_and_seeds():
    """No two shoppers share an id or an address, even those of another seed."""
    everybody = [identity_of(seed, shopper, "NG") for seed in (1, 11, 2**62) for shopper in range(1_000)]
    assert len({somebody.id for somebody in everybody}) == 3_000
    assert len({somebody.email for somebody in everybody}) == 3_000


def test_names_vary():
    """A crowd does not share a handful of names."""
    names = {identity_of(1, shopper, "US").name for shopper in range(500)}
    assert len(names) > 450


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_country_has_names_and_ascii_addresses(country):
    """Each shipped country gives names, and addresses that any shop accepts."""
    for shopper in range(20):
        somebody = identity_of(7, shopper, country)
        assert somebody.first_name in somebody.name
        assert somebody.last_name in somebody.name
        assert EMAIL.fullmatch(somebody.email)
        assert len(somebody.email.split("@")[0]) <= 64, "RFC 5321, 4.5.3.1.1"


def test_the_family_name_comes_first_where_it_does():
    """Japanese and Korean names have their own order."""
    somebody = identity_of(1, 1, "JP")
    assert somebody.name == f"{somebody.last_name} {somebody.first_name}"


def test_reserved_names():
    """Ids carry our prefix and addresses a reserved domain, so that a target can tell them and no mail arrives."""
    somebody = identity_of(1, 1, "FR")
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
    assert len(firsts) == len(set(firsts)) <= POOL
    assert len(lasts) == len(set(lasts)) <= POOL


@pytest.mark.parametrize("country", COUNTRIES)
def test_the_email_is_made_of_the_name(country):
    """First and last name stand in the address in Latin letters, those of Japan and Korea by their reading."""
    for shopper in range(50):
        somebody = identity_of(3, shopper, country)
        assert somebody.email.startswith(f"{ascii_name(somebody.first_name)}.{ascii_name(somebody.last_name)}.")
        assert "shopper" not in somebody.email.split("@")[0]


def test_korean_names_are_romanized():
    """Known words in the Revised Romanization, where syllables do not change each other."""
    expected = {"한글": "hangeul", "서울": "seoul", "부산": "busan", "김": "gim", "최": "choe", "미경": "migyeong"}
    assert {word: ascii_name(word) for word in expected} == expected


@pytest.mark.parametrize("country", COUNTRIES)
def test_phones_are_of_the_country_and_nobodys(country):
    """The prefix is the country's and the length possible; what no regulator reserves, libphonenumber calls invalid."""
    contact = contact_table().countries[country]
    for shopper in range(200):
        number = phonenumbers.parse(identity_of(3, shopper, country).phone, None)
        assert number.country_code == phonenumbers.country_code_for_region(country)
        assert phonenumbers.is_possible_number(number)
        if contact.phone_kind == "unassigned":
            assert not phonenumbers.is_valid_number(number)


RESERVED = {
    "US": r"\+1 \d{3} 555 01\d\d", "CA": r"\+1 \d{3} 555 01\d\d", "GB": r"\+44 7700 900\d{3}",
    "IE": r"\+353 20 91\d \d{4}", "AU": r"\+61 [2378] (5550|7010) \d{4}", "FR": r"\+33 6 39 98 \d\d \d\d",
    "DE": r"\+49 (171 39200\d\d|(30 23125|69 90009|40 66969|89 99998)\d{3})",
    "SE": r"\+46 (8 465 004 \d\d|70 174 06 (0[5-9]|[1-9]\d))",
}  # fmt: skip


def test_fictional_phones_stay_in_the_reserved_ranges():
    """Countries whose regulator reserves numbers for fiction get no others."""
    table = contact_table().countries
    assert {code for code, contact in table.items() if contact.phone_kind == "fictional"} == set(RESERVED)
    for country, pattern in RESERVED.items():
        assert all(re.fullmatch(pattern, identity_of(4, shopper, country).phone) for shopper in range(300))


def luhn(number):
    """Return whether the check digit is right (ISO/IEC 7812-1, annex B)."""
    digits = [int(digit) for digit in reversed(number)]
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0


BRANDS = {"visa": r"4\d{15}", "mastercard": r"5[1-5]\d{14}", "amex": r"3[47]\d{13}", "discover": r"6011\d{12}",
          "jcb": r"35\d{14}"}  # fmt: skip
PUBLISHED = """
4111111111111111 4012888888881881 4242424242424242 5555555555554444 5105105105105100 378282246310005 371449635398431
6011111111111117 6011000990139424 3530111333300000 3566002020360505
"""


def test_cards_are_published_test_cards():
    """Each is of its brand, passes the check every shop makes, and stands on a payment service's list for sandboxes."""
    table = contact_table()
    assert {number for numbers in table.cards.values() for number in numbers} == set(PUBLISHED.split())
    for brand, numbers in table.cards.items():
        assert all(luhn(number) and re.fullmatch(BRANDS[brand], number) for number in numbers)
    for country in COUNTRIES:
        assert cards_of(country)[-1][2] == pytest.approx(1)
        somebody = identity_of(1, 1, country)
        assert somebody.card_number in table.cards[somebody.card_brand]


POSTCODES = {
    "US": r"\d{5}", "DE": r"\d{5}", "FR": r"\d{5}", "ES": r"\d{5}", "IT": r"\d{5}", "MX": r"\d{5}", "TR": r"\d{5}",
    "KR": r"\d{5}", "KE": r"\d{5}", "ID": r"\d{5}", "AU": r"\d{4}", "ZA": r"\d{4}", "NO": r"\d{4}", "CH": r"\d{4}",
    "IN": r"\d{6}", "NG": r"\d{6}", "SE": r"\d{3} \d\d", "PL": r"\d\d-\d{3}", "JP": r"\d{3}-\d{4}",
    "BR": r"\d{5}-\d{3}", "NL": r"\d{4} [A-Z]{2}", "CA": r"[A-Z]\d[A-Z] \d[A-Z]\d",
    "GB": r"[A-Z]{1,2}\d{1,2} \d[A-Z]{2}", "IE": r"[AC-FHKNPRTV-Y]\d\d [0-9A-Z]{4}",
}  # fmt: skip


@pytest.mark.parametrize("country", COUNTRIES)
def test_postcodes_have_the_shape_of_the_country(country):
    """In every city of a country, listed or not, a postcode looks as it does there."""
    cities = [city.name for city in city_table() if city.country == country]
    for shopper, city in enumerate([*cities * 5, ""]):
        assert re.fullmatch(POSTCODES[country], identity_of(1, shopper, country, city).postcode)


def test_listed_cities_exist():
    """Every city that has its own postcodes is one of the country's in the table of cities."""
    for code, contact in contact_table().countries.items():
        assert set(contact.cities) <= {city.name for city in city_table() if city.country == code}


@given(st.lists(st.text("#%?A1 -", min_size=1, max_size=12), min_size=1, max_size=4), st.floats(0, 1, exclude_max=True))
def test_shapes_are_filled_alike_one_by_one_and_together(shapes, u):
    """One definition of a filled shape: a digit for #, none of them 0 for %, a letter for ?, all else as it is."""
    text = filled(shapes, u)
    shape = shapes[int(u * len(shapes))]
    pattern = re.escape(shape).replace(r"\#", "[0-9]").replace("%", "[1-9]").replace(r"\?", f"[{LETTERS}]")
    assert re.fullmatch(pattern, text)
    book = ShapeBook([["no"], shapes])
    together = book.filled(np.array([1, 0, 1]), np.array([u, 0.5, u])).to_pylist()
    assert together == [text, "no", text]


def test_a_crowd_is_made_of_the_same_people():
    """What is known of many at once is what is known of each, in every country and city."""
    cities = city_table()
    home = np.array([COUNTRIES.index(city.country) for city in cities])
    lives = np.arange(3 * len(cities)) % len(cities)
    shoppers = np.arange(len(lives)) * 7_919 + 2**40
    columns = Crowd(11, COUNTRIES, [city.name for city in cities], home).people(shoppers, home[lives], lives)
    ages = columns.pop("age").to_pylist()
    assert set(columns) == set(Identity._fields) - {"password", "city"}
    for row, city in enumerate(lives):
        somebody = identity_of(11, int(shoppers[row]), cities[city].country, cities[city].name)
        assert {name: column[row].as_py() for name, column in columns.items()} == {
            name: getattr(somebody, name) for name in columns
        }
    assert 18 <= min(ages) < 25
    assert 70 < max(ages) < 80


def test_the_digest_is_of_all_pools():
    """The digest is stable, and another name anywhere makes another digest."""
    before = pools_digest()
    name_pools.cache_clear()
    street_pool.cache_clear()
    assert pools_digest() == before
    assert re.fullmatch("[0-9a-f]{64}", before)


def test_the_digest_sees_every_pool(monkeypatch):
    """One street more in one country changes the digest."""
    before = pools_digest()
    monkeypatch.setattr(pools, "street_pool", lambda code: (*street_pool(code), *(["Sesame"] if code == "IE" else [])))
    assert pools_digest() != before
