# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Records in SQLite, for a laptop or a single machine."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, fields
from datetime import datetime
from uuid import UUID

from style_transfer.jobs import JobRecord, StoreUnavailable

_CREATE = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY,
    result_id TEXT NOT NULL,
    region TEXT NOT NULL,
    created_at TEXT NOT NULL,
    origin TEXT NOT NULL,
    styles TEXT NOT NULL,
    size INTEGER NOT NULL,
    strength REAL NOT NULL,
    preserve_color INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    input_bytes INTEGER NOT NULL,
    output_bytes INTEGER NOT NULL,
    duration_ms REAL NOT NULL
)
"""
_COLUMNS = [item.name for item in fields(JobRecord)]
_INSERT = (
    f"INSERT INTO jobs ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) ON CONFLICT (id) DO NOTHING"
)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM jobs WHERE id = ?"


class SQLiteJobs:
    """Keeps records in one file, or in memory when ``path`` is empty."""

    name = "sqlite"

    def __init__(self, path: str) -> None:
        self._path = path or ":memory:"
        self._connection: sqlite3.Connection | None = None
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        async with self._lock:
            await asyncio.to_thread(self._connect)

    async def write(self, records: Sequence[JobRecord]) -> None:
        async with self._lock:
            await asyncio.to_thread(self._insert, [_row(record) for record in records])

    async def read(self, job_id: UUID) -> JobRecord | None:
        async with self._lock:
            return await asyncio.to_thread(self._select, job_id)

    async def close(self) -> None:
        async with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            try:
                connection = sqlite3.connect(self._path, check_same_thread=False, timeout=5)
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute(_CREATE)
                connection.commit()
            except sqlite3.Error as error:
                raise StoreUnavailable(f"SQLite {self._path}: {error}") from error
            self._connection = connection
        return self._connection

    def _insert(self, rows: list[tuple[object, ...]]) -> None:
        connection = self._connect()
        try:
            with connection:
                connection.executemany(_INSERT, rows)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"SQLite {self._path}: {error}") from error

    def _select(self, job_id: UUID) -> JobRecord | None:
        try:
            row = self._connect().execute(_SELECT, (str(job_id),)).fetchone()
        except sqlite3.Error as error:
            raise StoreUnavailable(f"SQLite {self._path}: {error}") from error
        if row is None:
            return None
        values = dict(zip(_COLUMNS, row, strict=True))
        values["id"] = UUID(values["id"])
        values["created_at"] = datetime.fromisoformat(values["created_at"])
        values["preserve_color"] = bool(values["preserve_color"])
        return JobRecord(**values)


def _row(record: JobRecord) -> tuple[object, ...]:
    return tuple(
        str(value) if isinstance(value, UUID) else value.isoformat() if isinstance(value, datetime) else value
        for value in astuple(record)
    )
