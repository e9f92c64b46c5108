"""What the tests of the live world share: a recording shop, short scenarios, and visits played in this process.

Nothing here imports locust, which would patch the sockets of all tests; the whole live world runs in processes of its
own, and what is below Locust (visits, transport, recorder) runs here.
"""

from __future__ import annotations

import importlib.util
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import which

import gevent
import pyarrow.parquet as pq
import pytest
from geventhttpclient.connectionpool import SSLConnectionPool

from simulator.scenario.load import load_scenario
from simulator.worlds.live.run import LiveRun
from simulator.worlds.live.tables import RunTables
from simulator.worlds.live.visit import Arrival

HERE = Path(__file__).parent
FILES = HERE / "files"
LONGEST_S = 30


def beside(name):
    """Load a module that stands beside this file."""
    known = f"footfall_{name}"
    if known not in sys.modules:
        spec = importlib.util.spec_from_file_location(known, HERE / f"{name}.py")
        sys.modules[known] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[known])
    return sys.modules[known]


@pytest.fixture(scope="session")
def recording():
    """Return the module of the recording shop: its behaviours."""
    return beside("recording")


@pytest.fixture(scope="session")
def faulty():
    """Return the module of the server that does everything wrong."""
    return beside("faulty")


@pytest.fixture(scope="session")
def h2server():
    """Return the module of the server that speaks HTTP/2."""
    return beside("h2server")


@pytest.fixture(scope="session")
def running():
    """Return the module that runs the command."""
    return beside("running")


@pytest.fixture
def shop(recording):
    """Open a recording shop for one test."""
    with recording.Shop() as opened:
        yield opened


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Make a certificate for 127.0.0.1 that nobody signed, with its key in the same file."""
    if which("openssl") is None:
        pytest.skip("openssl makes the certificate, and is not installed")
    folder = tmp_path_factory.mktemp("tls")
    key, file = folder / "key.pem", folder / "both.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=shop"
    options = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(file)]
    subprocess.run([*command.split(), *options], check=True, capture_output=True, timeout=30)
    file.write_text(file.read_text() + key.read_text())
    return file


@pytest.fixture
def tls_shop(recording, certificate):
    """Open a recording shop that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    opened = recording.Shop()
    opened.socket = context.wrap_socket(opened.socket, server_side=True)
    with opened:
        yield opened


@pytest.fixture
def trusted(certificate, monkeypatch):
    """Let this machine trust the certificate."""
    monkeypatch.setitem(SSLConnectionPool.default_options, "ca_certs", str(certificate))
    return certificate


@pytest.fixture(scope="session")
def files():
    """Return the folder of the scenarios of these tests."""
    return FILES


@pytest.fixture(scope="session")
def scenario():
    """Return a function that loads a scenario of these tests, with overrides."""
    return lambda name, **overrides: load_scenario(str(FILES / f"{name}_scenario.yaml"), overrides)


@pytest.fixture(scope="session")
def play(scenario):
    """Return a function that plays visits at once, without Locust, and returns the run."""

    def played(url, shoppers=12, name="hurried", arm=0, prepare=lambda _run: None, **overrides):
        run = LiveRun(scenario(name, **overrides), url, "run-1")
        prepare(run)
        run.set_up()
        run.warm_up()
        run.start_clock()
        arrivals = [Arrival(number, 0, arm, 5_000 * number) for number in range(shoppers)]
        visits = [gevent.spawn_later(arrival.due_us / 1e6, run.visit, arrival) for arrival in arrivals]
        gevent.joinall(visits, timeout=LONGEST_S, raise_error=True)
        assert all(visit.ready() for visit in visits)
        assert not run.defects, "a visit that breaks off proves nothing of what it should have done"
        return run

    return played


@pytest.fixture(scope="session")
def begin(scenario):
    """Return a function that begins twelve visits and cuts them after some seconds, as the end of a run does."""

    def begun(url, seconds, **overrides):
        run = LiveRun(scenario("hurried", **overrides), url, "run-1")
        run.warm_up()
        run.start_clock()
        visits = [gevent.spawn(run.visit, Arrival(number, 0, 0, 0)) for number in range(12)]
        gevent.joinall(visits, timeout=seconds)
        gevent.killall(visits)
        return run

    return begun


@pytest.fixture(scope="session")
def written():
    """Return a function that writes what a recorder has, as a run does, and gives the tables back."""

    def write(recorder, names):
        with tempfile.TemporaryDirectory() as name:
            into = RunTables(Path(name), names)
            into.add(recorder.take())
            entries = into.finish()
            return {table: pq.read_table(Path(name) / entry["file"]) for table, (entry,) in entries.items()}

    return write


@pytest.fixture(scope="session")
def tables(written):
    """Return a function that gives a run's tables as lists of rows."""
    return lambda run: {name: t.to_pylist() for name, t in written(run.recorder, run.scenario.names).items()}
