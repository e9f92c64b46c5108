"""The dated device table: what a phone is, and the headers its browser would send."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulator.model.library import library_folder
from simulator.model.units import Share
from simulator.model.yamlfile import read_yaml, validate


class DeviceRow(BaseModel):
    """One device: `share` weighs it within its operating system; `cpu_slowdown` is against a fast desktop (1)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    os: Literal["ios", "android"]
    os_version: str
    browser: Literal["safari", "chrome", "samsung", "edge", "firefox"]
    browser_version: str
    tier: Literal["low", "mid", "high"]
    share: Annotated[float, Field(gt=0)]
    screen: Annotated[tuple[int, int], Field(description="CSS pixels, width and height")]
    pixel_ratio: float
    memory_gb: float | None
    cores: int | None
    cpu_slowdown: Annotated[float, Field(gt=0)]
    user_agent: str
    client_hints: dict[str, str] = {}
    ar: Annotated[bool, Field(description="ARKit or ARCore runs on it")]
    biometric: Annotated[bool, Field(description="has a fingerprint reader or face recognition")]


class DeviceTable(BaseModel):
    """All devices, and the share of iOS by country."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dated: str
    evidence: str
    ios_share: dict[str, Share]
    devices: list[DeviceRow]

    def ios_in(self, country: str) -> float:
        """Return the share of iOS in a country, the world's where the country is not listed."""
        return self.ios_share.get(country, self.ios_share["world"])

    def tiers(self) -> dict[str, frozenset[str]]:
        """Return the operating systems, and of which tiers there are devices of each."""
        systems = {device.os for device in self.devices}
        return {os: frozenset(device.tier for device in self.devices if device.os == os) for os in sorted(systems)}


@cache
def device_table() -> DeviceTable:
    """Return the shipped table."""
    return validate(DeviceTable, read_yaml(library_folder("personas") / "devices.yaml"))
