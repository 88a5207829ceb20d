# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The service behind the routes: engine, workers, stores, and the state that readiness shows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
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
from style_transfer.peers import SEEK, Peers
from style_transfer.recorder import Recorder
from style_transfer.results import ResultStore
from style_transfer.settings import Settings
from style_transfer.styles import format_styles
from style_transfer.workers import Workers

#: At its end a copy brings results to the others for so long.
_LEAVE_SECONDS = 5.0


@dataclass(frozen=True)
class Gotten:
    """A painting, where it came from (``painted`` or ``stored``), and the milliseconds of each stage."""

    painting: Painting
    origin: str
    milliseconds: Mapping[str, float] = field(default_factory=dict)


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
        self.peers = Peers(
            settings.peer_addresses,
            settings.own_peer_address,
            settings.region,
            seconds=settings.peer_seconds,
            pause_seconds=settings.peer_pause_seconds,
            refresh_seconds=settings.peer_refresh_seconds,
            on_asked=lambda outcome: self.metrics.peer_requests.labels(outcome).inc(),
        )
        self.recorder = Recorder(
            _job_store(settings),
            capacity=settings.record_queue,
            gather_seconds=settings.record_seconds,
            on_written=self._count_written,
            on_dropped=self.metrics.records_dropped.inc,
        )
        self.draining = False
        self._getting: dict[str, asyncio.Task[Gotten]] = {}

    def start(self) -> None:
        """Begin what goes on beside the requests."""
        self.recorder.start()
        self.peers.start()

    async def stylize(self, photo: bytes, wish: Wish) -> Served:
        """Return the result for a photo: from the store, from a request for the same that is under way, or painted."""
        begun = time.perf_counter()
        result_id = await asyncio.to_thread(wish.result_id, photo) if len(photo) > 1 << 20 else wish.result_id(photo)
        painting = self.results.get(result_id)
        got = Gotten(painting, "stored") if painting else await self._get_once(result_id, photo, wish)
        painting, origin = got.painting, got.origin
        total = (time.perf_counter() - begun) * 1000
        steps = {**got.milliseconds, "total": total}
        record = self._record(result_id, photo, wish, painting, origin, total)
        self.recorder.add(record)
        self.metrics.results.labels(origin).inc()
        for stage, milliseconds in steps.items():
            self.metrics.seconds.labels(stage).observe(milliseconds / 1000)
        return Served(painting, record, steps)

    async def find_result(self, result_id: str) -> Painting | None:
        """Return a result that this copy has, or another one of this region."""
        painting = self.results.get(result_id)
        if painting is None:
            painting = await self.peers.find(result_id, SEEK)
            if painting is not None:
                self.results.put(result_id, painting)
        return painting

    async def _get_once(self, result_id: str, photo: bytes, wish: Wish) -> Gotten:
        task = self._getting.get(result_id)
        if task is None:
            task = asyncio.create_task(self._get(result_id, photo, wish))
            self._getting[result_id] = task
            task.add_done_callback(lambda done: self._got(result_id, done))
        return await asyncio.shield(task)

    async def _get(self, result_id: str, photo: bytes, wish: Wish) -> Gotten:
        steps: dict[str, float] = {}
        if self.peers.known:
            begun = time.perf_counter()
            painting = await self.peers.find(result_id)
            steps["peers"] = (time.perf_counter() - begun) * 1000
            if painting is not None:
                return Gotten(painting, "stored", steps)
        painted, queued = await self.workers.run(lambda: paint(self.engine, photo, wish))
        return Gotten(painted, "painted", {**steps, "queue": queued, **painted.milliseconds})

    def _got(self, result_id: str, done: asyncio.Task[Gotten]) -> None:
        del self._getting[result_id]
        if done.cancelled() or done.exception() is not None:
            return
        got = done.result()
        self.results.put(result_id, got.painting)
        if got.origin == "painted":
            self.peers.hand(result_id, got.painting)

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
        self.metrics.peers.set(self.peers.known)
        self.metrics.peers_away.set(self.peers.away)

    async def stop(self) -> None:
        """Finish what was admitted, then bring the records to the database and the results to the other copies."""
        deadline = time.monotonic() + self.settings.shutdown_seconds
        await self.workers.close()
        left = max(1.0, deadline - time.monotonic())
        await asyncio.gather(
            self.recorder.stop(left), self.peers.stop(self.results.newest(), min(_LEAVE_SECONDS, left))
        )


def _job_store(settings: Settings) -> JobStore:
    if settings.database_url:
        return PostgreSQLJobs(settings.database_url)
    return SQLiteJobs(settings.database_path)
