# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The service behind the routes: engine, workers, stores, and the state that readiness shows."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from style_transfer import __version__
from style_transfer.body import BodyReader
from style_transfer.engine import Engine
from style_transfer.jobs import JobRecord, JobStore
from style_transfer.jobs_postgresql import PostgreSQLJobs
from style_transfer.jobs_sqlite import SQLiteJobs
from style_transfer.metrics import Metrics
from style_transfer.painting import Painting, Wish, paint
from style_transfer.recorder import Recorder
from style_transfer.results import ResultStore
from style_transfer.settings import Settings
from style_transfer.styles import format_styles
from style_transfer.workers import Workers


@dataclass(frozen=True)
class Served:
    """A result with its job, and the milliseconds each stage took."""

    painting: Painting
    record: JobRecord
    milliseconds: dict[str, float] = field(default_factory=dict)


class Service:
    """Everything one process holds. Made in the event loop."""

    def __init__(self, settings: Settings, engine: Engine | None = None) -> None:
        self.settings = settings
        self.engine = engine or Engine()
        self.metrics = Metrics(settings.region, __version__)
        self.workers = Workers(settings.worker_count, settings.queue, settings.queue_seconds)
        self.bodies = BodyReader(settings.max_body_bytes, settings.body_budget_bytes, settings.body_seconds)
        self.results = ResultStore(settings.result_store_bytes)
        self.recorder = Recorder(
            _job_store(settings),
            capacity=settings.record_queue,
            gather_seconds=settings.record_seconds,
            on_written=self._count_written,
            on_dropped=self.metrics.records_dropped.inc,
        )
        self.draining = False
        self._painting: dict[str, asyncio.Task[tuple[Painting, float]]] = {}

    async def stylize(self, photo: bytes, wish: Wish) -> Served:
        """Return the result for a photo: from the store, from a request for the same that is under way, or painted."""
        begun = time.perf_counter()
        result_id = await asyncio.to_thread(wish.result_id, photo) if len(photo) > 1 << 20 else wish.result_id(photo)
        painting = self.results.get(result_id)
        origin, queued = "stored", 0.0
        if painting is None:
            origin = "painted"
            painting, queued = await self._paint_once(result_id, photo, wish)
        total = (time.perf_counter() - begun) * 1000
        steps = {"queue": queued, **painting.milliseconds, "total": total} if origin == "painted" else {"total": total}
        record = self._record(result_id, photo, wish, painting, origin, total)
        self.recorder.add(record)
        self.metrics.results.labels(origin).inc()
        for stage, milliseconds in steps.items():
            self.metrics.seconds.labels(stage).observe(milliseconds / 1000)
        return Served(painting, record, steps)

    async def _paint_once(self, result_id: str, photo: bytes, wish: Wish) -> tuple[Painting, float]:
        task = self._painting.get(result_id)
        if task is None:
            task = asyncio.create_task(self.workers.run(lambda: paint(self.engine, photo, wish)))
            self._painting[result_id] = task
            task.add_done_callback(lambda done: self._painted(result_id, done))
        return await asyncio.shield(task)

    def _painted(self, result_id: str, done: asyncio.Task[tuple[Painting, float]]) -> None:
        del self._painting[result_id]
        if not done.cancelled() and done.exception() is None:
            self.results.put(result_id, done.result()[0])

    def _record(
        self, result_id: str, photo: bytes, wish: Wish, painting: Painting, origin: str, total: float
    ) -> JobRecord:
        return JobRecord(
            id=uuid4(),
            result_id=result_id,
            region=self.settings.region,
            created_at=datetime.now(UTC),
            origin=origin,
            styles=format_styles(wish.styles),
            size=wish.size,
            strength=wish.strength,
            preserve_color=wish.preserve_color,
            media_type=painting.media_type,
            width=painting.width,
            height=painting.height,
            input_bytes=len(photo),
            output_bytes=len(painting.content),
            duration_ms=round(total, 3),
        )

    def _count_written(self, records: int, seconds: float) -> None:
        self.metrics.records_written.inc(records)
        self.metrics.record_seconds.observe(seconds)

    def refresh_gauges(self) -> None:
        """Set the gauges to what they measure now."""
        self.metrics.workers_busy.set(self.workers.busy)
        self.metrics.records_waiting.set(self.recorder.waiting)
        self.metrics.database_up.set(int(self.recorder.problem is None))
        self.metrics.store_bytes.set(self.results.stored_bytes)
        self.metrics.body_bytes.set(self.bodies.held_bytes)

    async def stop(self) -> None:
        """Finish what was admitted, then bring the records to the database."""
        deadline = time.monotonic() + self.settings.shutdown_seconds
        await self.workers.close()
        await self.recorder.stop(max(1.0, deadline - time.monotonic()))


def _job_store(settings: Settings) -> JobStore:
    if settings.database_url:
        return PostgreSQLJobs(settings.database_url)
    return SQLiteJobs(settings.database_path)
