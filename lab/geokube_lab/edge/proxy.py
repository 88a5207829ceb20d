# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A point of presence: takes users' requests and brings them to an origin."""

from __future__ import annotations

import logging
import random
import secrets
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from geokube_lab.edge import answers, expressions, rules, steering, zones
from geokube_lab.edge.affinity import Affinity
from geokube_lab.edge.cache import Cache
from geokube_lab.edge.health import Health
from geokube_lab.edge.payload import PIECE, Payload, TooLarge
from geokube_lab.edge.places import Place
from geokube_lab.edge.store import Record, Store
from geokube_lab.edge.upstream import RETRIED, TEXTS, OriginError, Upstream

log = logging.getLogger("geokube.edge.proxy")
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect"}
)
# For how long a failed connection makes a place try that origin last (seconds), unless a later probe is good.
SUSPICION = 20.0


@dataclass
class Visit:
    """One user's request on its way through a place."""

    request: web.BaseRequest
    balancer: Record
    affinity: Affinity
    payload: Payload
    ray: str
    client: str
    secure: bool
    started: float = field(default_factory=time.monotonic)


class Proxy:
    """The handler of one place's listeners."""

    def __init__(self, place: Place, store: Store, health: Health, upstream: Upstream) -> None:
        self.place, self.store, self.health, self.upstream = place, store, health, upstream
        self.cache = Cache()
        self.draw = random.Random()
        self._suspects: dict[tuple[str, int], float] = {}
        self._pending: Counter[str] = Counter()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        ray = f"{secrets.token_hex(8)}-{self.place.code}"
        client = request.remote or ""
        if request.path == "/cdn-cgi/trace":
            return answers.trace(request, self.place)
        balancer = self._balancer(request.host.rsplit(":", 1)[0].lower())
        if balancer is None:
            return answers.page(409, "error code: 1001", ray)
        secure = request.secure
        always_https = zones.setting(self.store, balancer["zone_id"], "always_use_https") == "on"
        if not secure and always_https:
            return web.Response(status=301, headers={"Location": f"https://{request.host}{request.path_qs}"})
        seen, fixed = rules.applied(balancer, lambda condition: self._fits(condition, request, balancer))
        if fixed is not None:
            return answers.fixed(fixed, ray)
        try:
            visit = Visit(request, seen, Affinity(seen, always_https), Payload(request), ray, client, secure)
            return await self._serve(visit)
        except TooLarge:
            return answers.page(413, "413 Request Entity Too Large", ray)

    def _balancer(self, host: str) -> Record | None:
        for balancer in self.store["load_balancers"].values():
            if balancer["name"] == host and balancer["enabled"] and balancer["proxied"]:
                return balancer
        return None

    def _fits(self, condition: str, request: web.BaseRequest, balancer: Record) -> bool:
        own = {"cf.load_balancer.name": balancer["name"], "cf.load_balancer.region": self.place.region}
        return expressions.matches(condition, request, own)

    def _candidates(self, visit: Visit) -> list[tuple[Record, Record]]:
        pools = self.store["pools"]
        order = steering.pool_order(
            visit.balancer,
            pools,
            self.place,
            lambda pool: self.health.latency(self.place, pool),
            self.draw,
            lambda pool: self._pending[pool["id"]],
        )
        found = steering.candidates(
            visit.balancer,
            pools,
            order,
            lambda pool: steering.origin_order(
                pool, visit.client, self.draw, lambda origin: self._pending[f"{pool['id']} {origin['name']}"]
            ),
            lambda pool, origin: self.health.origin_healthy(pool, origin) is not False,
            lambda pool: self.health.pool_healthy(pool) is not False,
        )
        found = visit.affinity.prefer(visit.request, found)
        if not visit.balancer.get("adaptive_routing", {}).get("failover_across_pools"):
            found = [pair for pair in found if pair[0]["id"] == found[0][0]["id"]] if found else []
        # A stable sort: what failed a moment ago is tried after everything else.
        return sorted(found, key=lambda pair: self._suspected(*pair))

    def _suspected(self, pool: Record, origin: Record) -> bool:
        failed_at = self._suspects.get(_endpoint(origin))
        if failed_at is None or failed_at + SUSPICION < time.monotonic():
            return False
        return self.health.succeeded_at(self.place, pool, origin) < failed_at

    async def _serve(self, visit: Visit) -> web.StreamResponse:
        plan = self.cache.plan(visit.request, zones.cache_rules(self.store, visit.balancer["zone_id"]))
        stored = self.cache.find(plan)
        if stored:
            headers = self._decorated(stored.headers, visit, "HIT")
            headers["Age"] = str(int(time.monotonic() - stored.stored_at))
            log.info("%s %s %s HIT", visit.ray, visit.request.method, visit.request.path)
            return web.Response(status=stored.status, headers=headers, body=stored.body)
        tries = self._candidates(visit)
        error = OriginError(523, "no origin is enabled")
        for number, (pool, origin) in enumerate(tries[:2]):
            loads = (pool["id"], f"{pool['id']} {origin['name']}")
            self._pending.update(loads)
            try:
                response = await self._ask(visit, pool, origin)
                self._suspects.pop(_endpoint(origin), None)
                return await self._answer(visit, pool, origin, response, plan)
            except OriginError as failed:
                error = failed
                log.warning("%s %s %s: %s", visit.ray, pool["name"], origin["address"], failed)
                if failed.status in RETRIED:
                    self._suspects[_endpoint(origin)] = time.monotonic()
                if number == 0 and failed.status in RETRIED and visit.payload.replayable:
                    continue
                break
            finally:
                self._pending.subtract(loads)
        return answers.page(error.status, f"error code: {error.status} {TEXTS[error.status]}", visit.ray)

    async def _ask(self, visit: Visit, pool: Record, origin: Record) -> aiohttp.ClientResponse:
        mode = zones.setting(self.store, visit.balancer["zone_id"], "ssl")
        scheme = "https" if mode in ("full", "strict") and visit.secure else "http"
        host = (origin.get("header", {}).get("Host") or [visit.request.host])[0]
        port = origin["port"] or (443 if scheme == "https" else 80)
        url = f"{scheme}://{origin['address']}:{port}{visit.request.raw_path}"
        headers = self._forwarded(visit, host)
        for last in (False, True):
            try:
                return await self.upstream.request(
                    self.upstream.pooled,
                    visit.request.method,
                    URL(url, encoded=True),
                    verify=mode == "strict",
                    name=host.split(":")[0],
                    headers=headers,
                    data=visit.payload.stream() if visit.payload.present else None,
                    skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                )
            except OriginError as error:
                # The origin may close an idle connection just as it is used again: that is no failure of the origin.
                if last or not error.reused or error.status != 520 or not visit.payload.replayable:
                    raise
        raise AssertionError

    def _forwarded(self, visit: Visit, host: str) -> CIMultiDict[str]:
        request = visit.request
        named = {name.strip().lower() for name in request.headers.get("Connection", "").split(",")}
        headers = CIMultiDict(
            (name, value) for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP | named
        )
        headers["Host"] = host
        before = request.headers.get("X-Forwarded-For")
        headers["X-Forwarded-For"] = f"{before}, {visit.client}" if before else visit.client
        headers["X-Forwarded-Proto"] = "https" if visit.secure else "http"
        headers["CF-Connecting-IP"] = visit.client
        headers["CF-IPCountry"] = self.place.country
        headers["CF-Ray"] = visit.ray
        headers["CF-Visitor"] = f'{{"scheme":"{headers["X-Forwarded-Proto"]}"}}'
        headers["CDN-Loop"] = "cloudflare"
        return headers

    async def _answer(
        self, visit: Visit, pool: Record, origin: Record, response: aiohttp.ClientResponse, plan: Cache.Plan
    ) -> web.StreamResponse:
        status = self.cache.status(plan, response)
        headers = self._decorated(response.headers, visit, status)
        visit.affinity.mark(visit.request, headers, pool, origin)
        answer = web.StreamResponse(status=response.status, reason=response.reason, headers=headers)
        keeper = self.cache.keeper(plan, response) if status == "MISS" else None
        try:
            await answer.prepare(visit.request)
            async for piece in response.content.iter_chunked(PIECE):
                await answer.write(piece)
                if keeper:
                    keeper.add(piece)
            await answer.write_eof()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("%s %s: broken off: %s", visit.ray, origin["address"], error)
            response.close()
            if visit.request.transport:
                visit.request.transport.abort()
            return answer
        finally:
            response.release()
        if keeper:
            keeper.store()
        spent = time.monotonic() - visit.started
        log.info("%s %s %s %s %s %d %s %.3f", visit.ray, visit.client, visit.request.method, visit.request.path,
                 pool["name"], response.status, status, spent)  # fmt: skip
        return answer

    def _decorated(self, given: Mapping[str, str], visit: Visit, status: str) -> CIMultiDict[str]:
        headers = CIMultiDict((name, value) for name, value in given.items() if name.lower() not in HOP_BY_HOP)
        headers["Server"] = "cloudflare"
        headers["CF-Ray"] = visit.ray
        headers["CF-Cache-Status"] = status
        return headers


def _endpoint(origin: Record) -> tuple[str, int]:
    return origin["address"], origin["port"]
