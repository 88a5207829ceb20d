# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set-up in which every option of the modules is given, and another value for every one of them.

The options come from the modules' own argument specs: one that is new and has no value here fails the tests.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from ansible_collections.meridian.geokube.plugins.module_utils import cloudflare_options as options

Path = tuple[str | int, ...]
OWNER, MONITOR, POOL, OTHER, BALANCER = "drift", "probe", "first", "second", "drift.geokube.test"
# What names an object, so that another value of it is another object.
IDENTITY = {("name",), ("origins", 0, "name")}

MONITORS: list[dict[str, Any]] = [{
    "name": MONITOR, "type": "https", "description": "ready", "method": "GET", "path": "/readyz",
    "header": {"Host": ["style.geokube.test"]}, "port": 443, "timeout": 5, "retries": 1, "interval": 30,
    "consecutive_up": 1, "consecutive_down": 1, "expected_body": "ok", "expected_codes": "200",
    "follow_redirects": False, "allow_insecure": True, "probe_zone": "geokube.test",
}]  # fmt: skip
POOLS: list[dict[str, Any]] = [
    {
        "name": POOL, "description": "Moscow", "enabled": True, "minimum_origins": 1, "monitor": MONITOR,
        "monitor_group": "a" * 32, "check_regions": ["EEU", "OC"], "health_sources": ["local", "global"],
        "latitude": 55.75, "longitude": 37.62, "notification_email": "a@example.com",
        "load_shedding": {"default_percent": 10, "default_policy": "random", "session_percent": 5,
                          "session_policy": "hash"},
        "notification_filter": {"origin": {"disable": True, "healthy": True},
                                "pool": {"disable": True, "healthy": True}},
        "origin_steering": {"policy": "hash"},
        "origins": [{"name": "one", "address": "192.0.2.1", "enabled": True, "weight": 0.5, "port": 443,
                     "flatten_cname": True, "header": {"Host": ["style.geokube.test"]},
                     "virtual_network_id": "a5624d4e-044a-4ff0-b3e1-e2465353d4b4"}],
    },
    {"name": OTHER, "origins": [{"name": "two", "address": "192.0.2.2"}]},
]  # fmt: skip
STEERED: dict[str, Any] = {
    "adaptive_routing": {"failover_across_pools": True}, "country_pools": {"BR": [POOL, OTHER]},
    "default_pools": [POOL, OTHER], "fallback_pool": POOL,
    "location_strategy": {"mode": "pop", "prefer_ecs": "always"}, "pop_pools": {"SYD": [OTHER]},
    "random_steering": {"default_weight": 0.5, "pool_weights": {POOL: 0.5, OTHER: 0.7}},
    "region_pools": {"OC": [POOL]}, "session_affinity": "cookie",
    "session_affinity_attributes": {"drain_duration": 60, "headers": ["x"], "require_all_headers": True,
                                    "samesite": "Lax", "secure": "Always", "zero_downtime_failover": "sticky"},
    "session_affinity_ttl": 3600, "steering_policy": "geo", "ttl": 60,
}  # fmt: skip
ANSWER = {"content_type": "text/plain", "location": "/x", "message_body": "closed", "status_code": 503}
BALANCERS: list[dict[str, Any]] = [{
    **STEERED, "name": BALANCER, "description": "the service", "enabled": True, "proxied": False,
    "rules": [
        {"name": "closed", "condition": 'http.host eq "x"', "disabled": False, "priority": 1, "terminates": True,
         "fixed_response": ANSWER, "overrides": STEERED},
    ],
    "pool_sets": [
        {"name": "set", "disabled": False, "fixed_response": ANSWER,
         "match": {"default": False, "topology": {"countries": ["AU"], "pops": ["SYD"], "regions": ["OC"]}},
         "overrides": {"pools": [POOL], "pool_weights": {POOL: 0.5}, "pool_default_weight": 1, "fallback_pool": POOL,
                       "steering_policy": "off"}},
    ],
}]  # fmt: skip
SPECS = {"monitor": options.MONITOR, "pool": options.POOL, "load_balancer": options.LOAD_BALANCER}
GIVEN = {"monitor": MONITORS[0], "pool": POOLS[0], "load_balancer": BALANCERS[0]}
# Other values where a longer text or a greater number would not do; by the last name of the path.
VALUES: dict[str, Any] = {
    "address": "192.0.2.77", "check_regions": ["WEU"], "condition": 'http.host eq "y"', "consecutive_down": 3,
    "country_pools": {"AU": [OTHER]}, "default_pools": [OTHER, POOL], "default_weight": 0.2, "expected_codes": "2xx",
    "fallback_pool": OTHER, "header": {"Host": ["other.geokube.test"]}, "health_sources": ["regional"],
    "Host": ["other.geokube.test"], "monitor": "", "monitor_group": "b" * 32, "pool_default_weight": 0.5,
    "pool_weights": {POOL: 0.1}, "pools": [OTHER], "pop_pools": {"GRU": [POOL]}, "region_pools": {"OC": [OTHER]},
    "status_code": 418, "weight": 0.25,
}  # fmt: skip


def wishes(**changes: Any) -> dict[str, Any]:
    """The whole set-up for cloudflare_traffic."""
    return {
        "zone": "geokube.test", "owner": OWNER, "drain_seconds": 0, "force": True, "monitors": copy.deepcopy(MONITORS),
        "pools": copy.deepcopy(POOLS), "load_balancers": copy.deepcopy(BALANCERS), **changes,
    }  # fmt: skip


def leaves(spec: dict[str, Any], before: Path = ()) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The path of every option that holds a value, and how it is declared; lists of objects by their first item."""
    for name, option in spec.items():
        path = (*before, name)
        if "options" in option:
            yield from leaves(option["options"], (*path, 0) if option["type"] == "list" else path)
        elif path not in IDENTITY:
            yield path, option


def at(value: Any, path: Path) -> Any:
    """The part of a value at a path; KeyError when it is not given."""
    for step in path:
        value = value[step]
    return value


def other(value: Any, option: dict[str, Any], name: str) -> Any:
    """Another value that the API takes too."""
    if name in VALUES:
        return VALUES[name]
    if "choices" in option:
        return next(choice for choice in option["choices"] if choice not in (value, "", "header"))
    match option["type"]:
        case "bool":
            return not value
        case "int" | "float":
            return value + 1
        case "str":
            return f"{value}x"
        case "list":
            return [*value, "y"]
    raise AssertionError(f"VALUES needs an entry for {name}")


def changed(record: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """The one field of a record to be sent so that the part at the path has that value."""
    top = {path[0]: copy.deepcopy(record[str(path[0])])}
    at(top, path[:-1])[path[-1]] = value
    return {str(name): item for name, item in top.items()}
