"""One SQLite file, opened once: short statements, and transactions that happen whole or not at all."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

Row: TypeAlias = tuple[Any, ...]

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    # No fsync: the file outlives a crash of the shop, not a power cut, and a load test wants the shop's own times
    # and not those of whatever disk the temporary folder is on.
    "PRAGMA synchronous = OFF",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 5000",
    "PRAGMA temp_store = MEMORY",
)


class Database:
    """A connection that belongs to the thread that opened it.

    sqlite3 keeps a prepared statement for each distinct text, so every statement here is a constant.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
        try:
            for pragma in _PRAGMAS:
                self._connection.execute(pragma)
            self._connection.executescript((Path(__file__).parent / "schema.sql").read_text(encoding="utf-8"))
        except sqlite3.Error:
            self._connection.close()
            raise

    def one(self, sql: str, *values: object) -> Row | None:
        """Return the first row, or None."""
        row: Row | None = self._connection.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: object) -> list[Row]:
        """Return every row."""
        return self._connection.execute(sql, values).fetchall()

    def run(self, sql: str, *values: object) -> int:
        """Run one change and return how many rows it touched."""
        return self._connection.execute(sql, values).rowcount

    def run_many(self, sql: str, rows: Iterable[Row]) -> None:
        """Run one change for each row of values; use it inside a transaction."""
        self._connection.executemany(sql, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Take the write lock, then commit at the end of the block or, if anything was raised, undo all of it."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the file. The shop cannot be used afterwards."""
        self._connection.close()
