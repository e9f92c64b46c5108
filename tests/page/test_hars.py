"""HARs: what is read from them, and what is doubted or refused. Never a silent number."""

from __future__ import annotations

import orjson
import pytest
from har_of import har_of
from pages_made import entry

from simulator.model.faults import FileFaults
from simulator.page.predict import Conditions, middle
from simulator.page.read import read_page
from simulator.page.recording import read_recording

ON = Conditions(rtt_ms=150, down_kbps=1_600, up_kbps=750)


def files(count, **more):
    """Return entries of images, one after another."""
    return [
        entry(f"http://shop.test/i{n}.png", f"2026-01-05T00:00:00.{100 + n % 800:03d}Z", mime="image/png", **more)
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("entries", "log", "cut", "said"),
    [
        ([entry(), *files(3)], {}, 400, "is no whole JSON"),
        ([], {}, None, "has no entries"),
        ([entry(bodySize=-1, content={"size": 0}), *files(3, bodySize=-1, content={"size": 0})], {}, None, "have no size"),  # noqa: E501
        ([entry(bodySize=-1), *files(3, bodySize=-1)], {}, None, "came from the cache or hide their size"),
        ([entry(_fetchedViaServiceWorker=True), *files(3)], {}, None, "came from a service worker"),
        ([entry(timings={"wait": 562, "receive": 1, "connect": 2}), *files(9, timings={"wait": 565, "receive": 1})], {}, None,  # noqa: E501
         "looks captured with throttling"),
        ([entry(), *files(5_200)], {}, None, "5,201 requests"),
        ([{"request": {}}, entry()], {}, None, "lacks"),
    ],
    ids=["cut", "empty", "no sizes", "all cached", "service worker", "throttled", "session", "broken"],
)  # fmt: skip
def test_what_cannot_be_predicted_is_refused(har_file, entries, log, cut, said):
    """A HAR from which no honest number follows is refused with the reason and, where there is one, a way out."""
    with pytest.raises(FileFaults, match=said):
        read_page(har_file(*entries, cut=cut, **log))


@pytest.mark.parametrize(
    ("entries", "log", "said"),
    [
        ([entry(), *files(3)], {"creator": {"name": "Firefox", "version": "151"}}, "captured by Firefox"),
        ([entry(), *files(3)], {"creator": {"name": "WebKit Web Inspector", "version": "1"}}, "captured by Safari"),
        ([entry(), *files(2_000)], {}, "2,001 requests are more"),
        ([entry(), *files(30), *files(1, bodySize=-1)], {}, "1 answers came from the cache"),
        ([entry(), *files(30), *files(1, bodySize=-1, content={"size": 0})], {}, "1 answers have no size"),
        ([entry(), *files(3, _fetchedViaServiceWorker=True), *files(2)], {}, "3 answers came from a service worker"),
        ([entry(), *files(3, status=0), *files(2)], {}, "3 requests failed"),
        ([entry(pageref="a"), *files(3, pageref="b")], {"pages": [{"id": "a"}, {"id": "b"}]}, "holds 2 pages"),
        ([entry(timings={"wait": 300, "receive": 1, "connect": 290}), *files(9, timings={"wait": 295, "receive": 1})], {},  # noqa: E501
         "slow network"),
        ([entry(), *files(3)], {}, "FCP and LCP are guesses"),
    ],
    ids=["firefox", "safari", "2000", "cached", "size", "worker", "failed", "pages", "far", "har"],
)  # fmt: skip
def test_what_is_doubtful_is_predicted_with_a_warning(har_file, entries, log, said):
    """A HAR with a flaw is predicted, and the warning says what the flaw is."""
    source = read_page(har_file(*entries, **log))
    assert any(said in warning for warning in source.warnings), source.warnings
    assert middle(source.graphs, ON, runs=1)["load"] > 0


def test_a_byte_order_mark_is_no_fault(har_file):
    """Some exporters begin with a byte order mark."""
    path = har_file(entry(), *files(3))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_page(path).tier == "T1"


@pytest.mark.parametrize(("chrome", "tier"), [(True, "T2"), (False, "T1")])
def test_a_har_of_a_recording_predicts_its_load_event(recorded, tmp_path, chrome, tier):
    """The HAR of a recorded load comes within 25 % of the recording's load event on a slow network."""
    path = recorded / "landing-0.json"
    load = read_recording(path, path.read_bytes()).loads[0]
    har = tmp_path / "page.har"
    har.write_bytes(orjson.dumps(har_of(load, chrome=chrome)))
    source = read_page(har)
    assert source.tier == tier
    slow = Conditions(rtt_ms=400, down_kbps=400, up_kbps=400)
    expected = middle(read_page(path).graphs, slow)["load"]
    assert middle(source.graphs, slow)["load"] == pytest.approx(expected, rel=0.25)


def test_a_redirect_is_followed(har_file):
    """A redirect's target begins when the redirect has been answered."""
    first = entry("http://shop.test/", status=302, redirectURL="http://shop.test/home", content={"size": 0}, bodySize=0)
    second = entry("http://shop.test/home", "2026-01-05T00:00:00.060Z")
    plain = middle(read_page(har_file(second, name="plain.har")).graphs, ON, runs=1)["idle"]
    led = middle(read_page(har_file(first, second)).graphs, ON, runs=1)["idle"]
    assert led == pytest.approx(plain + 0.15, abs=0.03)


def test_what_a_redirected_document_names_is_read(har_file):
    """The page behind a redirect is read as the page alone, and everything comes later by the way there."""
    text = "<!doctype html><head><script src=a.js></script><link rel=stylesheet href=a.css></head>"
    shop = "https://www.shop.test/home/"
    first = entry("http://shop.test/", status=301, redirectURL=shop, content={"size": 0}, bodySize=200)
    later = "2026-01-05T00:00:00.060Z"
    document = entry(shop, later, content={"size": len(text), "mimeType": "text/html", "text": text})
    asked = [
        entry(f"{shop}a.{kind}", "2026-01-05T00:00:00.180Z", mime=mime)
        for kind, mime in (("js", "text/javascript"), ("css", "text/css"))
    ]
    alone = middle(read_page(har_file(document, *asked, name="alone.har")).graphs, ON, runs=1)
    led = read_page(har_file(first, document, *asked))
    assert [one.script or one.blocking for one in led.loads[0].requests] == [False, False, "sync", True]
    hop_s = 2 * 0.15
    assert middle(led.graphs, ON, runs=1) == pytest.approx({name: one + hop_s for name, one in alone.items()}, abs=0.02)
