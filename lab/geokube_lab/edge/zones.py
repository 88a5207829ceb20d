# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API's answers about zones: their settings and cache rules."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from geokube_lab.edge import expressions
from geokube_lab.edge.errors import ApiError
from geokube_lab.edge.paging import page_of
from geokube_lab.edge.store import Record, Store, new_id, now

SETTINGS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "ssl": ("full", ("off", "flexible", "full", "strict")),
    "always_use_https": ("off", ("on", "off")),
    "min_tls_version": ("1.2", ("1.0", "1.1", "1.2", "1.3")),
    "browser_cache_ttl": (14400, ()),
}
PHASE = "http_request_cache_settings"


def setting(store: Store, zone: str, name: str) -> Any:
    """The value of a zone's setting."""
    return store["zone_settings"].get(zone, {}).get(name, SETTINGS[name][0])


def cache_rules(store: Store, zone: str) -> list[Record]:
    """The zone's cache rules that are on, in order."""
    rules = store["rulesets"].get(zone, {}).get("rules", [])
    return [rule for rule in rules if rule.get("enabled", True)]


def _ok(result: Any, **extra: Any) -> web.Response:
    return web.json_response({"success": True, "errors": [], "messages": [], "result": result, **extra})


class Zones:
    """Handlers over one store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def list_zones(self, request: web.Request) -> web.Response:
        """GET /zones with name, page and per_page."""
        zones = list(self.store["zones"].values())
        if "name" in request.query:
            zones = [zone for zone in zones if zone["name"] == request.query["name"]]
        if "account.id" in request.query:
            zones = [zone for zone in zones if zone["account"]["id"] == request.query["account.id"]]
        return page_of(request, zones, 20)

    async def get_zone(self, request: web.Request) -> web.Response:
        """GET of one zone."""
        return _ok(self.store.get("zones", request.match_info["zone"]))

    async def get_setting(self, request: web.Request) -> web.Response:
        """GET of one setting."""
        name = self._setting_name(request)
        value = setting(self.store, request.match_info["zone"], name)
        return _ok({"id": name, "value": value, "editable": True, "modified_on": now()})

    async def set_setting(self, request: web.Request) -> web.Response:
        """PATCH of one setting."""
        name, zone = self._setting_name(request), request.match_info["zone"]
        value = (await request.json()).get("value")
        choices = SETTINGS[name][1]
        if choices and value not in choices:
            raise ApiError(400, 1007, f"Invalid value for zone setting {name}")
        self.store.put("zone_settings", {**self.store["zone_settings"].get(zone, {}), name: value}, zone)
        return _ok({"id": name, "value": value, "editable": True, "modified_on": now()})

    @staticmethod
    def _setting_name(request: web.Request) -> str:
        name = request.match_info["name"]
        if name not in SETTINGS:
            raise ApiError(400, 1006, f"Unrecognized zone setting name {name}")
        return name

    async def get_ruleset(self, request: web.Request) -> web.Response:
        """GET of the cache phase's entry point."""
        ruleset = self.store["rulesets"].get(request.match_info["zone"])
        if not ruleset:
            raise ApiError(404, 10003, "could not find entrypoint ruleset in the http_request_cache_settings phase")
        return _ok(_shown_ruleset(ruleset))

    async def put_ruleset(self, request: web.Request) -> web.Response:
        """PUT of all rules of the cache phase."""
        given, zone = await request.json(), request.match_info["zone"]
        rules = [self._rule(rule) for rule in given.get("rules") or []]
        old = self.store["rulesets"].get(zone, {})
        record = {
            "id": old.get("id", new_id()),
            "name": given.get("name", "default"),
            "description": given.get("description", ""),
            "kind": "zone",
            "phase": PHASE,
            "version": str(int(old.get("version", "0")) + 1),
            "rules": rules,
        }
        return _ok(_shown_ruleset(self.store.put("rulesets", record, zone)))

    @staticmethod
    def _rule(given: Record) -> Record:
        if given.get("action") != "set_cache_settings":
            raise ApiError(400, 20097, f"action {given.get('action')!r} is not allowed in phase {PHASE}")
        if not isinstance(given.get("expression"), str) or not given["expression"]:
            raise ApiError(400, 20127, "expression is required")
        expressions.parse(given["expression"])
        identifier = given.get("id") or new_id()
        rule = {"id": identifier, "version": "1", "enabled": True, "description": "", **given}
        return {"ref": identifier, **rule, "last_updated": now()}


def _shown_ruleset(record: Record) -> Record:
    return {key: value for key, value in record.items() if key not in ("created_on", "modified_on")} | {
        "last_updated": record["modified_on"]
    }


def add_routes(router: web.UrlDispatcher, store: Store) -> None:
    """Add the routes under /zones."""
    zones = Zones(store)
    base = "/client/v4/zones"
    router.add_get(base, zones.list_zones)
    router.add_get(base + "/{zone}", zones.get_zone)
    router.add_get(base + "/{zone}/settings/{name}", zones.get_setting)
    router.add_patch(base + "/{zone}/settings/{name}", zones.set_setting)
    entry_point = base + f"/{{zone}}/rulesets/phases/{PHASE}/entrypoint"
    router.add_get(entry_point, zones.get_ruleset)
    router.add_put(entry_point, zones.put_ruleset)
