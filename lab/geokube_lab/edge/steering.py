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
# Connections here carry one request at a time, so that their number and that of the requests are the same.
LEAST = ("least_outstanding_requests", "least_connections")


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
    load: Callable[[Record], int] = lambda pool: 0,
) -> list[str]:
    """The balancer's pools in the order its policy tries them from this place, without regard to health.

    `latency` gives a pool's mean round trip from here in milliseconds, `load` how many requests are on their way to it.
    Only geo looks at the lists of places, countries and regions.
    """
    policy = balancer["steering_policy"]
    if policy == "geo":
        return listed_pools(balancer, place)
    names = list(balancer["default_pools"])
    if policy == "random":
        return _weighted(names, balancer.get("random_steering", {}), draw, lambda name: 0)
    if policy in LEAST:
        return _weighted(names, balancer.get("random_steering", {}), draw, lambda name: load(pools[name]))
    if policy == "proximity":
        located = [name for name in names if "latitude" in pools[name]]
        located.sort(key=lambda name: distance_km(place.latitude, place.longitude,
                                                  pools[name]["latitude"], pools[name]["longitude"]))  # fmt: skip
        return located + [name for name in names if name not in located]
    if policy == "dynamic_latency":
        measured = {name: latency(pools[name]) for name in names}
        known = sorted((name for name in names if measured[name] is not None), key=lambda name: measured[name] or 0.0)
        return known + [name for name in names if measured[name] is None]
    return names


def _weighted(names: list[str], steering: Record, draw: random.Random, load: Callable[[str], int]) -> list[str]:
    weights = {name: steering.get("pool_weights", {}).get(name, steering.get("default_weight", 1)) for name in names}
    drawn = _drawn({name: weight for name, weight in weights.items() if weight > 0}, load, draw)
    return drawn + [name for name in names if weights[name] <= 0]


def _drawn(weights: Mapping[str, float], load: Callable[[str], int], draw: random.Random) -> list[str]:
    """All names, drawn one after another; what is under load counts proportionately less."""
    shares = {name: weight / (1 + load(name)) for name, weight in weights.items()}
    order: list[str] = []
    while len(order) < len(shares):
        rest = [name for name in shares if name not in order]
        order += draw.choices(rest, [shares[name] for name in rest])
    return order


def origin_order(
    pool: Record, client: str, draw: random.Random, load: Callable[[Record], int] = lambda origin: 0
) -> list[Record]:
    """A pool's enabled origins in the order its origin steering tries them; `load` as in pool_order."""
    origins = {origin["name"]: origin for origin in pool["origins"] if origin["enabled"] and origin["weight"] > 0}
    policy = pool.get("origin_steering", {}).get("policy", "random")
    if policy == "hash":
        return sorted(
            origins.values(),
            key=lambda origin: hashlib.sha256(f"{client} {origin['address']}".encode()).digest(),
        )
    weights = {name: origin["weight"] for name, origin in origins.items()}
    drawn = _drawn(weights, lambda name: load(origins[name]) if policy in LEAST else 0, draw)
    return [origins[name] for name in drawn]


def candidates(
    balancer: Record,
    pools: Mapping[str, Record],
    order: list[str],
    origins: Callable[[Record], list[Record]],
    usable: Callable[[Record, Record], bool],
    pool_usable: Callable[[Record], bool],
) -> list[tuple[Record, Record]]:
    """The (pool, origin) pairs to try in order: healthy ones, or when there are none the fallback pool's."""
    found = []
    for name in order:
        pool = pools[name]
        if pool["enabled"] and pool_usable(pool):
            found += [(pool, origin) for origin in origins(pool) if usable(pool, origin)]
    if found:
        return found
    fallback = pools[balancer["fallback_pool"]]
    return [(fallback, origin) for origin in origins(fallback)]
