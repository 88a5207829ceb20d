# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Prometheus reads at /metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Series named _created say nothing that a graph needs and double the page.
disable_created_metrics()  # type: ignore[no-untyped-call]
_SECONDS = (0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8)


class Metrics:
    """The service's own registry; gauges are set when they are read."""

    def __init__(self, region: str, version: str) -> None:
        self.registry = CollectorRegistry()
        self.requests = self._counter("requests_total", "Answered requests.", ["route", "status"])
        self.refusals = self._counter("refusals_total", "Refused requests by reason.", ["code"])
        self.results = self._counter("results_total", "Results by origin: painted or stored.", ["origin"])
        self.peer_requests = self._counter(
            "peer_requests_total", "Questions to other copies of the region: hit, miss or failed.", ["outcome"]
        )
        self.records_written = self._counter("records_written_total", "Job records brought to the database.")
        self.records_dropped = self._counter("records_dropped_total", "Job records given up.")
        self.seconds = Histogram(
            "style_transfer_stage_seconds",
            "Time of each stage of a request.",
            ["stage"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.record_seconds = Histogram(
            "style_transfer_record_seconds",
            "Age of the oldest record of each batch when it was in the database.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.workers_busy = self._gauge("workers_busy", "Requests being painted or waiting for a worker.")
        self.records_waiting = self._gauge("records_waiting", "Job records not yet in the database.")
        self.database_up = self._gauge("database_up", "1 when the last attempt to write succeeded.")
        self.store_bytes = self._gauge("result_store_bytes", "Bytes of results at hand.")
        self.peers = self._gauge("peers", "Other copies of the region.")
        self.peers_away = self._gauge("peers_away", "Those of them that failed and are left out for now.")
        self.body_bytes = self._gauge("body_bytes", "Bytes of bodies held.")
        Gauge("style_transfer_build_info", "The running build.", ["region", "version"], registry=self.registry).labels(
            region, version
        ).set(1)

    def _counter(self, name: str, text: str, labels: list[str] | None = None) -> Counter:
        return Counter(f"style_transfer_{name}", text, labels or [], registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"style_transfer_{name}", text, registry=self.registry)

    def expose(self) -> bytes:
        """Return the text format 0.0.4."""
        return generate_latest(self.registry)
