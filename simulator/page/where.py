"""Networks and devices by the names that people give them."""

from __future__ import annotations

import re
from statistics import median
from typing import NamedTuple

from simulator.model.devices import device_table
from simulator.model.networks import Profile, network_table

TIERS = ("low", "mid", "high")
DESKTOP = "desktop"
SHORT = {
    "slow-4g": "lighthouse-slow-4g", "slow-3g": "wpt-3g-slow", "fast-3g": "wpt-3g-fast", "2g": "wpt-2g", "3g": "wpt-3g",
    "3g-slow": "wpt-3g-slow", "3g-fast": "wpt-3g-fast", "4g": "wpt-4g", "fast-4g": "wpt-4g-fast", "edge": "wpt-edge",
}  # fmt: skip
"""What people say, and the packet-level profile that is meant."""
OWN = re.compile(r"(?P<rtt>[\d.]+)ms/(?P<down>[\d.]+)kbps(?:/(?P<up>[\d.]+)kbps)?")
LARGEST = 1e8


class Place(NamedTuple):
    """A network as a page meets it."""

    name: str
    rtt_ms: float
    down_kbps: float
    up_kbps: float
    promotion_s: float
    source: str


class Phone(NamedTuple):
    """A device as a page meets it."""

    name: str
    cpu_slowdown: float
    source: str


class UnknownPlaceError(ValueError):
    """No network or device has this name; the message says which there are."""


def network(said: str) -> Place:
    """Return a network: a profile, a technology at its medians, or `150ms/1600kbps/750kbps`. May raise."""
    name = re.sub(r"[\s_]+", "-", said.strip().lower())
    table = network_table()
    name = SHORT.get(name, name)
    if name in table.profiles:
        return _profile(name, table.profiles[name])
    for technology, one in table.technologies.items():
        if technology == name:
            rtt, down, up = (dist.quantile(0.5) for dist in (one.rtt_ms, one.down_kbps, one.up_kbps))
            return Place(name, rtt, down, up, one.radio_promotion, "medians of personas/networks.yaml")
    if own := OWN.fullmatch(said.strip().lower().replace(" ", "")):
        return _own(said, own)
    known = ", ".join([*SHORT, *table.technologies, *(n for n, p in table.profiles.items() if p.semantics == "packet")])
    raise UnknownPlaceError(f"no network is called {said!r}. Hint: one of {known}; or 150ms/1600kbps/750kbps")


def _profile(name: str, one: Profile) -> Place:
    if one.semantics != "packet":
        raise UnknownPlaceError(
            f"{name} delays whole requests, not packets: it knows no handshakes and no slow start, and is no network. "
            "Hint: slow-4g is what it stands for"
        )
    return Place(name, one.rtt_ms, one.down_kbps, one.up_kbps, 0.0, one.source)


def _own(said: str, own: re.Match[str]) -> Place:
    rtt, down = float(own["rtt"]), float(own["down"])
    up = float(own["up"] or own["down"])
    if not (0 < rtt <= 1e5 and 0 < down <= LARGEST and 0 < up <= LARGEST):
        raise UnknownPlaceError(f"{said!r} is no network: round trip and rates must be above 0, and of this world")
    return Place(said, rtt, down, up, 0.0, "given")


def device(said: str) -> Phone:
    """Return a device: a tier at its weighted median, a model, `desktop`, or a slowdown as `4x`. May raise."""
    name = said.strip().lower()
    rows = device_table().devices
    if name == DESKTOP:
        return Phone(DESKTOP, 1.0, "the reference: a fast desktop")
    if name in TIERS:
        slow = [row.cpu_slowdown for row in rows if row.tier == name]
        return Phone(
            f"{name}-tier phone", median(slow), f"median of {len(slow)} {name}-tier phones in personas/devices.yaml"
        )
    for row in rows:
        if row.model.lower() == name:
            return Phone(row.model, row.cpu_slowdown, "personas/devices.yaml")
    if own := re.fullmatch(r"([\d.]+)x?", name):
        slowdown = float(own[1]) if own[1].count(".") < 2 else 0.0
        if 0.1 <= slowdown <= 100:
            return Phone(f"{slowdown:g}x", slowdown, "given, against a fast desktop")
    raise UnknownPlaceError(
        f"no device is called {said!r}. Hint: desktop, low, mid, high, a model as `Galaxy A14`, or 4x"
    )
