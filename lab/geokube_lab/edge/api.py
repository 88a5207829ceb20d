# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API under /client/v4: routes, envelope, and answers about load balancing and zones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from geokube_lab.edge import certificates, dns, zones
from geokube_lab.edge.access import Gate
from geokube_lab.edge.errors import ApiError, invalid, not_found
from geokube_lab.edge.faults import Faults
from geokube_lab.edge.health import Health
from geokube_lab.edge.places import REGIONS, Place
from geokube_lab.edge.resources import LOAD_BALANCERS, MONITOR_GROUPS, MONITORS, POOLS, Kind, Limits, references
from geokube_lab.edge.store import Record, Store

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ACCOUNT = "/client/v4/accounts/{account}/load_balancers"
ZONE = "/client/v4/zones/{zone}/load_balancers"


def envelope(result: Any, **extra: Any) -> web.Response:
    """A successful answer around its result."""
    return web.json_response({"success": True, "errors": [], "messages": [], "result": result, **extra})


def listing(results: list[Any]) -> web.Response:
    """A successful answer of a list that comes in one page."""
    info = {"page": 1, "per_page": max(len(results), 50), "count": len(results), "total_count": len(results)}
    return envelope(results, result_info={**info, "total_pages": 1})


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn refusals into Cloudflare's failure envelope."""
    try:
        return await handler(request)
    except ApiError as error:
        body = {
            "success": False,
            "errors": [{"code": error.code, "message": error.message}],
            "messages": [],
            "result": None,
        }
        return web.json_response(body, status=error.status, headers=error.headers)
    except web.HTTPException as error:
        body = {
            "success": False,
            "errors": [{"code": 7000 if error.status == 404 else 10405, "message": f"No route for that URI: {error}"}],
            "messages": [],
            "result": None,
        }
        return web.json_response(body, status=error.status)


async def body_of(request: web.Request) -> Any:
    """The JSON body; ApiError 1002 when it is none."""
    try:
        return await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise invalid("body", f"not JSON ({error})") from error


class Api:
    """Handlers over one store."""

    def __init__(self, store: Store, limits: Limits, health: Health, gate: Gate, places: tuple[Place, ...]) -> None:
        self.store, self.limits, self.health, self.gate, self.places = store, limits, health, gate, places

    @web.middleware
    async def admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check the token and that account and zone exist."""
        if request.path.startswith("/client/v4"):
            request["token"] = self.gate.admit(request)
            account, zone = request.match_info.get("account"), request.match_info.get("zone")
            if account and account not in self.store["accounts"]:
                raise ApiError(403, 10000, "Authentication error")
            if zone and zone not in self.store["zones"]:
                raise not_found("zone", zone)
        return await handler(request)

    def shown(self, kind: Kind, record: Record) -> Record:
        """A record as the API shows it."""
        answer = {key: value for key, value in record.items() if key != "zone_id"}
        if kind is POOLS:
            healthy = self.health.pool_healthy(record)
            answer["healthy"] = healthy is not False and record["enabled"]
        return answer

    def records(self, request: web.Request, kind: Kind) -> list[Record]:
        """The kind's records that this URL covers, in order of creation."""
        zone = request.match_info.get("zone")
        return [r for r in self.store[kind.collection].values() if zone is None or r["zone_id"] == zone]

    def record(self, request: web.Request, kind: Kind) -> Record:
        """The record that the URL names."""
        record = self.store.get(kind.collection, request.match_info["id"])
        if record.get("zone_id") != request.match_info.get("zone"):
            raise not_found(kind.title, record["id"])
        return record

    def collection(self, kind: Kind) -> tuple[Handler, Handler]:
        """GET and POST of a whole collection."""

        async def get(request: web.Request) -> web.Response:
            found = self.records(request, kind)
            if kind is POOLS and "monitor" in request.query:
                found = [pool for pool in found if pool.get("monitor") == request.query["monitor"]]
            return listing([self.shown(kind, record) for record in found])

        async def post(request: web.Request) -> web.Response:
            zone = request.match_info.get("zone")
            owner = {"zone_id": zone} if zone else {}
            record = kind.create(self.store, self.limits, await body_of(request), owner)
            return envelope(self.shown(kind, record))

        return get, post

    def item(self, kind: Kind) -> tuple[Handler, Handler, Handler, Handler]:
        """GET, PUT, PATCH and DELETE of one object."""

        async def get(request: web.Request) -> web.Response:
            return envelope(self.shown(kind, self.record(request, kind)))

        async def put(request: web.Request) -> web.Response:
            identifier = self.record(request, kind)["id"]
            record = kind.replace(self.store, self.limits, identifier, await body_of(request))
            return envelope(self.shown(kind, record))

        async def patch(request: web.Request) -> web.Response:
            identifier = self.record(request, kind)["id"]
            record = kind.change(self.store, self.limits, identifier, await body_of(request))
            return envelope(self.shown(kind, record))

        async def delete(request: web.Request) -> web.Response:
            identifier = self.record(request, kind)["id"]
            kind.delete(self.store, identifier)
            return envelope({"id": identifier})

        return get, put, patch, delete

    def references(self, kind: Kind) -> Handler:
        """GET of who uses an object."""

        async def get(request: web.Request) -> web.Response:
            return listing(list(references(self.store, kind.collection, self.record(request, kind)["id"])))

        return get

    async def pool_health(self, request: web.Request) -> web.Response:
        """GET of a pool's health, by place."""
        return envelope(self.health.report(self.record(request, POOLS)))

    async def patch_pools(self, request: web.Request) -> web.Response:
        """PATCH of all pools: only the notification address can be changed so."""
        given = await body_of(request)
        for pool in list(self.store["pools"].values()):
            POOLS.change(self.store, self.limits, pool["id"], {"notification_email": given.get("notification_email")})
        return listing([self.shown(POOLS, pool) for pool in self.store["pools"].values()])

    async def search(self, request: web.Request) -> web.Response:
        """GET of resources by name, a page at a time."""
        text = request.query.get("query", "").lower()
        page, size = int(request.query.get("page", "1")), int(request.query.get("per_page", "25"))
        found = []
        for kind in (LOAD_BALANCERS, POOLS, MONITORS):
            for record in self.store[kind.collection].values():
                name = record.get("name") or record["description"]
                if text in name.lower():
                    uses = references(self.store, kind.collection, record["id"])
                    found.append({"resource_type": kind.title, "resource_id": record["id"],
                                  "resource_name": name, "references": uses})  # fmt: skip
        part = found[(page - 1) * size : page * size]
        info = {"page": page, "per_page": size, "count": len(part), "total_count": len(found)}
        return envelope({"resources": part}, result_info=info)

    async def regions(self, request: web.Request) -> web.Response:
        """GET of the region codes with the countries that have a place here."""
        found: list[dict[str, Any]] = [
            {
                "region_code": code,
                "countries": [
                    {"country_code_a2": place.country, "country_name": place.country}
                    for place in self.places
                    if place.region == code
                ],
            }
            for code in REGIONS
        ]
        wanted = request.match_info.get("region")
        if wanted:
            found = [entry for entry in found if entry["region_code"] == wanted]
            if not found:
                raise not_found("region", wanted)
        return envelope({"regions": found} if not wanted else found[0])

    async def verify_token(self, request: web.Request) -> web.Response:
        """GET: whether the token is good."""
        token: Record = request["token"]
        message = {"code": 10000, "message": "This API Token is valid and active", "type": None}
        return envelope({"id": token["id"], "status": "active"}, messages=[message])

    async def addresses(self, request: web.Request) -> web.Response:
        """GET: from which addresses the edge calls origins."""
        networks = sorted(f"{address}/32" for address in self.health.sources)
        etag = hashlib.sha256(" ".join(networks).encode()).hexdigest()[:32]
        return envelope({"ipv4_cidrs": networks, "ipv6_cidrs": [], "etag": etag})


def application(api: Api, faults: Faults, issuer: certificates.Issuer) -> web.Application:
    """The API as an aiohttp application."""
    app = web.Application(middlewares=[errors, faults.middleware, api.admit], client_max_size=2**22)
    router = app.router
    for base, kind in (
        (f"{ACCOUNT}/monitors", MONITORS),
        (f"{ACCOUNT}/monitor_groups", MONITOR_GROUPS),
        (f"{ACCOUNT}/pools", POOLS),
        (ZONE, LOAD_BALANCERS),
    ):
        get, post = api.collection(kind)
        router.add_get(base, get)
        router.add_post(base, post)
        one, put, patch, delete = api.item(kind)
        router.add_get(base + "/{id}", one)
        router.add_put(base + "/{id}", put)
        router.add_patch(base + "/{id}", patch)
        router.add_delete(base + "/{id}", delete)
        router.add_get(base + "/{id}/references", api.references(kind))
    router.add_patch(f"{ACCOUNT}/pools", api.patch_pools)
    router.add_get(f"{ACCOUNT}/pools/{{id}}/health", api.pool_health)
    router.add_get(f"{ACCOUNT}/search", api.search)
    router.add_get(f"{ACCOUNT}/regions", api.regions)
    router.add_get(f"{ACCOUNT}/regions/{{region}}", api.regions)
    router.add_get("/client/v4/user/tokens/verify", api.verify_token)
    router.add_get("/client/v4/accounts/{account}/tokens/verify", api.verify_token)
    router.add_get("/client/v4/ips", api.addresses)
    zones.add_routes(router, api.store)
    dns.add_routes(router, api.store)
    certificates.add_routes(router, api.store, issuer)
    router.add_post("/faults", faults.order)
    router.add_delete("/faults", faults.clear)
    router.add_get("/requests", faults.log)
    return app
