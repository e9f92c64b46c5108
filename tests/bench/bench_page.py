"""How many page loads a second one core plays: the page of the promise has 70 requests and 1.8 MB."""

from __future__ import annotations

from time import process_time

from figures import Figure, at_least

from simulator.page.graph import graph_of
from simulator.page.predict import Conditions, simulate
from simulator.page.recording import Initiator, Load, Request, Seen, Task

LOADS, BEST_OF = 1_000, 5
ON = Conditions(rtt_ms=150, down_kbps=1_638, up_kbps=750, cpu=4)
KINDS = (("style", 3, 26_000), ("font", 4, 30_000), ("script", 14, 45_000), ("image", 40, 23_000), ("fetch", 8, 2_000))
PRIORITY = {
    "document": "VeryHigh",
    "style": "VeryHigh",
    "font": "VeryHigh",
    "script": "Low",
    "image": "Low",
    "fetch": "High",
}


def page() -> Load:
    """Return a page of 70 requests and 1.8 MB, with 120 tasks."""
    kinds = [("document", 22_000), *((kind, size) for kind, count, size in KINDS for _ in range(count))]
    requests = [_request(number, kind, size) for number, (kind, size) in enumerate(kinds)]
    scripts = [number for number, one in enumerate(requests) if one.kind == "script"]
    tasks = [Task(start_ms=60, ms=10, kind="commit"), Task(start_ms=75, ms=20, kind="render")]
    tasks += [Task(start_ms=100 + number, ms=15, kind="script", needs=[number]) for number in scripts]
    tasks += [Task(start_ms=300 + number, ms=1, kind="other") for number in range(104)]
    seen = Seen(ttfb_ms=50, fcp_ms=120, lcp_ms=300, load_ms=800, idle_ms=900)
    hero = next(number for number, one in enumerate(requests) if one.kind == "image")
    return Load(requests=requests, tasks=tasks, seen=seen, lcp_kind="image", lcp_request=hero)


def _request(number: int, kind: str, size: int) -> Request:
    parser = Initiator(kind="parser", request=0, at=number / 70) if number else Initiator(kind="other")
    host = "shop.test" if number % 3 else "cdn.test"
    return Request.model_validate(
        {
            "url": f"http://{host}/{number}", "host": host, "kind": kind, "priority": PRIORITY[kind], "protocol": "h1",
            "secure": False, "initiator": parser, "blocking": kind == "style", "start_ms": 50, "wait_ms": 5, "end_ms": 90,  # noqa: E501
            "sent_bytes": 400, "wire_bytes": size, "script": "async" if kind == "script" else None,
        }
    )  # fmt: skip


def run() -> list[Figure]:
    """Play the page, cold, on a slow network."""
    graph = graph_of(page())
    assert len(graph.requests) == 70
    simulate(graph, ON)
    best = min(_seconds(graph) for _ in range(BEST_OF))
    return [at_least("page: loads of 70 requests a second and core", LOADS / best, 2000.0, "/s")]


def _seconds(graph: object) -> float:
    started = process_time()
    for _ in range(LOADS):
        simulate(graph, ON)  # type: ignore[arg-type]
    return process_time() - started
