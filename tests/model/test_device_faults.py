"""Personas whose tiers leave no device of a system that some of them have: a fault, never somebody else's phone."""

import pytest

from simulator.model import persona
from simulator.model.devices import device_table
from simulator.model.faults import FileFaults
from simulator.model.persona import load_persona

MINE = "persona: mine\ndescribe: for a test\nextends: base_mobile\n"


@pytest.fixture
def no_cheap_iphone(monkeypatch):
    """Take the low tier of iOS out of the device table."""
    table = device_table()
    left = [row for row in table.devices if (row.os, row.tier) != ("ios", "low")]
    monkeypatch.setattr(persona, "device_table", lambda: table.model_copy(update={"devices": left}))


@pytest.mark.usefixtures("no_cheap_iphone")
@pytest.mark.parametrize("os", ["country_share", "{ios: 0.2, android: 0.8}", "{ios: 1.0}"])
def test_tiers_that_leave_no_device_of_a_system(persona_file, monkeypatch, tmp_path, os):
    """Where a system has shoppers and no device of the tiers asked for, the file is at fault, with line and hint."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileFaults) as error:
        load_persona(persona_file(f"{MINE}device:\n  os: {os}\n  tier: {{low: 1.0, mid: 0, high: 0}}\n"))
    assert str(error.value) == (
        "mine.yaml:6: device.tier leaves no device of ios, the device table has mid, high of it. "
        "Hint: give one of these a weight, or leave ios out of device.os"
    )


@pytest.mark.usefixtures("no_cheap_iphone")
@pytest.mark.parametrize("device", ["{os: {ios: 0, android: 1}, tier: {low: 1.0}}", "{tier: {low: 0.9, mid: 0.1}}"])
def test_a_system_that_nobody_has_needs_no_device(persona_file, device):
    """A system without a weight, and a mix of tiers of which some exist, are no faults."""
    assert load_persona(persona_file(f"{MINE}device: {device}\n")).name == "mine"


def test_every_tier_of_every_system_has_a_device():
    """With the shipped table, no mix of tiers with a weight can leave anybody without a device."""
    assert device_table().tiers() == {system: {"low", "mid", "high"} for system in ("android", "ios")}
