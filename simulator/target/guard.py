"""What a process says, without its secrets: its two streams, and its log."""

from __future__ import annotations

import logging
import sys
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from simulator.target.redaction import any_known, redacted

if TYPE_CHECKING:
    from collections.abc import Iterator


class Guarded:
    """A text stream that writes no secret. Everything but writing is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text; one that holds only a part of a secret, as half of a line, is not recognised."""
        self._stream.write(redacted(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write texts."""
        self.write("".join(lines))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._stream, name)


@contextmanager
def guarded_streams() -> Iterator[None]:
    """Let standard output and error say no secret meanwhile."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Guarded(before[0]), Guarded(before[1])
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def guard_log() -> None:
    """Let no record of this process's log hold a secret, whoever writes or keeps it; tracebacks neither."""
    make = logging.getLogRecordFactory()

    def made(*given: Any, **named: Any) -> logging.LogRecord:  # noqa: ANN401 - as the factory's own
        record = make(*given, **named)
        if any_known():
            record.msg, record.args = redacted(record.getMessage()), ()
            if record.exc_info and record.exc_info[0]:
                record.exc_text = redacted("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"))
        return record

    logging.setLogRecordFactory(made)
