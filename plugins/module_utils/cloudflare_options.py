# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of monitors, pools and load balancers: every attribute that the API lets one set."""

from __future__ import annotations

from typing import Any

CHECK_REGIONS = [
    "WNAM", "ENAM", "WEU", "EEU", "NSAM", "SSAM", "OC", "ME", "NAF", "SAF", "SAS", "SEAS", "NEAS",
    "CHINA", "ALL_REGIONS",
]  # fmt: skip
STEERING = [
    "off", "geo", "random", "dynamic_latency", "proximity",
    "least_outstanding_requests", "least_connections", "",
]  # fmt: skip
ORIGIN_STEERING = ["random", "hash", "least_outstanding_requests", "least_connections"]
STR = {"type": "str"}
INT = {"type": "int"}
FLOAT = {"type": "float"}
BOOL = {"type": "bool"}
DICT = {"type": "dict"}
STRS = {"type": "list", "elements": "str"}


def _object(**options: Any) -> dict[str, Any]:
    return {"type": "dict", "options": options}


def _objects(options: dict[str, Any]) -> dict[str, Any]:
    return {"type": "list", "elements": "dict", "options": options}


MONITOR: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "type": {"type": "str", "choices": ["http", "https", "tcp", "udp_icmp", "icmp_ping", "smtp"]},
    "description": STR,
    "method": STR,
    "path": STR,
    "header": DICT,
    "port": INT,
    "timeout": INT,
    "retries": INT,
    "interval": INT,
    "consecutive_up": INT,
    "consecutive_down": INT,
    "expected_body": STR,
    "expected_codes": STR,
    "follow_redirects": BOOL,
    "allow_insecure": BOOL,
    "probe_zone": STR,
}
ORIGIN: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "address": {"type": "str", "required": True},
    "enabled": BOOL,
    "weight": FLOAT,
    "port": INT,
    "flatten_cname": BOOL,
    "header": _object(Host=STRS),
    "virtual_network_id": STR,
}
_FILTER = _object(disable=BOOL, healthy=BOOL)
POOL: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "description": STR,
    "enabled": BOOL,
    "minimum_origins": INT,
    "monitor": STR,
    "monitor_group": STR,
    "check_regions": {"type": "list", "elements": "str", "choices": CHECK_REGIONS},
    "health_sources": {"type": "list", "elements": "str", "choices": ["local", "regional", "global"]},
    "latitude": FLOAT,
    "longitude": FLOAT,
    "load_shedding": _object(
        default_percent=FLOAT,
        default_policy={"type": "str", "choices": ["random", "hash"]},
        session_percent=FLOAT,
        session_policy={"type": "str", "choices": ["hash"]},
    ),
    "notification_email": STR,
    "notification_filter": _object(origin=_FILTER, pool=_FILTER),
    "origin_steering": _object(policy={"type": "str", "choices": ORIGIN_STEERING}),
    "origins": _objects(ORIGIN),
}
_STEERED: dict[str, Any] = {
    "adaptive_routing": _object(failover_across_pools=BOOL),
    "country_pools": DICT,
    "default_pools": STRS,
    "fallback_pool": STR,
    "location_strategy": _object(
        mode={"type": "str", "choices": ["pop", "resolver_ip"]},
        prefer_ecs={"type": "str", "choices": ["always", "never", "proximity", "geo"]},
    ),
    "pop_pools": DICT,
    "random_steering": _object(default_weight=FLOAT, pool_weights=DICT),
    "region_pools": DICT,
    "session_affinity": {"type": "str", "choices": ["none", "cookie", "ip_cookie", "header", ""]},
    "session_affinity_attributes": _object(
        drain_duration=FLOAT,
        headers=STRS,
        require_all_headers=BOOL,
        samesite={"type": "str", "choices": ["Auto", "Lax", "None", "Strict"]},
        secure={"type": "str", "choices": ["Auto", "Always", "Never"]},
        zero_downtime_failover={"type": "str", "choices": ["none", "temporary", "sticky"]},
    ),
    "session_affinity_ttl": FLOAT,
    "steering_policy": {"type": "str", "choices": STEERING},
    "ttl": FLOAT,
}
_RULE: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "condition": STR,
    "disabled": BOOL,
    "priority": INT,
    "terminates": BOOL,
    "fixed_response": _object(content_type=STR, location=STR, message_body=STR, status_code=INT),
    "overrides": _object(**_STEERED),
}
_POOL_SET: dict[str, Any] = {
    "name": STR,
    "disabled": BOOL,
    "match": _object(default=BOOL, topology=_object(countries=STRS, pops=STRS, regions=STRS)),
    "fixed_response": _object(content_type=STR, location=STR, message_body=STR, status_code=INT),
    "overrides": _object(
        pools=STRS,
        pool_weights=DICT,
        pool_default_weight=FLOAT,
        fallback_pool=STR,
        steering_policy={"type": "str", "choices": STEERING},
    ),
}
LOAD_BALANCER: dict[str, Any] = dict(
    _STEERED,
    name={"type": "str", "required": True},
    description=STR,
    enabled=BOOL,
    proxied=BOOL,
    rules=_objects(_RULE),
    pool_sets=_objects(_POOL_SET),
)
