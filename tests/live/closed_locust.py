"""Locust's closed loop at the same nominal rate, five users. Prints p99, maximum (ms) and the number of requests."""

from __future__ import annotations

import sys

import locust
from locust import FastHttpUser, constant_throughput, task
from locust.env import Environment

# isort: split
import gevent

USERS, PER_USER = 5, 4


class Steady(FastHttpUser):
    """Asks again when it was answered, at the wanted rate at best."""

    host = sys.argv[1]
    wait_time = constant_throughput(PER_USER)

    @task
    def get(self):
        """Ask."""
        self.client.get("/")


def main():
    """Run for argv[2] seconds."""
    environment = Environment(user_classes=[Steady], events=locust.events)
    runner = environment.create_local_runner()
    runner.start(USERS, spawn_rate=USERS)
    gevent.sleep(float(sys.argv[2]))
    runner.quit()
    stats = environment.stats.total
    sys.stdout.write(f"{stats.get_response_time_percentile(0.99)} {stats.max_response_time} {stats.num_requests}\n")


main()
