"""A server of which theory knows the capacity: c places, a fixed service time, first come, first served; on loopback.

`python queueing.py SERVERS SERVICE_S` prints its port and serves until its parent is gone or its input closes.
"""

from __future__ import annotations

import asyncio
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Queue:
    """The places; each is free from a moment on."""

    def __init__(self, servers: int, service_s: float) -> None:
        self.free_at_s = [0.0] * servers
        self.service_s = service_s

    def done_at_s(self, now_s: float) -> float:
        """Return when a call that comes now is done, by the place that is free first."""
        place = min(range(len(self.free_at_s)), key=self.free_at_s.__getitem__)
        self.free_at_s[place] = max(now_s, self.free_at_s[place]) + self.service_s
        return self.free_at_s[place]


async def main() -> None:
    """Serve."""
    loop = asyncio.get_running_loop()
    queue = Queue(int(sys.argv[1]), float(sys.argv[2]))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(queue.done_at_s(loop.time()) - loop.time())
                writer.write(ANSWER)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
