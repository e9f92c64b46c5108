"""Ctrl-C is Ctrl-C, also while numba loads compiled code."""

import pytest

from simulator.cli.exits import failing
from simulator.model.interrupts import plain_interrupts
from simulator.worlds.pool import make_all


def loading(_shard=None):
    """Fail as numba does where Ctrl-C comes while it reads its cache: a `SystemError` of a `SystemError` of it."""
    inner = SystemError("returned a result with an exception set")
    inner.__cause__ = KeyboardInterrupt()
    raise SystemError("CPUDispatcher returned a result with an exception set") from inner


def test_an_interrupt_in_disguise_is_one():
    """Whatever waits for an interrupt gets one."""
    with pytest.raises(KeyboardInterrupt), plain_interrupts():
        loading()
    with pytest.raises(KeyboardInterrupt):
        list(make_all(loading, [0], workers=1))


def test_a_command_that_is_interrupted_so_ends_with_130(capsys):
    """Exit code 130 and one line, no traceback."""
    assert failing(loading) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_other_errors_of_the_system_stay():
    """A `SystemError` that no interrupt caused is a defect, and is shown as one."""
    with pytest.raises(SystemError, match="bad call"), plain_interrupts():
        raise SystemError("bad call")
