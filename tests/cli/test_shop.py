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
from simulator.target.request import load_target

MINE = """target: mine
host: {url}
operations:
  home: {{path: /api/home}}
  search: {{path: /api/nowhere, extract: {{sku: "$.items[*].sku"}}}}
  product: {{path: "/api/products/{{extracted.sku}}"}}
  cart: {{path: /api/cart}}
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
    mapped = {line.split()[0] for line in said.out.splitlines()[1:]}
    assert mapped == {*load_target("storefront").operations, "setup.popular"}
    count = len(mapped)
    text = f"{count} operations mapped, {count} answered well, 0 did not, 0 could not be tried\n"
    assert said.err == text


def test_the_table_is_data_and_whole_where_nobody_looks(footfall, storefront):
    """The table goes to stdout, with requests in full where it is piped into a file."""
    out = footfall("target", "check", "--host", storefront.url).out
    assert re.search(r"^add_to_cart +POST /api/cart/items +201 ", out, re.MULTILINE)
    assert re.search(r"^home +GET /api/home\?lat=51\.5085&lon=-0\.1257 +200 ", out, re.MULTILINE)


def test_what_does_not_fit_is_said_and_exit_code_1(footfall, file, storefront):
    """An operation whose answer is not what the file expects is named with its status; what hangs on it is skipped."""
    file("mine.yaml", MINE.format(url=storefront.url))
    said = footfall("target", "check", "mine.yaml")
    assert said.code == 1
    rows = {line.split()[0]: line for line in said.out.splitlines()[1:]}
    assert "status 404" in rows["search"]
    assert "extracted.sku is not known yet" in rows["product"]
    assert " 200 " in rows["home"]
    assert said.err == "4 operations mapped, 2 answered well, 1 did not, 1 could not be tried\n"


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
