# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the lab's edge that can be had without a network."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "lab"))

from geokube_lab.edge import steering
from geokube_lab.edge.errors import ApiError
from geokube_lab.edge.expressions import matches, parse
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
    assert order("au", steering_policy="dynamic_latency", rtt=rtt) == ["ru", "br", "sg", "au"]


def test_random_follows_the_weights() -> None:
    draw = random.Random(7)
    balancer = {**BALANCER, "steering_policy": "random",
                "random_steering": {"default_weight": 1, "pool_weights": {"ru": 0.25}}}  # fmt: skip
    first = [steering.pool_order(balancer, POOLS, PLACES["au"], lambda pool: None, draw)[0] for _ in range(2000)]
    assert 0.16 < first.count("ru") / 2000 < 0.24


def test_dead_and_disabled_pools_are_passed_over_and_the_fallback_stands_last() -> None:
    pools = {**POOLS, "sg": {**POOLS["sg"], "enabled": False}}
    found = steering.candidates(
        BALANCER, pools, ["au", "sg", "br"], lambda pool: pool["origins"], lambda pool, origin: True,
        lambda pool: pool["id"] != "au",
    )  # fmt: skip
    assert [pool["id"] for pool, _ in found] == ["br", "ru"]


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


def request(path: str = "/results/a.jpg", host: str = "style.geokube.test", method: str = "GET") -> Any:
    return SimpleNamespace(path=path, raw_path=path, host=host, method=method)


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        ('starts_with(http.request.uri.path, "/results/")', True),
        ('http.host eq "style.geokube.test" and http.request.method eq "GET"', True),
        ('http.host eq "other" or ends_with(http.request.uri.path, ".jpg")', True),
        ('http.request.uri.path.extension in {"png" "jpg"}', True),
        ('not starts_with(http.request.uri.path, "/results/")', False),
        ('http.host ne "style.geokube.test"', False),
        ("true", True),
    ],
)
def test_expressions(expression: str, fits: bool) -> None:
    parse(expression)
    assert matches(expression, request()) is fits


@pytest.mark.parametrize("expression", ["", "nonsense", 'ip.src eq "192.0.2.1"', 'starts_with(http.host, "a"'])
def test_expressions_that_are_not_understood_are_refused(expression: str) -> None:
    with pytest.raises(ApiError):
        parse(expression)
