# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write-behind: a request leaves its record here and goes on; a task brings records to the database in batches.

A record is in the database after ``record_seconds``, or after the write under way when that takes longer, plus the
time of its own write. What may be lost: when the process is killed without warning, the records that still wait (while
the database is away, all since it went); when more wait than ``record_queue``, the newest.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from style_transfer.jobs import JobRecord, JobStore, StoreUnavailable

log = logging.getLogger(__name__)

BATCH = 100
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 15.0


@dataclass(frozen=True)
class _Waiting:
    record: JobRecord
    since: float


class Recorder:
    """Queues records and writes them; all methods belong to the event loop's thread.

    :param gather_seconds: for how long the oldest record waits for others to share its statement.
    :param on_written: told the number of records written and the seconds that the oldest of them had waited.
    :param on_dropped: told the number of records given up because too many wait.
    """

    def __init__(
        self,
        store: JobStore,
        *,
        capacity: int,
        gather_seconds: float,
        on_written: Callable[[int, float], None] = lambda count, age: None,
        on_dropped: Callable[[int], None] = lambda count: None,
    ) -> None:
        self.store = store
        self.problem: str | None = "not connected yet"
        self._capacity = capacity
        self._gather_seconds = gather_seconds
        self._on_written = on_written
        self._on_dropped = on_dropped
        self._waiting: OrderedDict[UUID, _Waiting] = OrderedDict()
        self._arrived = asyncio.Event()
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Records not yet in the database."""
        return len(self._waiting)

    def start(self) -> None:
        """Begin to write; the database may be away."""
        self._task = asyncio.create_task(self._run(), name="recorder")

    def add(self, record: JobRecord) -> bool:
        """Queue a record; False when the queue is full and it was dropped."""
        if len(self._waiting) >= self._capacity:
            self._on_dropped(1)
            return False
        self._waiting[record.id] = _Waiting(record, self._now())
        self._arrived.set()
        return True

    async def read(self, job_id: UUID) -> JobRecord | None:
        """Return a record, waiting or written; raises StoreUnavailable."""
        waiting = self._waiting.get(job_id)
        return waiting.record if waiting is not None else await self.store.read(job_id)

    async def stop(self, seconds: float) -> int:
        """Write what waits, for at most ``seconds``; returns the number of records that were lost."""
        self._hurry.set()
        self._arrived.set()
        if self._task is not None:
            done, _ = await asyncio.wait({self._task}, timeout=seconds)
            if not done:
                self._task.cancel()
                await asyncio.gather(self._task, return_exceptions=True)
        lost = len(self._waiting)
        if lost:
            log.error("records lost at shutdown", extra={"count": lost, "problem": self.problem})
            self._on_dropped(lost)
        await self.store.close()
        return lost

    async def _run(self) -> None:
        pause = _FIRST_PAUSE
        opened = False
        while True:
            try:
                if not opened:
                    await self.store.open()
                    await self.store.write([])
                    opened = True
                    self.problem = None
                await self._arrived.wait()
                if self._hurry.is_set() and not self._waiting:
                    return
                await self._write_batch()
                pause = _FIRST_PAUSE
            except Exception as error:
                self._note(error)
                await self._sleep(random.uniform(0, pause))
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _note(self, error: Exception) -> None:
        """Keep the reason of a failure for /readyz, and log it when it is a new one."""
        known = isinstance(error, StoreUnavailable)
        problem = str(error) if known else type(error).__name__
        if self.problem != problem:
            extra = {"problem": problem, "waiting": len(self._waiting)}
            log.warning("database away", extra=extra, exc_info=None if known else error)
        self.problem = problem

    async def _write_batch(self) -> None:
        oldest = next(iter(self._waiting.values()))
        if len(self._waiting) < BATCH:
            # Counted from its arrival: what came during the write before this one has waited already.
            await self._sleep(oldest.since + self._gather_seconds - self._now())
        batch = [waiting.record for waiting, _ in zip(self._waiting.values(), range(BATCH), strict=False)]
        await self.store.write(batch)
        self.problem = None
        for record in batch:
            del self._waiting[record.id]
        self._on_written(len(batch), self._now() - oldest.since)
        if not self._waiting and not self._hurry.is_set():
            self._arrived.clear()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    async def _sleep(self, seconds: float) -> None:
        """Sleep, but not through a shutdown."""
        if self._hurry.is_set():
            seconds = min(seconds, 0.2)
            await asyncio.sleep(seconds)
            return
        try:
            await asyncio.wait_for(self._hurry.wait(), seconds)
        except TimeoutError:
            return
