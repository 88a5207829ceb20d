# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Job records in PostgreSQL: written behind, once, through outages and sudden ends."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from threading import Thread
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from conftest import Server, until
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
_BLOCKED = "SELECT pid FROM pg_stat_activity WHERE application_name = 'style-transfer' AND wait_event_type = 'Lock'"


@pytest.fixture(scope="module")
def database() -> Iterator[PostgreSQL]:
    running = PostgreSQL()
    yield running
    running.remove()


def written(database: PostgreSQL) -> set[UUID]:
    with psycopg.connect(database.url) as connection:
        return {row[0] for row in connection.execute("SELECT id FROM jobs")}


def inserts_that_wait(database: PostgreSQL) -> int:
    """Statements of the service that wait for a lock."""
    with psycopg.connect(database.url) as connection:
        found = connection.execute(f"SELECT count(*) FROM ({_BLOCKED}) AS blocked").fetchone()
    return 0 if found is None else int(found[0])


def end_inserts(database: PostgreSQL) -> None:
    """Have the database forget statements whose client has gone, as it does when it learns of that."""
    with psycopg.connect(database.url) as connection:
        connection.execute(f"SELECT pg_terminate_backend(pid) FROM ({_BLOCKED}) AS blocked")
    until(lambda: inserts_that_wait(database) == 0)


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


LOSING = """
CREATE SEQUENCE tries;
CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF nextval('tries') <= {times} THEN RAISE EXCEPTION 'restart transaction' USING ERRCODE = '40001'; END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER lose BEFORE INSERT ON jobs FOR EACH STATEMENT EXECUTE FUNCTION lose();
"""
WINNING = "DROP TRIGGER lose ON jobs; DROP FUNCTION lose; DROP SEQUENCE tries"


@pytest.mark.parametrize(("times", "arrives"), [(2, True), (99, False)])
def test_what_loses_against_another_transaction_is_sent_again(database: PostgreSQL, times: int, arrives: bool) -> None:
    record = replace(RECORD, id=uuid4())

    async def write() -> None:
        store = PostgreSQLJobs(database.url)
        await store.open()
        await store.write([])
        async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as own:
            await own.execute(LOSING.format(times=times))
            try:
                if arrives:
                    await store.write([record])
                else:
                    with pytest.raises(StoreUnavailable):
                        await store.write([record])
                tries = await (await own.execute("SELECT last_value FROM tries")).fetchone()
                assert tries == (3 if arrives else 5,)
            finally:
                await own.execute(WINNING)
        assert (record.id in written(database)) is arrives
        await store.write([record])
        await store.close()

    asyncio.run(write())
    assert record.id in written(database)


def test_the_next_host_is_taken_when_the_nearest_is_dead(database: PostgreSQL) -> None:
    record = replace(RECORD, id=uuid4())

    async def write() -> None:
        store = PostgreSQLJobs(database.url.replace("127.0.0.1", "127.0.0.1:1,127.0.0.1"))
        await store.open()
        await store.write([record])
        await store.close()

    asyncio.run(write())
    assert record.id in written(database)


def test_a_database_that_accepts_and_never_answers_costs_no_request_and_is_caught_up_with(
    database: PostgreSQL, rocket: bytes
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = database.url.replace(f":{database.port}/", f":{silent.getsockname()[1]},127.0.0.1:{database.port}/")
        with Server(DATABASE_URL=url) as server:
            answer = server.client.post(
                "/v1/stylize", params={"size": 256}, content=rocket, headers={"Content-Type": "image/jpeg"}
            )
            assert answer.status_code == 200
            assert server.client.get("/readyz").json()["database"]["status"] == "away"
            assert server.metric("database_up") == 0
            job = UUID(answer.headers["x-job-id"])
            until(lambda: job in written(database))
            until(lambda: server.client.get("/readyz").json()["database"]["status"] != "away")


def test_records_of_an_outage_arrive_after_it_and_too_many_are_counted(database: PostgreSQL) -> None:
    dropped: list[int] = []
    records = [replace(RECORD, id=uuid4()) for _ in range(40)]

    async def becomes(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(120):
            while not condition():
                await asyncio.sleep(0.05)

    async def outage() -> None:
        store = PostgreSQLJobs(database.url)
        recorder = Recorder(store, capacity=30, gather_seconds=0.05, on_dropped=dropped.append)
        recorder.start()
        await becomes(lambda: recorder.problem is None)
        database.stop()
        added = [recorder.add(record) for record in records]
        assert added.count(False) == 10 == sum(dropped)
        await becomes(lambda: recorder.problem is not None)
        assert recorder.waiting == 30
        with pytest.raises(StoreUnavailable):
            await recorder.read(records[-1].id)
        database.start()
        await becomes(lambda: recorder.waiting == 0)
        assert recorder.problem is None
        assert await recorder.stop(5) == 0

    asyncio.run(outage())
    assert {record.id for record in records[:30]} <= written(database)


class Load:
    """Two clients that post one photo after the other until their server has gone."""

    def __init__(self, server: Server, photo: bytes) -> None:
        self.acknowledged: list[UUID] = []
        self._address = f"http://127.0.0.1:{server.port}/v1/stylize"
        self._photo = photo
        self._threads = [Thread(target=self._post, args=(style,), daemon=True) for style in (1, 2)]
        for thread in self._threads:
            thread.start()

    def _post(self, style: int) -> None:
        with httpx.Client(timeout=120, headers={"Content-Type": "image/jpeg"}) as client:
            for number in count():
                query = {"size": 256, "styles": style, "strength": number % 1000 / 1000, "quality": 1 + number % 100}
                try:
                    answer = client.post(self._address, params=query, content=self._photo)
                except httpx.TransportError:
                    return
                if answer.status_code == 200:
                    self.acknowledged.append(UUID(answer.headers["x-job-id"]))

    def reaches(self, number: int) -> None:
        """Wait until so many records more are acknowledged."""
        number += len(self.acknowledged)
        until(lambda: len(self.acknowledged) >= number)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()


def test_a_sudden_end_in_the_middle_of_load_loses_only_what_waits(database: PostgreSQL, rocket: bytes) -> None:
    """How long a record may wait is held to its bounds in test_recorder.py, in simulated time."""
    with Server(DATABASE_URL=database.url) as server:
        load = Load(server, rocket)
        load.reaches(20)
        early = set(load.acknowledged)
        queued = server.metric("records_written_total") + server.metric("records_waiting")
        until(lambda: server.metric("records_written_total") >= queued)
        server.process.kill()
        load.join()
    assert early <= written(database)


def test_a_sudden_end_with_a_write_under_way_loses_that_write_and_what_came_since(
    database: PostgreSQL, rocket: bytes
) -> None:
    before = written(database)
    with Server(DATABASE_URL=database.url) as server, psycopg.connect(database.url) as holder:
        load = Load(server, rocket)
        load.reaches(10)
        holder.execute("LOCK TABLE jobs IN SHARE ROW EXCLUSIVE MODE")
        until(lambda: inserts_that_wait(database) == 1)
        early = written(database) - before
        load.reaches(10)
        assert server.metric("records_written_total") == len(early)
        assert server.metric("records_waiting") >= 10
        server.process.kill()
        load.join()
        end_inserts(database)
    late = set(load.acknowledged) - early
    assert len(late) >= 10
    assert not late & written(database)


def test_sigterm_brings_every_acknowledged_record(database: PostgreSQL, rocket: bytes) -> None:
    server = Server(DATABASE_URL=database.url, STYLE_TRANSFER_RECORD_SECONDS="60")
    headers = {"Content-Type": "image/jpeg"}
    answers = [
        server.client.post("/v1/stylize", params={"size": 256, "quality": number}, content=rocket, headers=headers)
        for number in range(1, 6)
    ]
    server.stop()
    assert server.process.returncode == 0
    assert {UUID(answer.headers["x-job-id"]) for answer in answers} <= written(database)


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
