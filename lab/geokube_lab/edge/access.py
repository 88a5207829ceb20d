# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may ask what, and how often."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from dataclasses import dataclass, field

from aiohttp import web

from geokube_lab.edge.errors import ApiError
from geokube_lab.edge.store import Record, Store

WINDOW = 300.0
# The permission that each part of the API asks for, by path fragment; the first match counts.
PERMISSIONS = (
    ("/tokens/verify", ""),
    ("/ips", ""),
    ("/load_balancers/regions", "load_balancing_pools"),
    ("/accounts/", "load_balancing_pools"),
    ("/load_balancers", "load_balancers"),
    ("/certificates", "ssl"),
    ("/origin_tls_client_auth", "ssl"),
    ("/rulesets", "cache_rules"),
    ("/settings", "zone_settings"),
    ("/dns_records", "dns"),
    ("/zones", "zone"),
)
FULL = frozenset(f"{name}:{verb}" for _, name in PERMISSIONS if name for verb in ("read", "write"))


@dataclass
class Gate:
    """Checks the token and counts its requests: `rate` per five minutes, then a block of five minutes."""

    store: Store
    rate: int = 1200
    _seen: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _blocked: dict[str, float] = field(default_factory=dict)

    def admit(self, request: web.Request) -> Record:
        """Give the token's record, or raise ApiError: 400 no header, 401 unknown, 403 scope, 429 rate."""
        if request.path.endswith("/ips"):
            return {}
        header = request.headers.get("Authorization", "")
        if not header:
            raise ApiError(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
        token = header.removeprefix("Bearer ").strip()
        record = self.store["tokens"].get(token)
        if record is None:
            code = 1000 if request.path.endswith("/tokens/verify") else 10000
            raise ApiError(401, code, "Invalid API Token" if code == 1000 else "Authentication error")
        self._count(token)
        self._permit(request, record)
        return record

    def _permit(self, request: web.Request, record: Record) -> None:
        scope = next((scope for fragment, scope in PERMISSIONS if fragment in request.path), "")
        verb = "read" if request.method == "GET" else "write"
        held = set(record.get("permissions", FULL))
        if scope and f"{scope}:{verb}" not in held and f"{scope}:write" not in held:
            raise ApiError(403, 10000, "Authentication error")

    def _count(self, token: str) -> None:
        present = time.monotonic()
        if self._blocked.get(token, 0.0) > present:
            self._refuse(self._blocked[token] - present)
        seen = self._seen[token]
        while seen and seen[0] < present - WINDOW:
            seen.popleft()
        if len(seen) >= self.rate:
            self._blocked[token] = present + WINDOW
            seen.clear()
            self._refuse(WINDOW)
        seen.append(present)

    @staticmethod
    def _refuse(seconds: float) -> None:
        raise ApiError(429, 971, "Please wait and consider throttling your request speed",
                       {"Retry-After": str(max(1, round(seconds)))})  # fmt: skip
