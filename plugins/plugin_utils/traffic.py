# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From hosts and plan to what the balancer shall do: a pool per region, and an order of pools for its users."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import Any

from ansible_collections.meridian.geokube.plugins.module_utils.region_catalogue import (
    EARTH_RADIUS_KM,
    CloudRegion,
    find_region,
)

Record = dict[str, Any]


class TrafficError(ValueError):
    """Hosts and plan do not go together; the message says which and what to do."""


@dataclass(frozen=True)
class Region:
    """One of our regions as the balancer sees it: latitude and longitude in degrees, origins by name."""

    name: str
    place: CloudRegion
    latitude: float
    longitude: float
    origins: tuple[tuple[str, str], ...]


def regions_of(hosts: Iterable[Mapping[str, Any]]) -> dict[str, Region]:
    """Group the hosts that take in users by region, in the order in which they come.

    Raises TrafficError for a host without a public address or in a place that the catalogue does not know.
    """
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for host in hosts:
        grouped.setdefault(str(host["geokube_region"]), []).append(host)
    found = {}
    for name, members in grouped.items():
        first = members[0]
        place = find_region(str(first["geokube_provider"]), str(first["geokube_cloud_region"]))
        if place is None:
            raise TrafficError(
                f"host {first['inventory_hostname']}: cloud region {first['geokube_cloud_region']!r} of "
                f"{first['geokube_provider']} is not in the catalogue of regions"
            )
        for host in members:
            if not host.get("geokube_public_ip"):
                raise TrafficError(
                    f"host {host['inventory_hostname']} takes in users but has no geokube_public_ip: "
                    "give it a public address, or take it out of the group ingress"
                )
        origins = tuple((str(host["inventory_hostname"]), str(host["geokube_public_ip"])) for host in members)
        latitude = float(first.get("geokube_latitude", place.latitude))
        longitude = float(first.get("geokube_longitude", place.longitude))
        found[name] = Region(name, place, latitude, longitude, origins)
    if not found:
        raise TrafficError("no host takes in users: the group ingress is empty")
    return found


def order_for(region: str, plan: Mapping[str, Any], there: Iterable[str]) -> list[str]:
    """The regions that serve a region's users, nearest by measured round trip first.

    Raises TrafficError when the plan does not know a region.
    """
    known = plan.get("regions") or {}
    if region not in known:
        raise TrafficError(f"region {region!r} is not in the plan: run the survey again")
    order = [region, *known[region]["fallback_regions"]]
    missing = sorted(set(there) - set(order))
    if missing:
        raise TrafficError(f"the plan does not say how far {', '.join(missing)} is from {region}: run the survey again")
    return [name for name in order if name in set(there)]


# A point among the users of each of Cloudflare's regions, degrees: where none of our regions is, distance decides.
CENTRES = {
    "WNAM": (37.8, -122.4),
    "ENAM": (40.7, -74.0),
    "WEU": (50.1, 8.7),
    "EEU": (52.2, 21.0),
    "NSAM": (4.7, -74.1),
    "SSAM": (-23.6, -46.6),
    "OC": (-33.9, 151.2),
    "ME": (25.2, 55.3),
    "NAF": (30.0, 31.2),
    "SAF": (-26.2, 28.0),
    "SAS": (19.1, 72.9),
    "SEAS": (1.4, 103.8),
    "NEAS": (35.7, 139.7),
}


def nearest(code: str, regions: Mapping[str, Region], plan: Mapping[str, Any]) -> list[str]:
    """Our regions for a Cloudflare region where we have none: the nearest on the map, then by its measured order."""
    latitude, longitude = CENTRES[code]
    first = min(
        regions.values(), key=lambda region: _kilometres(latitude, longitude, region.latitude, region.longitude)
    )
    return order_for(first.name, plan, regions)


def _kilometres(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    here, there = radians(latitude), radians(other_latitude)
    half = sin((there - here) / 2) ** 2 + cos(here) * cos(there) * sin(radians(other_longitude - longitude) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(half))


def steering(regions: Mapping[str, Region], plan: Mapping[str, Any]) -> tuple[dict[str, list[str]], Record]:
    """Give the order of our regions for each of Cloudflare's, and by country where two of ours share one."""
    by_code: dict[str, list[str]] = {}
    by_country: Record = {}
    for name, region in regions.items():
        order = order_for(name, plan, regions)
        code = region.place.cloudflare_region
        if code in by_code:
            by_country.setdefault(region.place.country, order)
        else:
            by_code[code] = order
    for code in CENTRES:
        by_code.setdefault(code, nearest(code, regions, plan))
    return by_code, by_country


def traffic_wishes(hosts: Iterable[Mapping[str, Any]], plan: Mapping[str, Any], settings: Mapping[str, Any]) -> Record:
    """Give monitors, pools and load_balancers as M(meridian.geokube.cloudflare_traffic) takes them, and `summary`.

    `settings`: cluster, hostname, monitor, steering_policy, session_affinity, session_affinity_ttl, session_failover.
    """
    regions = regions_of(hosts)
    cluster, hostname = settings["cluster"], settings["hostname"]
    names = {name: f"{cluster}-{name}" for name in regions}
    home = next(iter(order_for(str(plan["home_region"]), plan, regions)))
    by_code, by_country = steering(regions, plan)
    monitor = {"name": f"{cluster}-ingress", **settings["monitor"]}
    pools = [
        {
            "name": names[name],
            "enabled": True,
            "monitor": monitor["name"],
            "latitude": region.latitude,
            "longitude": region.longitude,
            "origins": [{"name": origin, "address": address, "enabled": True} for origin, address in region.origins],
        }
        for name, region in regions.items()
    ]
    default = [names[name] for name in order_for(home, plan, regions)]
    # The other policies choose among the default pools.
    geo = settings["steering_policy"] == "geo"
    balancer = {
        "name": hostname,
        "default_pools": default,
        "fallback_pool": names[home],
        "region_pools": _named(by_code, names) if geo else {},
        "country_pools": _named(by_country, names) if geo else {},
        "steering_policy": settings["steering_policy"],
        "session_affinity": settings["session_affinity"],
        "proxied": True,
        "enabled": True,
        "adaptive_routing": {"failover_across_pools": True},
    }
    if settings["session_affinity"] != "none":
        balancer["session_affinity_ttl"] = settings["session_affinity_ttl"]
        balancer["session_affinity_attributes"] = {"zero_downtime_failover": settings["session_failover"]}
    summary = {
        "version": 1,
        "driver": "cloudflare",
        "hostname": hostname,
        "steering_policy": settings["steering_policy"],
        "home_region": home,
        "regions": {
            name: {
                "pool": names[name],
                "pools": order_for(name, plan, regions),
                "origins": [origin[1] for origin in region.origins],
                "cloudflare_region": region.place.cloudflare_region,
                "latitude": region.latitude,
                "longitude": region.longitude,
            }
            for name, region in regions.items()
        },
    }
    return {"monitors": [monitor], "pools": pools, "load_balancers": [balancer], "summary": summary}


def _named(orders: Mapping[str, list[str]], names: Mapping[str, str]) -> dict[str, list[str]]:
    return {code: [names[name] for name in order] for code, order in orders.items()}
