"""Shards as tasks of a Dask cluster, whose workers write to the data set's folder themselves: they must share it."""

from __future__ import annotations

import pickle
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from simulator.model.faults import COMMAND_LINE, Fault, FileFaults
from simulator.runfolder.files import CannotWrite
from simulator.worlds.pool import IN_HAND

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from distributed import Client, Future

    from simulator.export.dataset import Job, Shard, Written

PATIENCE_S = 10
"""How long the scheduler has to answer, and the cluster to have a worker."""


class SchedulerUnreachable(Exception):  # noqa: N818 - reads as the message begins
    """The Dask scheduler does not answer, or has no workers."""


def faults() -> list[Fault]:
    """Return a fault when Dask is not installed."""
    missing = find_spec("distributed") is None
    hint = "pip install 'footfall[dask]'"
    return [Fault(COMMAND_LINE, 0, "dask", "needs the library distributed", "", hint)] if missing else []


@contextmanager
def cluster(address: str) -> Iterator[Callable[[Job, list[Shard]], Generator[Written]]]:
    """Yield a function that makes shards on the cluster of a scheduler. Raises `SchedulerUnreachable`."""
    from distributed import Client  # noqa: PLC0415 - an extra, which most installations lack

    try:
        client = Client(address, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise SchedulerUnreachable(f"no Dask scheduler answers at {address} ({error})") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE_S)
        except TimeoutError as error:
            raise SchedulerUnreachable(f"the Dask scheduler at {address} has no workers") from error
        yield lambda job, todo: _make_all(client, job, todo)


def _make_all(client: Client, job: Job, todo: list[Shard]) -> Generator[Written]:
    """Yield what was written of each shard; a worker that is lost has its shards made again by another."""
    from distributed import KilledWorker, as_completed  # noqa: PLC0415 - see above
    from distributed.client import FutureCancelledError  # noqa: PLC0415

    # The job is a task's result, not scattered data: should all workers that hold it die, it is unpacked again.
    shipped = client.submit(pickle.loads, pickle.dumps(job), pure=False)
    pending: set[Future[Written]] = set()
    running, waiting = as_completed(loop=client.loop), iter(todo)

    def hand_out() -> None:
        window = IN_HAND * max(1, sum(client.nthreads().values()))
        while len(pending) < window and (shard := next(waiting, None)) is not None:
            future = client.submit(_work, shipped, shard, pure=False)
            pending.add(future)
            running.add(future)

    try:
        hand_out()
        for future in running:
            pending.discard(future)
            yield future.result()
            hand_out()
    except KilledWorker as error:
        raise CannotWrite("workers of the cluster died making one shard; have they enough memory?") from error
    except (FutureCancelledError, OSError) as error:
        raise CannotWrite(f"the connection to the Dask scheduler is lost ({error})") from error
    finally:
        if pending:
            client.cancel(list(pending), force=True)


def _work(job: Job, shard: Shard) -> Any:  # noqa: ANN401 - Dask's tasks have no types
    """Make a shard on a worker that sees the folder and would write the same bytes as any other."""
    settings = job.receipts.notes / "settings.json"
    if not settings.is_file():
        raise CannotWrite(f"a worker of the cluster finds no {settings}; --out must be a folder that all of them share")
    try:
        job.receipts.begin()
    except FileFaults as error:
        raise CannotWrite(f"a worker of the cluster would write other data: {error}") from None
    return job(shard)
