"""Ending a live run early: thresholds that say `abort`, followed while the run goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gevent

from simulator.page.card import OPERATIONS, PLACEMENTS

if TYPE_CHECKING:
    from gevent.event import Event

    from simulator.worlds.live.recorder import Stamp
    from simulator.worlds.live.run import LiveRun

US = 1_000_000
TICK_S = 1.0


def labels_of(run: LiveRun, stamp: Stamp, operation: int, placement: int) -> dict[str, str]:
    """Return the labels that a threshold on requests may name."""
    return {
        "page": run.page_names[stamp.state],
        "persona": run.roster.personas[stamp.persona],
        "operation": OPERATIONS[operation],
        "placement": PLACEMENTS[placement],
    }


def follow(run: LiveRun, ended: Event) -> None:
    """Judge once a second; the first breach is kept in `run.breach` and ends the run."""
    while run.watch and run.breach is None:
        gevent.sleep(TICK_S)
        run.breach = run.watch.tick(run.now_us() / US)
    if run.breach is not None:
        ended.set()
