# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A bounded queue before a few threads: what cannot be served in time is refused at once."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TypeVar

from style_transfer.problems import Problem

Result = TypeVar("Result")


class Workers:
    """Runs functions on ``count`` threads; at most ``queue`` more wait, each at most ``queue_seconds``.

    A request that was admitted therefore begins within queue_seconds, or is refused with 503 then.
    """

    def __init__(self, count: int, queue: int, queue_seconds: float) -> None:
        self.count = count
        self._limit = count + queue
        self._queue_seconds = queue_seconds
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="worker")
        self._mean_seconds = 0.2
        self.busy = 0

    @property
    def waiting(self) -> int:
        """Requests that wait for a thread."""
        return max(0, self.busy - self.count)

    def check(self) -> None:
        """Raise the 503 that ``run`` would raise now, to save a client the upload."""
        if self.busy >= self._limit:
            seconds = math.ceil(max(1.0, self.busy * self._mean_seconds / self.count))
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "queue-full",
                f"All {self.count} workers are busy and {self._limit - self.count} requests wait. "
                f"Try again in {seconds} s.",
                retry_after=seconds,
            )

    async def run(self, function: Callable[[], Result]) -> tuple[Result, float]:
        """Run ``function`` on a thread; returns its result and the milliseconds it waited. Raises Problem 503."""
        self.check()
        arrived = time.perf_counter()

        def timed() -> tuple[Result, float, float]:
            begun = time.perf_counter()
            if begun - arrived > self._queue_seconds:
                raise Problem(
                    HTTPStatus.SERVICE_UNAVAILABLE,
                    "queue-slow",
                    f"The request waited {self._queue_seconds:g} s for a worker. Try again later.",
                    retry_after=math.ceil(self._queue_seconds),
                )
            result = function()
            return result, begun, time.perf_counter()

        self.busy += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, timed)
        # The thread goes on when the client leaves: its place in the queue is free only when it is done.
        future.add_done_callback(self._leave)
        result, begun, ended = await asyncio.shield(future)
        self._mean_seconds += 0.1 * (ended - begun - self._mean_seconds)
        return result, (begun - arrived) * 1000

    def _leave(self, done: asyncio.Future[tuple[Result, float, float]]) -> None:
        self.busy -= 1
        if not done.cancelled():
            done.exception()  # seen here, for a client that left does not look at it

    async def close(self) -> None:
        """Finish what was admitted."""
        await asyncio.to_thread(self._threads.shutdown)
