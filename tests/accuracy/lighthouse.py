"""Lighthouse's own simulation of the test pages, for comparison: `python tests/accuracy/lighthouse.py NODE_MODULES`.

Needs Node and the npm package `lighthouse`. Resumable; one run a cell, at a processor slowed down 4 times.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from corpus import PAGES, is_test
from link import OPEN
from measure import FOLDER
from world import FLAGS, NETWORKS, World, world

from simulator.page.browser import BrowserError, find_browser

CPU = 4
AUDITS = {"fcp": "first-contentful-paint", "lcp": "largest-contentful-paint"}
LONGEST_S = 120


def quoted(flag: str) -> str:
    """Return a flag of Chromium as Lighthouse reads it: its value in quotes, not all of it."""
    name, given, value = flag.partition("=")
    return f"{name}='{value}'" if given else name


def simulated(where: World, modules: Path, url: str, net: str) -> dict[str, float]:
    """Return Lighthouse's simulated milliseconds of a page on a network. Raises `BrowserError` when it fails."""
    network = NETWORKS[net]
    throttling = {
        "rttMs": network.rtt_ms, "throughputKbps": network.down_kbps, "cpuSlowdownMultiplier": CPU,
    }  # fmt: skip
    flags = " ".join(["--headless=new", "--no-sandbox", *map(quoted, FLAGS)])
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        command = [
            *where.link.inside(where.link.phone), "node", str(modules / "lighthouse/cli/index.js"), url, "--quiet",
            "--output=json", f"--output-path={out.name}", "--only-categories=performance",
            f"--chrome-path={find_browser()}", f"--chrome-flags={flags}", "--throttling-method=simulate",
            *(f"--throttling.{key}={value:g}" for key, value in throttling.items()),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, timeout=LONGEST_S, check=False)
        text = Path(out.name).read_text()
    if done.returncode or not text:
        raise BrowserError(done.stderr.decode()[-300:])
    audits = json.loads(text)["audits"]
    return {name: audits[audit]["numericValue"] for name, audit in AUDITS.items()}


def main() -> int:
    """Run what is missing."""
    modules, path = Path(sys.argv[1]), FOLDER / "lighthouse.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {(line["page"], line["net"]) for line in lines}
    pages = [page for page in PAGES if is_test(page.template)]
    with world() as where, path.open("a") as file:
        where.on(OPEN)
        for page in pages:
            for net in NETWORKS:
                if (page.name, net) in done:
                    continue
                try:
                    found = simulated(where, modules, page.url, net)
                except (BrowserError, subprocess.TimeoutExpired) as error:
                    print(f"{page.name} {net}: {error}", flush=True)
                    continue
                file.write(json.dumps({"page": page.name, "net": net, "cpu": CPU} | found) + "\n")
                file.flush()
                print(f"{page.name} {net}", end="\r", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
