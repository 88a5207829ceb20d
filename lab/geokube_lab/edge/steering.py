# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pools and origins a request may go to, in order: pure functions."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping
from math import asin, cos, radians, sin, sqrt

from geokube_lab.edge.places import Place
from geokube_lab.edge.store import Record

EARTH_RADIUS_KM = 6371.0


def distance_km(latitude_a: float, longitude_a: float, latitude_b: float, longitude_b: float) -> float:
    """Great-circle distance between two points given in degrees."""
    a, b = radians(latitude_a), radians(latitude_b)
    half = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(radians(longitude_b - longitude_a) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(half))


def listed_pools(balancer: Record, place: Place) -> list[str]:
    """The pools that geo steering looks at: the place's, else its country's, its region's, the default ones."""
    for table, key in (("pop_pools", place.code), ("country_pools", place.country), ("region_pools", place.region)):
        if balancer[table].get(key):
            return list(balancer[table][key])
    return list(balancer["default_pools"])


def pool_order(
    balancer: Record,
    pools: Mapping[str, Record],
    place: Place,
    latency: Callable[[Record], float | None],
    draw: random.Random,
) -> list[str]:
    """The balancer's pools in the order its policy tries them from this place, without regard to health."""
    policy = balancer["steering_policy"]
    if policy == "geo":
        return listed_pools(balancer, place)
    names = list(balancer["default_pools"])
    if policy == "random":
        return _weighted(names, balancer.get("random_steering", {}), draw)
    if policy == "proximity":
        located = [name for name in names if "latitude" in pools[name]]
        located.sort(key=lambda name: distance_km(place.latitude, place.longitude,
                                                  pools[name]["latitude"], pools[name]["longitude"]))  # fmt: skip
        return located + [name for name in names if name not in located]
    if policy == "dynamic_latency":
        names = listed_pools(balancer, place)
        measured = {name: latency(pools[name]) for name in names}
        known = sorted((name for name in names if measured[name] is not None), key=lambda name: measured[name] or 0.0)
        return known + [name for name in names if measured[name] is None]
    return names


def _weighted(names: list[str], steering: Record, draw: random.Random) -> list[str]:
    weights = {name: steering.get("pool_weights", {}).get(name, steering.get("default_weight", 1)) for name in names}
    rest, order = [name for name in names if weights[name] > 0], []
    while rest:
        chosen = draw.choices(rest, [weights[name] for name in rest])[0]
        rest.remove(chosen)
        order.append(chosen)
    return order + [name for name in names if weights[name] <= 0]


def origin_order(pool: Record, client: str, draw: random.Random) -> list[Record]:
    """A pool's enabled origins in the order its origin steering tries them."""
    origins = [origin for origin in pool["origins"] if origin["enabled"] and origin["weight"] > 0]
    if pool.get("origin_steering", {}).get("policy", "random") == "hash":
        return sorted(origins, key=lambda origin: hashlib.sha256(f"{client} {origin['address']}".encode()).digest())
    order = []
    while origins:
        chosen = draw.choices(origins, [origin["weight"] for origin in origins])[0]
        origins.remove(chosen)
        order.append(chosen)
    return order


def candidates(
    balancer: Record,
    pools: Mapping[str, Record],
    order: list[str],
    origins: Callable[[Record], list[Record]],
    usable: Callable[[Record, Record], bool],
    pool_usable: Callable[[Record], bool],
) -> list[tuple[Record, Record]]:
    """The (pool, origin) pairs to try in order; the fallback pool stands last, whatever its health."""
    found = []
    for name in order:
        pool = pools[name]
        if pool["enabled"] and pool_usable(pool):
            found += [(pool, origin) for origin in origins(pool) if usable(pool, origin)]
    fallback = pools[balancer["fallback_pool"]]
    seen = {(pool["id"], origin["name"]) for pool, origin in found}
    return found + [(fallback, origin) for origin in origins(fallback) if (fallback["id"], origin["name"]) not in seen]
