"""What a traced visit is reduced to, on traces made by hand."""

from __future__ import annotations

import pytest

from simulator.page.recording import Initiator
from simulator.page.reduce import SHORTEST_MS, load_of
from simulator.page.visit import Visit

PAGE, PROCESS, THREAD = "http://shop.test/", 7, 1
START_S = 100.0


def answered(url, *, number, start_ms=0.0, end_ms=20.0, kind="Document", by=PAGE):
    """Return what the browser says of one request's life."""
    params = {"requestId": number, "type": kind}
    cause = {"type": "parser", "url": by}
    asked = {"timestamp": START_S + start_ms / 1e3, "request": {"url": url}, "initiator": cause}
    response = {"url": url, "protocol": "http/1.1", "timing": {"sendEnd": 1.0, "receiveHeadersStart": 9.0}}
    return [
        {"method": "Network.requestWillBeSent", "params": params | asked},
        {"method": "Network.responseReceived", "params": params | {"response": response}},
        {
            "method": "Network.loadingFinished",
            "params": params | {"timestamp": START_S + end_ms / 1e3, "encodedDataLength": 900},
        },
    ]


def redirected(url, *, to, start_ms=0.0, **more):
    """Return what the browser says of a request that is answered with where to ask instead, 10 ms later."""
    first, *_ = answered(url, start_ms=start_ms, **more)
    again, *rest = answered(to, start_ms=start_ms + 10.0, **more)
    again["params"]["redirectResponse"] = {"url": url, "protocol": "http/1.1", "encodedDataLength": 120}
    return [first, again, *rest]


def task(start_ms, ms, *events):
    """Return a task of the page's thread and the events within it, each (name, what it tells)."""
    common = {"pid": PROCESS, "tid": THREAD}
    at_us = (START_S * 1e3 + start_ms) * 1e3
    inside = [{"name": name, "ph": "I", "ts": at_us + 1, "args": {"data": data}, **common} for name, data in events]
    return [{"name": "RunTask", "ph": "X", "ts": at_us, "dur": ms * 1e3, "tdur": ms * 1e3, **common}, *inside]


def tasks_of(*tasks, network=()):
    """Return the tasks of a visit to one document whose thread ran these."""
    seen = Visit(network=[*answered(PAGE, number="doc"), *network], trace=[event for one in tasks for event in one])
    return [(one.kind, pytest.approx(one.start_ms)) for one in load_of(seen).tasks]


COMMIT = (("DocumentLoader::CommitNavigation", {}), ("ResourceSendRequest", {"requestId": "doc"}))


def test_a_blank_document_that_commits_late_is_not_the_pages_commit():
    """A new tab's own blank document may commit after the page was asked for: the recording begins with the page's."""
    blank = task(1.0, 2.0, ("DocumentLoader::CommitNavigation", {}))
    between = task(5.0, 1.0)
    found = tasks_of(blank, between, task(10.0, 7.0, *COMMIT), task(18.0, 1.0, ("ParseHTML", {})))
    assert found == [("commit", 10.0), ("parse", 18.0)]


def test_a_later_frames_commit_is_work_like_any_other():
    """Only the document's own commit is one: an inner frame's, on the same thread, is some other work."""
    frame = task(30.0, 2.0, ("DocumentLoader::CommitNavigation", {}))
    assert tasks_of(task(10.0, 7.0, *COMMIT), frame) == [("commit", 10.0), ("other", 30.0)]


def test_short_tasks_in_a_row_become_one():
    """Tasks below the shortest kept are added up; alone, one below it is left out."""
    short = SHORTEST_MS / 2
    row = [task(20.0 + number, short) for number in range(3)]
    found = tasks_of(task(10.0, 7.0, *COMMIT), *row, task(25.0, 1.0, ("Paint", {})), task(27.0, short))
    assert found == [("commit", 10.0), ("other", 20.0), ("render", 25.0)]


def test_a_short_task_that_asks_for_something_is_kept():
    """What sends a request off is part of the page's graph, however short it is."""
    api = answered(f"{PAGE}api", number="api", start_ms=21.0, end_ms=40.0, kind="Fetch")
    asks = task(20.0, SHORTEST_MS / 10, ("ResourceSendRequest", {"requestId": "api"}))
    assert tasks_of(task(10.0, 7.0, *COMMIT), asks, network=api) == [("commit", 10.0), ("other", 20.0)]


def test_a_visit_without_a_document_is_refused():
    """Nothing was answered: there is no load."""
    with pytest.raises(ValueError, match="asked for nothing"):
        load_of(Visit())


def test_what_a_redirected_document_names_is_found_in_it():
    """Names are relative to where the redirect led, and places are those in the document, not in the redirect."""
    shop = "https://www.shop.test/home/"
    network = [
        *redirected("http://shop.test/", to=shop, number="doc"),
        *answered(f"{shop}a.js", number="js", start_ms=25.0, end_ms=40.0, kind="Script", by=shop),
    ]
    document = "<!doctype html><script src=a.js></script><p>Hats</p>"
    load = load_of(Visit(network=network, document=document, trace=task(15.0, 5.0, *COMMIT)))
    assert load.document == 1
    assert load.requests[1].initiator == Initiator(kind="redirect", request=0)
    assert load.requests[2].script == "sync"
    assert load.requests[2].initiator.request == 1
    assert load.requests[2].initiator.at == pytest.approx(document.index("<p>") / len(document), abs=0.2)
    assert [(one.kind, one.sends) for one in load.tasks] == [("commit", [])]


def test_a_page_that_leads_back_to_itself_is_its_last_answer():
    """Shops that try whether cookies stay redirect to and fro: what the document names is named by the last answer."""
    check = f"{PAGE}?cookies"
    network = [
        *redirected(PAGE, to=check, number="doc")[:2],
        *redirected(check, to=PAGE, number="doc", start_ms=10.0)[1:],
        *answered(f"{PAGE}a.js", number="js", start_ms=35.0, end_ms=50.0, kind="Script"),
    ]
    load = load_of(Visit(network=network, document="<script src=a.js></script>", trace=task(30.0, 5.0, *COMMIT)))
    assert load.document == 2
    found = load.requests[3].initiator
    assert (found.kind, found.request, found.at) == ("parser", 2, pytest.approx(0.65, abs=0.2))


def test_a_redirected_picture_begins_with_its_own_redirect():
    """Of requests between a redirect and where it leads none is taken for the redirect."""
    network = [
        *answered(PAGE, number="doc"),
        *redirected(f"{PAGE}old.png", to=f"{PAGE}new.png", number="image", start_ms=30.0, end_ms=60.0, kind="Image"),
        *answered(f"{PAGE}api", number="api", start_ms=35.0, end_ms=50.0, kind="Fetch"),
    ]
    load = load_of(Visit(network=network, trace=task(15.0, 5.0, *COMMIT)))
    assert [one.url.removeprefix(PAGE) for one in load.requests] == ["", "old.png", "api", "new.png"]
    assert load.requests[3].initiator == Initiator(kind="redirect", request=1)
    assert load.document == 0
