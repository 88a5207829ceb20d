# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Job records in PostgreSQL: written behind, once, through outages and sudden ends."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from conftest import Server
from postgresql import BINARIES, PostgreSQL
from style_transfer.jobs import JobRecord, StoreUnavailable
from style_transfer.jobs_postgresql import PostgreSQLJobs
from style_transfer.recorder import Recorder

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(not BINARIES.exists(), reason="Debian's postgresql-15 is not installed"),
]
RECORD = JobRecord(
    uuid4(), "a" * 64, "au", datetime.now(UTC), "painted", "5:1.000", 512, 1.0, False, "image/jpeg", 512, 340, 9, 8, 1.5
)


@pytest.fixture(scope="module")
def database() -> Iterator[PostgreSQL]:
    running = PostgreSQL()
    yield running
    running.remove()


def written(database: PostgreSQL) -> set[UUID]:
    with psycopg.connect(database.url) as connection:
        return {row[0] for row in connection.execute("SELECT id FROM jobs")}


def wait_for(database: PostgreSQL, ids: set[UUID], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not ids <= written(database):
        assert time.monotonic() < deadline, f"{len(ids - written(database))} records did not arrive"
        time.sleep(0.2)


def test_a_batch_is_written_once_however_often_it_is_sent(database: PostgreSQL) -> None:
    records = [replace(RECORD, id=uuid4()) for _ in range(250)]

    async def twice() -> JobRecord | None:
        store = PostgreSQLJobs(database.url)
        await store.open()
        await store.write([])
        await store.write(records)
        await store.write(records)
        read = await store.read(records[7].id)
        assert await store.read(uuid4()) is None
        await store.close()
        return read

    assert asyncio.run(twice()) == records[7]
    assert {record.id for record in records} <= written(database)


def test_records_of_an_outage_arrive_after_it_and_too_many_are_counted(database: PostgreSQL) -> None:
    dropped: list[int] = []
    records = [replace(RECORD, id=uuid4()) for _ in range(40)]

    async def outage() -> None:
        store = PostgreSQLJobs(database.url)
        recorder = Recorder(store, capacity=30, gather_seconds=0.05, on_dropped=dropped.append)
        recorder.start()
        for _ in range(100):
            if recorder.problem is None:
                break
            await asyncio.sleep(0.1)
        database.stop()
        added = [recorder.add(record) for record in records]
        assert added.count(False) == 10 == sum(dropped)
        await asyncio.sleep(1)
        assert recorder.problem and recorder.waiting == 30
        with pytest.raises(StoreUnavailable):
            await recorder.read(records[-1].id)
        database.start()
        for _ in range(300):
            if not recorder.waiting:
                break
            await asyncio.sleep(0.1)
        assert await recorder.stop(5) == 0

    asyncio.run(outage())
    assert {record.id for record in records[:30]} <= written(database)


def test_a_sudden_end_loses_no_more_than_the_documented_window(database: PostgreSQL, rocket: bytes) -> None:
    window = 0.25 + 1.0
    server = Server(DATABASE_URL=database.url)
    acknowledged: list[tuple[float, UUID]] = []

    def load(worker: int) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=30) as client:
            for number in range(1000):
                try:
                    answer = client.post(
                        "/v1/stylize",
                        params={"size": 256, "styles": str(worker), "quality": 1 + number % 100},
                        content=rocket,
                        headers={"Content-Type": "image/jpeg"},
                    )
                except httpx.TransportError:
                    return
                if answer.status_code == 200:
                    acknowledged.append((time.monotonic(), UUID(answer.headers["x-job-id"])))

    with ThreadPoolExecutor(2) as threads:
        for worker in (1, 2):
            threads.submit(load, worker)
        time.sleep(4)
        killed = time.monotonic()
        server.process.send_signal(signal.SIGKILL)
    server.process.communicate()
    safe = {job for moment, job in acknowledged if moment < killed - window}
    assert len(safe) > 5
    assert safe <= written(database)


def test_sigterm_brings_every_acknowledged_record(database: PostgreSQL, rocket: bytes) -> None:
    server = Server(DATABASE_URL=database.url, STYLE_TRANSFER_RECORD_SECONDS="60")
    headers = {"Content-Type": "image/jpeg"}
    answers = [
        server.client.post("/v1/stylize", params={"size": 256, "quality": number}, content=rocket, headers=headers)
        for number in range(1, 6)
    ]
    server.stop()
    assert server.process.returncode == 0
    wait_for(database, {UUID(answer.headers["x-job-id"]) for answer in answers}, 1)


def test_nothing_but_the_database_is_spoken_to(database: PostgreSQL, rocket: bytes) -> None:
    """The process's own sockets, looked at while it paints: loopback only, no telemetry."""
    import psutil

    server = Server(DATABASE_URL=database.url)
    try:
        process = psutil.Process(server.process.pid)
        seen = set()
        for number in range(1, 20):
            server.client.post(
                "/v1/stylize",
                params={"size": 256, "quality": number},
                content=rocket,
                headers={"Content-Type": "image/jpeg"},
            )
            seen |= {(item.raddr.ip, item.raddr.port) for item in process.net_connections("inet") if item.raddr}
        assert {address for address, _ in seen} == {"127.0.0.1"}
        assert ("127.0.0.1", database.port) in seen
    finally:
        server.stop()
