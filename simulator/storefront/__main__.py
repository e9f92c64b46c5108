"""`python -m simulator.storefront`: the shop as a process of its own."""

import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

import orjson

from simulator.storefront.hazards import HAZARDS, rules_with
from simulator.storefront.process import CANNOT_LISTEN
from simulator.storefront.server import ListenError, serve


def main() -> None:
    """Serve the shop, and print one JSON line `{"url", "pid"}` when it accepts connections."""
    options = _options()
    parent = options.parent

    def orphaned() -> bool:
        return parent is not None and os.getppid() != parent

    try:
        serve(
            options.port,
            options.database,
            seed=options.seed,
            rules=rules_with(options.hazard),
            host=options.host,
            opened=_announce,
            should_close=orphaned,
        )
    except ListenError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(CANNOT_LISTEN)


def _announce(url: str) -> None:
    sys.stdout.write(orjson.dumps({"url": url, "pid": os.getpid()}).decode() + "\n")
    sys.stdout.flush()


def _options() -> Namespace:
    parser = ArgumentParser(prog="python -m simulator.storefront", description="Serve the embedded shop.")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--database", type=Path, required=True, help="SQLite file, made if missing")
    parser.add_argument("--seed", type=int, default=7, help="which shop: the seed of its catalogue")
    parser.add_argument("--parent", type=int, help="close when the process of this id is no longer the parent")
    parser.add_argument("--hazard", action="append", default=[], choices=sorted(HAZARDS), help="what to do wrong")
    return parser.parse_args()


if __name__ == "__main__":
    main()
