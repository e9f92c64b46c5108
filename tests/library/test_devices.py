"""The shipped device table: every row's headers agree with themselves, with ua-parser as the referee."""

import re

import pytest
from ua_parser import parse

from simulator.model.devices import DeviceRow, device_table
from simulator.model.places import country_table
from simulator.target.headers import device_headers, network_hints, sends_hints

TABLE = device_table()
ROWS = [pytest.param(row, id=f"{row.model}-{row.browser}") for row in TABLE.devices]
CHROMIUM = [param for param in ROWS if param.values[0].browser in ("chrome", "samsung", "edge")]
SILENT = [param for param in ROWS if param.values[0].browser in ("safari", "firefox")]

FAMILIES = {
    "safari": "Mobile Safari",
    "chrome": "Chrome Mobile",
    "samsung": "Samsung Internet",
    "edge": "Edge Mobile",
    "firefox": "Firefox Mobile",
}
BRANDS = {"chrome": "Google Chrome", "samsung": "Samsung Internet", "edge": "Microsoft Edge"}
GREASE_CHARACTERS = (" ", "(", ":", "-", ".", "/", ")", ";", "=", "?", "_")
GREASE_VERSIONS = ("8", "99", "24")
GREASE_ORDERS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
# Lighthouse, docs/throttling.md: multipliers of a fast desktop by class.
SLOWDOWN = {"high": (1, 3), "mid": (2, 10), "low": (5, 20)}


def brand_list(chromium: int, brand: str, version: str) -> str:
    """Return Sec-CH-UA as Chromium's user_agent_utils.cc makes it: grease, order and all follow the major version."""
    first, second = (GREASE_CHARACTERS[(chromium + i) % len(GREASE_CHARACTERS)] for i in (0, 1))
    grease = (f"Not{first}A{second}Brand", GREASE_VERSIONS[chromium % len(GREASE_VERSIONS)])
    places = ["", "", ""]
    order = GREASE_ORDERS[chromium % len(GREASE_ORDERS)]
    for place, (name, number) in zip(order, [grease, ("Chromium", str(chromium)), (brand, version)], strict=True):
        places[place] = f'"{name}";v="{number}"'
    return ", ".join(places)


def chromium_version(row: DeviceRow) -> int:
    """Return the Chromium version in a user agent."""
    match = re.search(r"Chrome/(\d+)\.0\.0\.0 ", row.user_agent)
    assert match
    return int(match[1])


def share_by(rows: list[DeviceRow], key: str) -> dict[object, float]:
    """Return the share of each value of a field, by the rows' weights."""
    total = sum(row.share for row in rows)
    shares: dict[object, float] = {}
    for row in rows:
        shares[getattr(row, key)] = shares.get(getattr(row, key), 0) + row.share / total
    return shares


def test_the_table_is_wide_enough():
    """At least 24 phones, both systems in every tier, all five browsers, each phone once."""
    assert len(TABLE.devices) >= 24
    assert {(row.os, row.tier) for row in TABLE.devices} == {(o, t) for o in ("ios", "android") for t in SLOWDOWN}
    assert {row.browser for row in TABLE.devices} == set(FAMILIES)
    assert len({row.model for row in TABLE.devices}) == len(TABLE.devices)


@pytest.mark.parametrize("row", ROWS)
def test_the_user_agent_says_the_row_s_browser(row):
    """ua-parser reads the row's browser and version out of its user agent."""
    browser = parse(row.user_agent).user_agent
    assert browser
    assert browser.family == FAMILIES[row.browser]
    version = row.browser_version.split(".")
    assert [browser.major, browser.minor][: len(version)] == version


@pytest.mark.parametrize("row", ROWS)
def test_the_user_agent_says_the_row_s_system(row):
    """ua-parser reads the row's system; its version where the browser does not freeze it."""
    system = parse(row.user_agent).os
    assert system
    assert system.family == {"ios": "iOS", "android": "Android"}[row.os]
    if row.browser in BRANDS:
        assert system.major == "10"
    elif row.os == "ios" and int(row.os_version.split(".")[0]) >= 26:
        assert (system.major, system.minor) == ("18", "7")
    else:
        assert system.major == row.os_version.split(".")[0]


@pytest.mark.parametrize("row", ROWS)
def test_browser_and_system_belong_together(row):
    """Safari runs on iOS and nothing else does; Safari's version is its system's."""
    assert (row.browser == "safari") == (row.os == "ios")
    if row.browser == "safari":
        assert row.browser_version.split(".")[0] == row.os_version.split(".")[0]


@pytest.mark.parametrize("row", CHROMIUM)
def test_chromium_sends_the_reduced_user_agent(row):
    """No model, no real system version and no minor browser version leaves a Chromium browser by default."""
    samsung = f"SamsungBrowser/{row.browser_version} " if row.browser == "samsung" else ""
    edge = f" EdgA/{row.browser_version}.0.0.0" if row.browser == "edge" else ""
    assert row.user_agent == (
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
        f"{samsung}Chrome/{chromium_version(row)}.0.0.0 Mobile Safari/537.36{edge}"
    )


@pytest.mark.parametrize("row", CHROMIUM)
def test_client_hints_agree_with_the_user_agent(row):
    """The three low-entropy hints are there, and name the version, form and platform that the user agent names."""
    assert dict(row.client_hints) == {
        "Sec-CH-UA": brand_list(chromium_version(row), BRANDS[row.browser], row.browser_version),
        "Sec-CH-UA-Mobile": "?1",
        "Sec-CH-UA-Platform": '"Android"',
    }


def test_the_grease_rule_is_the_one_seen_in_the_wild():
    """The rule gives the headers that Chrome 126, 143 and 147 are known to send."""
    chrome = {version: brand_list(version, "Google Chrome", str(version)) for version in (126, 143, 147)}
    assert chrome == {
        126: '"Not/A)Brand";v="8", "Chromium";v="126", "Google Chrome";v="126"',
        143: '"Google Chrome";v="143", "Chromium";v="143", "Not A(Brand";v="24"',
        147: '"Google Chrome";v="147", "Not.A/Brand";v="8", "Chromium";v="147"',
    }


@pytest.mark.parametrize("row", SILENT)
def test_safari_and_firefox_send_no_hints_and_no_memory(row):
    """Safari and Firefox know neither client hints nor deviceMemory."""
    assert row.client_hints == {}
    assert row.memory_gb is None


@pytest.mark.parametrize("row", CHROMIUM)
def test_chromium_reports_memory_in_powers_of_two(row):
    """The Device Memory API rounds to a power of two and stops at 8."""
    assert row.memory_gb in (1, 2, 4, 8)


@pytest.mark.parametrize("row", ROWS)
def test_the_slowdown_lies_in_its_tier(row):
    """Each phone is as slow as Lighthouse's class for its tier."""
    low, high = SLOWDOWN[row.tier]
    assert low <= row.cpu_slowdown <= high


@pytest.mark.parametrize("row", ROWS)
def test_the_screen_is_a_phone_s_in_portrait(row):
    """CSS pixels, upright, phone-sized."""
    width, height = row.screen
    assert 320 <= width <= 480
    assert 1.6 <= height / width <= 2.4
    assert 1.5 <= row.pixel_ratio <= 4


def test_tiers_are_ordered():
    """A higher tier is faster on average, on both systems."""
    for system in ("ios", "android"):
        rows = [row for row in TABLE.devices if row.os == system]
        means = [
            sum(row.cpu_slowdown * row.share for row in rows if row.tier == tier)
            / sum(row.share for row in rows if row.tier == tier)
            for tier in ("high", "mid", "low")
        ]
        assert means == sorted(means)


def test_iphone_screens_are_as_frequent_as_measured():
    """The screens of the source have the source's shares, within 1 point."""
    shares = share_by([row for row in TABLE.devices if row.os == "ios"], "screen")
    measured = {
        (393, 852): 0.23, (402, 874): 0.20, (440, 956): 0.16, (390, 844): 0.15, (430, 932): 0.11,
        (428, 926): 0.045, (375, 812): 0.03, (375, 667): 0.02,
    }  # fmt: skip
    for screen, share in measured.items():
        assert shares[screen] == pytest.approx(share, abs=0.01), screen


def test_safari_versions_are_as_frequent_as_measured():
    """Safari 26, 18 and older stand as 84 : 11 : 4, within 3 points."""
    shares: dict[int, float] = {}
    for version, share in share_by([row for row in TABLE.devices if row.os == "ios"], "browser_version").items():
        major = int(str(version).split(".")[0])
        shares[max(major, 17)] = shares.get(max(major, 17), 0) + share
    for major, share in {26: 0.84, 18: 0.11, 17: 0.04}.items():
        assert shares[major] == pytest.approx(share, abs=0.03), major


def test_android_memory_is_as_frequent_as_measured():
    """8 and more, 4, 2, at most 1 GB and silent phones have the source's shares, within 2 points."""
    shares = share_by([row for row in TABLE.devices if row.os == "android"], "memory_gb")
    for memory, share in {8: 0.55, 4: 0.35, 2: 0.04, 1: 0.02, None: 0.04}.items():
        assert shares[memory] == pytest.approx(share, abs=0.02), memory


def test_android_browsers_are_as_frequent_as_measured():
    """Firefox and Edge have the source's shares, within 1 point; Samsung Internet the 10 % that are assumed."""
    shares = share_by([row for row in TABLE.devices if row.os == "android"], "browser")
    for browser, share in {"firefox": 0.04, "edge": 0.02, "samsung": 0.10}.items():
        assert shares[browser] == pytest.approx(share, abs=0.01), browser


def test_old_androids_are_as_frequent_as_measured():
    """The last versions for Android 9 (138) and 7 (119) have the source's shares, within 2 points, on such systems."""
    rows = [row for row in TABLE.devices if row.os == "android"]
    shares = share_by(rows, "browser_version")
    assert shares["138"] == pytest.approx(0.046, abs=0.02)
    assert shares["119"] == pytest.approx(0.0185, abs=0.02)
    for row in rows:
        if float(row.os_version) < 8:
            assert row.browser_version == "119"
        elif float(row.os_version) < 10:
            assert row.browser_version == "138"


def test_cores_deviate_as_the_evidence_says():
    """Eight cores are as frequent as the evidence admits, more than measured."""
    share = share_by([row for row in TABLE.devices if row.os == "android"], "cores")[8]
    quoted = re.search(r"eight in (\d+) % here against 75 % there", TABLE.evidence)
    assert quoted
    assert share == pytest.approx(int(quoted[1]) / 100, abs=0.006)


@pytest.mark.parametrize("row", ROWS)
def test_the_user_agent_says_the_device_s_family(row):
    """ua-parser reads an iPhone out of Safari's user agent, and no model at all out of any Android browser's."""
    device = parse(row.user_agent).device
    assert device
    if row.os == "ios":
        assert (device.family, device.brand) == ("iPhone", "Apple")
    elif row.browser == "firefox":
        assert device.family == "Generic Smartphone"
    else:
        assert (device.family, device.brand) == ("K", "Generic_Android")


@pytest.mark.parametrize("row", ROWS)
def test_only_chromium_tells_memory_network_and_data_saver(row):
    """Device-Memory, Save-Data and what is told of the network go with client hints, and with nothing else."""
    headers = device_headers(row, "en-US,en;q=0.9", save_data=True)
    told = {"Device-Memory", "Save-Data", "Sec-CH-UA", "Sec-CH-UA-Mobile", "Sec-CH-UA-Platform"} & set(headers)
    assert sends_hints(row) == (row.browser in BRANDS) == bool(row.client_hints)
    assert len(told) == (5 if row.browser in BRANDS else 0)
    assert set(network_hints(100.0, 5_000.0)) == {"ECT", "RTT", "Downlink"}
    if row.browser in BRANDS:
        assert headers["Device-Memory"] == f"{row.memory_gb:g}"


@pytest.mark.parametrize("row", ROWS)
def test_what_a_phone_can_do_fits_what_it_is(row):
    """Every iPhone here can do both; no Android of 2 GB or less, and none of before Android 8, has ARCore."""
    if row.os == "ios":
        assert row.ar
        assert row.biometric
    elif row.memory_gb in (1, 2) or float(row.os_version) < 8:
        assert not row.ar


def test_some_phones_can_and_some_cannot():
    """Both abilities leave somebody out, and most phones have them."""
    android = [row for row in TABLE.devices if row.os == "android"]
    assert 0.4 < share_by(android, "ar")[True] < 0.7
    assert 0.9 < share_by(android, "biometric")[True] < 1.0


def test_every_country_has_a_share_of_ios():
    """The share of iOS is given for exactly the shipped countries, and for the world."""
    assert set(TABLE.ios_share) == {*country_table(), "world"}


def test_an_unlisted_country_has_the_world_s_share():
    """A country that the table does not know gets the world's share of iOS."""
    assert TABLE.ios_in("AQ") == TABLE.ios_share["world"]
