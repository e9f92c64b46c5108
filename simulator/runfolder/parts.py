"""A table that is written while it grows: parts that are whole or not there, put together in order when it is complete.

Whatever happens to the process or the disk, the parts written until then can be read.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simulator.runfolder.files import CannotWrite, sha256, whole_file
from simulator.runfolder.tables import parquet_options, usual_compression

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

PIECE_ROWS = 8_192
"""Rows of a part's row group: what is read of it to fill one group of the finished file."""
GROUP_ROWS = 100_000
"""Rows of a row group of the finished file, about; this many are in memory at a time."""


RESERVE_BYTES = 8_000_000
"""Room for a manifest, histograms and reports."""


class Part(NamedTuple):
    """One part that has been written."""

    path: Path
    rows: int


class Parts:
    """One growing table in a run's folder, ordered by its integer columns `order`, the first being `shopper`.

    After a part could not be written (`failure` says why) the table takes no more rows, and counts those it `lost`.
    """

    def __init__(self, folder: Path, name: str, schema: pa.Schema, order: tuple[str, ...]) -> None:
        self.name, self.failure, self.lost = name, "", 0
        self._folder, self._schema, self._order = folder, schema, order
        self._written: list[Part] = []

    def _add(self, table: pa.Table) -> None:
        """Write one part, its rows in order. Raises `CannotWrite`."""
        if not len(table):
            return
        path = self._folder / self.name / f"part-{len(self._written):05d}.parquet"
        with whole_file(path) as partial:
            options = parquet_options(self._schema, usual_compression("parquet"))
            pq.write_table(_sorted(table, self._order), partial, row_group_size=PIECE_ROWS, **options)
        self._written.append(Part(path, len(table)))

    def _withdraw(self, parts: int) -> None:
        """Remove what came after the first `parts`."""
        for part in self._written[parts:]:
            part.path.unlink(missing_ok=True)
        del self._written[parts:]

    def finish(self) -> list[dict[str, Any]]:
        """Put the parts together into one file and return the manifest's entries of the table.

        Where there is no room for that, the parts stay as they are. Raises `CannotWrite` where there is no part and an
        empty table cannot be written either.
        """
        path = self._folder / f"{self.name}.parquet"
        if self.failure and self._written:
            return [_entry(part, self._folder) for part in self._written]
        try:
            with whole_file(path) as partial:
                _gather([part.path for part in self._written], self._schema, self._order, partial)
        except CannotWrite as error:
            self.failure = self.failure or str(error)
            if not self._written:
                self._remove_folder()
                raise
            return [_entry(part, self._folder) for part in self._written]
        rows = sum(part.rows for part in self._written)
        self._withdraw(0)
        self._remove_folder()
        return [_entry(Part(path, rows), self._folder)]

    def _remove_folder(self) -> None:
        with suppress(OSError):  # never made, or somebody else's files stand in it
            (self._folder / self.name).rmdir()


def add_together(*given: tuple[Parts, pa.Table]) -> None:
    """Write one part of each of several tables, or of none: rows that belong together are there together."""
    before = [len(parts._written) for parts, _ in given]  # noqa: SLF001 - the same class's affair
    failure = next((parts.failure for parts, _ in given if parts.failure), "")
    try:
        for parts, table in given if not failure else ():
            parts._add(table)  # noqa: SLF001
    except CannotWrite as error:
        failure = str(error)
        for (parts, _), kept in zip(given, before, strict=True):
            parts._withdraw(kept)  # noqa: SLF001
    if failure:
        for parts, table in given:
            parts.failure = failure
            parts.lost += len(table)


class Reserve:
    """Room on a disk, kept for what must be written when nothing else fits any more."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / ".reserve.partial"

    def keep(self) -> None:
        """Take the room, where there is that much."""
        with suppress(OSError), self._path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)

    def release(self) -> None:
        """Give the room back."""
        self._path.unlink(missing_ok=True)


def _entry(part: Part, folder: Path) -> dict[str, Any]:
    return {"file": part.path.relative_to(folder).as_posix(), "rows": part.rows, "sha256": sha256(part.path)}


def _sorted(table: pa.Table, order: tuple[str, ...]) -> pa.Table:
    """Return the rows by integer columns."""
    return table.take(np.lexsort([table[name].to_numpy() for name in reversed(order)]))


def _gather(paths: list[Path], schema: pa.Schema, order: tuple[str, ...], into: Path) -> None:
    """Write the rows of all parts in order into one file."""
    with ExitStack() as stack:
        sources = [_Source(stack.enter_context(pq.ParquetFile(path)), order[0]) for path in paths]
        writer = stack.enter_context(
            pq.ParquetWriter(into, schema, **parquet_options(schema, usual_compression("parquet")))
        )
        for low, high in _stretches(sources):
            rows = [source.within(low, high) for source in sources]
            table = pa.concat_tables([schema.empty_table(), *(part for part in rows if part is not None)])
            writer.write_table(_sorted(table.unify_dictionaries(), order))


class _Source:
    """One part while it is read: its row groups, each with the span of its leading column."""

    def __init__(self, file: pq.ParquetFile, leading: str) -> None:
        self._file, self._leading = file, leading
        at = file.schema_arrow.get_field_index(leading)
        metadata = file.metadata
        statistics = [metadata.row_group(group).column(at).statistics for group in range(metadata.num_row_groups)]
        self.spans = [(one.min, one.max) for one in statistics]
        self.rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]

    def within(self, low: int, high: int) -> pa.Table | None:
        """Return the rows whose leading column is from `low` to below `high`, or none."""
        groups = [group for group, (first, last) in enumerate(self.spans) if first < high and last >= low]
        if not groups:
            return None
        table = self._file.read_row_groups(groups)
        values: NDArray[np.int64] = table[self._leading].to_numpy()
        return table.filter(pa.array((values >= low) & (values < high)))


def _stretches(sources: Sequence[_Source]) -> Iterator[tuple[int, int]]:
    """Return stretches (from, to) of the leading column that hold about `GROUP_ROWS` each, and all together."""
    spans = sorted((span, rows) for source in sources for span, rows in zip(source.spans, source.rows, strict=True))
    if not spans:
        return
    low, waiting = spans[0][0][0], 0
    for (first, _), rows in spans:
        if waiting >= GROUP_ROWS and first > low:
            yield low, first
            low, waiting = first, 0
        waiting += rows
    yield low, max(last for (_, last), _ in spans) + 1
