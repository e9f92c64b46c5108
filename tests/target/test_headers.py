"""Headers: what is sent agrees with the device, for every shipped device; hints are rounded as WICG says."""

import re

import pytest
from ua_parser import parse

from simulator.model.devices import device_table
from simulator.model.places import country_table
from simulator.target.headers import accept_language, device_headers, markers, network_hints, sends_hints, spelled

DEVICES = {device.model: device for device in device_table().devices}
HINTS = {"Sec-CH-UA", "Sec-CH-UA-Mobile", "Sec-CH-UA-Platform", "Device-Memory", "Save-Data", "ECT", "RTT", "Downlink"}
FAMILY = {
    "safari": "Mobile Safari",
    "chrome": "Chrome Mobile",
    "samsung": "Samsung Internet",
    "edge": "Edge Mobile",
    "firefox": "Firefox Mobile",
}


@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
def test_headers_agree_with_the_device(device):
    """A third party's parser reads the device's own browser and system out of the user agent."""
    headers = device_headers(device, "de-DE,de;q=0.9,en;q=0.8", save_data=False)
    seen = parse(headers["User-Agent"])
    assert seen.user_agent.family == FAMILY[device.browser]
    assert seen.user_agent.major == device.browser_version.split(".")[0]
    assert seen.os.family == {"ios": "iOS", "android": "Android"}[device.os]
    assert headers["Accept-Language"].startswith("de-DE,de;q=0.")
    assert all(value.isascii() and value.isprintable() for value in headers.values())


@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
def test_client_hints_agree_with_the_user_agent(device):
    """Chromium browsers send low-entropy hints of the same version as their user agent; others send none at all."""
    headers = device_headers(device, "en-US,en;q=0.9", save_data=True)
    if not sends_hints(device):
        assert not HINTS & set(headers)
        return
    chromium = re.search(r"Chrome/(\d+)", headers["User-Agent"]).group(1)
    assert f'"Chromium";v="{chromium}"' in headers["Sec-CH-UA"]
    assert (headers["Sec-CH-UA-Mobile"], headers["Sec-CH-UA-Platform"]) == ("?1", '"Android"')
    assert headers["Save-Data"] == "on"
    assert float(headers["Device-Memory"]) == device.memory_gb


def test_no_save_data_unless_it_is_on():
    """`Save-Data` has no off."""
    assert "Save-Data" not in device_headers(DEVICES["Pixel 9"], "en", save_data=False)


@pytest.mark.parametrize("code", country_table())
def test_every_country_is_spoken_by_every_browser(code):
    """Each browser's list begins with the country's first language, and weights never rise."""
    languages = country_table()[code].accept_language
    for browser in ("safari", "chrome", "samsung", "firefox"):
        sent = accept_language(browser, languages)
        assert sent.split(",")[0] == languages.split(",")[0]
        weights = [float(part.split(";q=")[1]) if ";" in part else 1.0 for part in sent.split(",")]
        assert weights == sorted(weights, reverse=True)


ACCEPT = [
    ("chrome", "nb-NO,nb;q=0.9,no;q=0.8,en;q=0.7", "nb-NO,nb;q=0.9,no;q=0.8,en;q=0.7"),
    ("safari", "nb-NO,nb;q=0.9,no;q=0.8,en;q=0.7", "nb-NO,nb;q=0.9"),
    ("firefox", "de-DE,de;q=0.9,en;q=0.8", "de-DE,de;q=0.5"),
    ("safari", "eo", "eo"),
]


@pytest.mark.parametrize(("browser", "languages", "expected"), ACCEPT)
def test_accept_language(browser, languages, expected):
    """Chromium sends the whole list, the others the first language with and without its region."""
    assert accept_language(browser, languages) == expected


NETWORKS = [
    (2_000.0, 9_000.0, "slow-2g", "2000", "9"),
    (80.0, 50.0, "slow-2g", "75", "0.05"),
    (1_400.0, 9_000.0, "2g", "1400", "9"),
    (80.0, 70.0, "2g", "75", "0.075"),
    (270.0, 9_000.0, "3g", "275", "9"),
    (269.9, 9_000.0, "4g", "275", "9"),
    (80.0, 700.0, "3g", "75", "0.7"),
    (80.0, 701.0, "4g", "75", "0.7"),
    (12.4, 1_512.4, "4g", "0", "1.5"),
    (12.5, 1_512.5, "4g", "25", "1.525"),
    (37.0, 250_000.0, "4g", "25", "10"),
]


@pytest.mark.parametrize(("rtt_ms", "down_kbps", "ect", "rtt", "downlink"), NETWORKS)
def test_network_hints(rtt_ms, down_kbps, ect, rtt, downlink):
    """Round trips come in steps of 25 ms, downlinks of 25 kbit/s up to 10 Mbit/s; the worse of both names the type."""
    assert network_hints(rtt_ms, down_kbps) == {"ECT": ect, "RTT": rtt, "Downlink": downlink}


def test_markers():
    """Every request says that it is synthetic, of which run and of which visit, on one line."""
    assert markers("black friday\r\nX: y", "ff-2a-1;0") == {
        "X-Footfall-Run": "black friday%0D%0AX: y",
        "baggage": "synthetic_request=true,session.id=ff-2a-1%3B0",
    }


def test_spelling():
    """A file's spelling of a header we know becomes ours, so that nothing is sent twice."""
    assert [spelled(name) for name in ("accept", "SEC-CH-UA", "x-mine")] == ["Accept", "Sec-CH-UA", "x-mine"]
