"""A server that does everything wrong that a target can do, one fault a path: sockets and threads, on loopback."""

from __future__ import annotations

import gzip
import socket
import ssl
import struct
from threading import Event, Thread

HUGE_BYTES = 100 * 1024 * 1024
BLOCK = b"x" * 65_536
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def _huge(send, _server):
    send(OK + b"Content-Length: %d\r\n\r\n" % HUGE_BYTES)
    for _ in range(HUGE_BYTES // len(BLOCK)):
        send(BLOCK)


def _endless(send, server):
    send(CHUNKED)
    while not server.closing.is_set():
        send(b"10000\r\n" + BLOCK + b"\r\n")


def _endless_head(send, server):
    send(OK)
    while not server.closing.is_set():
        send(b"X-More: " + BLOCK[:1000] + b"\r\n")


def _drip(send, server):
    send(OK + b"Content-Length: 100000\r\n\r\n")
    while not server.closing.wait(0.02):
        send(b".")


def _hang(_send, server):
    server.closing.wait(60)


def _bomb(send, _server):
    body = gzip.compress(bytes(HUGE_BYTES), 1)
    send(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def _raw(data):
    return lambda send, _server: send(data)


def _redirect(to):
    return _raw(b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % to)


FAULTS = {
    "hang": _hang,
    "close": lambda _send, _server: None,
    "garbage": _raw(b"\x00\x01\xff this is not HTTP \r\n\r\n"),
    "wordless": _raw(b"hello there, this is a shop"),
    "half": _raw(OK + b"Content-Length: 1000\r\n\r\nhalf of it"),
    "half_head": _raw(OK + b"Content-Le"),
    "bad_chunk": _raw(CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n"),
    "cut_chunk": _raw(CHUNKED + b"ff\r\nhello"),
    "two_lengths": _raw(OK + b"Content-Length: 5\r\nContent-Length: 7\r\n\r\nhello"),
    "huge": _huge,
    "endless": _endless,
    "endless_head": _endless_head,
    "drip": _drip,
    "bomb": _bomb,
    "not_gzip": _raw(OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"),
    "loop": _redirect(b"/loop"),
    "ping": _redirect(b"/pong"),
    "pong": _redirect(b"/ping"),
    "elsewhere": _redirect(b"http://127.0.0.2:9/"),
    "nowhere": _redirect(b"mailto:shop@example.com"),
    "busy": _raw(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"),
}
"""What is sent for the last part of a path; the connection is closed after it. `reset` and `stay` do more."""


class Faulty:
    """The server; counts the bytes that it could send."""

    def __init__(self, certificate=None):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.closing = Event()
        self.sent_bytes = 0
        self.asked = []
        self.open = []
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
        self._threads = []

    @property
    def url(self):
        """Where it is."""
        return f"http{'s' if self.context else ''}://127.0.0.1:{self.listener.getsockname()[1]}"

    def _serve(self):
        while not self.closing.is_set():
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(client)
            self._threads.append(Thread(target=self._answer, args=(client,)))
            self._threads[-1].start()

    def _answer(self, client):
        def send(data):
            while data and not self.closing.is_set():
                sent = client.send(data)
                self.sent_bytes += sent
                data = data[sent:]

        try:
            if self.context:
                client = self.context.wrap_socket(client, server_side=True)
            self._misbehave(client, send)
        except OSError:
            pass  # the client has had enough
        finally:
            client.close()

    def _misbehave(self, client, send):
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(65_536)
            if not data:
                return
            head += data
        fault = head.split()[1].rpartition(b"/")[2].decode()
        self.asked.append(fault)
        if fault == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif fault == "stay":  # half an answer, then our side is closed and theirs is not
            send(FAULTS_HALF)
            client.shutdown(socket.SHUT_WR)
            self.closing.wait(60)
        else:
            FAULTS[fault](send, self)

    def __enter__(self):
        self._threads.append(Thread(target=self._serve))
        self._threads[0].start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for client in self.open:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self._threads:
            thread.join(10)


FAULTS_HALF = OK + b"Content-Length: 1000\r\n\r\nhalf of it"
