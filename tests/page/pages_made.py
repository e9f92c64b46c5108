"""Small pages made by hand, and entries of HARs."""

from __future__ import annotations

from simulator.page.graph import graph_of
from simulator.page.predict import Conditions, simulate
from simulator.page.recording import Initiator, Load, Request, Seen, Task

SLOW = Conditions(rtt_ms=400, down_kbps=400, up_kbps=400)
FAST = Conditions(rtt_ms=20, down_kbps=50_000, up_kbps=20_000)


def asked(kind, size, at=0.5, **more):
    """Return one request of the document's parser."""
    number = more.pop("number", 0)
    priority = {"document": "VeryHigh", "style": "VeryHigh", "image": "Low", "script": "Low", "fetch": "High"}[kind]
    values = {
        "url": f"http://shop.test/{kind}{number}", "host": "shop.test", "kind": kind, "priority": priority,
        "protocol": "h1", "secure": False, "blocking": kind == "style", "start_ms": 50.0, "wait_ms": 0.0, "end_ms": 90.0,  # noqa: E501
        "sent_bytes": 0, "wire_bytes": size,
        "initiator": Initiator(kind="other") if kind == "document" else Initiator(kind="parser", request=0, at=at),
    }  # fmt: skip
    return Request(**values | more)


def page(*requests, tasks=(), lcp=None, **more):
    """Return a load: a document of one packet and what it asks for."""
    document = asked("document", 1_000, start_ms=0.0, end_ms=40.0, **more)
    works = [Task(start_ms=40, ms=10, kind="commit"), Task(start_ms=100, ms=20, kind="render"), *tasks]
    seen = Seen(ttfb_ms=40, fcp_ms=140, lcp_ms=140, load_ms=200, idle_ms=200)
    kind = "text" if lcp is None else "image"
    return Load(requests=[document, *requests], tasks=works, seen=seen, lcp_kind=kind, lcp_request=lcp)


def behind_redirect(load, host="shop.test"):
    """Return the same load, led to by a redirect of a host: every request has moved by one."""

    def moved(one):
        number = one.initiator.request
        cause = {"kind": "redirect", "request": 0} if one is load.requests[0] else {"request": (number or 0) + 1}
        return one.model_copy(update={"initiator": one.initiator.model_copy(update=cause)})

    tasks = [
        one.model_copy(update={"needs": [n + 1 for n in one.needs], "sends": [n + 1 for n in one.sends]})
        for one in load.tasks
    ]
    first = asked("document", 300, host=host, protocol=load.requests[0].protocol)
    lcp = None if load.lcp_request is None else load.lcp_request + 1
    requests = [first, *map(moved, load.requests)]
    return load.model_copy(update={"requests": requests, "tasks": tasks, "lcp_request": lcp})


def seconds(load, on):
    """Return the simulated milestones of a load."""
    return simulate(graph_of(load), on).seconds


def entry(url="http://shop.test/", start="2026-01-05T00:00:00.000Z", **more):
    """Return an entry of a HAR."""
    made = {
        "startedDateTime": start,
        "time": 50,
        "request": {"method": "GET", "url": url, "headers": [], "headersSize": 300, "bodySize": 0},
        "response": {
            "status": 200,
            "httpVersion": "http/1.1",
            "content": {"size": 3_000, "mimeType": more.pop("mime", "text/html")},
            "headersSize": 200,
            "bodySize": 3_000,
            "redirectURL": "",
        },
        "timings": {"blocked": 0, "dns": 1, "connect": 2, "ssl": -1, "send": 0, "wait": 5, "receive": 1},
    }
    for key, value in more.items():
        (made["response"] if key in made["response"] or key == "_transferSize" else made)[key] = value
    return made
