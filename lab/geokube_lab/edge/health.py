# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real probes of every origin from every point of presence, and what follows from them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from geokube_lab.edge.places import Place
from geokube_lab.edge.probe import Outcome, probe
from geokube_lab.edge.store import Record, Store
from geokube_lab.edge.upstream import Upstream

log = logging.getLogger("geokube.edge.health")
Key = tuple[str, str, int, str]


@dataclass
class Reading:
    """What one place knows of one origin; `healthy` is None before the first probe, rtt in milliseconds.

    `succeeded_at` is when the last good probe began, seconds of the monotonic clock.
    """

    healthy: bool | None = None
    rtt_ms: float = 0.0
    reason: str = "No probe yet"
    code: int = 0
    run: int = 0
    succeeded_at: float = 0.0

    def forget(self) -> None:
        """Back to knowing nothing but how long the way is."""
        self.healthy, self.reason, self.code, self.run = None, "No probe yet", 0, 0

    def take(self, outcome: Outcome, monitor: Record) -> None:
        """Count the outcome; flips only after as many in a row as the monitor asks for."""
        good = outcome.failure is None
        self.reason, self.code = outcome.failure or "No failures", outcome.code
        if good:
            self.rtt_ms = outcome.rtt_ms if not self.rtt_ms else 0.7 * self.rtt_ms + 0.3 * outcome.rtt_ms
        self.run = 0 if good == self.healthy else self.run + 1
        needed = max(1, monitor["consecutive_up" if good else "consecutive_down"])
        if self.healthy is None or self.run >= needed:
            self.healthy, self.run = good, 0


def origin_key(pool: Record, origin: Record) -> Key:
    """What a reading is kept under: a changed address or monitor starts from nothing."""
    return pool["id"], origin["address"], origin["port"], pool.get("monitor", "")


class Health:
    """Runs the probes that the store's pools and monitors ask for."""

    def __init__(
        self,
        store: Store,
        upstreams: Mapping[Place, Upstream],
        sources: list[str],
        is_down: Callable[[Place], bool] = lambda place: False,
    ) -> None:
        """`sources`: the addresses that probes come from. A place that is down has nothing to say of any origin."""
        self.store = store
        self.is_down = is_down
        self.upstreams = upstreams
        self.sources = sources
        self.readings: dict[tuple[str, Key], Reading] = {}
        self._tasks: dict[tuple[str, Key], tuple[asyncio.Task[None], Any]] = {}

    def reconcile(self) -> None:
        """Start and end probes so that they are those of the store now."""
        wanted: dict[tuple[str, Key], tuple[Place, Record, Record, Record]] = {}
        for pool in self.store["pools"].values():
            monitor = self.store["monitors"].get(pool.get("monitor", ""))
            if not monitor or not pool["enabled"]:
                continue
            for origin in pool["origins"]:
                for place in self.probing(pool):
                    if origin["enabled"]:
                        wanted[place.name, origin_key(pool, origin)] = (place, pool, origin, monitor)
        for key, (task, made_for) in list(self._tasks.items()):
            if key not in wanted or made_for != (wanted[key][2], wanted[key][3]):
                task.cancel()
                del self._tasks[key]
                if key not in wanted:
                    self.readings.pop(key, None)
        for key, (place, pool, origin, monitor) in wanted.items():
            if key not in self._tasks:
                reading = self.readings.setdefault(key, Reading())
                task = asyncio.create_task(self._watch(place, pool["id"], origin, monitor, reading))
                self._tasks[key] = (task, (origin, monitor))

    def probing(self, pool: Record) -> list[Place]:
        """The places that probe this pool."""
        regions = pool.get("check_regions") or []
        everywhere = not regions or "ALL_REGIONS" in regions
        return [place for place in self.upstreams if everywhere or place.region in regions]

    async def _watch(self, place: Place, pool_id: str, origin: Record, monitor: Record, reading: Reading) -> None:
        upstream = self.upstreams[place]
        while True:
            started = time.monotonic()
            outcome = await probe(upstream, pool_id, origin, monitor)
            before = reading.healthy
            if self.is_down(place):
                reading.forget()
                await asyncio.sleep(monitor["interval"])
                continue
            if outcome.failure is None:
                reading.succeeded_at = started
            reading.take(outcome, monitor)
            if before != reading.healthy:
                state = "healthy" if reading.healthy else f"unhealthy ({reading.reason})"
                log.info("%s: %s %s is %s", place.code, pool_id[:8], origin["address"], state)
            if reading.healthy:
                await self._keep_warm(upstream, origin, monitor)
            await asyncio.sleep(max(0.0, monitor["interval"] - (time.monotonic() - started)))

    @staticmethod
    async def _keep_warm(upstream: Upstream, origin: Record, monitor: Record) -> None:
        """Leave a connection open that the next user's request will find."""
        if monitor["type"] == "https":
            await probe(upstream, "", origin, monitor, upstream.pooled)

    def origin_healthy(self, pool: Record, origin: Record) -> bool | None:
        """What the majority of probing places says; None when none of them has spoken."""
        if not self.store["monitors"].get(pool.get("monitor", "")):
            return None
        key = origin_key(pool, origin)
        votes = [self.readings[place.name, key].healthy for place in self.probing(pool)
                 if (place.name, key) in self.readings]  # fmt: skip
        spoken = [vote for vote in votes if vote is not None]
        return None if not spoken else sum(spoken) * 2 > len(spoken)

    def pool_healthy(self, pool: Record) -> bool | None:
        """Whether enough enabled origins are healthy; None while nothing is known."""
        states = [self.origin_healthy(pool, origin) for origin in pool["origins"] if origin["enabled"]]
        needed = max(1, pool["minimum_origins"])
        if len([state for state in states if state is not False]) < needed:
            return False
        return True if len([state for state in states if state]) >= needed else None

    def succeeded_at(self, place: Place, pool: Record, origin: Record) -> float:
        """When this place's last good probe of an origin began, seconds of the monotonic clock; 0 for never."""
        reading = self.readings.get((place.name, origin_key(pool, origin)))
        return reading.succeeded_at if reading else 0.0

    def latency(self, place: Place, pool: Record) -> float | None:
        """Mean round trip in milliseconds of this place's probes of a pool's origins."""
        found = [
            reading.rtt_ms
            for origin in pool["origins"]
            if (reading := self.readings.get((place.name, origin_key(pool, origin)))) and reading.rtt_ms
        ]
        return sum(found) / len(found) if found else None

    def report(self, pool: Record) -> Record:
        """A pool's health as the API tells it, by place."""
        places: Record = {}
        for place in self.probing(pool):
            origins, states = [], []
            for origin in pool["origins"]:
                reading = self.readings.get((place.name, origin_key(pool, origin)))
                if reading is None or reading.healthy is None:
                    continue
                states.append(reading.healthy)
                details = {"healthy": reading.healthy, "rtt": f"{reading.rtt_ms:.1f}ms",
                           "failure_reason": reading.reason, "response_code": reading.code}  # fmt: skip
                origins.append({origin["address"]: details})
            if origins:
                healthy = sum(states) >= max(1, pool["minimum_origins"])
                places[place.label] = {"healthy": healthy, "origins": origins}
        return {"pool_id": pool["id"], "pop_health": places}

    async def close(self) -> None:
        """End all probes."""
        for task, _ in self._tasks.values():
            task.cancel()
        await asyncio.gather(*(task for task, _ in self._tasks.values()), return_exceptions=True)
        self._tasks.clear()
