# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Session affinity by cookie: the same user goes to the same origin while it is healthy."""

from __future__ import annotations

import hashlib
from http.cookies import SimpleCookie

from aiohttp import web
from multidict import CIMultiDict

from geokube_lab.edge.store import Record, Store

COOKIE = "__cflb"
DEFAULT_TTL = 82800


class Affinity:
    """What a balancer's session affinity makes of a request and its answer."""

    def __init__(self, balancer: Record, store: Store) -> None:
        self.balancer = balancer
        self.store = store
        self.active = balancer["session_affinity"] in ("cookie", "ip_cookie")

    def _mark_of(self, pool: Record, origin: Record) -> str:
        text = f"{self.balancer['id']} {pool['id']} {origin['name']}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def prefer(self, request: web.BaseRequest, found: list[tuple[Record, Record]]) -> list[tuple[Record, Record]]:
        """Put the origin that the user's cookie names first, if it can be used."""
        if not self.active or COOKIE not in request.cookies:
            return found
        return sorted(found, key=lambda pair: self._mark_of(*pair) != request.cookies[COOKIE])

    def mark(self, request: web.BaseRequest, headers: CIMultiDict[str], pool: Record, origin: Record) -> None:
        """Add the cookie to an answer whose user does not have it yet."""
        value = self._mark_of(pool, origin)
        if not self.active or request.cookies.get(COOKIE) == value:
            return
        cookie: SimpleCookie = SimpleCookie({COOKIE: value})
        cookie[COOKIE]["path"] = "/"
        cookie[COOKIE]["httponly"] = True
        cookie[COOKIE]["max-age"] = int(self.balancer.get("session_affinity_ttl", DEFAULT_TTL))
        headers.add("Set-Cookie", cookie[COOKIE].OutputString())
