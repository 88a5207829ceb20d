# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API's answers about the DNS records of a zone. They are kept, not served."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from geokube_lab.edge.errors import ApiError
from geokube_lab.edge.paging import page_of
from geokube_lab.edge.store import Record, Store

PLAIN = ("A", "AAAA", "CNAME", "TXT", "MX", "NS", "PTR")
# Of records that are given by their parts: the parts in the content's order, and what stands between them.
PARTS: dict[str, tuple[tuple[str, ...], str]] = {
    "CAA": (("flags", "tag", "value"), " "),
    "DS": (("key_tag", "algorithm", "digest_type", "digest"), "\t"),
    "SRV": (("weight", "port", "target"), "\t"),
    "SSHFP": (("algorithm", "type", "fingerprint"), " "),
    "TLSA": (("usage", "selector", "matching_type", "certificate"), "\t"),
}


class Dns:
    """Handlers over one store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def list_records(self, request: web.Request) -> web.Response:
        """GET of DNS records by name, type and content."""
        zone = request.match_info["zone"]
        found = [record for record in self.store["dns_records"].values() if record["zone_id"] == zone]
        for key in ("name", "type", "content"):
            if key in request.query:
                found = [record for record in found if str(record[key]).lower() == request.query[key].lower()]
        return page_of(request, found, 100)

    async def get(self, request: web.Request) -> web.Response:
        """GET of one DNS record."""
        return _ok(self.store.get("dns_records", request.match_info["id"]))

    async def create(self, request: web.Request) -> web.Response:
        """POST of a DNS record."""
        return _ok(self.store.put("dns_records", self._record(await request.json(), request)))

    async def update(self, request: web.Request) -> web.Response:
        """PUT or PATCH of a DNS record."""
        current = self.store.get("dns_records", request.match_info["id"])
        given = await request.json()
        record = self._record({**current, **given} if request.method == "PATCH" else given, request)
        return _ok(self.store.put("dns_records", record | {"id": current["id"], "created_on": current["created_on"]}))

    async def delete(self, request: web.Request) -> web.Response:
        """DELETE of a DNS record."""
        self.store.delete("dns_records", request.match_info["id"])
        return _ok({"id": request.match_info["id"]})

    def _record(self, given: Record, request: web.Request) -> Record:
        zone = self.store.get("zones", request.match_info["zone"])
        name = str(given.get("name", "")).lower()
        if name != zone["name"] and not name.endswith("." + zone["name"]):
            name = f"{name}.{zone['name']}".removeprefix("@.")
        content = _content(given)
        others = [
            record
            for record in self.store["dns_records"].values()
            if record["name"] == name and record["id"] != request.match_info.get("id")
        ]
        if any((record["type"], record["content"]) == (given["type"], content) for record in others):
            raise ApiError(400, 81058, "An identical record already exists.")
        address_types = ("A", "AAAA", "CNAME")
        if given["type"] in address_types and any(
            record["type"] in address_types and "CNAME" in (record["type"], given["type"]) for record in others
        ):
            raise ApiError(400, 81053, "An A, AAAA, or CNAME record with that host already exists.")
        defaults: Record = {"ttl": 1, "proxied": False, "comment": None, "tags": [], "settings": {}}
        known = {key: value for key, value in given.items() if value is not None}
        proxiable = given["type"] in address_types
        if known.get("proxied") and not proxiable:
            raise ApiError(400, 9004, f"This record type ({given['type']}) cannot be proxied.")
        own = {
            "name": name,
            "content": content,
            "proxiable": proxiable,
            "zone_id": zone["id"],
            "zone_name": zone["name"],
        }
        return {**defaults, **known, **own}


def _content(given: Record) -> str:
    kind, data = given.get("type"), given.get("data")
    if kind in PARTS:
        names, between = PARTS[str(kind)]
        if not isinstance(data, dict) or not all(name in data for name in names):
            raise ApiError(400, 9101, f"data must have {', '.join(names)} for a record of type {kind}")
        return between.join(f'"{data[name]}"' if name == "value" else str(data[name]) for name in names)
    if kind not in PLAIN:
        raise ApiError(400, 9004, f"record type {kind!r} is not supported")
    if not given.get("content"):
        raise ApiError(400, 9009, "content is required")
    return str(given["content"])


def _ok(result: Any) -> web.Response:
    return web.json_response({"success": True, "errors": [], "messages": [], "result": result})


def add_routes(router: web.UrlDispatcher, store: Store) -> None:
    """Add the routes of DNS records."""
    dns = Dns(store)
    records = "/client/v4/zones/{zone}/dns_records"
    router.add_get(records, dns.list_records)
    router.add_post(records, dns.create)
    router.add_get(records + "/{id}", dns.get)
    router.add_put(records + "/{id}", dns.update)
    router.add_patch(records + "/{id}", dns.update)
    router.add_delete(records + "/{id}", dns.delete)
