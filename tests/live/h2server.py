"""A small HTTP/2 server on the h2 library: TLS with ALPN, one connection a thread, faults on request."""

from __future__ import annotations

import json
import socket
import ssl
from threading import Thread

import h2.config
import h2.connection
import h2.errors
import h2.events

HUGE_BYTES = 2_000_000


class H2Shop:
    """Answers JSON under every path; `/reset`, `/goaway`, `/huge` and `/echo` do what they are called."""

    def __init__(self, certificate):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.context.set_alpn_protocols(["h2", "http/1.1"])
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.connections = 0
        self.resumed = []
        self.asked = []
        self.open = []
        self._threads = [Thread(target=self._accept)]

    @property
    def url(self):
        """Where it is."""
        return f"https://127.0.0.1:{self.listener.getsockname()[1]}"

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(client)
            self._threads.append(Thread(target=self._serve, args=(client,)))
            self._threads[-1].start()

    def _serve(self, client):
        try:
            with self.context.wrap_socket(client, server_side=True) as tls:
                self.resumed.append(tls.session_reused)
                if tls.selected_alpn_protocol() == "h2":
                    self._speak(tls)
        except OSError:
            return

    def _speak(self, tls):
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        connection.initiate_connection()
        tls.sendall(connection.data_to_send())
        asked, waiting = {}, {}
        while data := tls.recv(65_536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    asked[event.stream_id] = (dict(event.headers), bytearray())
                elif isinstance(event, h2.events.DataReceived):
                    asked[event.stream_id][1].extend(event.data)
                    connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    self._answer(connection, event.stream_id, *asked.pop(event.stream_id), waiting)
            for stream in list(waiting):
                self._push(connection, stream, waiting)
            tls.sendall(connection.data_to_send())

    def _answer(self, connection, stream, headers, body, waiting):
        path = headers[b":path"].decode()
        self.asked.append((headers[b":method"].decode(), path, headers, bytes(body)))
        if path == "/reset":
            connection.reset_stream(stream, h2.errors.ErrorCodes.INTERNAL_ERROR)
            return
        if path == "/goaway":
            connection.close_connection(h2.errors.ErrorCodes.ENHANCE_YOUR_CALM)
            return
        content = bytes(body) if path == "/echo" else json.dumps({"path": path}).encode()
        if path == "/huge":
            content = bytes(HUGE_BYTES)
        connection.send_headers(
            stream, [(":status", "200"), ("set-cookie", "a=1; Path=/"), ("set-cookie", "b=2; Path=/")]
        )
        waiting[stream] = content
        self._push(connection, stream, waiting)

    def _push(self, connection, stream, waiting):
        content = waiting[stream]
        while content:
            room = min(connection.local_flow_control_window(stream), connection.max_outbound_frame_size, len(content))
            if not room:
                break
            connection.send_data(stream, content[:room])
            content = content[room:]
        waiting[stream] = content
        if not content:
            connection.end_stream(stream)
            del waiting[stream]

    def __enter__(self):
        self._threads[0].start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for client in self.open:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self._threads:
            thread.join(10)
