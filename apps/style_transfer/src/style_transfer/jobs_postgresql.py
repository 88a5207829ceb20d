# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Records in CockroachDB or PostgreSQL.

Only SQL that both understand; a batch is one statement outside a transaction block, which costs one round trip to
the nearest quorum instead of three.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from style_transfer.jobs import JobRecord, StoreUnavailable

log = logging.getLogger(__name__)

_TABLE = """
CREATE TABLE IF NOT EXISTS jobs (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    result_id TEXT NOT NULL,
    region TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    origin TEXT NOT NULL,
    styles TEXT NOT NULL,
    size INT4 NOT NULL,
    strength FLOAT8 NOT NULL,
    preserve_color BOOL NOT NULL,
    media_type TEXT NOT NULL,
    width INT4 NOT NULL,
    height INT4 NOT NULL,
    input_bytes INT4 NOT NULL,
    output_bytes INT4 NOT NULL,
    duration_ms FLOAT8 NOT NULL
)
"""
_TYPES = {
    "UUID": "uuid",
    "str": "text",
    "datetime": "timestamptz",
    "int": "int4",
    "float": "float8",
    "bool": "bool",
}
_COLUMNS = [item.name for item in fields(JobRecord)]
_INSERT = sql.SQL("INSERT INTO jobs ({}) SELECT * FROM unnest({}) ON CONFLICT (id) DO NOTHING").format(
    sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)),
    sql.SQL(", ").join(sql.SQL(f"%s::{_TYPES[str(item.type)]}[]") for item in fields(JobRecord)),
)
_SELECT = sql.SQL("SELECT {} FROM jobs WHERE id = %s").format(sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)))

#: Connections return to the nearest host after a fail-over within this time.
_MAX_LIFETIME_SECONDS = 300
_STATEMENT_SECONDS = 10
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.05


class PostgreSQLJobs:
    """Keeps records in the database that ``url`` names; its hosts are tried in the order given."""

    name = "postgresql"

    def __init__(self, url: str) -> None:
        self._pool: AsyncConnectionPool[psycopg.AsyncConnection[Any]] = AsyncConnectionPool(
            url,
            kwargs={
                "autocommit": True,
                "connect_timeout": 5,
                "application_name": "style-transfer",
                "options": f"-c statement_timeout={_STATEMENT_SECONDS * 1000}",
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "tcp_user_timeout": 15_000,
            },
            min_size=1,
            max_size=3,
            max_lifetime=_MAX_LIFETIME_SECONDS,
            timeout=_STATEMENT_SECONDS,
            open=False,
        )
        self._opened = False
        self._schema_ready = False

    async def open(self) -> None:
        if not self._opened:
            self._opened = True
            await self._pool.open(wait=False)

    async def write(self, records: Sequence[JobRecord]) -> None:
        columns = [[getattr(record, name) for record in records] for name in _COLUMNS]
        try:
            async with self._pool.connection() as connection:
                if not self._schema_ready:
                    await _ensure_schema(connection)
                    self._schema_ready = True
                await _insert(connection, columns)
        except (psycopg.Error, PoolTimeout, PoolClosed) as error:
            if isinstance(error, psycopg.errors.UndefinedTable):
                self._schema_ready = False
            raise StoreUnavailable(_describe(error)) from error

    async def read(self, job_id: UUID) -> JobRecord | None:
        try:
            async with (
                self._pool.connection(timeout=2) as connection,
                connection.cursor(row_factory=class_row(JobRecord)) as cursor,
            ):
                await cursor.execute(_SELECT, (job_id,))
                return await cursor.fetchone()
        except psycopg.errors.UndefinedTable:
            return None
        except (psycopg.Error, PoolTimeout, PoolClosed) as error:
            raise StoreUnavailable(_describe(error)) from error

    async def close(self) -> None:
        await self._pool.close(timeout=2)


async def _insert(connection: psycopg.AsyncConnection[Any], columns: list[list[Any]]) -> None:
    """Insert; what lost against another transaction (SQLSTATE 40001) is sent again after a short, random pause."""
    for attempt in range(_ATTEMPTS):
        try:
            await connection.execute(_INSERT, columns)
            return
        except psycopg.errors.SerializationFailure:
            if attempt == _ATTEMPTS - 1:
                raise
            await asyncio.sleep(random.uniform(0, _PAUSE_SECONDS * 2**attempt))


async def _ensure_schema(connection: psycopg.AsyncConnection[Any]) -> None:
    """Create the table; in a CockroachDB database with regions, keep each row in the region that wrote it."""
    await connection.execute(_TABLE)
    if connection.info.vendor != "CockroachDB":
        return
    regions = await (await connection.execute("SHOW REGIONS FROM DATABASE")).fetchall()
    locality = await (
        await connection.execute("SELECT locality FROM [SHOW TABLES] WHERE table_name = 'jobs'")
    ).fetchone()
    if regions and (locality is None or locality[0] != "REGIONAL BY ROW"):
        await connection.execute("ALTER TABLE jobs SET LOCALITY REGIONAL BY ROW")


def _describe(error: Exception) -> str:
    """Name the failure without the connection string, which holds a password."""
    state = getattr(error, "sqlstate", None)
    return f"{type(error).__name__}{f' ({state})' if state else ''}"
