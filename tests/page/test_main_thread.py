"""What the main thread does, and what the milestones wait for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pages_made import FAST, SLOW, asked, page, seconds

from simulator.page.graph import graph_of
from simulator.page.predict import simulate
from simulator.page.recording import Initiator, Task


def test_work_stretches_with_the_processor():
    """All 150 ms of work (commit 10, two drawings of 20, script 100) take four times as long; the load event waits."""
    script = asked("script", 2_000, script="defer")
    load = page(script, tasks=[Task(start_ms=130, ms=100, kind="script", needs=[1])])
    one, four = (seconds(load, replace(FAST, cpu=cpu))["load"] for cpu in (1, 4))
    assert four - one == pytest.approx(3 * 0.15, abs=0.02)


def test_one_task_at_a_time():
    """Two scripts that arrive together run one after the other."""
    scripts = [asked("script", 2_000, number=n, script="async") for n in range(2)]
    tasks = [Task(start_ms=130 + n, ms=200, kind="script", needs=[n + 1]) for n in range(2)]
    work = simulate(graph_of(page(*scripts, tasks=tasks)), FAST).tasks
    first, second = sorted((work["start"][n], work["end"][n]) for n in (2, 3))
    assert second[0] >= first[1]


def test_style_sheets_hold_the_first_paint_and_images_do_not():
    """A slow style sheet holds the first paint; a slow image only the load event."""
    style, image = asked("style", 20_000, wait_ms=3_000.0), asked("image", 20_000, wait_ms=3_000.0)
    assert seconds(page(style), FAST)["fcp"] > 3.0
    held = seconds(page(image), FAST)
    assert held["fcp"] < 0.5
    assert held["load"] > 3.0


def test_the_largest_image_is_the_largest_paint():
    """LCP waits for its image, and is never before the first paint."""
    image = asked("image", 100_000)
    found = seconds(page(image, lcp=1), SLOW)
    assert found["lcp"] > 100_000 * 0.008 / 400
    assert found["lcp"] > found["fcp"]


@pytest.mark.parametrize(("shown", "moves"), [(True, True), (False, False)])
def test_a_call_holds_what_it_shows(shown, moves):
    """A call that brings the hero image delays LCP by its server's time; one that shows nothing does not."""
    script = asked("script", 2_000, script="defer")
    asked_by = Initiator(kind="script", request=1)
    call = asked("fetch", 500, initiator=asked_by, start_ms=160.0, end_ms=170.0)
    hero = asked(
        "image",
        30_000,
        initiator=Initiator(kind="script", request=2) if shown else Initiator(kind="parser", request=0, at=0.5),
    )
    tasks = [Task(start_ms=130, ms=20, kind="script", needs=[1], sends=[2])]
    if shown:
        tasks.append(Task(start_ms=175, ms=2, kind="other", needs=[2], sends=[3]))
    quick = page(script, call, hero, tasks=tasks, lcp=3)
    slow = page(script, call.model_copy(update={"wait_ms": 2_000.0}), hero, tasks=tasks, lcp=3)
    moved = seconds(slow, FAST)["lcp"] - seconds(quick, FAST)["lcp"]
    assert moved == pytest.approx(2.0 if moves else 0.0, abs=0.01)


def test_deferred_scripts_run_in_order_and_async_ones_as_they_come():
    """A deferred script waits for the one before it, however late; an async one does not."""
    late, early = asked("script", 2_000, script="defer", wait_ms=1_000.0), asked("script", 2_000, number=1)
    tasks = [Task(start_ms=130, ms=5, kind="script", needs=[1]), Task(start_ms=140, ms=5, kind="script", needs=[2])]
    for kind, waits in (("defer", True), ("async", False)):
        work = simulate(graph_of(page(late, early.model_copy(update={"script": kind}), tasks=tasks)), FAST).tasks
        assert bool(work["start"][3] > 1.0) is waits
