"""What a page can tell of the phone it runs on, one row a model of the device table.

Only what a browser discloses: client hints where it sends them (`simulator.target.headers`), the user agent everywhere.
So an iPhone is an "iPhone" with the system version that its user agent claims, which Safari 26 froze at 18.7; Chromium
tells model and system version when a site asks for the high-entropy hints, as the shop's pages do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from simulator.export.vendors.people import brand
from simulator.export.vendors.vocabulary import SYSTEMS
from simulator.model.devices import device_table
from simulator.target.headers import sends_hints

if TYPE_CHECKING:
    from simulator.model.devices import DeviceRow

_BRAND = re.compile(r'"([^"]+)";v="([^"]+)"')
_IOS = re.compile(r"CPU iPhone OS (\d+(?:_\d+)*) like")
_ANDROID = re.compile(r"Android (\d+(?:\.\d+)*)")


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone as a web page sees it; `brands` is empty and `model` generic where there are no client hints."""

    device: DeviceRow
    hints: bool
    brands: tuple[tuple[str, str], ...]
    maker: str | None
    model: str | None
    system: str
    system_version: str

    @property
    def platform_version(self) -> str:
        """Return the version as client hints write it, with three parts."""
        return ".".join([*self.system_version.split("."), "0", "0"][:3])


def seen_phone(device: DeviceRow) -> Phone:
    """Return what a page sees of a device."""
    hints = sends_hints(device)
    generic = "iPhone" if device.os == "ios" else None
    return Phone(
        device,
        hints,
        tuple(_BRAND.findall(device.client_hints.get("Sec-CH-UA", ""))) if hints else (),
        brand(device.model) if hints or generic else None,
        device.model if hints else generic,
        SYSTEMS[device.os],
        device.os_version if hints else _claimed_version(device.user_agent),
    )


def _claimed_version(user_agent: str) -> str:
    found = _IOS.search(user_agent) or _ANDROID.search(user_agent)
    assert found is not None
    return found[1].replace("_", ".")


@cache
def phones() -> dict[str, Phone]:
    """Return every phone of the device table by model."""
    return {device.model: seen_phone(device) for device in device_table().devices}
