# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong in a cloud, on purpose: which requests are hit, how, and how often."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

KINDS = {
    "status": "answer with an error of this status, in the cloud's own form",
    "hang": "read the request and never answer",
    "drip": "send the head at once, then the body one byte every `seconds`",
    "drip-head": "send everything, head too, one byte every `seconds`",
    "reset": "reset the connection before any byte of the answer",
    "reset-body": "send half of the body, then reset the connection",
    "torn": "send half of the document, framed as if it were whole",
    "short": "promise the whole body, send half and close",
    "empty-page": "a page without items, with a token for the next one",
    "token-loop": "a page whose token for the next page is its own",
    "drop-page": "leave the page's items out and go on to the next page",
    "unreachable": "the scope (a zone) is listed as unreachable, its items missing",
    "slow": "answer rightly, `seconds` later",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One request as the faults see it.

    ``scopes`` are the names that a fault's ``scope`` may hit: region, zone, project, folder. ``page`` counts from 1;
    it is 0 for what has no pages.
    """

    operation: str
    scopes: frozenset[str] = frozenset()
    page: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    ``times``: how many requests are hit before it is used up; None is all of them. ``page``, ``scope`` and
    ``operation`` narrow it to that page, that zone, region, project or folder, and that call; None is any.
    ``status`` is HTTP's (the Yandex emulator answers with the gRPC code that stands for it); ``retry_after`` goes out
    as Retry-After, in seconds or as an HTTP date. ``seconds`` is the step of a drip or the delay of ``slow``.
    """

    kind: str
    times: int | None = None
    page: int | None = None
    scope: str | None = None
    operation: str | None = None
    status: int = 500
    retry_after: str | None = None
    message: str | None = None
    seconds: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"fault kind {self.kind!r} is unknown; it must be one of {', '.join(KINDS)}")
        if self.times is not None and self.times < 1:
            raise ValueError(f"fault {self.kind}: times is {self.times}; it must be 1 or more, or null for always")
        if self.kind == "status" and not 400 <= self.status <= 599:
            raise ValueError(f"fault status: {self.status} is not an error status (400 to 599)")
        if self.kind == "unreachable" and self.scope is None:
            raise ValueError("fault unreachable: name the zone or region in scope")
        if self.seconds <= 0:
            raise ValueError(f"fault {self.kind}: seconds is {self.seconds}; it must be more than 0")

    def hits(self, call: Call) -> bool:
        """Whether the call is one that this fault is about."""
        return (
            (self.page is None or self.page == call.page)
            and (self.operation is None or self.operation == call.operation)
            # A missing zone is seen from the list over all zones too.
            and (self.scope is None or self.scope in call.scopes or self.kind == "unreachable")
        )

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Fault:
        """A fault from decoded JSON; raises ValueError for a key or a value of the wrong kind."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ValueError(f"unknown key {', '.join(unknown)}; a fault has {', '.join(sorted(known))}")
        if "kind" not in values:
            raise ValueError("a fault needs a kind")
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(f"fault {values['kind']!r}: {error}") from error


class Faults:
    """The faults of one emulator and the count of its requests; safe to use from any thread.

    ``latency`` is added to each request, in seconds.
    """

    def __init__(self, latency: float = 0.0) -> None:
        self.latency = latency
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._counts: Counter[str] = Counter()
        self._log: deque[Call] = deque(maxlen=2000)
        self._running = 0
        self._peak = 0
        self._generation = 0

    def add(self, *faults: Fault) -> None:
        """Adds faults; the first one that hits a request is the one that it meets."""
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        """Takes all faults and the latency away; requests that hang lose their connection."""
        with self._lock:
            self._faults.clear()
            self.latency = 0.0
            self._generation += 1

    def active(self) -> list[dict[str, Any]]:
        """The faults that are left, as JSON-able mappings."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    @property
    def generation(self) -> int:
        """Changes with every ``clear``."""
        return self._generation

    def take(self, call: Call) -> Fault | None:
        """The fault that this call meets, if any; uses up one of its ``times``."""
        with self._lock:
            for index, fault in enumerate(self._faults):
                if fault.hits(call):
                    if fault.times == 1:
                        del self._faults[index]
                    elif fault.times is not None:
                        self._faults[index] = replace(fault, times=fault.times - 1)
                    return fault
        return None

    def unreachable(self) -> frozenset[str]:
        """The scopes that are unreachable, whatever the call."""
        with self._lock:
            return frozenset(fault.scope for fault in self._faults if fault.kind == "unreachable" and fault.scope)

    def begin(self, call: Call) -> None:
        """Counts a request that has come in."""
        with self._lock:
            self._counts[call.operation] += 1
            self._log.append(call)
            self._running += 1
            self._peak = max(self._peak, self._running)

    def end(self) -> None:
        """Counts a request as done."""
        with self._lock:
            self._running -= 1

    def delay(self, fault: Fault | None) -> None:
        """Sleeps for the latency and for a ``slow`` fault."""
        seconds = self.latency + (fault.seconds if fault is not None and fault.kind == "slow" else 0.0)
        if seconds > 0:
            time.sleep(seconds)

    @property
    def requests(self) -> int:
        """How many requests came in since the start or the last ``reset_count``."""
        with self._lock:
            return self._counts.total()

    @property
    def peak(self) -> int:
        """The most requests that were under way at the same time."""
        with self._lock:
            return self._peak

    def by_operation(self) -> dict[str, int]:
        """Requests by operation."""
        with self._lock:
            return dict(self._counts)

    def calls(self) -> list[Call]:
        """The last 2000 requests, oldest first."""
        with self._lock:
            return list(self._log)

    def reset_count(self) -> None:
        """Sets the counts back to 0; faults stay."""
        with self._lock:
            self._counts.clear()
            self._log.clear()
            self._peak = self._running
