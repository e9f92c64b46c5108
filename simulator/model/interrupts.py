"""Ctrl-C that comes in disguise: while numba loads compiled code it turns one into a `SystemError`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def is_interrupt(error: BaseException) -> bool:
    """Return whether an error is an interrupt, or a `SystemError` that one caused."""
    cause: BaseException | None = error
    while isinstance(cause, SystemError):
        cause = cause.__cause__ or cause.__context__
    return isinstance(cause, KeyboardInterrupt)


@contextmanager
def plain_interrupts() -> Iterator[None]:
    """Raise an interrupt as what it is, whatever was compiled or loaded meanwhile."""
    try:
        yield
    except SystemError as error:
        if is_interrupt(error):
            raise KeyboardInterrupt from error
        raise
