"""Exit codes, and how errors become one: a message on stderr, a hint, a code."""

from __future__ import annotations

import traceback
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import click

from simulator.model.interrupts import plain_interrupts
from simulator.target.redaction import any_known

if TYPE_CHECKING:
    from collections.abc import Callable


class Exit(IntEnum):
    """What the process says when it ends."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    INVALID = 3
    UNREACHABLE = 4
    INTERRUPTED = 130


def failing(run: Callable[[], Any]) -> int:
    """Run a command and return its exit code; errors that a user can mend are printed, not traced."""
    try:
        with plain_interrupts():
            result = run()
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        return Exit.INTERRUPTED
    except (click.ClickException, click.Abort, BrokenPipeError):
        raise
    except Exception as error:  # the one place where errors become exit codes
        code = _code_of(error)
        if code is None:
            if not any_known():
                raise
            # Python itself would print it on the stream beneath the guarded one.
            click.echo(traceback.format_exc(), err=True)
            return Exit.FAILED
        for line in str(error).splitlines():
            click.echo(f"error: {line}", err=True)
        return code
    return result if isinstance(result, int) else Exit.PASSED


def _code_of(error: Exception) -> int | None:
    """Return the exit code of an error by its class's name, so that no heavy module is imported to ask."""
    known = {
        "FileFaults": Exit.USAGE,
        "CannotWrite": Exit.USAGE,
        "CannotRead": Exit.USAGE,
        "PortError": Exit.USAGE,
        "NoFleet": Exit.USAGE,
        "UnknownPlaceError": Exit.USAGE,
        "CannotPredictError": Exit.USAGE,
        "BrowserError": Exit.UNREACHABLE,
        "StorefrontError": Exit.UNREACHABLE,
        "TargetUnreachable": Exit.UNREACHABLE,
        "TargetNotReady": Exit.UNREACHABLE,
        "SchedulerUnreachable": Exit.UNREACHABLE,
        "LiveWorldError": Exit.INVALID,
    }
    ours = (kind for kind in type(error).__mro__ if kind.__module__.startswith("simulator."))
    return next((known[kind.__name__] for kind in ours if kind.__name__ in known), None)


def fail(message: str, hint: str = "") -> None:
    """Raise a usage error with a hint."""
    raise click.UsageError(f"{message}. Hint: {hint}" if hint else message)
