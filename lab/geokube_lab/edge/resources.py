# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API does with monitors, pools and load balancers: create, replace, change, delete, who uses whom."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from geokube_lab.edge import rules
from geokube_lab.edge.errors import invalid, not_enabled, not_unique, referenced
from geokube_lab.edge.fields import Field, complete
from geokube_lab.edge.places import REGIONS
from geokube_lab.edge.schema import LOAD_BALANCER, MONITOR, MONITOR_GROUP, POOL, READ_ONLY
from geokube_lab.edge.store import Record, Store, now

NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Limits:
    """Of a non-Enterprise account; `traffic_steering` is the paid add-on."""

    load_balancers: int = 20
    pools: int = 20
    endpoints: int = 20
    rules: int = 1
    interval: int = 15
    traffic_steering: bool = True
    enterprise: bool = False


@dataclass(frozen=True)
class Kind:
    """One kind of object: its collection, its fields, and the checks beyond the fields."""

    collection: str
    title: str
    fields: Mapping[str, Field]
    verify: Callable[[Store, Limits, Record, str], None]

    def create(self, store: Store, limits: Limits, given: Any, owner: Record) -> Record:
        """Store a new object; `owner` holds fields that are the URL's (zone_id)."""
        record = complete(self.fields, given, self.title, READ_ONLY) | owner
        self.verify(store, limits, record, "")
        return store.put(self.collection, record)

    def replace(self, store: Store, limits: Limits, identifier: str, given: Any) -> Record:
        """PUT: what is not given falls back to its default."""
        current = store.get(self.collection, identifier)
        record = complete(self.fields, given, self.title, READ_ONLY)
        return self._store(store, limits, current, record)

    def change(self, store: Store, limits: Limits, identifier: str, given: Any) -> Record:
        """PATCH: only what is given changes; null takes a field back to its default."""
        current = store.get(self.collection, identifier)
        if not isinstance(given, dict):
            raise invalid(self.title, "must be an object")
        merged = {name: value for name, value in current.items() if name in self.fields} | given
        if given.get("proxied") and "ttl" not in given:
            merged.pop("ttl", None)
        return self._store(store, limits, current, complete(self.fields, merged, self.title, READ_ONLY))

    def _store(self, store: Store, limits: Limits, current: Record, record: Record) -> Record:
        kept: Record = {name: current[name] for name in ("id", "created_on", "zone_id") if name in current}
        record |= kept
        self.verify(store, limits, record, record["id"])
        _stamp_disabled(current, record)
        return store.put(self.collection, record)

    def delete(self, store: Store, identifier: str) -> None:
        """Remove an object that nothing refers to."""
        store.get(self.collection, identifier)
        users = [use for use in references(store, self.collection, identifier) if use["reference_type"] == "referrer"]
        if users:
            names = ", ".join(f"{use['resource_type']} {use['resource_name']}" for use in users)
            raise referenced(self.title, identifier, names)
        store.delete(self.collection, identifier)


def _stamp_disabled(current: Record, record: Record) -> None:
    before = {origin["name"]: origin for origin in current.get("origins", [])}
    for new, old in [(record, current), *((o, before.get(o["name"], {})) for o in record.get("origins", []))]:
        if new.get("enabled") is False:
            new["disabled_at"] = old.get("disabled_at") or now()
        else:
            new.pop("disabled_at", None)


def _verify_monitor(store: Store, limits: Limits, record: Record, identifier: str) -> None:
    if record["interval"] < limits.interval:
        raise invalid("monitor.interval", f"must be at least {limits.interval} seconds on this plan")
    if record["timeout"] >= record["interval"]:
        raise invalid("monitor.timeout", "must be shorter than the interval")
    if record["type"] in ("http", "https"):
        record["method"] = record["method"] or "GET"
        record["path"] = record["path"] or "/"
        record["expected_codes"] = record["expected_codes"] or "200"
        if not record["path"].startswith("/"):
            raise invalid("monitor.path", "must begin with a slash")
    elif record["type"] == "tcp":
        record["method"] = record["method"] or "connection_established"
        if not record["port"]:
            raise invalid("monitor.port", "is required for tcp")


def _verify_pool(store: Store, limits: Limits, record: Record, identifier: str) -> None:
    if not NAME.fullmatch(record["name"]):
        raise invalid("pool.name", "only letters, digits, dash and underscore are allowed")
    _unique(store["pools"], record["name"], identifier, "pool")
    if not identifier and len(store["pools"]) >= limits.pools:
        raise invalid("pool", f"the account's limit of {limits.pools} pools is reached")
    origins = record["origins"]
    if not origins:
        raise invalid("pool.origins", "at least one origin is required")
    if len(origins) > limits.endpoints:
        raise invalid("pool.origins", f"the plan allows {limits.endpoints} endpoints")
    for key in ("name", "address"):
        values = [origin[key] for origin in origins]
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise invalid("pool.origins", f"{key} {twice[0]!r} is not unique")
    for origin in origins:
        if round(origin["weight"] * 100) != origin["weight"] * 100 and abs(origin["weight"] * 100 % 1) > 1e-9:
            raise invalid("pool.origins.weight", "must be a multiple of 0.01")
    record["origins"] = sorted(origins, key=lambda origin: str(origin["name"]))
    if ("latitude" in record) != ("longitude" in record):
        raise invalid("pool", "latitude and longitude must be given together")
    if "ALL_REGIONS" in record.get("check_regions", []) and not limits.enterprise:
        raise not_enabled("check_regions ALL_REGIONS")
    if record.get("monitor"):
        _exists(store, "monitors", record["monitor"], "pool.monitor")
    else:
        record.pop("monitor", None)
    record.setdefault("networks", ["cloudflare"])


def _verify_load_balancer(store: Store, limits: Limits, record: Record, identifier: str) -> None:
    zone = store.get("zones", record["zone_id"])["name"]
    if record["name"] != zone and not record["name"].endswith("." + zone):
        raise invalid("load_balancer.name", f"must be a name in zone {zone}")
    same_zone = {key: other for key, other in store["load_balancers"].items() if other["zone_id"] == record["zone_id"]}
    _unique(same_zone, record["name"], identifier, "load_balancer")
    if not identifier and len(same_zone) >= limits.load_balancers:
        raise invalid("load_balancer", f"the limit of {limits.load_balancers} load balancers is reached")
    if not record["default_pools"]:
        raise invalid("load_balancer.default_pools", "at least one pool is required")
    if (record["pop_pools"] or record.get("pool_sets")) and not limits.enterprise:
        raise not_enabled("pop_pools" if record["pop_pools"] else "pool_sets")
    if record["steering_policy"] not in ("", "off", "random") and not limits.traffic_steering:
        raise not_enabled(f"steering_policy {record['steering_policy']}")
    for code in record["region_pools"]:
        if code not in REGIONS:
            raise invalid("load_balancer.region_pools", f"{code!r} is not a region code")
    for code in record["country_pools"]:
        if not re.fullmatch("[A-Z]{2}", code):
            raise invalid("load_balancer.country_pools", f"{code!r} is not a country code")
    if record["proxied"] and record.get("ttl"):
        raise invalid("load_balancer.ttl", "applies to unproxied load balancers only")
    for pool in pools_of(record):
        _exists(store, "pools", pool, "load_balancer pool")
    if len(record["rules"]) > limits.rules and not limits.enterprise:
        raise invalid("load_balancer.rules", f"the plan allows {limits.rules} rule a load balancer")
    rules.verify(record["rules"])
    if not record["steering_policy"]:
        record["steering_policy"] = "geo" if record["region_pools"] or record["country_pools"] else "off"
    if not record["proxied"]:
        record.setdefault("ttl", 30)
    record["session_affinity"] = record["session_affinity"] or "none"
    record.setdefault("networks", ["cloudflare"])
    record["zone_name"] = zone


def _verify_group(store: Store, limits: Limits, record: Record, identifier: str) -> None:
    if not limits.enterprise:
        raise not_enabled("monitor groups")
    for member in record["members"]:
        _exists(store, "monitors", member["monitor_id"], "monitor_group.members")


def _unique(records: Mapping[str, Record], name: str, identifier: str, title: str) -> None:
    if any(other["name"] == name and key != identifier for key, other in records.items()):
        raise not_unique(title, name)


def _exists(store: Store, collection: str, identifier: str, where: str) -> None:
    if identifier not in store[collection]:
        raise invalid(where, f"{identifier!r} does not exist")


def pools_of(balancer: Record) -> Iterator[str]:
    """Every pool that a load balancer names, with repetitions."""
    for part in (balancer, *(rule.get("overrides", {}) for rule in balancer.get("rules", []))):
        yield from part.get("default_pools", [])
        if part.get("fallback_pool"):
            yield part["fallback_pool"]
        for name in ("region_pools", "country_pools", "pop_pools"):
            for pools in part.get(name, {}).values():
                yield from pools
        yield from part.get("random_steering", {}).get("pool_weights", {})


def references(store: Store, collection: str, identifier: str) -> list[dict[str, str]]:
    """Who uses the object ("referrer") and whom it uses ("referral")."""
    found: list[dict[str, str]] = []

    def add(direction: str, kind: str, record: Record) -> None:
        name = record.get("name") or record.get("description", "")
        entry = {"reference_type": direction, "resource_id": record["id"], "resource_name": name, "resource_type": kind}
        if entry not in found:
            found.append(entry)

    if collection == "monitors":
        for pool in store["pools"].values():
            if pool.get("monitor") == identifier:
                add("referrer", "pool", pool)
        for group in store["monitor_groups"].values():
            if any(member["monitor_id"] == identifier for member in group["members"]):
                add("referrer", "monitor_group", group)
    elif collection == "pools":
        monitor = store["pools"].get(identifier, {}).get("monitor")
        if monitor in store["monitors"]:
            add("referral", "monitor", store["monitors"][monitor])
        for balancer in store["load_balancers"].values():
            if identifier in pools_of(balancer):
                add("referrer", "load_balancer", balancer)
    elif collection == "load_balancers":
        for pool_id in pools_of(store["load_balancers"][identifier]):
            add("referral", "pool", store["pools"][pool_id])
    return found


MONITORS = Kind("monitors", "monitor", MONITOR, _verify_monitor)
POOLS = Kind("pools", "pool", POOL, _verify_pool)
LOAD_BALANCERS = Kind("load_balancers", "load_balancer", LOAD_BALANCER, _verify_load_balancer)
MONITOR_GROUPS = Kind("monitor_groups", "monitor_group", MONITOR_GROUP, _verify_group)
