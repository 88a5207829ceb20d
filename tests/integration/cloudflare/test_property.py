# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random wanted states applied one after another: each is reached, and reaching it again changes nothing."""

from __future__ import annotations

import random
from typing import Any

import pytest
from cloudflare_harness import ACCOUNT, ZONE, Edge, run_module

REGIONS = ("EEU", "OC", "SEAS", "SSAM", "WEU")


# What the API does not show as long as nobody set it.
UNSAID = {"default_percent": 0, "policy": "random", "failover_across_pools": False}


def random_state(draw: random.Random) -> dict[str, Any]:
    """A wanted state with some of the options given, over few names so that states overlap."""

    def some(options: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in options.items() if draw.random() < 0.4}

    monitors = [
        {"name": name, "type": draw.choice(["http", "https"]), "interval": draw.choice([15, 30, 60]), **some({
            "path": draw.choice(["/", "/readyz"]), "retries": draw.randrange(4), "description": draw.choice(["", "x"]),
            "header": draw.choice([{}, {"Host": ["a.geokube.test"]}]), "expected_codes": draw.choice(["200", "2xx"]),
            "follow_redirects": draw.random() < 0.5, "consecutive_down": draw.randrange(3),
        })}
        for name in draw.sample(["m1", "m2", "m3"], draw.randint(1, 3))
    ]  # fmt: skip
    pools = []
    for name in draw.sample(["p1", "p2", "p3", "p4", "p5"], draw.randint(1, 5)):
        numbers = draw.sample(range(1, 9), draw.randint(1, 4))
        origins = [
            {"name": f"o{number}", "address": f"192.0.2.{number}", **some({
                "weight": draw.choice([1, 0.5, 0.25]), "port": draw.choice([0, 8443]),
                "enabled": draw.random() < 0.8, "header": draw.choice([{}, {"Host": ["b.geokube.test"]}]),
            })}
            for number in numbers
        ]  # fmt: skip
        pools.append({"name": name, "origins": origins, **some({
            "monitor": draw.choice([one["name"] for one in monitors]), "description": draw.choice(["", "y"]),
            "minimum_origins": draw.randrange(3), "check_regions": draw.sample(REGIONS, draw.randrange(4)),
            "origin_steering": {"policy": draw.choice(["random", "hash"])}, "enabled": draw.random() < 0.9,
            "load_shedding": {"default_percent": draw.choice([0, 12.5])},
        }), "latitude": draw.choice([0, -33.87]), "longitude": 10})  # fmt: skip
    names = [pool["name"] for pool in pools]

    def order() -> list[str]:
        return draw.sample(names, draw.randint(1, len(names)))

    balancers = [
        {"name": name, "default_pools": order(), "fallback_pool": draw.choice(names),
         "region_pools": {code: order() for code in draw.sample(REGIONS, draw.randrange(4))},
         "country_pools": {code: order() for code in draw.sample(["AU", "BR"], draw.randrange(3))},
         "rules": [{"name": "r", "condition": "true", "overrides": {"default_pools": order()}}] * draw.randrange(2),
         "random_steering": {"pool_weights": {draw.choice(names): 0.5}}, **some({
             "steering_policy": draw.choice(["off", "geo", "random", "proximity"]), "proxied": draw.random() < 0.5,
             "session_affinity": draw.choice(["none", "cookie"]), "description": draw.choice(["", "z"]),
             "adaptive_routing": {"failover_across_pools": draw.random() < 0.5},
         })}
        for name in draw.sample(["a.geokube.test", "b.geokube.test"], draw.randint(1, 2))
    ]  # fmt: skip
    return {
        "zone": ZONE, "owner": "random", "prune": True, "force": True, "drain_seconds": 0,
        "monitors": monitors, "pools": pools, "load_balancers": balancers,
    }  # fmt: skip


def shows(wanted: Any, actual: Any) -> bool:
    """Whether what the API shows contains what was wanted, empty and left out alike."""
    if wanted in ("", {}, [], None):
        return actual in ("", {}, [], None)
    if isinstance(wanted, dict):
        shown = {**UNSAID, **(actual or {})}
        return all(shows(value, shown.get(name)) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(actual, list) and len(wanted) == len(actual) and all(map(shows, wanted, actual))
    return bool(wanted == actual)


def assert_shown(edge: Edge, state: dict[str, Any]) -> None:
    """Compare the account with the state by the API alone, without the code under test."""
    paths = (f"/accounts/{ACCOUNT}/load_balancers/monitors", f"/accounts/{ACCOUNT}/load_balancers/pools")
    monitors, pools = (edge.api("GET", path) for path in paths)
    balancers = edge.api("GET", f"/zones/{ZONE}/load_balancers")
    ids = {pool["id"]: pool["name"] for pool in pools}
    ids |= {one["id"]: one["description"].rsplit("/", 1)[1].rstrip("]") for one in monitors}

    def named(value: Any) -> Any:
        if isinstance(value, dict):
            return {ids.get(key, key): named(item) for key, item in value.items()}
        if isinstance(value, list):
            return [named(item) for item in value]
        return ids.get(value, value) if isinstance(value, str) else value

    for kind, records in (("monitors", monitors), ("pools", pools), ("load_balancers", balancers)):
        found = {ids.get(record["id"], record.get("name")): named(record) for record in records}
        assert set(found) == {one["name"] for one in state[kind]}
        for one in state[kind]:
            wanted = {name: value for name, value in one.items() if name not in ("name", "description")}
            if "origins" in wanted:
                wanted["origins"] = sorted(wanted["origins"], key=lambda origin: str(origin["name"]))
                found[one["name"]].setdefault("check_regions", [])
                wanted["check_regions"] = sorted(wanted.get("check_regions", found[one["name"]]["check_regions"]))
                found[one["name"]]["check_regions"] = sorted(found[one["name"]]["check_regions"] or [])
            assert shows(wanted, found[one["name"]]), (wanted, found[one["name"]])
            if "description" in one:
                assert (
                    found[one["name"]]["description"] == f"{one['description']} [geokube:random/{one['name']}]".strip()
                )


@pytest.mark.parametrize("seed", range(3))
def test_twenty_states_in_random_order(edge: Edge, seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(20):
        state = random_state(draw)
        foretold = run_module(edge, "cloudflare_traffic", state, check=True)
        done = run_module(edge, "cloudflare_traffic", state)
        assert not done["failed"], done["msg"]
        assert foretold["changed"] == done["changed"]
        assert_shown(edge, state)
        edge.clear()
        again = run_module(edge, "cloudflare_traffic", state)
        assert not again["changed"], (again["diff"], state)
        assert all(one.startswith("GET") for one in edge.requests())


FAULTS: list[dict[str, Any]] = [
    {"status": 400, "code": 1002}, {"status": 502, "committed": True, "times": 9}, {"status": 403, "times": 9},
    {"status": 502}, {"action": "reset", "committed": True}, {"action": "torn"}, {"action": "garbled"},
]  # fmt: skip


@pytest.mark.parametrize("seed", range(10, 13))
def test_twenty_states_between_faults_converge_to_the_last(edge: Edge, seed: int) -> None:
    """Each run meets a fault somewhere and may end half way; the last one meets none."""
    draw = random.Random(seed)
    broken = 0
    for _ in range(20):
        state = random_state(draw)
        edge.clear()
        edge.fault(method=draw.choice([".*", "POST", "PATCH", "DELETE"]), skip=draw.randrange(6), **draw.choice(FAULTS))
        broken += run_module(edge, "cloudflare_traffic", state)["failed"]
    edge.clear()
    done = run_module(edge, "cloudflare_traffic", state)
    assert not done["failed"], done["msg"]
    assert_shown(edge, state)
    assert not run_module(edge, "cloudflare_traffic", state)["changed"]
    assert broken >= 3


@pytest.mark.parametrize("seed", range(20, 22))
def test_whichever_module_brings_it_about(edge: Edge, seed: int) -> None:
    """The objects' own modules, each in its order, end where the whole set-up's module ends."""
    draw = random.Random(seed)
    for _ in range(5):
        edge.wipe()
        state = random_state(draw)
        common = {"owner": state["owner"], "force": True}
        for monitor in state["monitors"]:
            assert run_module(edge, "cloudflare_load_balancer_monitor", {**common, **monitor})["changed"]
        for pool in state["pools"]:
            params = {**common, "zone": ZONE, "drain_seconds": 0, **pool}
            # The pool's own module takes a monitor of another owner's, too: by its identifier.
            if "monitor" in pool:
                params["monitor"] = identifier_of_monitor(edge, pool["monitor"])
            assert run_module(edge, "cloudflare_load_balancer_pool", params)["changed"]
        for balancer in state["load_balancers"]:
            assert run_module(edge, "cloudflare_load_balancer", {**common, "zone": ZONE, **balancer})["changed"]
        assert_shown(edge, state)
        result = run_module(edge, "cloudflare_traffic", state)
        assert not result["changed"], result["diff"]


def identifier_of_monitor(edge: Edge, name: str) -> str:
    mark = f"[geokube:random/{name}]"
    found = edge.api("GET", f"/accounts/{ACCOUNT}/load_balancers/monitors")
    return next(str(one["id"]) for one in found if one["description"].endswith(mark))
