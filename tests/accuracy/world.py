"""Shop, link and browser together: what truth is measured in."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))

from link import OPEN, SHOP, Link, Network

from simulator.page.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator

NETWORKS = {
    net.name: net
    for net in (
        Network("3g-slow", 400, 400, 400),
        Network("3g-fast", 150, 1_600, 768),
        Network("4g", 170, 9_000, 9_000),
        Network("lte", 70, 12_000, 5_000),
        Network("wifi", 20, 50_000, 20_000),
    )
}
FLAGS = (f"--host-resolver-rules=MAP *.test {SHOP}", "--ignore-certificate-errors")


class World:
    """A link, and a shop behind it."""

    def __init__(self, link: Link) -> None:
        self.link = link

    def on(self, net: Network) -> None:
        """Change the network."""
        self.link.set(net)

    @contextlib.contextmanager
    def browser(self) -> Iterator[Browser]:
        """Yield a fresh browser on the phone's side."""
        with Browser(*FLAGS, prefix=self.link.inside(self.link.phone)) as browser:
            yield browser


@contextlib.contextmanager
def world() -> Iterator[World]:
    """Yield a world whose network is open."""
    with Link() as link:
        command = ["nice", "-n", "-10", sys.executable, str(Path(__file__).with_name("shop.py")), SHOP]
        shop = subprocess.Popen(
            [*link.inside(link.shop), *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            assert shop.stdout is not None
            assert shop.stdout.readline() == "ready\n", "the shop did not start"
            link.set(OPEN)
            yield World(link)
        finally:
            shop.communicate("")
