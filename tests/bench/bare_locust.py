"""The reference: Locust's FastHttpUser in a tight loop. Prints requests a second, and processor µs a request."""

from __future__ import annotations

import sys

import locust
from locust import FastHttpUser, task
from locust.env import Environment

# isort: split
import gevent
from slices import measure


class Bare(FastHttpUser):
    """Asks for the same page again and again."""

    host = sys.argv[1]

    @task
    def get(self) -> None:
        """Ask."""
        self.client.get("/")


def main() -> None:
    """Run for argv[2] seconds with argv[3] users."""
    environment = Environment(user_classes=[Bare], events=locust.events)
    runner = environment.create_local_runner()
    runner.start(int(sys.argv[3]), spawn_rate=1000)
    gevent.sleep(1.0)
    rate, cost_us = measure(float(sys.argv[2]), lambda: environment.stats.total.num_requests)
    sys.stdout.write(f"{rate} {cost_us}\n")
    assert environment.stats.total.num_failures == 0
    runner.quit()


main()
