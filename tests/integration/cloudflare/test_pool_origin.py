# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One origin registered without owning the pool."""

from __future__ import annotations

from typing import Any

import pytest
from cloudflare_harness import ACCOUNT, ZONE, Edge, module_process, run_module

POOLS = f"/accounts/{ACCOUNT}/load_balancers/pools"
MODULE = "cloudflare_load_balancer_pool_origin"


@pytest.fixture
def pool(edge: Edge) -> str:
    origins = [{"name": "first", "address": "192.0.2.1", "weight": 0.5, "header": {"Host": ["x.geokube.test"]}}]
    return str(edge.api("POST", POOLS, {"name": "p", "origins": origins, "description": "by hand"})["id"])


def origins(edge: Edge) -> dict[str, Any]:
    return {origin["name"]: origin for origin in edge.api("GET", POOLS)[0]["origins"]}


def test_a_node_joins_and_leaves(edge: Edge, pool: str) -> None:
    before = edge.api("GET", POOLS)[0]
    params = {"pool": "p", "name": "second", "address": "192.0.2.2", "weight": 0.25}
    assert run_module(edge, MODULE, params, check=True)["changed"]
    assert set(origins(edge)) == {"first"}
    made = run_module(edge, MODULE, params)
    assert made["changed"]
    assert made["diff"]["before"] == {}
    assert made["diff"]["after"]["weight"] == 0.25
    assert origins(edge)["first"] == before["origins"][0]
    edge.clear()
    assert not run_module(edge, MODULE, params)["changed"]
    assert len(edge.requests()) == 1
    assert not run_module(edge, MODULE, {"pool": pool, "name": "second", "address": "192.0.2.2"})["changed"]
    changed = run_module(edge, MODULE, dict(params, address="192.0.2.3", enabled=False))
    assert changed["diff"]["after"]["address"] == "192.0.2.3"
    left = run_module(edge, MODULE, {"pool": "p", "name": "second", "state": "absent"})
    assert left["changed"]
    assert not run_module(edge, MODULE, {"pool": "p", "name": "second", "state": "absent"})["changed"]
    after = edge.api("GET", POOLS)[0]
    assert {**after, "modified_on": ""} == {**before, "modified_on": ""}


def test_the_only_origin_and_an_unknown_pool(edge: Edge, pool: str) -> None:
    result = run_module(edge, MODULE, {"pool": "p", "name": "first", "state": "absent"})
    assert "is the only one of pool p" in result["msg"]
    result = run_module(edge, MODULE, {"pool": "q", "name": "a", "address": "192.0.2.9"})
    assert "there is no pool 'q'" in result["msg"]
    assert "the pools are p" in result["msg"]
    assert "address" in run_module(edge, MODULE, {"pool": "p", "name": "a"})["msg"]


def test_the_last_healthy_origin_of_a_pool_in_use_stays(edge: Edge, pool: str) -> None:
    body = {"name": "x.geokube.test", "default_pools": [pool], "fallback_pool": pool}
    edge.api("POST", f"/zones/{ZONE}/load_balancers", body)
    run_module(edge, MODULE, {"pool": "p", "name": "second", "address": "192.0.2.2"})
    gone = run_module(edge, MODULE, {"pool": "p", "name": "first", "state": "absent", "drain_seconds": 0})
    # No monitor, so nothing is known to be healthy and nothing healthy is lost.
    assert gone["changed"]
    patches = [one for one in edge.requests() if one.startswith("PATCH")]
    assert len(patches) == 3


def test_nodes_that_join_at_the_same_moment_are_all_there(edge: Edge, pool: str) -> None:
    running = [
        module_process(edge, MODULE, {"pool": "p", "name": f"n{number}", "address": f"192.0.2.{number}"})
        for number in range(2, 6)
    ]
    ended = [process.communicate(timeout=60) for process in running]
    assert all(process.returncode == 0 for process in running), ended
    assert {"n2", "n3", "n4", "n5"} <= set(origins(edge))
