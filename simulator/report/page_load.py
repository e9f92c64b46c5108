"""The predicted load of a page as one HTML page that needs nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from simulator import __version__
from simulator.analysis.words import seconds
from simulator.page.read import TIERS
from simulator.report.drawings import FULL, twice
from simulator.report.html import environment, style
from simulator.report.waterfall import Mark, Request, waterfall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.page.forecast import Forecast
    from simulator.page.read import PageSource
    from simulator.page.where import Phone, Place

NAMES = {
    "ttfb": "First byte",
    "fcp": "First paint (FCP)",
    "lcp": "Main content (LCP)",
    "load": "Load event",
    "idle": "Last byte",
}
MARKS = {"fcp": "good", "lcp": "c2", "load": "bad"}
MOST_ROWS = 120
LEAST_WORK_S = 0.002


def page_load_html(source: PageSource, found: Forecast, place: Place, phone: Phone) -> str:
    """Return the page; the same prediction gives the same text."""
    rows = list(_requests(source, found))
    marks = [
        Mark(name.upper() if name != "load" else name, found.typical.seconds[name], class_)
        for name, class_ in MARKS.items()
    ]
    title = f"Waterfall of {source.url} on {place.name}, {phone.name}"
    work = list(_work(source, found))
    context = {
        "style": style(),
        "version": __version__,
        "source": source,
        "tier": TIERS[source.tier],
        "found": found,
        "place": place,
        "phone": phone,
        "names": NAMES,
        "drawn": twice(
            "waterfall", FULL, lambda name, width: waterfall(name, title, rows[:MOST_ROWS], work, marks, width)
        ),
        "rows": rows,
        "left_out": max(len(rows) - MOST_ROWS, 0),
        "megabytes": float(source.graphs[found.load].requests["wire_bytes"].sum()) / 1e6,
        "work_s": sum(end - start for start, end, _ in work),
        "seconds": seconds,
    }
    return environment().get_template("page_load.html.j2").render(context) + "\n"


def _requests(source: PageSource, found: Forecast) -> Iterator[Request]:
    load = source.loads[found.load]
    states = found.typical.requests
    for number in sorted(
        range(len(load.requests)), key=lambda n: (states["found"][n] != states["found"][n], states["found"][n], n)
    ):
        one, state = load.requests[number], states[number]
        if state["end"] != state["end"]:
            continue
        name = urlsplit(one.url).path.rpartition("/")[2] or one.host
        said = (
            f"{one.url}: {one.kind}, {one.wire_bytes / 1e3:.1f} kB, {one.priority}; known {state['found']:.2f} s, "
            f"sent {state['asked']:.2f} s, first byte {state['first']:.2f} s, last byte {state['end']:.2f} s"
        )
        yield Request(
            name, float(state["found"]), float(state["asked"]), float(state["first"]), float(state["end"]), said
        )


def _work(source: PageSource, found: Forecast) -> Iterator[tuple[float, float, str]]:
    tasks = source.loads[found.load].tasks
    kinds = [*(task.kind for task in tasks), "first paint", "main content"]
    for kind, state in zip(kinds, found.typical.tasks, strict=True):
        if state["end"] - state["start"] >= LEAST_WORK_S:
            yield float(state["start"]), float(state["end"]), f"{kind}: {1e3 * (state['end'] - state['start']):.0f} ms"
