"""`footfall storefront` and `footfall target check`: the shop on its own, and whether a target file fits."""

from __future__ import annotations

import json
import re
import signal
import socket
import urllib.request

import psutil
import pytest

from simulator.storefront import running_storefront
from simulator.storefront.hazards import all_hazards, answer_key
from simulator.target.request import load_target

MINE = """target: mine
host: {url}
operations:
  home: {{path: /api/home}}
  search: {{path: /api/nowhere, extract: {{sku: "$.items[*].sku"}}}}
  product: {{path: "/api/products/{{extracted.sku}}"}}
  cart: {{path: /api/cart}}
"""


SPEC = """openapi: 3.0.0
info: {title: Tiny, version: '1'}
servers: [{url: 'http://127.0.0.1:9'}]
paths:
  /search: {get: {responses: {'200': {description: ok}}}}
  /xyzzy: {get: {responses: {'200': {description: ok}}}}
"""


@pytest.fixture(scope="module")
def storefront():
    """Open the embedded shop for this file."""
    with running_storefront() as shop:
        yield shop


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_shop_opens_says_where_and_closes(running, number):
    """The URL is the data on stdout; Ctrl-C or SIGTERM closes the shop with exit code 0 and leaves no process."""
    process = running.start("storefront", "--port", "0")
    url = process.stdout.readline().strip()
    with urllib.request.urlopen(f"{url}/api/health", timeout=10) as answer:
        assert answer.status == 200
        assert json.load(answer)
    shop = psutil.Process(process.pid).children(recursive=True)
    assert len(shop) == 1
    process.send_signal(number)
    ended = running.finish(process)
    assert (ended.code, ended.out) == (0, "")
    assert ended.took_s < 10
    assert ended.err.splitlines()[-1] == "closed"
    assert running.within(5, lambda: not any(child.is_running() for child in shop))


def test_hazards_are_listed(footfall):
    """Every hazard stands on a line of its own with its family, on stdout."""
    said = footfall("storefront", "--hazards")
    assert (said.code, said.err) == (0, "")
    rows = [line.split()[:2] for line in said.out.splitlines()[1:]]
    assert rows == [[hazard.code, hazard.name] for hazard in all_hazards()]


def test_the_answer_key_is_json_of_what_is_on(footfall):
    """Names and families can be mixed and repeated; nothing is served."""
    said = footfall("storefront", "--hazard", "h13", "--hazard", "leak", "--hazard", "leak", "--answer-key")
    assert (said.code, said.err) == (0, "")
    assert json.loads(said.out) == answer_key(["leak", "open_door", "share_session"])
    assert json.loads(footfall("storefront", "--answer-key").out) == {"hazards": []}


def test_an_unknown_hazard_is_a_usage_error_with_a_hint(footfall):
    """All wrong names are told at once, with the nearest right one."""
    said = footfall("storefront", "--hazard", "leek", "--hazard", "H99")
    assert (said.code, said.out) == (2, "")
    assert said.err.splitlines()[-1] == (
        "Error: Invalid value for '--hazard': there is no hazard leek, did you mean leak?; "
        "there is no hazard H99; --hazards lists them"
    )


def test_a_hazard_is_on_in_the_shop_that_opens():
    """The shop's process does wrong what it was told to, and says it in its answers."""
    with running_storefront(hazards=["wrong_place"]) as shop:
        body = json.dumps({"visitor": "vera", "consent": {"location": True}}).encode()
        with urllib.request.urlopen(f"{shop.url}/api/session", body, timeout=10) as answer:
            session = json.load(answer)["session"]
        asked = urllib.request.Request(f"{shop.url}/api/offers?lat=30&lon=-40")
        asked.add_header("authorization", f"Bearer {session}")
        with urllib.request.urlopen(asked, timeout=10) as answer:
            assert len(json.load(answer)["offers"]) == 5


def test_a_taken_port_is_said(running):
    """A port on which somebody listens already is one line that says so and what to do, with exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = running.footfall("storefront", "--port", port)
    assert (ended.code, ended.out) == (2, "")
    why = f"cannot listen on port {port} of 127.0.0.1: address already in use"
    assert ended.err == f"error: {why}. Hint: another --port; 0 takes a free one\n"


def test_every_operation_of_the_shipped_target_fits(footfall, storefront):
    """Against the shop that it describes, the shipped target file has each operation answered well."""
    said = footfall("target", "check", "--host", storefront.url)
    assert said.code == 0, said.out
    mapped = {line.split()[0] for line in said.out.partition("\nhazard")[0].splitlines()[1:]}
    assert mapped == {*load_target("storefront").operations, "setup.popular"}
    count = len(mapped)
    text = f"{count} operations mapped, {count} answered well, 0 did not, 0 could not be tried; "
    assert said.err.startswith(text)
    assert re.fullmatch(r"\d+ of 25 hazards could be judged\n", said.err.removeprefix(text))


def test_what_a_file_lets_be_judged_is_said_without_sending(footfall):
    """`--no-send` names what is mapped and observable, and for each hazard who judges it or what is missing."""
    said = footfall("target", "check", "--no-send", "web_push")
    assert said.code == 0
    assert re.search(
        r"^push_send +POST /\$\{env:WEB_PUSH_PREFIX\}/\{account\.subscription\} +items *$", said.out, re.MULTILINE
    )
    assert re.search(
        r"^H8 +pushy .* not observable: needs readings\.inbox with evidence sent_at", said.out, re.MULTILINE
    )
    assert len(re.findall(r"^H\d+ ", said.out, re.MULTILINE)) == 25
    assert "1 operations mapped, nothing sent" in said.err


def test_shipped_targets_and_presets_are_listed(footfall):
    """`target list` has a line for each shipped file, with the variables that it takes from the environment."""
    said = footfall("target", "list")
    assert re.search(r"^storefront +The shop that comes", said.out, re.MULTILINE)
    assert re.search(r"^segment +Segment HTTP .* SEGMENT_WRITE_KEY *$", said.out, re.MULTILINE)


def test_a_variable_that_is_not_set_is_said(footfall):
    """A preset without its key sends nothing: exit code 2 and the name of the variable."""
    said = footfall("target", "check", "segment")
    assert said.code == 2
    assert "needs SEGMENT_WRITE_KEY, which is not set in the environment" in said.err


def test_an_imported_description_can_be_checked(footfall, file):
    """`target import openapi` writes a file that `target check` reads; it replaces none unasked."""
    file("spec.yaml", SPEC)
    said = footfall("target", "import", "openapi", "spec.yaml")
    assert said.code == 0
    assert re.search(r"^search +GET /search *$", said.out, re.MULTILINE)
    assert re.search(r"^GET /xyzzy +no operation that we know *$", said.out, re.MULTILINE)
    assert "needs a human: host: " in said.err
    assert footfall("target", "check", "--no-send", "tiny.yaml").code == 0
    again = footfall("target", "import", "openapi", "spec.yaml")
    assert (again.code, "tiny.yaml exists" in again.err) == (2, True)


def test_what_has_no_operation_is_refused(footfall, file):
    """A description with nothing that we know says what it has, and writes no file."""
    file("spec.yaml", SPEC.replace("/search", "/abc"))
    said = footfall("target", "import", "openapi", "spec.yaml", "--out", "x.yaml")
    assert said.code == 2
    assert "no operation that we know" in said.err
    assert footfall("target", "check", "--no-send", "x.yaml").code == 2


def test_what_is_no_recording_is_said(footfall, file):
    """A HAR that is none is a fault of the file, with exit code 2."""
    file("session.har", "{}")
    said = footfall("target", "import", "har", "session.har")
    assert (said.code, said.err) == (2, "error: session.har: has no log.entries, a HAR 1.2 recording is needed\n")


def test_the_table_is_data_and_whole_where_nobody_looks(footfall, storefront):
    """The table goes to stdout, with requests in full where it is piped into a file."""
    out = footfall("target", "check", "--host", storefront.url).out
    assert re.search(r"^add_to_cart +POST /api/cart/items +201 ", out, re.MULTILINE)
    place = r"lat=-?\d+\.\d+&lon=-?\d+\.\d+"  # London's by day, some other market's by night
    assert re.search(rf"^home +GET /api/home\?{place} +200 ", out, re.MULTILINE)


def test_what_does_not_fit_is_said_and_exit_code_1(footfall, file, storefront):
    """An operation whose answer is not what the file expects is named with its status; what hangs on it is skipped."""
    file("mine.yaml", MINE.format(url=storefront.url))
    said = footfall("target", "check", "mine.yaml")
    assert said.code == 1
    rows = {line.split()[0]: line for line in said.out.splitlines()[1:]}
    assert "status 404" in rows["search"]
    assert "extracted.sku is not known yet" in rows["product"]
    assert " 200 " in rows["home"]
    assert said.err == (
        "4 operations mapped, 2 answered well, 1 did not, 1 could not be tried; 0 of 25 hazards could be judged\n"
    )


def test_nobody_there_is_exit_code_4(footfall):
    """A target that does not answer is told at once."""
    said = footfall("target", "check", "--host", "http://127.0.0.1:1")
    assert said == (4, "", "error: http://127.0.0.1:1 is unreachable: connection refused\n")


@pytest.mark.parametrize("host", ["shop.example", "ftp://shop.example", "http://", "http://shop.example:99999"])
def test_a_host_that_is_none(footfall, host):
    """A --host that is no base URL is a usage error that says what one looks like."""
    said = footfall("target", "check", "--host", host)
    assert (said.code, said.out) == (2, "")
    assert said.err.splitlines()[-1] == "Error: must be a base URL, as https://shop.example"


@pytest.mark.parametrize("command", [("target", "check"), ("load",)], ids=" ".join)
def test_no_host_anywhere_is_said_with_a_hint(footfall, file, command):
    """Where neither an option nor a file names a host, the command says where one could stand."""
    file("mine.yaml", "target: mine\noperations: {home: {path: /}}\n")
    words = ("mine.yaml",) if command[0] == "target" else ("smoke", "--target", "mine.yaml")
    said = footfall(*command, *words)
    assert (said.code, said.out) == (2, "")
    assert "Error: no host to call. Hint: give --host http://127.0.0.1:8080" in said.err


def test_extracted_text_is_no_markup(footfall, file, storefront):
    """What a target answers is printed as it is, even where it looks like the console's own markup."""
    body = 'home: {path: /api/search, query: {q: "[/red] [bold]"}, extract: {q: $.query}}'
    file("mine.yaml", f"target: mine\nhost: {storefront.url}\noperations:\n  {body}\n")
    said = footfall("target", "check", "mine.yaml")
    assert "Traceback" not in said.err
    assert said.code in {0, 1}
