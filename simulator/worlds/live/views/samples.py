"""Samples of visits, keyed by seed: the same shoppers' visits in every run, for any number of workers."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import orjson

from simulator.journey.keys import NOWHERE, purpose, uniform
from simulator.model.states import STATE_NAMES
from simulator.page.card import OPERATIONS, PLACEMENTS
from simulator.runfolder.files import whole_file
from simulator.target.redaction import redacted
from simulator.worlds.live.listening import Listener
from simulator.worlds.live.recorder import ABANDONED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from simulator.worlds.live.listening import Exchange

SAMPLE = purpose("sample")


class Sample:
    """A share of all visits; of a smaller share each visit is in the larger one too."""

    def __init__(self, seed: int, share: float) -> None:
        self._seed, self._share = seed, share

    def has(self, shopper: int, visit: int) -> bool:
        """Return whether a visit is in it."""
        return self._share >= 1 or bool(uniform(self._seed, shopper, visit, NOWHERE, 0, SAMPLE) < self._share)


class RequestLines(Listener):
    """`requests.jsonl`: a line for each request of the sampled visits, with its method and URL; no secrets."""

    def __init__(self, sample: Sample, personas: Sequence[str], folder: Path, *, part: str = "") -> None:
        self._sample, self._personas, self._files = sample, personas, ExitStack()
        partial = self._files.enter_context(whole_file(folder / f"requests{part}.jsonl"))
        self._file = self._files.enter_context(partial.open("wb"))

    def asked(self, exchange: Exchange) -> None:
        """Write a line, where the visit is in the sample."""
        if self._sample.has(exchange.stamp.shopper, exchange.stamp.visit):
            self._file.write(orjson.dumps(self._line(exchange), option=orjson.OPT_APPEND_NEWLINE))

    def close(self) -> None:
        """Give the file its name."""
        self._files.close()

    def _line(self, exchange: Exchange) -> dict[str, Any]:
        stamp, reply, request = exchange.stamp, exchange.reply, exchange.request
        abandoned = exchange.error == ABANDONED
        return {
            "shopper": stamp.shopper,
            "visit": stamp.visit,
            "step": stamp.step,
            "persona": self._personas[stamp.persona],
            "page": STATE_NAMES[stamp.state],
            "operation": OPERATIONS[exchange.operation],
            "placement": PLACEMENTS[exchange.placement],
            "method": request.method,
            "url": redacted(request.url),
            "due_us": min(exchange.due_us, exchange.sent_us),
            "sent_us": exchange.sent_us,
            "done_us": exchange.done_us,
            "status": reply.wire_status or None,
            "bytes": reply.wire_bytes,
            "abandoned": abandoned,
            "error": None if abandoned else exchange.error or None,
        }
