"""What carries requests: one small interface, two transports beneath it, and a phone's network on the real socket.

`Connection` is one visitor: cookies, HTTP cache, redirects, one connection kept alive, in whatever `BaseUrl` says:
`fast` is HTTP/1.1 on geventhttpclient's parser, `httpx` is HTTP/1.1 and HTTP/2 on httpx's own engine. With a `Link`
every byte of the connection travels at a phone's pace. Nothing here imports locust.
"""

from simulator.worlds.live.transport.cache import Budget
from simulator.worlds.live.transport.encoding import decoded
from simulator.worlds.live.transport.faults import error_name
from simulator.worlds.live.transport.link import Link
from simulator.worlds.live.transport.memory import Memory
from simulator.worlds.live.transport.place import TRANSPORTS, BaseUrl
from simulator.worlds.live.transport.reply import NO_ANSWER, NO_SPLIT, Reply, Split
from simulator.worlds.live.transport.visitor import Connection

__all__ = [
    "NO_ANSWER",
    "NO_SPLIT",
    "TRANSPORTS",
    "BaseUrl",
    "Budget",
    "Connection",
    "Link",
    "Memory",
    "Reply",
    "Split",
    "decoded",
    "error_name",
]
