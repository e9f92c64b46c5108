"""The progress bar of `footfall generate`: shoppers, events a second, time left."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console


@contextmanager
def progress(console: Console, total: int, already: int = 0) -> Iterator[Callable[[int, int], None]]:
    """Yield a function to be told (shoppers, events) of each shard; `already` shoppers were there before.

    Events a second are those of this process's workers, since it began. Nothing is drawn where there is no terminal.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    speed = TextColumn("{task.fields[speed]}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), speed, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("shoppers", total=total, completed=already, speed="")
        events = 0

        def on_shard(shoppers: int, written: int) -> None:
            nonlocal events
            events += written
            elapsed_s = bar.tasks[0].elapsed or 0.0
            bar.update(task, advance=shoppers, speed=f"{events / elapsed_s:,.0f} events/s" if elapsed_s else "")

        yield on_shard
