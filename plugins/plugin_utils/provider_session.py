# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one provider's requests share: the clock, the retries, the count and the threads."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TypeVar

from ansible_collections.meridian.geokube.plugins.plugin_utils.deadline import Deadline, DeadlinePassed
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_errors import (
    AttemptFailed,
    Failure,
    ProviderError,
)

Item = TypeVar("Item")
Result = TypeVar("Result")

#: First and longest wait before another try, seconds; the wait is drawn anew from 0 to the bound each time.
FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 8.0
#: Requests of one provider that are under way at once.
PARALLEL_REQUESTS = 16

Advise = Callable[[int | None], str]


@dataclass
class ProviderSession:
    """The shared state of one provider's work. Times are seconds; C(retries) counts the tries after the first."""

    provider: str
    deadline: Deadline
    request_timeout: float = 10.0
    retries: int = 3
    requests: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _waiting: dict[int, tuple[str, float]] = field(default_factory=dict)

    def call(
        self, place: str, what: str, attempt: Callable[[float], Result], advise: Advise, counted: bool = True
    ) -> Result:
        """Run C(attempt(timeout)) until it succeeds, cannot succeed or may not be tried again.

        What is not C(counted) is no request, or not always one. Raises ProviderError that names C(place) and C(what),
        and DeadlinePassed when the run's time is over.
        """
        tries = 0
        while True:
            tries += 1
            self.deadline.check()
            try:
                with self._noted(f"{place}: {what}" if place else what, counted):
                    return attempt(min(self.request_timeout, self.deadline.remaining()))
            except AttemptFailed as failed:
                wait = self._wait(failed, tries)
                if wait is None:
                    message = f"{_told(what, failed, tries)}{self._lack_of_time(failed, tries)}"
                    raise self.error(place, message, advise(failed.status), failed.status) from failed
            time.sleep(wait)

    def _wait(self, failed: AttemptFailed, tries: int) -> float | None:
        """Give the seconds to wait before another try, None when there is to be none."""
        if not failed.retry or tries > self.retries:
            return None
        wait = self._backoff(tries, failed.retry_after)
        return wait if wait < self.deadline.remaining() else None

    def _lack_of_time(self, failed: AttemptFailed, tries: int) -> str:
        """Say that there would have been another try; "" when there would not."""
        if not failed.retry or tries > self.retries:
            return ""
        asked = f"; the server asked to wait {failed.retry_after:g} s" if failed.retry_after else ""
        return f"{asked}; the deadline of {self.deadline.seconds:g} s leaves no time for another try"

    def error(self, place: str, message: str, advice: str, status: int | None = None) -> ProviderError:
        """Give the error of one failure of this provider."""
        return ProviderError([Failure(self.provider, place, message, advice, status)])

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Run C(function) over C(items) at the same time; give the results in order, or every failure at once."""
        if len(items) == 1:
            return [function(items[0])]
        todo: SimpleQueue[tuple[int, Item]] = SimpleQueue()
        for entry in enumerate(items):
            todo.put(entry)
        done: SimpleQueue[tuple[int, Result | None, BaseException | None]] = SimpleQueue()

        def work() -> None:
            while True:
                try:
                    index, item = todo.get_nowait()
                except Empty:
                    return
                try:
                    done.put((index, function(item), None))
                except BaseException as error:
                    done.put((index, None, error))

        for _worker in range(min(PARALLEL_REQUESTS, len(items))):
            # Daemons: a server that never ends its answer must not keep the process alive.
            threading.Thread(target=work, name=f"geokube-{self.provider}", daemon=True).start()
        return self._gathered(done, len(items))

    def waiting(self) -> list[str]:
        """Name the requests that are under way, each with the seconds it has taken."""
        now = time.monotonic()
        with self._lock:
            return [f"{what} ({now - since:.0f} s)" for what, since in self._waiting.values()]

    def _gathered(self, done: SimpleQueue[tuple[int, Result | None, BaseException | None]], count: int) -> list[Result]:
        results: dict[int, Result] = {}
        errors: list[BaseException] = []
        for _item in range(count):
            try:
                index, result, error = done.get(timeout=max(0.001, self.deadline.remaining()))
            except Empty:
                raise DeadlinePassed from None
            if error is None:
                results[index] = result  # type: ignore[assignment]
            else:
                errors.append(error)
        failures = [failure for error in errors if isinstance(error, ProviderError) for failure in error.failures]
        if failures:
            raise ProviderError(sorted(failures, key=Failure.text))
        if errors:
            raise errors[0]
        return [results[index] for index in range(count)]

    @contextmanager
    def _noted(self, what: str, counted: bool) -> Iterator[None]:
        thread = threading.get_ident()
        with self._lock:
            self.requests += counted
            self._waiting[thread] = (what, time.monotonic())
        # On an abandoned request this never runs, and that is what the deadline's message is made of.
        try:
            yield
        finally:
            with self._lock:
                self._waiting.pop(thread, None)

    @staticmethod
    def _backoff(tries: int, retry_after: float | None) -> float:
        jitter = random.uniform(0, min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** (tries - 1)))
        return jitter if retry_after is None else retry_after + random.uniform(0, FIRST_BACKOFF)


def _told(what: str, failed: AttemptFailed, tries: int) -> str:
    times = f" ({tries} tries)" if tries > 1 else ""
    return f"{what}: {failed.message.rstrip('. ')}{times}"
