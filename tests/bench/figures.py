"""One figure of the bench."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, how it is shown, the bar it has to clear, and whether it does."""

    name: str
    shown: str
    bar: str
    ok: bool


def at_least(name: str, value: float, least: float, unit: str = "") -> Figure:
    """Return a figure that must not be below `least`."""
    return Figure(name, f"{value:,.2f}{unit}", f"≥ {least:g}{unit}", value >= least)


def at_most(name: str, value: float, most: float, unit: str = "") -> Figure:
    """Return a figure that must not be above `most`."""
    return Figure(name, f"{value:,.2f}{unit}", f"≤ {most:g}{unit}", value <= most)
