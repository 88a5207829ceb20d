# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of monitors, pools and load balancers with the API's defaults and bounds."""

from __future__ import annotations

from geokube_lab.edge.fields import Field
from geokube_lab.edge.places import REGIONS

READ_ONLY = frozenset(
    {"id", "created_on", "modified_on", "disabled_at", "healthy", "zone_name", "created_at", "updated_at"}
)
STEERING = (
    "off", "geo", "random", "dynamic_latency", "proximity",
    "least_outstanding_requests", "least_connections", "",
)  # fmt: skip
AFFINITY = ("none", "cookie", "ip_cookie", "header", "")
TEXT = Field("string")
TEXTS = Field("list", item=TEXT)
POOL_MAP = Field("map", default={}, item=TEXTS)

MONITOR = {
    "type": Field("string", "http", choices=("http", "https", "tcp", "udp_icmp", "icmp_ping", "smtp")),
    "description": Field("string", ""),
    "method": Field("string", ""),
    "path": Field("string", ""),
    "header": Field("map", {}, item=TEXTS),
    "port": Field("integer", 0, minimum=0, maximum=65535),
    "timeout": Field("integer", 5, minimum=1, maximum=15),
    "retries": Field("integer", 2, minimum=0, maximum=5),
    "interval": Field("integer", 60, minimum=1, maximum=3600),
    "consecutive_up": Field("integer", 0, minimum=0, maximum=10),
    "consecutive_down": Field("integer", 0, minimum=0, maximum=10),
    "expected_body": Field("string", ""),
    "expected_codes": Field("string", ""),
    "follow_redirects": Field("boolean", False),
    "allow_insecure": Field("boolean", False),
    "probe_zone": Field("string", ""),
}
ORIGIN = {
    "name": Field("string", required=True),
    "address": Field("string", required=True),
    "enabled": Field("boolean", True),
    "weight": Field("number", 1, minimum=0, maximum=1),
    "port": Field("integer", 0, minimum=0, maximum=65535),
    "flatten_cname": Field("boolean", True),
    "header": Field("object", fields={"Host": TEXTS}),
    "virtual_network_id": Field("string"),
}
FILTER = Field("object", fields={"disable": Field("boolean", False), "healthy": Field("boolean")})
POOL = {
    "name": Field("string", required=True),
    "origins": Field("list", required=True, item=Field("object", fields=ORIGIN)),
    "description": Field("string", ""),
    "enabled": Field("boolean", True),
    "minimum_origins": Field("integer", 1, minimum=0, maximum=10000),
    "monitor": TEXT,
    "monitor_group": TEXT,
    "check_regions": Field("list", item=Field("string", choices=(*REGIONS, "ALL_REGIONS"))),
    "latitude": Field("number", minimum=-90, maximum=90),
    "longitude": Field("number", minimum=-180, maximum=180),
    "load_shedding": Field(
        "object",
        fields={
            "default_percent": Field("number", 0, minimum=0, maximum=100),
            "default_policy": Field("string", "random", choices=("random", "hash")),
            "session_percent": Field("number", 0, minimum=0, maximum=100),
            "session_policy": Field("string", "hash", choices=("hash",)),
        },
    ),
    "notification_email": Field("string", ""),
    "notification_filter": Field("object", fields={"origin": FILTER, "pool": FILTER}),
    "origin_steering": Field(
        "object",
        fields={
            "policy": Field(
                "string", "random", choices=("random", "hash", "least_outstanding_requests", "least_connections")
            )
        },
    ),
    "health_sources": Field("list", item=Field("string", choices=("local", "regional", "global"))),
    "networks": TEXTS,
}
STEERED = {
    "adaptive_routing": Field("object", fields={"failover_across_pools": Field("boolean", False)}),
    "country_pools": POOL_MAP,
    "location_strategy": Field(
        "object",
        fields={
            "mode": Field("string", "pop", choices=("pop", "resolver_ip")),
            "prefer_ecs": Field("string", "proximity", choices=("always", "never", "proximity", "geo")),
        },
    ),
    "pop_pools": POOL_MAP,
    "random_steering": Field(
        "object",
        fields={
            "default_weight": Field("number", 1, minimum=0, maximum=1),
            "pool_weights": Field("map", {}, item=Field("number", minimum=0, maximum=1)),
        },
    ),
    "region_pools": POOL_MAP,
    "session_affinity": Field("string", "none", choices=AFFINITY),
    "session_affinity_attributes": Field(
        "object",
        fields={
            "drain_duration": Field("number", 0, minimum=0),
            "headers": Field("list", item=TEXT),
            "require_all_headers": Field("boolean", False),
            "samesite": Field("string", "Auto", choices=("Auto", "Lax", "None", "Strict")),
            "secure": Field("string", "Auto", choices=("Auto", "Always", "Never")),
            "zero_downtime_failover": Field("string", "none", choices=("none", "temporary", "sticky")),
        },
    ),
    "session_affinity_ttl": Field("number", minimum=30, maximum=604800),
    "steering_policy": Field("string", "", choices=STEERING),
    "ttl": Field("number", minimum=0),
}
OVERRIDES = {
    name: Field(field.kind, choices=field.choices, minimum=field.minimum, item=field.item, fields=field.fields)
    for name, field in STEERED.items()
} | {"default_pools": TEXTS, "fallback_pool": TEXT}
RULE = {
    "name": Field("string", required=True),
    "condition": Field("string", ""),
    "disabled": Field("boolean", False),
    "priority": Field("integer", 0, minimum=0),
    "terminates": Field("boolean", False),
    "overrides": Field("object", {}, fields=OVERRIDES),
    "fixed_response": Field(
        "object",
        fields={
            "content_type": TEXT,
            "location": TEXT,
            "message_body": TEXT,
            "status_code": Field("integer", minimum=100, maximum=599),
        },
    ),
}
LOAD_BALANCER = {
    "name": Field("string", required=True),
    "description": Field("string", ""),
    "enabled": Field("boolean", True),
    "default_pools": Field("list", required=True, item=TEXT),
    "fallback_pool": Field("string", required=True),
    "proxied": Field("boolean", False),
    "rules": Field("list", [], item=Field("object", fields=RULE)),
    "pool_sets": Field("list", item=Field("object")),
    "networks": TEXTS,
    **STEERED,
}
MONITOR_GROUP = {
    "description": Field("string", required=True),
    "members": Field(
        "list",
        required=True,
        item=Field(
            "object",
            fields={
                "monitor_id": Field("string", required=True),
                "enabled": Field("boolean", required=True),
                "monitoring_only": Field("boolean", required=True),
                "must_be_healthy": Field("boolean", required=True),
            },
        ),
    ),
}
