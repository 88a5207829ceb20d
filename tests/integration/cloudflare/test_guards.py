# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps users served: draining, the last healthy origin and pool, objects in use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cloudflare_harness import ACCOUNT, ZONE, Edge, Origins, run_module, wait_for, wanted

POOLS = f"/accounts/{ACCOUNT}/load_balancers/pools"


def wishes(origins: Origins, regions: tuple[str, ...] = ("ru", "sg", "au", "br"), **changes: Any) -> dict[str, Any]:
    """As `wanted`, with origins that really answer and only these regions."""
    made = wanted(**changes)
    made["monitors"][0].update(interval=2, timeout=1, retries=0, header={"Host": ["style.geokube.test"]})
    made["pools"] = [pool for pool in made["pools"] if pool["name"][5:] in regions]
    for pool in made["pools"]:
        address = Origins.addresses[pool["name"][5:]]
        pool["origins"] = [{"name": f"{pool['name'][5:]}-1", "address": address, "port": origins.port}]
    balancer = made["load_balancers"][0]
    names = [f"test-{region}" for region in regions]
    balancer["default_pools"] = names
    balancer["fallback_pool"] = names[0]
    balancer["region_pools"] = {
        code: [pool for pool in pools if pool in names] for code, pools in balancer["region_pools"].items()
    }
    balancer["adaptive_routing"] = {"failover_across_pools": True}
    return made


def apply(edge: Edge, params: dict[str, Any], check: bool = False) -> dict[str, Any]:
    result = run_module(edge, "cloudflare_traffic", params, check)
    assert not result["failed"], result["msg"]
    return result


def health(edge: Edge) -> dict[str, bool]:
    """Each pool's health by the info module."""
    found = run_module(edge, "cloudflare_load_balancing_info", {"health": True})
    return {pool["name"]: pool["health"]["healthy"] for pool in found["pools"]}


@pytest.fixture
def serving(edge: Edge, origins: Origins) -> Iterator[Edge]:
    apply(edge, wishes(origins, wait_healthy=15))
    assert set(health(edge).values()) == {True}
    edge.clear()
    yield edge


def test_a_balancer_is_not_made_for_pools_that_are_all_dead(edge: Edge, origins: Origins) -> None:
    for region in list(origins.servers):
        origins.stop(region)
    result = run_module(edge, "cloudflare_traffic", wishes(origins, wait_healthy=3))
    assert result["failed"]
    assert "none of the pools" in result["msg"]
    assert edge.api("GET", f"/zones/{ZONE}/load_balancers") == []
    assert run_module(edge, "cloudflare_traffic", wishes(origins, wait_healthy=1))["failed"]
    apply(edge, wishes(origins, wait_healthy=1, force=True))
    assert len(edge.api("GET", f"/zones/{ZONE}/load_balancers")) == 1


def test_pools_that_come_back_are_waited_for_and_nothing_changes(serving: Edge, origins: Origins) -> None:
    origins.stop("au")
    wait_for(lambda: not health(serving)["test-au"], 10)
    result = apply(serving, wishes(origins, wait_healthy=1))
    assert "not healthy after 1 s: test-au'" in str(result["warnings"])
    origins.start("au")
    result = apply(serving, wishes(origins, wait_healthy=30))
    assert not result["changed"]
    assert health(serving)["test-au"]


def test_a_region_leaves_drained_first(serving: Edge, origins: Origins) -> None:
    result = apply(serving, wishes(origins, ("ru", "sg", "br"), prune=True))
    changes = [one for one in serving.requests() if not one.startswith("GET")]
    assert [one.split()[0] for one in changes] == ["PATCH", "PATCH", "DELETE"]
    assert "/pools/" in changes[0]
    assert "/zones/" in changes[1]
    assert [(one["kind"], one["action"]) for one in result["actions"]] == [
        ("load_balancer", "update"),
        ("pool", "delete"),
    ]
    assert serving.curl("au", "/")[2] == "sg"


def test_the_last_healthy_pool_stays(serving: Edge, origins: Origins) -> None:
    for region in ("ru", "sg", "br"):
        origins.stop(region)
    wait_for(lambda: list(health(serving).values()).count(True) == 1, 10)
    for prune in (True, False):
        result = run_module(serving, "cloudflare_traffic", wishes(origins, ("ru", "sg", "br"), prune=prune))
        assert result["failed"]
        assert "test-au is its last healthy pool" in result["msg"]
    assert serving.curl("ru", "/")[2] == "au"
    apply(serving, wishes(origins, ("ru", "sg", "br"), prune=True, force=True))


def test_a_dead_region_may_leave(serving: Edge, origins: Origins) -> None:
    origins.stop("au")
    wait_for(lambda: not health(serving)["test-au"], 10)
    apply(serving, wishes(origins, ("ru", "sg", "br"), prune=True))


def test_a_pool_in_use_is_not_deleted(serving: Edge, origins: Origins) -> None:
    params = {"zone": ZONE, "name": "test-au", "state": "absent", "drain_seconds": 0}
    for check in (True, False):
        result = run_module(serving, "cloudflare_load_balancer_pool", params, check)
        assert result["failed"]
        assert "is used by load balancer style.geokube.test" in result["msg"]
    result = run_module(serving, "cloudflare_load_balancer_pool", dict(params, force=True))
    assert not result["failed"], result["msg"]
    balancer = serving.api("GET", f"/zones/{ZONE}/load_balancers")[0]
    assert len(balancer["region_pools"]["OC"]) == 3
    assert {pool["name"] for pool in serving.api("GET", POOLS)} == {"test-ru", "test-sg", "test-br"}


def test_a_monitor_in_use_is_not_deleted(serving: Edge) -> None:
    params = {"owner": "test", "name": "test-https", "state": "absent"}
    result = run_module(serving, "cloudflare_load_balancer_monitor", params)
    assert result["failed"]
    assert "monitor test-https is used by pool test-ru, pool test-sg" in result["msg"]
    assert not run_module(serving, "cloudflare_load_balancer_monitor", dict(params, force=True))["failed"]
    assert not any(pool.get("monitor") for pool in serving.api("GET", POOLS))


def test_an_origin_is_replaced_only_when_the_new_one_is_healthy(serving: Edge, origins: Origins) -> None:
    params = wishes(origins)
    params["pools"][2]["origins"] = [{"name": "au-2", "address": "127.0.2.9", "port": origins.port}]
    result = run_module(serving, "cloudflare_traffic", dict(params, wait_healthy=3))
    assert result["failed"]
    assert "pool test-au: without 127.0.2.3 it would have 0 healthy of 1 needed origins" in result["msg"]
    assert serving.curl("au", "/")[2] == "au"
    origins.addresses["spare"] = "127.0.2.9"
    origins.start("spare")
    try:
        apply(serving, dict(params, wait_healthy=15))
        pool = next(pool for pool in serving.api("GET", POOLS) if pool["name"] == "test-au")
        assert [origin["name"] for origin in pool["origins"]] == ["au-2"]
        assert serving.curl("au", "/")[2] == "spare"
    finally:
        origins.stop("spare")
        del origins.addresses["spare"]


def test_draining_disables_waits_and_removes(serving: Edge, origins: Origins) -> None:
    params = wishes(origins)
    two = [*params["pools"][2]["origins"], {"name": "au-2", "address": "127.0.2.2", "port": origins.port}]
    params["pools"][2]["origins"] = two
    apply(serving, params)
    wait_for(lambda: len(served(serving, 12)) == 2, 10)
    serving.clear()
    params["pools"][2]["origins"] = two[:1]
    apply(serving, params)
    changes = [one for one in serving.requests() if one.startswith("PATCH")]
    assert len(changes) == 2
    assert served(serving, 4) == {"au"}


def served(edge: Edge, times: int) -> set[str]:
    """Who answers users in au."""
    return {edge.curl("au", "/")[2] for _ in range(times)}


def test_a_pool_that_is_the_last_healthy_one_is_not_disabled(serving: Edge, origins: Origins) -> None:
    for region in ("ru", "sg", "br"):
        origins.stop(region)
    wait_for(lambda: list(health(serving).values()).count(True) == 1, 10)
    params = {"zone": ZONE, "name": "test-au", "enabled": False}
    result = run_module(serving, "cloudflare_load_balancer_pool", params)
    assert result["failed"]
    assert "last healthy pool" in result["msg"]
