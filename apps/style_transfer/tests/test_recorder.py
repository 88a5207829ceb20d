# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The write-behind's window, in a time of its own: what waits how long, whatever the machine is busy with."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from style_transfer.jobs import JobRecord, StoreUnavailable
from style_transfer.recorder import BATCH, Recorder

RECORD = JobRecord(
    uuid4(), "a" * 64, "au", datetime.now(UTC), "painted", "5:1.000", 512, 1.0, False, "image/jpeg", 512, 340, 9, 8, 1.5
)
GATHER = 0.25


class _Selector(selectors.SelectSelector):
    """Does not wait: it moves the loop's clock to when the loop wants to be woken."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "the recorder and the test wait for each other for ever"
        self.now += timeout
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.simulated = _Selector()
        super().__init__(self.simulated)

    def time(self) -> float:
        return self.simulated.now


def simulate(test: Coroutine[Any, Any, None]) -> None:
    """Run a test whose seconds take no time."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        runner.run(test)


def now() -> float:
    return asyncio.get_running_loop().time()


class Store:
    """Keeps the moment at which each record was written; a write takes ``seconds``, or fails while ``error`` is set."""

    name = "simulated"

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.error: Exception | None = None
        self.moments: dict[UUID, float] = {}
        self.batches: list[int] = []

    async def open(self) -> None:
        return

    async def write(self, records: Sequence[JobRecord]) -> None:
        await asyncio.sleep(self.seconds if records else 0)
        if self.error is not None:
            raise self.error
        self.moments |= {record.id: now() for record in records}
        self.batches += [len(records)] if records else []

    async def read(self, job_id: UUID) -> JobRecord | None:
        return None

    async def close(self) -> None:
        return


async def feed(recorder: Recorder, every: float, seconds: float) -> dict[UUID, float]:
    """Queue a record every some seconds; return when each came."""
    arrivals: dict[UUID, float] = {}
    while now() < seconds:
        record = replace(RECORD, id=uuid4())
        assert recorder.add(record)
        arrivals[record.id] = now()
        await asyncio.sleep(every)
    return arrivals


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    begun = now()
    while not condition():
        assert now() < begun + seconds, "it did not come true"
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("write_seconds", [0.001, 0.1, 0.3, 2.0])
def test_a_record_is_written_within_the_documented_window(write_seconds: float) -> None:
    """0.25 s, or the write under way when that takes longer, plus its own write."""
    ages: list[float] = []

    async def load() -> None:
        store = Store(write_seconds)
        recorder = Recorder(
            store, capacity=10_000, gather_seconds=GATHER, on_written=lambda count, age: ages.append(age)
        )
        recorder.start()
        arrivals = await feed(recorder, 0.037, 30)
        await until(lambda: recorder.waiting == 0)
        waited = {job: store.moments[job] - moment for job, moment in arrivals.items()}
        window = max(GATHER, write_seconds) + write_seconds
        assert max(waited.values()) <= window + 1e-6
        assert max(ages) == pytest.approx(max(waited.values()))
        assert len(store.batches) <= 30 / max(GATHER, write_seconds) + 3, "records share their statements"
        assert await recorder.stop(5) == 0

    simulate(load())


def test_a_full_batch_does_not_wait_for_more() -> None:
    async def burst() -> None:
        store = Store(0.01)
        recorder = Recorder(store, capacity=10_000, gather_seconds=60)
        recorder.start()
        for _ in range(3 * BATCH):
            recorder.add(replace(RECORD, id=uuid4()))
        await until(lambda: recorder.waiting == 0, 1)
        assert store.batches == [BATCH] * 3

    simulate(burst())


@pytest.mark.parametrize("error", [StoreUnavailable("away"), RuntimeError("a bug")])
def test_an_outage_is_told_and_over_when_the_database_is_back(error: Exception) -> None:
    dropped: list[int] = []

    async def outage() -> None:
        store = Store(0.01)
        recorder = Recorder(store, capacity=30, gather_seconds=GATHER, on_dropped=dropped.append)
        recorder.start()
        await until(lambda: recorder.problem is None)
        store.error = error
        added = [recorder.add(replace(RECORD, id=uuid4())) for _ in range(40)]
        assert added == [True] * 30 + [False] * 10
        assert sum(dropped) == 10
        await until(lambda: recorder.problem is not None)
        await asyncio.sleep(600)
        assert recorder.waiting == 30
        store.error = None
        await until(lambda: recorder.waiting == 0, 20)
        assert recorder.problem is None
        assert len(store.moments) == 30

    simulate(outage())


def test_a_clean_end_writes_what_waits_and_counts_what_it_cannot() -> None:
    lost: list[int] = []

    async def end(seconds: float) -> int:
        store = Store(2.0)
        recorder = Recorder(store, capacity=1000, gather_seconds=60, on_dropped=lost.append)
        recorder.start()
        for _ in range(2 * BATCH + 5):
            recorder.add(replace(RECORD, id=uuid4()))
        begun = now()
        left = await recorder.stop(seconds)
        assert now() - begun <= seconds + 0.5
        assert len(store.moments) == 2 * BATCH + 5 - left
        return left

    async def both() -> None:
        assert await end(20) == 0
        assert await end(5) == 5
        assert lost == [5]

    simulate(both())
