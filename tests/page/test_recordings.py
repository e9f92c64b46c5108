"""Recordings, cards, names of networks and devices, and the command."""

from __future__ import annotations

import json

import pytest
from pages_made import FAST, SLOW, behind_redirect
from ruamel.yaml import YAML

from simulator.model.faults import FileFaults
from simulator.page.card import PageCard
from simulator.page.card_of import calls_of, card_of
from simulator.page.forecast import forecast
from simulator.page.predict import METRICS
from simulator.page.read import read_page
from simulator.page.recording import read_recording, recording_text
from simulator.page.where import UnknownPlaceError, device, network


def test_a_recording_is_read_as_it_was_written(recorded):
    """What is written is read back the same."""
    path = recorded / "recs-0.json"
    made = read_recording(path, path.read_bytes())
    assert recording_text(read_recording(path, recording_text(made))) == recording_text(made)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[:2_000], "no JSON"),
        (lambda text: text.replace(b'"wire_bytes":', b'"bytes":', 1), "wire_bytes"),
        (lambda text: text.replace(b'"sends":[1,', b'"sends":[999,', 1), "does not have"),
        (lambda text: text.replace(b'"footfall_page":1', b'"footfall_page":2', 1), "footfall_page"),
    ],
    ids=["cut", "key", "index", "version"],
)
def test_a_broken_recording_is_refused(recorded, tmp_path, change, said):
    """A recording that is cut, of another version, or refers to what it does not hold is refused with the reason."""
    path = tmp_path / "page.json"
    path.write_bytes(change((recorded / "recs-0.json").read_bytes()))
    with pytest.raises(FileFaults, match=said):
        read_page(path)


def test_placements_are_found_by_slowing_calls_down(recorded):
    """The call whose answer brings the hero image is `lcp`; the document itself is `blocking`."""
    source = read_page(recorded / "recs-0.json")
    assert [one.placement for one in calls_of(source)] == ["blocking", "lcp"]


def test_a_card_holds_what_the_page_weighs(recorded):
    """The bytes of a card are the page's until its main content, never more than all of it."""
    source = read_page(recorded / "recs-0.json")
    made = card_of(source, {"recommend": "/api0"})
    total = sum(one.wire_bytes for one in source.loads[0].requests)
    assert made.calls[0].placement == "lcp"
    assert made.document_bytes == source.loads[0].requests[0].wire_bytes
    assert total / 2 < made.document_bytes + made.critical_bytes + made.content_bytes <= total
    assert made.script_kb > 0


def test_intervals_hold_their_value_and_grow_with_doubt(recorded):
    """A forecast's interval holds its value; on a slow network nothing is quicker than on a fast one."""
    source = read_page(recorded / "h2app-0.json")
    slow, fast = (forecast(source, on, runs=5).metrics for on in (SLOW, FAST))
    for name in METRICS:
        assert slow[name].low < slow[name].value < slow[name].high
        assert slow[name].value > fast[name].value


def test_people_s_names_are_understood():
    """Names as people say them, and networks of one's own."""
    assert network("Slow 4G").rtt_ms == 150
    assert network("lte").promotion_s > 0
    assert network("80ms/5000kbps").up_kbps == 5_000
    assert (
        device("low").cpu_slowdown
        > device("mid").cpu_slowdown
        > device("high").cpu_slowdown
        > device("desktop").cpu_slowdown
    )
    assert device("Galaxy A14").cpu_slowdown == 6
    assert device("4x").cpu_slowdown == 4


@pytest.mark.parametrize("said", ["devtools-slow-4g", "5g+", "0ms/0kbps", "9e9ms/1kbps", ""])
def test_what_is_no_network_is_said(said):
    """Request-level profiles and impossible networks are refused, with what there is instead."""
    with pytest.raises(UnknownPlaceError, match=r"Hint|must be above"):
        network(said)


@pytest.mark.parametrize("said", ["toaster", "0x", "1.2.3", "-4x", "1e9"])
def test_what_is_no_device_is_said(said):
    """Unknown devices are refused, with what there is instead."""
    with pytest.raises(UnknownPlaceError, match="Hint"):
        device(said)


def test_predict_prints_a_table_json_and_a_page(footfall, recorded, tmp_path):
    """`footfall page predict` prints five times with intervals; --json the same; --html one offline page."""
    path = recorded / "recs-0.json"
    said = footfall("page", "predict", path, "--device", "low", "--network", "slow 4g")
    assert said.code == 0
    assert "main content (LCP)" in said.out
    assert "fast desktop" in said.err
    found = json.loads(footfall("page", "predict", path, "--network", "slow 4g", "--json").out)
    assert set(found["seconds"]) == set(METRICS)
    html = tmp_path / "page.html"
    assert footfall("page", "predict", path, "--html", html).code == 0
    text = html.read_text()
    assert "hero.png" in text
    assert "http://www" not in text.replace("http://www.w3.org", "")


def test_a_slower_server_is_a_slower_page(footfall, recorded):
    """--server sets the server's time of the calls it names, and LCP follows the one that holds it."""
    path = recorded / "recs-0.json"

    def lcp(*options):
        return json.loads(footfall("page", "predict", path, "--json", *options).out)["seconds"]["lcp"]["value"]

    assert lcp("--server", "/api0=2300ms") == pytest.approx(lcp("--server", "/api0=300ms") + 2.0, abs=0.1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("predict", "none.json"), "cannot be read"),
        (("predict", "{page}", "--network", "devtools-3g"), "delays whole requests"),
        (("predict", "{page}", "--server", "/nothing=1s"), "no request of the page"),
        (("predict", "{page}", "--server", "1s"), "must be as"),
        (("card", "{page}", "--call", "sing=/api"), "no operation is called sing"),
        (("card", "{page}", "--call", "search=/nope"), "no call of the page"),
        (("record", "shop.test"), "is no address"),
        (("record", "http://shop.test", "--timeout", "soon"), "must be a duration"),
    ],
)
def test_mistakes_are_said(footfall, recorded, arguments, said):
    """A mistake ends with code 2 and a sentence that says what is wrong."""
    page = str(recorded / "recs-0.json")
    found = footfall("page", *(one.replace("{page}", page) for one in arguments))
    assert found.code == 2
    assert said in found.err


def test_a_card_is_yaml(footfall, recorded):
    """`footfall page card` prints a card that fits under a state of personas/pages.yaml."""
    said = footfall("page", "card", recorded / "recs-0.json", "--call", "recommend=/api0")
    assert PageCard.model_validate(YAML(typ="safe").load(said.out)).calls[0].op == "recommend"
    assert "lcp" in said.err


def test_a_card_has_no_redirects(footfall, recorded, tmp_path):
    """Cut from a page behind a redirect, a card is the page's own, and what it leaves out is said."""
    whole = recorded / "recs-0.json"
    made = read_recording(whole, whole.read_bytes())
    path = tmp_path / "led.json"
    path.write_bytes(
        recording_text(made.model_copy(update={"loads": [behind_redirect(load, "old.test") for load in made.loads]}))
    )
    alone, led = footfall("page", "card", whole), footfall("page", "card", path)
    assert led.out == alone.out
    assert f"the way to {made.loads[0].address} is left out" in " ".join(led.err.split())
    assert "is left out" not in alone.err
