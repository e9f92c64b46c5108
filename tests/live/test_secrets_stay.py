"""Secrets go to the target and nowhere else: everything is exported, and the shop sends all of them back."""

from __future__ import annotations

import gzip
import html
import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import sleep
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest

SECRETS = {
    "SHOP_HEADER": "hdr-7Qm2xVb9Tz/+=&<'\"e",
    "SHOP_QUERY": "qry k8Lw3 p/Xv5%Rn0Jé",
    "SHOP_BODY": 'bdy"D4fg\\6Hj8"Kl2s',
    "SHOP_PASSWORD": "pwd:Z9yx7Wvu5tSr3",
}
IN_A_FILE = "fil-1Aq2Sw3De4Fr5Gt"
TARGET = """target: echoing
headers: {{X-Shop-Key: "${{env:SHOP_HEADER}}"}}
operations:
  session: &call
    method: POST
    path: /api/call
    query: {{key: "${{env:SHOP_QUERY}}"}}
    json: {{secret: "${{env:SHOP_BODY}}", pin: "${{file:{pin}}}", nested: ["a ${{env:SHOP_BODY}} b"]}}
    expect: {{status: [200]}}
    extract: {{sku: $.sku, token: $.token}}
  home: *call
  search: *call
  category: *call
  product: {{path: "/api/p/{{extracted.token}}", query: {{key: "${{env:SHOP_QUERY}}"}}, extract: {{sku: $.sku}}}}
  recommend: *call
  offers: *call
  cart: *call
  login: *call
"""
SCENARIO = """scenario: leaky
describe: Everything that can be exported.
population: everyday
target: target.yaml
pages: instant
arrivals: {kind: constant, rate: 6/s}
duration: 5s
pace: 20
thresholds: ["errors < 100%"]
"""


def spoken(secret):
    """Return how a secret may stand in an artefact."""
    data = secret.encode()
    found = {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1]}
    found |= {json.dumps(secret, ensure_ascii=False)[1:-1], html.escape(secret), repr(secret)[1:-1]}
    found |= {b64encode(data).decode().rstrip("=")}
    # Most of it is too much of it.
    return {one.lower() for one in found | {secret[: len(secret) * 2 // 3], secret[len(secret) // 3 :]}}


class Echo(BaseHTTPRequestHandler):
    """Sends back what it was sent: in headers, as JSON, as HTML, in base64, in cookies, in a name of an error."""

    protocol_version = "HTTP/1.1"

    def _answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        key, login = self.headers.get("X-Shop-Key", ""), self.headers.get("Authorization", "")
        self.server.seen.append((self.path, body, key, login))
        turn = len(self.server.seen) % 7
        told = {
            "sku": key,
            "token": SECRETS["SHOP_PASSWORD"],
            "sent": body,
            "path": self.path,
            "key": key,
            "login": login,
        }
        told |= {"html": html.escape(SECRETS["SHOP_HEADER"]), "base64": b64encode(body.encode()).decode()}
        told |= dict(SECRETS) | {"pin": IN_A_FILE, SECRETS["SHOP_BODY"]: [1]}
        data = json.dumps(told, ensure_ascii=turn % 2 == 0).encode()
        if turn == 6:
            data = b"\x00\xff" + data
        self.send_response(500 if turn == 5 else 200)
        kind = "application/octet-stream" if turn == 6 else "application/json"
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(data))),
            ("X-Echo", key),
            ("X-Login", login),
        ):
            self.send_header(name, value)
        self.send_header("Set-Cookie", f"seen={quote(SECRETS['SHOP_QUERY'])}; Path=/")
        if turn == 4:
            self.send_header("Content-Encoding", SECRETS["SHOP_PASSWORD"])
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = _answer  # noqa: N815 - the library's names

    def log_message(self, *_):
        """Say nothing."""


class Quiet(ThreadingHTTPServer):
    """A server that does not mind shoppers who leave."""

    def handle_error(self, *_):
        """Say nothing."""


class Collector(BaseHTTPRequestHandler):
    """An OpenTelemetry collector that keeps what it is sent."""

    def do_POST(self):
        """Keep a push."""
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(gzip.decompress(data) if self.headers.get("Content-Encoding") == "gzip" else data)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server():
    """Return a function that opens a server on loopback."""
    opened = []

    def open_one(handler):
        one = Quiet(("127.0.0.1", 0), handler)
        one.seen = []
        Thread(target=one.serve_forever, daemon=True).start()
        opened.append(one)
        return one

    yield open_one
    for one in opened:
        one.shutdown()
        one.server_close()


def free_port():
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def fetched(url):
    """Return what stands at a URL, or nothing where nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read().decode()
    except (OSError, urllib.error.URLError):
        return ""


def values_of(path):
    """Return every value of a Parquet file as text, with its metadata; what is compressed in the file is seen here."""
    table = pq.read_table(path)
    words = [str(value) for column in table.columns for value in column.to_pylist()]
    # Words of dictionaries that no row uses are in the file as well.
    words += [
        str(chunk.dictionary.to_pylist()) for c in table.columns for chunk in c.chunks if hasattr(chunk, "dictionary")
    ]
    return "\n".join([*words, str(table.schema.metadata), str(pq.read_metadata(path).metadata)])


def leaks(texts):
    """Return which secret stands in which of named texts."""
    secrets = {**SECRETS, "file": IN_A_FILE, "login": b64encode(f"qa:{SECRETS['SHOP_PASSWORD']}".encode()).decode()}
    return [
        (name, where)
        for where, text in texts.items()
        for name, one in secrets.items()
        if any(s in text.lower() for s in spoken(one))
    ]


@pytest.fixture
def leaky(tmp_path):
    """Write the scenario, its target and the secret's file; return the scenario's path."""
    (tmp_path / "pin").write_text(f"{IN_A_FILE}\n")
    (tmp_path / "target.yaml").write_text(TARGET.format(pin=tmp_path / "pin"))
    (tmp_path / "leaky.yaml").write_text(SCENARIO)
    return tmp_path / "leaky.yaml"


def test_nothing_that_is_written_holds_a_secret(running, leaky, server, tmp_path):
    """Secrets in header, query, body, file and URL reach the shop, and stand in no artefact, page or message."""
    shop, collector = server(Echo), server(Collector)
    web, metrics, run = free_port(), free_port(), tmp_path / "run"
    command = ("load", leaky, "--host", f"http://qa:${{env:SHOP_PASSWORD}}@127.0.0.1:{shop.server_port}", "--out", run)
    command += ("--web-ui", web, "--prometheus", metrics, "--otel", f"http://127.0.0.1:{collector.server_port}")
    process = running.start(*command, "--csv", "--requests", "1", "--har", "1", env=os.environ | SECRETS)
    texts = {}
    pages = ("", "stats/requests", "exceptions", "logs", "tasks", "stats/report", "stats/failures/csv", "footfall/csv")

    def looked():
        found = fetched(f"http://127.0.0.1:{metrics}/metrics")
        if "footfall_requests_total{" not in found:
            return False
        texts["metrics"] = texts.get("metrics", "") + found
        for page in pages:
            found = texts.get(f"web /{page}", "")
            texts[f"web /{page}"] = found + fetched(f"http://127.0.0.1:{web}/{page}")
        texts["job"] = "".join(path.read_text() for path in run.glob("*.json"))
        texts["log"] = "".join(path.read_text() for path in run.glob("live.log"))
        sleep(1)
        return process.poll() is not None

    running.within(90, lambda: looked() or process.poll() is not None)
    ended = running.finish(process)
    assert ended.code in {0, 3}, ended.err  # on a busy machine the generator may be late
    texts |= {"stdout": ended.out, "stderr": ended.err, "collector": b"\n".join(collector.seen).decode("latin-1")}
    files = [path for path in run.rglob("*") if path.is_file()]
    texts |= {f"{path.name} as bytes": path.read_bytes().decode("latin-1") for path in files}
    texts |= {f"{path.name} as text": path.read_bytes().decode("utf-8", "replace") for path in files}
    texts |= {path.name: values_of(path) for path in files if path.suffix == ".parquet"}
    # The shop got all of them, or there would be nothing to find.
    path, body, key, login = next(one for one in shop.seen if one[1])
    assert quote(SECRETS["SHOP_QUERY"], safe="") in path
    assert json.loads(body)["secret"] == SECRETS["SHOP_BODY"]
    assert json.loads(body)["pin"] == IN_A_FILE
    assert key.replace("%", "") == quote(SECRETS["SHOP_HEADER"], safe=" !\"#$&'()*+,/:;<=>?@[]^`{|}").replace("%", "")
    assert login == "Basic " + b64encode(f"qa:{SECRETS['SHOP_PASSWORD']}".encode()).decode()
    # And every kind of artefact is there.
    for name in (
        "metrics",
        "web /stats/requests",
        "web /stats/report",
        "collector",
        "requests.jsonl as text",
        "timeline.csv as text",
    ):
        assert texts[name], name
    assert any(name.endswith(".har as text") for name in texts)
    assert "${env:SHOP_QUERY}" in texts["requests.jsonl as text"]
    assert leaks(texts) == []
    # The words of errors that the shop put a secret into are there, without it.
    assert any(
        "${env:SHOP_PASSWORD}" in (row["error"] or "") for row in pq.read_table(run / "requests.parquet").to_pylist()
    )


def test_failing_commands_hold_no_secret(running, leaky, server, tmp_path):
    """A setup call that fails, a target nobody answers at, and a check say what went wrong, without a secret."""
    shop = server(Echo)
    target = (tmp_path / "target.yaml").read_text()
    call = 'setup: {ready: {path: /r, query: {k: "${env:SHOP_QUERY}"}, expect: {status: [418]}}}\n'
    (tmp_path / "target.yaml").write_text(target.replace("operations:", call + "operations:", 1))
    login = "qa:${env:SHOP_PASSWORD}@127.0.0.1"
    given = {"env": os.environ | SECRETS}
    failed = running.footfall(
        "load", leaky, "--host", f"http://{login}:{shop.server_port}", "--out", tmp_path / "a", **given
    )
    nobody = running.footfall("load", leaky, "--host", f"http://{login}:1", "--out", tmp_path / "b", **given)
    check = running.footfall(
        "target", "check", tmp_path / "target.yaml", "--host", f"http://{login}:{shop.server_port}", **given
    )
    assert (failed.code, nobody.code, check.code) == (4, 4, 1)
    assert "setup.ready GET /r?k=${env:SHOP_QUERY}: status 200" in failed.err
    assert "${env:SHOP_QUERY}" in check.out
    texts = {
        f"{name} {kind}": getattr(one, kind)
        for name, one in vars().copy().items()
        for kind in ("out", "err")
        if hasattr(one, "err")
    }
    assert len(texts) == 6
    assert leaks(texts) == []


def test_tracebacks_and_logs_hold_no_secret():
    """An exception that carries a secret is printed and logged without it, by the process's own streams."""
    code = """
import logging, sys
from simulator.target.guard import guard_log, guarded_streams
from simulator.target.secrets import resolved
secret = resolved("${env:SHOP_BODY}")
guard_log()
with guarded_streams():
    logging.basicConfig(stream=sys.stderr)
    print("out", secret)
    try:
        raise ValueError(f"broke at {secret}")
    except ValueError:
        logging.exception("while %s", secret)
        import traceback
        traceback.print_exc()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | SECRETS, capture_output=True, text=True, check=True
    )
    assert done.stdout == "out ${env:SHOP_BODY}\n"
    assert done.stderr.count("broke at ${env:SHOP_BODY}") == 2
    assert leaks({"err": done.stderr}) == []
