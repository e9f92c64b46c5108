"""Locust's web UI with the Footfall tab over planted visits, in a process of its own: `python webui_page.py PORT`.

Importing locust patches the sockets of the whole process. Serves until it is ended, or for two minutes.
"""

import sys

import locust
from locust.env import Environment

# isort: split
import gevent

from simulator.worlds.live.views.spread import Spread
from simulator.worlds.live.views.tally import Tally
from simulator.worlds.live.views.webui import add_tab

WIFI, LTE = 0, 2
SECOND = 1_000_000


def spread(*values_s):
    """Return these values as a tally hands them on."""
    found = Spread()
    for value_s in values_s:
        found.add(round(value_s * SECOND))
    return list(found.cells.items()), found.total_us


def planted():
    """Return ten visits on two networks: three bounces, and lengths, load times and lags that a test knows."""
    tally = Tally()
    counts = {"started": [[[], 14]], "ended": [[[WIFI, 1], 6], [[LTE, 2], 4]], "bounced": [[[WIFI], 1], [[LTE], 2]]}
    counts |= {"pages": [[[0, WIFI], 30], [[0, LTE], 8]], "given_up": [[[0, LTE], 2]]}
    spreads = {
        "lag": [[[], *spread(*[0.002] * 13, 0.04)]],
        "wall": [[[WIFI], *spread(*[60.0] * 6)], [[LTE], *spread(*[12.0] * 4)]],
        "engaged": [[[WIFI], *spread(*[50.0] * 6)], [[LTE], *spread(*[8.0] * 4)]],
        "load": [[[0, WIFI], *spread(*[1.2] * 30)], [[0, LTE], *spread(*[3.4] * 8)]],
    }
    tally.add({"counts": counts, "spreads": spreads})
    return tally


def main():
    """Serve the page."""
    environment = Environment(user_classes=[], events=locust.events, host="http://127.0.0.1:8080")
    environment.create_local_runner().state = "running"
    page = environment.create_web_ui("127.0.0.1", int(sys.argv[1]), delayed_start=True)
    add_tab(page, planted(), planned=True)
    page.start()
    gevent.sleep(120)


main()
