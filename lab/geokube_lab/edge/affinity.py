# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Session affinity by cookie: the same user goes to the same origin while it is healthy."""

from __future__ import annotations

import hashlib
from http.cookies import SimpleCookie

from aiohttp import web
from multidict import CIMultiDict

from geokube_lab.edge.store import Record

COOKIE = "__cflb"
DEFAULT_TTL = 82800


class Affinity:
    """What a balancer's session affinity makes of one request and its answer.

    `pinned`: whether the user's cookie names an origin that can be used.
    """

    def __init__(self, balancer: Record, always_https: bool) -> None:
        self.balancer, self.always_https = balancer, always_https
        self.active = balancer["session_affinity"] in ("cookie", "ip_cookie")
        self.attributes: Record = balancer.get("session_affinity_attributes") or {}
        self.pinned = False

    def _mark_of(self, pool: Record, origin: Record) -> str:
        text = f"{self.balancer['id']} {pool['id']} {origin['name']}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def failover(self) -> str:
        """What a session does whose origin fails: none, temporary or sticky."""
        return str(self.attributes.get("zero_downtime_failover", "none"))

    def prefer(self, request: web.BaseRequest, found: list[tuple[Record, Record]]) -> list[tuple[Record, Record]]:
        """Put the origin that the user's cookie names first; alone, when its sessions may not fail over."""
        if not self.active or COOKIE not in request.cookies:
            return found
        ordered = sorted(found, key=lambda pair: self._mark_of(*pair) != request.cookies[COOKIE])
        self.pinned = bool(ordered) and self._mark_of(*ordered[0]) == request.cookies[COOKIE]
        return ordered[:1] if self.pinned and self.failover == "none" else ordered

    def mark(self, request: web.BaseRequest, headers: CIMultiDict[str], pool: Record, origin: Record) -> None:
        """Add the cookie to an answer whose user does not have it yet."""
        value = self._mark_of(pool, origin)
        if not self.active or request.cookies.get(COOKIE) == value or (self.pinned and self.failover == "temporary"):
            return
        cookie: SimpleCookie = SimpleCookie({COOKIE: value})
        cookie[COOKIE]["path"] = "/"
        cookie[COOKIE]["httponly"] = True
        cookie[COOKIE]["max-age"] = int(self.balancer.get("session_affinity_ttl", DEFAULT_TTL))
        same_site, secure = self.attributes.get("samesite", "Auto"), self.attributes.get("secure", "Auto")
        cookie[COOKIE]["samesite"] = ("None" if self.always_https else "Lax") if same_site == "Auto" else same_site
        if secure == "Always" or (secure == "Auto" and self.always_https):
            cookie[COOKIE]["secure"] = True
        headers.add("Set-Cookie", cookie[COOKIE].OutputString())
