"""Keeping the shop open: one process, one event loop, until a signal says to close."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import uvicorn

from simulator.storefront.app import build_app
from simulator.storefront.models import warm_up
from simulator.storefront.rules import Rules
from simulator.storefront.shop import Shop, open_shop

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class ListenError(OSError):
    """The port is taken, or not ours to take; the text says which and why."""


def serve(
    port: int,
    database: Path,
    *,
    seed: int = 7,
    rules: Rules | None = None,
    host: str = "127.0.0.1",
    opened: Callable[[str], None] = lambda _url: None,
    should_close: Callable[[], bool] = lambda: False,
) -> None:
    """Serve the shop until SIGINT or SIGTERM, or until `should_close` (asked ten times a second) says so.

    Port 0 takes a free one. `opened` is called once, with the shop's URL, when it accepts connections. Raises
    ListenError if the port is taken and ValueError if the database belongs to a shop of another seed.
    """
    with closing(_listen(host, port)) as listener:
        url = f"http://{host}:{listener.getsockname()[1]}"
        with closing(open_shop(database, seed, rules=rules)) as shop:
            warm_up()
            server = _Server(_config(shop), lambda: opened(url), should_close)
            # Requests that were read and not answered: uvicorn keeps a task for each.
            shop.backlog = lambda: len(server.server_state.tasks)
            server.run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    """Return a bound socket, whose protocol is named: asyncio sets TCP_NODELAY only where it reads IPPROTO_TCP.

    `socket.create_server` leaves it 0, and then each answer's body waits up to 40 ms for the ACK of its head.
    """
    known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    family, kind, protocol, _, address = known[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise ListenError(
            f"cannot listen on port {port} of {host}: {(error.strerror or str(error)).lower()}"
        ) from error
    return listener


def _config(shop: Shop) -> uvicorn.Config:
    return uvicorn.Config(
        build_app(shop),
        loop="asyncio",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        # As nginx has it: a shopper thinks for half a minute, and a connection closed under their next tap looks like
        # a fault of the shop.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
    )


class _Server(uvicorn.Server):
    """uvicorn's server that says when it is open, can be closed by a condition, and ends a signal as a success."""

    def __init__(self, config: uvicorn.Config, opened: Callable[[], None], should_close: Callable[[], bool]) -> None:
        super().__init__(config)
        self._opened = opened
        self._should_close = should_close

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept, then say so."""
        await super().startup(sockets)
        self._opened()

    async def on_tick(self, counter: int) -> bool:
        """Say whether to close now."""
        return await super().on_tick(counter) or self._should_close()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Close on a signal, and leave it at that: uvicorn would raise it again and die of it after closing."""
        before = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
