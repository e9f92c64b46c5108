"""The headers a real phone's browser sends with a `fetch`, and the markers that say a request is ours.

Everything is as to the shop's public HTTPS origin, even where a test talks to it over plain HTTP, and as after an
`Accept-CH` that asks for network and memory hints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.target.template import header_value, quoted

if TYPE_CHECKING:
    from simulator.model.devices import DeviceRow

CHROMIUM = {"chrome", "samsung", "edge"}
"""Browsers that send client hints; Safari and Firefox send none (WICG ua-client-hints, mozilla/standards-positions)."""
ACCEPT_ENCODING = "gzip, deflate, br"
"""What all of them send."""
ZSTD_SINCE = {"chrome": 123, "edge": 123, "firefox": 126, "samsung": 27}
"""Version from which a browser takes `zstd` too, over TLS (chromestatus.com/feature/6186023867908096; release notes of
Firefox 126; Samsung Internet 27 is Chromium 125). Safari is left out."""
RUN_HEADER = "X-Footfall-Run"
SAVE_DATA_SHARE = {"low": 0.20, "mid": 0.08, "high": 0.03}
"""Share of Android phones with Data Saver on, by tier (assumed)."""

_ECT = (("slow-2g", 2_000, 50), ("2g", 1_400, 70), ("3g", 270, 700))
"""Name, least round trip in ms, most downlink in kbit/s; the first that fits by either (WICG netinfo)."""
_STEP = 25
"""WICG netinfo rounds the round trip to 25 ms and the downlink to 25 kbit/s, against fingerprinting."""
_DOWNLINK_CAP_KBPS = 10_000

_KNOWN = (
    "User-Agent", "Accept", "Accept-Language", "Accept-Encoding", "Sec-CH-UA", "Sec-CH-UA-Mobile",
    "Sec-CH-UA-Platform", "Device-Memory", "Save-Data", "ECT", "RTT", "Downlink", "Content-Type", "Authorization",
    "baggage", RUN_HEADER,
)  # fmt: skip
_SPELLING = {name.lower(): name for name in _KNOWN}


def spelled(name: str) -> str:
    """Return a header's name as we spell it, so that a target file's `accept` replaces our `Accept`."""
    return _SPELLING.get(name.lower(), name)


def sends_hints(device: DeviceRow) -> bool:
    """Return whether this device's browser sends client hints at all."""
    return device.browser in CHROMIUM


def device_headers(device: DeviceRow, languages: str, *, save_data: bool) -> dict[str, str]:
    """Return what does not change during a visit; `languages` is the country's full preference list."""
    headers = {
        "User-Agent": device.user_agent,
        "Accept": "*/*",
        "Accept-Language": accept_language(device.browser, languages),
        "Accept-Encoding": accept_encoding(device),
    }
    if sends_hints(device):
        headers |= {spelled(name): value for name, value in device.client_hints.items()}
        if device.memory_gb is not None:
            headers["Device-Memory"] = f"{device.memory_gb:g}"
        if save_data:
            headers["Save-Data"] = "on"
    return headers


def accept_encoding(device: DeviceRow) -> str:
    """Return the content codings that this device's browser takes."""
    since = ZSTD_SINCE.get(device.browser)
    major = int(device.browser_version.partition(".")[0])
    return f"{ACCEPT_ENCODING}, zstd" if since is not None and major >= since else ACCEPT_ENCODING


def accept_language(browser: str, languages: str) -> str:
    """Return a preference list as this browser sends it.

    Chromium sends it whole. Safari and Firefox send the first language with and without its region; Firefox spreads its
    weights evenly, which makes 0.5 of the second.
    """
    if browser in CHROMIUM:
        return languages
    tags = [part.split(";")[0].strip() for part in languages.split(",")]
    base = tags[0].split("-")[0]
    weight = "0.5" if browser == "firefox" else "0.9"
    return f"{tags[0]},{base};q={weight}" if base != tags[0] else base


def network_hints(rtt_ms: float, down_kbps: float) -> dict[str, str]:
    """Return `ECT`, `RTT` and `Downlink` of a network, rounded as the specification says."""
    ect = next((name for name, rtt, down in _ECT if rtt_ms >= rtt or down_kbps <= down), "4g")
    down = min(_rounded(down_kbps), _DOWNLINK_CAP_KBPS)
    return {"ECT": ect, "RTT": str(_rounded(rtt_ms)), "Downlink": f"{down / 1e3:g}"}


def _rounded(value: float) -> int:
    return int(value / _STEP + 0.5) * _STEP


def markers(run: str, visit: str) -> dict[str, str]:
    """Return the headers by which a target can tell our traffic from people's: ours, and W3C baggage as OTel has it."""
    baggage = f"synthetic_request=true,session.id={quoted(visit)}"
    return {RUN_HEADER: header_value(run), "baggage": baggage}
