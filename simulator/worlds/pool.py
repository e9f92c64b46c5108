"""Shards by several processes of this machine, a few in hand at a time."""

from __future__ import annotations

import os
import pickle
import signal
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, ProcessPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING, Any

from simulator.model.interrupts import plain_interrupts
from simulator.runfolder.files import CannotWrite

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

IN_HAND = 2
"""Shards a worker has before it: one it makes and one that waits, so that none is idle and none piles up."""

_make: Callable[[Any], Any] | None = None


def _prepare(sent: Path) -> None:
    """Make this process a worker, which does not outlive its parent."""
    global _make  # noqa: PLW0603 - a worker process makes shards of one data set
    _make = pickle.loads(sent.read_bytes())  # noqa: S301 - the parent wrote it, into a folder that only it can read
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def _work(shard: Any) -> Any:  # noqa: ANN401 - the pool does not care what it makes
    assert _make is not None
    return _make(shard)


def make_all(make: Callable[[Any], Any], todo: Iterable[Any], workers: int) -> Generator[Any]:
    """Yield `make(shard)` of every shard as it is made, by so many processes; one needs no other process.

    `make` is sent to each worker once. Raises what `make` raises, and `CannotWrite` when a worker was killed.
    """
    if workers == 1:
        for shard in todo:
            with plain_interrupts():
                made = make(shard)
            yield made
        return
    # By a file: megabytes in a process's arguments would make each wait until the one before has imported everything.
    with (
        TemporaryDirectory() as folder,
        ProcessPoolExecutor(workers, get_context("spawn"), _prepare, (Path(folder, "make"),)) as pool,
    ):
        Path(folder, "make").write_bytes(pickle.dumps(make))
        try:
            yield from _in_window(pool, iter(todo), workers * IN_HAND)
        except BrokenExecutor as error:
            raise CannotWrite("a worker process was killed; is there enough memory for each?") from error
        except BaseException:
            # With `wait`: the end of the block shuts down once more, which would take the cancelling back.
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _in_window(pool: ProcessPoolExecutor, todo: Iterator[Any], window: int) -> Generator[Any]:
    """Keep `window` shards with the pool, and no more: a list of all would grow with the data set."""
    with _without_interrupts():
        pending = {pool.submit(_work, shard) for shard in islice(todo, window)}
    while pending:
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        for job in done:
            yield job.result()
        pending |= {pool.submit(_work, shard) for shard in islice(todo, window - len(pending))}


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Hold Ctrl-C back; processes started in the meantime never see it, and leave it to their parent."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
