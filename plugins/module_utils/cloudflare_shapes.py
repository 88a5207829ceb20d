# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the fields of monitors, pools and load balancers are compared: the API's defaults, keys and orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.meridian.geokube.plugins.module_utils.ensure import PLAIN, Shape

if TYPE_CHECKING:
    Record = dict[str, Any]

# What the server adds by itself, to the object and to a pool's origins.
READ_ONLY = frozenset({"id", "created_on", "modified_on", "disabled_at", "healthy", "networks", "zone_name", "zone_id"})
ORIGIN_READ_ONLY = frozenset({"disabled_at"})


def writable(record: Record) -> Record:
    """A copy of an object without what the server adds by itself: it says nothing in a diff and cannot be sent."""
    kept = {name: value for name, value in record.items() if name not in READ_ONLY}
    if kept.get("origins"):
        kept["origins"] = [
            {name: value for name, value in origin.items() if name not in ORIGIN_READ_ONLY}
            for origin in kept["origins"]
        ]
    return kept


REGIONS = ("WNAM", "ENAM", "WEU", "EEU", "NSAM", "SSAM", "OC", "ME", "NAF", "SAF", "SAS", "SEAS", "NEAS")

MAP = Shape(default={}, whole=True)
LIST = Shape(default=[])
FALSE = Shape(default=False)
TRUE = Shape(default=True)
ZERO = Shape(default=0)

_MONITOR = {
    "type": Shape(default="http"),
    "description": PLAIN,
    "header": MAP,
    "port": ZERO,
    "timeout": Shape(default=5),
    "retries": Shape(default=2),
    "interval": Shape(default=60),
    "consecutive_up": ZERO,
    "consecutive_down": ZERO,
    "expected_body": PLAIN,
    "follow_redirects": FALSE,
    "allow_insecure": FALSE,
    "probe_zone": PLAIN,
}


def monitor_shapes(kind: str) -> dict[str, Shape]:
    """The shapes of a monitor of this type: what a request needs has a default only where there are requests."""
    shapes = dict(_MONITOR, method=PLAIN, path=PLAIN, expected_codes=PLAIN)
    if kind in ("http", "https"):
        shapes.update(method=Shape(default="GET"), path=Shape(default="/"), expected_codes=Shape(default="200"))
    elif kind == "tcp":
        shapes.update(method=Shape(default="connection_established"))
    return shapes


ORIGIN = {
    "name": PLAIN,
    "address": PLAIN,
    "enabled": TRUE,
    "weight": Shape(default=1),
    "port": ZERO,
    "flatten_cname": TRUE,
    "header": MAP,
    "virtual_network_id": PLAIN,
}
_FILTER = Shape(default={}, fields={"disable": FALSE, "healthy": PLAIN})
POOL = {
    "name": PLAIN,
    "description": PLAIN,
    "enabled": TRUE,
    "minimum_origins": Shape(default=1),
    "monitor": PLAIN,
    "monitor_group": PLAIN,
    "check_regions": Shape(default=[], ordered=False),
    "health_sources": Shape(default=[], ordered=False),
    "latitude": PLAIN,
    "longitude": PLAIN,
    "load_shedding": Shape(
        default={},
        fields={
            "default_percent": ZERO,
            "default_policy": Shape(default="random"),
            "session_percent": ZERO,
            "session_policy": Shape(default="hash"),
        },
    ),
    "notification_email": PLAIN,
    "notification_filter": Shape(default={}, fields={"origin": _FILTER, "pool": _FILTER}),
    "origin_steering": Shape(default={}, fields={"policy": Shape(default="random")}),
    "origins": Shape(default=[], fields=ORIGIN, key="name"),
}
_STEERED = {
    "adaptive_routing": Shape(default={}, fields={"failover_across_pools": FALSE}),
    "country_pools": MAP,
    "default_pools": LIST,
    "fallback_pool": PLAIN,
    "location_strategy": Shape(
        default={}, fields={"mode": Shape(default="pop"), "prefer_ecs": Shape(default="proximity")}
    ),
    "pop_pools": MAP,
    "random_steering": Shape(default={}, fields={"default_weight": Shape(default=1), "pool_weights": MAP}),
    "region_pools": MAP,
    "session_affinity": Shape(default="none"),
    "session_affinity_attributes": Shape(
        default={},
        fields={
            "drain_duration": ZERO,
            "headers": Shape(default=[], ordered=False),
            "require_all_headers": FALSE,
            "samesite": Shape(default="Auto"),
            "secure": Shape(default="Auto"),
            "zero_downtime_failover": Shape(default="none"),
        },
    ),
    "session_affinity_ttl": PLAIN,
    "steering_policy": PLAIN,
    "ttl": PLAIN,
}
_RULE = {
    "name": PLAIN,
    "condition": PLAIN,
    "disabled": FALSE,
    "priority": ZERO,
    "terminates": FALSE,
    "fixed_response": PLAIN,
    "overrides": Shape(default={}, whole=True),
}
LOAD_BALANCER = dict(
    _STEERED,
    name=PLAIN,
    description=PLAIN,
    enabled=TRUE,
    proxied=FALSE,
    rules=Shape(default=[], fields=_RULE),
    pool_sets=LIST,
)
