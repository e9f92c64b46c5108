"""What the capacity world costs an event, against a bare SimPy resource loop on the same core."""

from __future__ import annotations

from figures import Figure


def run() -> list[Figure]:
    """Return SimPy events a second over those of a bare loop."""
    return []
