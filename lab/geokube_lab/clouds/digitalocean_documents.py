# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""DigitalOcean's documents: a droplet and the regions, field by field as its API reference has them."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

from geokube_lab.clouds.machine import Machine

_STATUS = {
    "starting": "new",
    "running": "active",
    "stopping": "active",
    "stopped": "off",
    "deleted": "archive",
    "failed": "off",
}
_REGION_NAMES = {
    "nyc1": "New York 1",
    "nyc2": "New York 2",
    "nyc3": "New York 3",
    "ams3": "Amsterdam 3",
    "sfo2": "San Francisco 2",
    "sfo3": "San Francisco 3",
    "sgp1": "Singapore 1",
    "lon1": "London 1",
    "fra1": "Frankfurt 1",
    "tor1": "Toronto 1",
    "blr1": "Bangalore 1",
    "syd1": "Sydney 1",
    "atl1": "Atlanta 1",
}
_FEATURES = ["backups", "ipv6", "metadata", "storage", "image_transfer"]
_SIZE = "s-2vcpu-8gb"
REGIONS: tuple[dict[str, Any], ...] = tuple(
    {"name": name, "slug": slug, "sizes": [_SIZE], "features": _FEATURES, "available": True}
    for slug, name in _REGION_NAMES.items()
)


def droplet(machine: Machine) -> dict[str, Any]:
    """A droplet as the API shows it."""
    created = machine.created.strftime("%Y-%m-%dT%H:%M:%SZ")
    region = machine.cloud_region
    return {
        "id": int(machine.instance_id),
        "name": machine.name,
        "memory": 8192,
        "vcpus": 2,
        "disk": 160,
        "disk_info": [{"type": "local", "size": {"amount": 160, "unit": "gib"}}],
        "locked": False,
        "status": _STATUS[machine.state],
        "kernel": None,
        "created_at": created,
        "features": ["private_networking"] + (["ipv6"] if machine.public_ipv6 else []),
        "backup_ids": [],
        "next_backup_window": None,
        "snapshot_ids": [],
        "image": {
            "id": 159651797,
            "name": "12 x64",
            "distribution": "Debian",
            "slug": "debian-12-x64",
            "public": True,
            "regions": [region],
            "created_at": created,
            "min_disk_size": 7,
            "type": "base",
            "size_gigabytes": 0.5,
            "description": "Debian 12 x64",
            "tags": [],
            "status": "available",
        },
        "volume_ids": [],
        "size": {
            "slug": machine.machine_type,
            "memory": 8192,
            "vcpus": 2,
            "disk": 160,
            "transfer": 5.0,
            "price_monthly": 48.0,
            "price_hourly": 0.07143,
            "regions": [region],
            "available": True,
            "description": "Basic",
        },
        "size_slug": machine.machine_type,
        "networks": _networks(machine),
        "region": {
            "name": _REGION_NAMES.get(region, region.upper()),
            "slug": region,
            "sizes": [machine.machine_type],
            "features": _FEATURES,
            "available": True,
        },
        "tags": machine.digitalocean_tags(),
        "vpc_uuid": "760e09ef-dc84-11e8-981e-3cfdfeaae000",
    }


def _networks(machine: Machine) -> dict[str, Any]:
    v4 = []
    if machine.private_address:
        network = IPv4Network(f"{machine.private_address}/24", strict=False)
        v4.append(
            {
                "ip_address": machine.private_address,
                "netmask": str(network.netmask),
                "gateway": str(network[1]),
                "type": "private",
            }
        )
    if machine.public_address:
        network = IPv4Network(f"{machine.public_address}/26", strict=False)
        v4.append(
            {
                "ip_address": machine.public_address,
                "netmask": str(network.netmask),
                "gateway": str(network[1]),
                "type": "public",
            }
        )
    v6 = []
    if machine.public_ipv6:
        v6.append({"ip_address": machine.public_ipv6, "netmask": 64, "gateway": "2001:db8::1", "type": "public"})
    return {"v4": v4, "v6": v6}
