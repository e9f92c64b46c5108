"""Everything a target can do wrong has a name, ends in time, and takes no more memory than an answer may."""

from __future__ import annotations

import resource
import socket
from threading import Thread
from time import perf_counter

import gevent
import pytest

from simulator.target.call import Request
from simulator.worlds.live.transport import TRANSPORTS, BaseUrl, Connection
from simulator.worlds.live.transport.encoding import MOST_BYTES

LIMIT_S = 0.4
NAMES = {
    "reset": "connection closed",
    "close": "connection closed",
    "garbage": "bad http",
    "wordless": "bad http",
    "half": "answer cut short",
    "half_head": "answer cut short",
    "stay": "answer cut short",
    "bad_chunk": "bad http",
    "cut_chunk": "answer cut short",
    "two_lengths": "bad http",
    "hang": "timeout",
    "drip": "timeout",
    "huge": "answer too large",
    "endless": "answer too large",
    "endless_head": "answer too large",
    "bomb": "answer too large",
    "not_gzip": "bad gzip",
    "loop": "redirect loop",
    "ping": "redirect loop",
    "elsewhere": "redirect elsewhere",
    "nowhere": "bad redirect",
}
ENDED_BY_TIME = {"hang", "drip"}
LONGEST_S = 20.0
ELSEWISE = {("httpx", "endless_head"): "bad http", ("httpx", "wordless"): "answer cut short"}
"""httpcore has a limit of its own on heads, 100 kB; and it waits for more words before it says that they are none."""


def ask(url, fault, transport, timeout_s=None):
    """Ask for a fault on a connection of its own."""
    visitor = Connection(BaseUrl(url, transport=transport))
    timeout_s = timeout_s or (LIMIT_S if fault in ENDED_BY_TIME else LONGEST_S)
    reply = visitor.send(Request("home", "GET", f"/shop/{fault}", {}, None, timeout_s, frozenset({200})), timeout_s)
    visitor.close()
    return reply


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("fault", NAMES)
def test_every_fault_has_a_name(faulty, fault, transport):
    """Each fault is told by its name, without content, and within the request's limit; nothing is raised."""
    with faulty.Faulty() as server:
        begun_s = perf_counter()
        reply = ask(server.url, fault, transport)
        took_s = perf_counter() - begun_s
    assert (reply.error, reply.body) == (ELSEWISE.get((transport, fault), NAMES[fault]), b"")
    assert took_s < (LIMIT_S + 2.0 if fault in ENDED_BY_TIME else LONGEST_S)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_who_asks_too_often_is_told_so(faulty, transport):
    """429 is an answer: its status and Retry-After are there for whoever reads them, and it is asked for once."""
    with faulty.Faulty() as server:
        reply = ask(server.url, "busy", transport)
    assert (reply.status, reply.error, reply.headers["retry-after"]) == (429, "", "7")
    assert server.asked == ["busy"]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("fault", ["huge", "endless"])
def test_no_more_is_read_than_an_answer_may_have(faulty, fault, transport):
    """Of a body without end no more than the limit and what buffers hold is read, and the memory is free again."""
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with faulty.Faulty() as server:
        ask(server.url, fault, transport)
        read_bytes = server.sent_bytes
    assert MOST_BYTES < read_bytes < MOST_BYTES + 16 * 1024 * 1024
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 4 * MOST_BYTES // 1024


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_loop_is_followed_as_far_as_browsers_do(faulty, transport):
    """A redirect loop is given up after 20 redirects, and a redirect elsewhere calls nobody."""
    with faulty.Faulty() as server:
        ask(server.url, "loop", transport)
        assert server.asked == ["loop"] * 21
        with socket.create_server(("127.0.0.2", 0)) as other:
            faulty.FAULTS["away"] = faulty._redirect(b"http://127.0.0.2:%d/" % other.getsockname()[1])  # noqa: SLF001
            other.settimeout(0.05)
            assert ask(server.url, "away", transport).error == "redirect elsewhere"
            with pytest.raises(TimeoutError):
                other.accept()


def hung_up_in_tls(listener):
    """Answer a TLS greeting with something else."""
    client, _ = listener.accept()
    client.recv(1000)
    client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    client.close()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_broken_handshake_is_named(transport):
    """A server that speaks no TLS on its port, and one that never answers the greeting, are told apart."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=hung_up_in_tls, args=(listener,))
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        assert ask(url, "any", transport).error == "tls failed"
        thread.join()
        assert ask(url, "any", transport, LIMIT_S).error == "timeout"


def test_faults_of_some_hold_up_nobody_else(faulty, recording):
    """While twenty visitors hang and download without end, others are answered at once: no worker stands still."""
    with faulty.Faulty() as server, recording.Shop() as shop:
        bad = [
            gevent.spawn(ask, server.url, fault, "fast", 1.5) for fault in ("hang", "drip", "loop") for _ in range(7)
        ]
        gevent.sleep(0.1)
        took_s = []
        for _ in range(20):
            reply = ask(shop.url, "home", "fast", 5.0)
            assert reply.status == 200
            took_s.append(reply.done_s - reply.sent_s)
        gevent.joinall(bad, timeout=20, raise_error=True)
    assert all(job.ready() for job in bad)
    assert sorted(took_s)[10] < 0.3


def test_no_fault_ends_a_visit_badly(faulty, scenario):
    """Visits to a target that is broken everywhere end all, in time, with every request counted under a name."""
    from simulator.worlds.live.run import LiveRun  # noqa: PLC0415 - only this test plays visits
    from simulator.worlds.live.visit import Arrival  # noqa: PLC0415

    with faulty.Faulty() as server:
        run = LiveRun(scenario("hurried"), server.url, "run-1")
        run.warm_up()
        faults = [name for name in NAMES if name not in {"huge", "endless", "bomb", "loop", "ping"}]
        names = iter(faults * 99)
        plain = server._misbehave  # noqa: SLF001 - each request meets the next fault
        server._misbehave = lambda client, send: plain(_Renamed(client, next(names)), send)  # noqa: SLF001
        run.start_clock()
        for call in run.target._calls.values():  # noqa: SLF001 - nobody in a test waits for thirty seconds
            call._timeout_s = LIMIT_S  # noqa: SLF001
        visits = [gevent.spawn(run.visit, Arrival(number, 0, 0, 0)) for number in range(len(faults))]
        gevent.joinall(visits, timeout=60, raise_error=True)
    assert all(visit.ready() for visit in visits)
    assert not run.defects
    assert run.recorder.failed == run.recorder.requests > 0


class _Renamed:
    """A connection whose every request asks for one fault."""

    def __init__(self, client, fault):
        self.client, self.fault = client, fault

    def recv(self, size):
        """Return the request, asking for the fault."""
        data = self.client.recv(size)
        return b"GET /" + self.fault.encode() + b" HTTP/1.1\r\n\r\n" if data else b""

    def __getattr__(self, name):
        return getattr(self.client, name)
