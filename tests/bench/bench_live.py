"""What the live world costs a request, against Locust's own FastHttpUser on the same core and server."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from socket import create_server
from statistics import median
from time import sleep
from typing import TYPE_CHECKING

from figures import Figure, at_least, at_most

from simulator.scenario.load import load_scenario
from simulator.worlds.live.launch import launch

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
SECONDS, USERS, ROUNDS = 5, 10, 5
BUSY = 0.7
"""The share of its core that the generator takes while its start lag is measured."""
TRIES, NEAR = 4, 0.03
"""How often that share is aimed at, and how near is near enough."""
OURS_CORE, SERVER_CORE = "0", "1"
CONFIGURATION = """
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error;
events {{ worker_connections 40000; }}
http {{
  access_log off; keepalive_requests 1000000; client_body_temp_path {folder}/body;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      default_type application/json;
      return 200 '{{"items": [{{"sku": "A-1"}}, {{"sku": "A-2"}}, {{"sku": "A-3"}}], "subject": "x"}}';
    }}
  }}
}}
"""


def run() -> list[Figure]:
    """Return requests a core and a second over bare Locust's, what shaping costs, and the start lag of a busy core."""
    with nginx() as url:
        bare, ours = [], []
        for _ in range(ROUNDS):
            bare.append(_measured("bare_locust.py", url))
            ours.append(_measured("our_locust.py", url))
        rates, costs = median(mine[0] / theirs[0] for mine, theirs in zip(ours, bare, strict=True)), _costs(ours, bare)
        lag_ms, busy_at, share = _lag_when_busy(url, median(mine[2] for mine in ours))
    wall = f" ({median(mine[0] for mine in ours):,.0f}/s against {median(theirs[0] for theirs in bare):,.0f}/s)"
    busy = f" ({costs[0]:,.0f} µs a request against {costs[1]:,.0f} µs)"
    shaped_ms, plain_ms = _measured("shaped_cost.py")
    return [
        at_least(f"live: requests a core-second over bare FastHttpUser's{busy}", costs[1] / costs[0], 1.0, "×"),
        at_least(f"live: requests/s over bare FastHttpUser's{wall}", rates, 0.7, "×"),
        at_most(
            f"live: processor time of a megabyte over a phone's link, plain {plain_ms:.1f} ms", shaped_ms, 30.0, " ms"
        ),
        at_most(f"live: p99 start lag of a busy core, {share:.0%} at {busy_at:,.0f} visits/s", lag_ms, 5.0, " ms"),
    ]


def _costs(ours: list[list[float]], bare: list[list[float]]) -> tuple[float, float]:
    """Return the processor µs a request of both; the least of the rounds, since others only ever add to it."""
    return min(mine[1] for mine in ours), min(theirs[1] for theirs in bare)


def _measured(script: str, *given: str) -> list[float]:
    command = ["taskset", "-c", OURS_CORE, sys.executable, str(HERE / script), *given, str(SECONDS), str(USERS)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [float(word) for word in done.stdout.split()]


def _lag_when_busy(url: str, most_per_s: float) -> tuple[float, float, float]:
    """Return the median p99 of start lag in ms with the core `BUSY`, visits a second and the share really taken.

    What a visit of the open model costs is told by runs: the first at half of what the closed one reaches, and others
    until the share is right, since what a visit costs depends on how many there are at once.
    """
    rate = most_per_s / 2
    for _ in range(TRIES):
        _, share = _open_run(url, rate)
        if abs(share - BUSY) <= NEAR:
            break
        rate *= BUSY / share
    lags, shares = zip(*(_open_run(url, rate) for _ in range(3)), strict=True)
    return median(lags), rate, median(shares)


def _open_run(url: str, visits_per_s: float) -> tuple[float, float]:
    """Return the p99 of start lag in ms, and the share of a core, of the open model at a rate."""
    with tempfile.TemporaryDirectory() as name:
        overrides = {"arrivals": {"kind": "constant", "rate": f"{visits_per_s:.1f}/s"}}
        scenario = str(HERE / "files" / "hurried_scenario.yaml")
        launch(Path(name), load_scenario(scenario, overrides), url, "bench", lambda _now: None)
        generator = json.loads((Path(name) / "manifest.json").read_text())["generator"]
    return float(generator["start_lag_ms"]["p99"]), float(generator["cpu_share"])


@contextmanager
def nginx() -> Iterator[str]:
    """Yield the URL of an nginx with one worker on the other core that answers a small JSON."""
    if which("nginx") is None:
        raise SystemExit("the live bench needs nginx: apt-get install nginx-light")
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        with create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        configuration = Path(name) / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(folder=name, port=port))
        process = subprocess.Popen(["taskset", "-c", SERVER_CORE, "nginx", "-c", str(configuration)])
        sleep(0.5)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()
