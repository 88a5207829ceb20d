# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One place's cache: what the zone's cache rules, file names and the origin's headers let it keep."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from geokube_lab.edge.expressions import matches
from geokube_lab.edge.store import Record

CAPACITY = 64 * 1024 * 1024
LARGEST = 16 * 1024 * 1024
STATIC = re.compile(
    r"\.(7z|avif|bmp|bz2|css|csv|eot|gif|gz|ico|jar|jpe?g|js|mp3|mp4|otf|pdf|png|svg|tar|tiff?|ttf|webm|webp|woff2?|zip)$"
)
DEFAULT_TTL = {200: 7200, 206: 7200, 301: 7200, 302: 1200, 303: 1200, 404: 180, 410: 180}


@dataclass
class Stored:
    """An answer kept; times in seconds of the monotonic clock."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    stored_at: float
    expires_at: float


class Cache:
    """Answers by URL, the least recently used thrown out first."""

    @dataclass(frozen=True)
    class Plan:
        """Whether this request may be answered from the cache, and how long its answer may be kept (seconds)."""

        key: str
        eligible: bool
        edge_ttl: int | None = None
        override: bool = False
        by_status: tuple[Record, ...] = ()

    def __init__(self) -> None:
        self._entries: OrderedDict[str, Stored] = OrderedDict()
        self._size = 0

    def plan(self, request: web.BaseRequest, rules: list[Record]) -> Plan:
        """What the rules say of a request; the last rule that matches wins, as in the real one."""
        key = f"{request.scheme} {request.host} {request.raw_path}"
        eligible = bool(STATIC.search(request.path.lower()))
        ttl, override, by_status = None, False, ()
        for rule in rules:
            if not matches(rule["expression"], request):
                continue
            settings = rule.get("action_parameters", {})
            eligible = settings.get("cache", eligible)
            edge = settings.get("edge_ttl", {})
            override = edge.get("mode") == "override_origin"
            ttl = edge.get("default") if edge.get("mode") in ("override_origin", "respect_origin") else None
            by_status = tuple(edge.get("status_code_ttl") or ())
        return Cache.Plan(key, eligible and request.method in ("GET", "HEAD"), ttl, override, by_status)

    def find(self, plan: Plan) -> Stored | None:
        """Give a fresh answer, if there is one."""
        entry = self._entries.get(plan.key) if plan.eligible else None
        if entry is None:
            return None
        if entry.expires_at < time.monotonic():
            self._drop(plan.key)
            return None
        self._entries.move_to_end(plan.key)
        return entry

    def status(self, plan: Plan, response: aiohttp.ClientResponse) -> str:
        """The cf-cache-status of an answer that came from the origin."""
        if not plan.eligible:
            return "DYNAMIC"
        return "MISS" if self._lifetime(plan, response) > 0 else "BYPASS"

    def _lifetime(self, plan: Plan, response: aiohttp.ClientResponse) -> int:
        if "Set-Cookie" in response.headers or (response.content_length or 0) > LARGEST:
            return 0
        for entry in plan.by_status:
            if _covers(entry, response.status):
                return max(0, int(entry["value"]))
        if response.status not in DEFAULT_TTL:
            return 0
        if plan.override and plan.edge_ttl is not None:
            return plan.edge_ttl
        control = response.headers.get("Cache-Control", "").lower()
        if re.search(r"no-store|no-cache|private", control):
            return 0
        age = re.search(r"s-maxage=(\d+)", control) or re.search(r"max-age=(\d+)", control)
        if age:
            return int(age[1])
        return plan.edge_ttl if plan.edge_ttl is not None else DEFAULT_TTL[response.status]

    def keeper(self, plan: Plan, response: aiohttp.ClientResponse) -> Keeper | None:
        """Give what collects an answer's body for the cache."""
        if response.method != "GET":
            return None
        return Keeper(self, plan.key, response, self._lifetime(plan, response))

    def put(self, key: str, entry: Stored) -> None:
        """Keep an answer and throw out old ones that no longer fit."""
        self._drop(key)
        self._entries[key] = entry
        self._size += len(entry.body)
        while self._size > CAPACITY:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry:
            self._size -= len(entry.body)


def _covers(entry: Record, status: int) -> bool:
    spread = entry.get("status_code_range") or {"from": entry.get("status_code"), "to": entry.get("status_code")}
    return bool((spread.get("from") or 0) <= status <= (spread.get("to") or 999))


class Keeper:
    """Collects the body of one answer; gives up on one that is too large."""

    def __init__(self, cache: Cache, key: str, response: aiohttp.ClientResponse, seconds: int) -> None:
        self._cache, self._key, self._response, self._seconds = cache, key, response, seconds
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Take the next piece."""
        self._size += len(piece)
        if self._size <= LARGEST:
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def store(self) -> None:
        """Keep the answer: it arrived whole."""
        if self._size <= LARGEST:
            moment = time.monotonic()
            body = b"".join(self._pieces)
            entry = Stored(self._response.status, self._response.headers.copy(), body, moment, moment + self._seconds)
            self._cache.put(self._key, entry)
