# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the lab's edge that can be had without a network."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "lab"))

from geokube_lab.edge import steering
from geokube_lab.edge.health import Reading
from geokube_lab.edge.places import from_topology
from geokube_lab.edge.probe import Outcome, code_expected

PLACES = {place.name: place for place in from_topology()}
POOLS: dict[str, dict[str, Any]] = {
    name: {"id": name, "enabled": True, "latitude": place.latitude, "longitude": place.longitude,
           "origins": [{"name": name, "address": name, "port": 0, "enabled": True, "weight": 1}]}
    for name, place in PLACES.items()
}  # fmt: skip
BALANCER: dict[str, Any] = {
    "default_pools": ["ru", "sg"],
    "fallback_pool": "ru",
    "region_pools": {"OC": ["au", "sg", "br", "ru"]},
    "country_pools": {"BR": ["br", "ru"]},
    "pop_pools": {},
    "steering_policy": "geo",
}


def order(place: str, **changes: Any) -> list[str]:
    return steering.pool_order(
        {**BALANCER, **changes},
        POOLS,
        PLACES[place],
        lambda pool: changes.get("rtt", {}).get(pool["id"]),
        random.Random(1),
    )


def test_geography_goes_by_country_then_region_then_default() -> None:
    assert order("au") == ["au", "sg", "br", "ru"]
    assert order("br") == ["br", "ru"]
    assert order("sg") == ["ru", "sg"]


def test_off_keeps_the_order_of_the_default_pools() -> None:
    assert order("au", steering_policy="off") == ["ru", "sg"]


def test_proximity_goes_by_distance() -> None:
    default = ["ru", "sg", "au", "br"]
    assert order("au", steering_policy="proximity", default_pools=default) == ["au", "sg", "br", "ru"]
    assert order("ru", steering_policy="proximity", default_pools=default) == ["ru", "sg", "br", "au"]


def test_dynamic_latency_goes_by_measured_round_trips() -> None:
    rtt = {"ru": 10.0, "sg": 300.0, "br": 20.0}
    default = ["sg", "au", "br", "ru"]
    assert order("au", steering_policy="dynamic_latency", default_pools=default, rtt=rtt) == ["ru", "br", "sg", "au"]


def test_dynamic_latency_looks_at_the_default_pools_only_and_begins_in_their_order() -> None:
    assert order("au", steering_policy="dynamic_latency") == ["ru", "sg"]


@pytest.mark.parametrize("policy", ["least_outstanding_requests", "least_connections"])
def test_what_is_under_load_gets_proportionately_less(policy: str) -> None:
    draw = random.Random(3)
    balancer = {**BALANCER, "steering_policy": policy, "random_steering": {"pool_weights": {"sg": 0.5}}}
    load = {"ru": 3, "sg": 0}
    first = [
        steering.pool_order(balancer, POOLS, PLACES["au"], lambda pool: None, draw, lambda pool: load[pool["id"]])[0]
        for _ in range(3000)
    ]
    # 1 / (1 + 3) against 0.5 / (1 + 0).
    assert 0.29 < first.count("ru") / 3000 < 0.38


@pytest.mark.parametrize(("policy", "share"), [("random", 0.5), ("least_outstanding_requests", 0.2)])
def test_origins_under_load_get_less_only_where_the_pool_asks_for_it(policy: str, share: float) -> None:
    draw = random.Random(4)
    origins = [{"name": name, "address": name, "enabled": True, "weight": 1} for name in ("busy", "idle")]
    pool = {"origins": origins, "origin_steering": {"policy": policy}}
    first = [
        steering.origin_order(pool, "192.0.2.1", draw, lambda origin: 3 if origin["name"] == "busy" else 0)[0]["name"]
        for _ in range(3000)
    ]
    assert abs(first.count("busy") / 3000 - share) < 0.05


def test_hash_keeps_a_users_origin() -> None:
    origins = [{"name": str(n), "address": str(n), "enabled": True, "weight": 1} for n in range(4)]
    pool = {"origins": origins, "origin_steering": {"policy": "hash"}}
    found = {
        user: {steering.origin_order(pool, user, random.Random())[0]["name"] for _ in range(5)}
        for user in map(str, range(40))
    }
    assert all(len(chosen) == 1 for chosen in found.values())
    assert len(set.union(*found.values())) == 4


def test_random_follows_the_weights() -> None:
    draw = random.Random(7)
    balancer = {**BALANCER, "steering_policy": "random",
                "random_steering": {"default_weight": 1, "pool_weights": {"ru": 0.25}}}  # fmt: skip
    first = [steering.pool_order(balancer, POOLS, PLACES["au"], lambda pool: None, draw)[0] for _ in range(2000)]
    assert 0.16 < first.count("ru") / 2000 < 0.24


@pytest.mark.parametrize(
    ("order", "chosen"), [(["au", "sg", "br"], ["br"]), (["au", "sg"], ["ru"]), (["br", "ru"], ["br", "ru"])]
)
def test_dead_and_disabled_pools_are_passed_over_and_the_fallback_is_for_when_nothing_is_left(
    order: list[str], chosen: list[str]
) -> None:
    pools = {**POOLS, "sg": {**POOLS["sg"], "enabled": False}}
    found = steering.candidates(
        BALANCER, pools, order, lambda pool: pool["origins"], lambda pool, origin: True,
        lambda pool: pool["id"] != "au",
    )  # fmt: skip
    assert [pool["id"] for pool, _ in found] == chosen


@pytest.mark.parametrize(
    ("status", "expected", "fits"),
    [(200, "200", True), (204, "2xx", True), (301, "200, 3XX", True), (500, "2xx,404", False), (20, "2xx", False)],
)
def test_expected_codes(status: int, expected: str, fits: bool) -> None:
    assert code_expected(status, expected) is fits


def test_health_flips_only_after_as_many_in_a_row_as_asked() -> None:
    monitor = {"consecutive_up": 2, "consecutive_down": 3}
    reading = Reading()
    reading.take(Outcome(None, 200, 10.0), monitor)
    assert reading.healthy is True
    states = []
    for outcome in (None, "x", "x", None, "x", "x", "x", "x", None, None):
        reading.take(Outcome(outcome, 200, 10.0), monitor)
        states.append(reading.healthy)
    assert states == [True, True, True, True, True, True, False, False, False, True]
