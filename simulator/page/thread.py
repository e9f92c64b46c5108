"""What a browser tab's main thread does: one task at a time, in the order in which they could run. Compiled."""

from __future__ import annotations

import math

from simulator.model.compiled import compiled
from simulator.page.connecting import discover, release
from simulator.page.graph import DELAYABLE
from simulator.page.tab import DONE, READY, SENT, UNKNOWN, WAITS, Tab, push


@compiled
def meet(sim: Tab, task: int) -> None:
    """One of the things that a task waits for has happened."""
    one = sim.work[task]
    one.unmet -= 1
    if one.unmet == 0:
        push(sim, sim.tab[0].now + sim.tasks[task].after_s, READY, task)


@compiled
def parse(sim: Tab) -> None:
    """Let the preload scanner find what the document names in the part that has come."""
    tab = sim.tab[0]
    while tab.committed and tab.scan < len(sim.scan):
        request = sim.scan[tab.scan]
        if sim.requests[request].at_bytes > sim.state[tab.document].got:
            return
        tab.scan += 1
        discover(sim, request)


@compiled
def run_next(sim: Tab) -> None:
    """Let the main thread take the task that has waited longest."""
    tab = sim.tab[0]
    if tab.running >= 0 or tab.queue_first == tab.queue_last:
        return
    task = sim.queue[tab.queue_first]
    tab.queue_first += 1
    tab.running = task
    sim.work[task].start = tab.now
    push(sim, tab.now + sim.tasks[task].work_s * tab.cpu, DONE, task)


@compiled
def finish(sim: Tab, task: int) -> None:
    """End a task: what it asked for is discovered, what follows it may run."""
    tab = sim.tab[0]
    sim.work[task].end = tab.now
    tab.running = -1
    if task == 0:
        tab.committed = 1
        parse(sim)
    starts, targets = sim.task_requests
    for edge in range(starts[task], starts[task + 1]):
        discover(sim, targets[edge])
    starts, targets = sim.task_tasks
    for edge in range(starts[task], starts[task + 1]):
        meet(sim, targets[edge])
    if task == tab.first_paint:
        raise_seen(sim)
    if sim.tasks[task].head:
        leave_head(sim)
    run_next(sim)


@compiled
def leave_head(sim: Tab) -> None:
    """Let the parser pass one of what keeps it in the document's head; with the last of it tight mode is over."""
    sim.tab[0].head -= 1
    release(sim)


@compiled
def raise_seen(sim: Tab) -> None:
    """After the first layout what is in view is urgent."""
    state = sim.state
    requests = sim.requests
    tab = sim.tab[0]
    tab.raised = 1
    for request in range(len(state)):
        one, row = state[request], requests[request]
        if one.state == UNKNOWN or row.raised >= one.priority or not math.isnan(one.end):
            continue
        if one.state in (WAITS, SENT) and one.priority >= DELAYABLE and row.raised < DELAYABLE and row.protocol == 0:
            tab.delayable -= 1
        one.priority = row.raised
        sim.streams[request].urgency = row.raised
    release(sim)
