# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's process is killed while it waits for each of its answers: the next run ends as it would have."""

from __future__ import annotations

import re
from typing import Any

import pytest
from cloudflare_harness import ACCOUNT, ZONE, Edge, module_process, run_module, wait_for, wanted

MODULE = "cloudflare_traffic"
LISTS = (f"/accounts/{ACCOUNT}/load_balancers/monitors", f"/accounts/{ACCOUNT}/load_balancers/pools",
         f"/zones/{ZONE}/load_balancers")  # fmt: skip
ANY, WRITES = ".*", "POST|PUT|PATCH|DELETE"
# How many requests a creation has, and how many changes a removal and a deletion.
CREATE, REMOVE, DELETE = 10, 3, 6


def less() -> dict[str, Any]:
    """Without the region au."""
    wishes = wanted(prune=True)
    wishes["pools"] = [pool for pool in wishes["pools"] if pool["name"] != "test-au"]
    balancer = wishes["load_balancers"][0]
    balancer["region_pools"] = {
        code: [pool for pool in order if pool != "test-au"] for code, order in balancer["region_pools"].items()
    }
    return wishes


def killed(edge: Edge, params: dict[str, Any], after: int, methods: str = ANY) -> None:
    """Let the request of that number (from 0) take effect, and kill the process before it hears of that."""
    edge.clear()
    edge.fault(method=methods, action="hang", committed=True, skip=after, seconds=60, times=99)
    process = module_process(edge, MODULE, params)
    try:
        wait_for(lambda: count(edge, methods) > after or process.poll() is not None, 60)
        assert process.poll() is None, f"it ended by itself: {process.communicate()}"
    finally:
        process.kill()
        process.communicate()
    edge.clear()


def count(edge: Edge, methods: str = ANY) -> int:
    """How many requests of these methods there were."""
    return sum(bool(re.fullmatch(methods, one.split()[0])) for one in edge.requests())


def converges(edge: Edge, params: dict[str, Any], counts: list[int]) -> None:
    result = run_module(edge, MODULE, params)
    assert not result["failed"], result["msg"]
    assert [len(edge.api("GET", path)) for path in LISTS] == counts
    assert not run_module(edge, MODULE, params)["changed"]


@pytest.mark.parametrize("after", range(CREATE))
def test_killed_while_it_creates(edge: Edge, after: int) -> None:
    """One monitor, four pools, one balancer: never two of a kind."""
    killed(edge, wanted(), after)
    converges(edge, wanted(), [1, 4, 1])


@pytest.mark.parametrize("after", range(REMOVE))
def test_killed_while_a_region_leaves(edge: Edge, after: int) -> None:
    assert not run_module(edge, MODULE, wanted())["failed"]
    killed(edge, less(), after, WRITES)
    converges(edge, less(), [1, 3, 1])


@pytest.mark.parametrize("after", range(DELETE))
def test_killed_while_it_deletes(edge: Edge, after: int) -> None:
    assert not run_module(edge, MODULE, wanted())["failed"]
    killed(edge, wanted(state="absent"), after, WRITES)
    converges(edge, wanted(state="absent"), [0, 0, 0])


def test_there_are_no_more_requests_than_were_killed_at(edge: Edge) -> None:
    for params, methods, number in (
        (wanted(), ANY, CREATE), (less(), WRITES, REMOVE), (wanted(), WRITES, 2),
        (wanted(state="absent"), WRITES, DELETE),
    ):  # fmt: skip
        edge.clear()
        assert not run_module(edge, MODULE, params)["failed"]
        assert count(edge, methods) == number
