# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the API at every object of a whole set-up, kills in the middle, and wrong options."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cloudflare_harness import ACCOUNT, MONITOR, ZONE, Edge, free_port, run_module, wanted

POOL = {"name": "test-ru", "origins": [{"name": "ru-1", "address": "192.0.2.1"}]}
BALANCER = {"name": "style.geokube.test", "default_pools": ["test-ru"], "fallback_pool": "test-ru"}
TRAFFIC: dict[str, Any] = {"owner": "test", "zone": ZONE, "monitors": [MONITOR], "pools": [POOL],
                           "load_balancers": [BALANCER]}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "collection"),
    [
        ("monitors$", f"/accounts/{ACCOUNT}/load_balancers/monitors"),
        ("pools$", f"/accounts/{ACCOUNT}/load_balancers/pools"),
        ("zones/.*load_balancers$", f"/zones/{ZONE}/load_balancers"),
    ],
)
@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("action", ["status", "reset", "torn"])
def test_a_lost_post_never_makes_twins(edge: Edge, action: str, committed: bool, path: str, collection: str) -> None:
    edge.fault(method="POST", path=path, action=action, status=502, committed=committed)
    result = run_module(edge, "cloudflare_traffic", TRAFFIC)
    assert not result["failed"], result["msg"]
    assert len(edge.api("GET", collection)) == 1
    assert not run_module(edge, "cloudflare_traffic", TRAFFIC)["changed"]


def test_a_post_that_fails_for_good_is_told(edge: Edge) -> None:
    edge.fault(method="POST", path="monitors$", status=502, times=99)
    result = run_module(edge, "cloudflare_traffic", TRAFFIC)
    assert result["failed"]
    assert "HTTP 502" in result["msg"]
    assert len([one for one in edge.requests() if one.startswith("POST")]) == 3


def test_a_wrong_token(edge: Edge) -> None:
    result = run_module(edge, "cloudflare_traffic", TRAFFIC, token="not-the-token")
    assert result["failed"]
    assert result["status"] == 401
    assert "mistyped, expired or revoked" in result["msg"]


def test_a_token_that_may_only_read(edge: Edge) -> None:
    result = run_module(edge, "cloudflare_traffic", TRAFFIC, token="reader")
    assert result["failed"]
    assert "'Account > Load Balancing: Monitors and Pools: Edit'" in result["msg"]


def test_a_long_rate_limit_is_an_error_that_says_how_long(edge: Edge) -> None:
    edge.fault(status=429, code=971, headers={"Retry-After": "300"}, times=9)
    result = run_module(edge, "cloudflare_traffic", dict(TRAFFIC, rate_limit_wait=60))
    assert result["failed"]
    assert "wait 300 s" in result["msg"]
    assert "rate_limit_wait" in result["msg"]


def test_a_rate_limit_in_the_middle_is_waited_for_and_told(edge: Edge) -> None:
    edge.fault(method="POST", path="pools$", status=429, code=10100, headers={"Retry-After": "2"})
    result = run_module(edge, "cloudflare_traffic", TRAFFIC)
    assert not result["failed"]
    assert result["rate_limit_waited"] == 2
    assert "waiting 2 s" in json.dumps(result["warnings"])


def test_a_server_that_hangs(edge: Edge) -> None:
    edge.fault(action="hang", seconds=30, times=9)
    result = run_module(edge, "cloudflare_traffic", dict(TRAFFIC, request_timeout=1))
    assert result["failed"]
    assert "no answer: " in result["msg"]


def test_nobody_there(edge: Edge) -> None:
    params = dict(TRAFFIC, base_url=f"http://127.0.0.1:{free_port()}/client/v4")
    result = run_module(edge, "cloudflare_traffic", params)
    assert result["failed"]
    assert "Connection refused" in result["msg"]


@pytest.mark.parametrize("after", range(6))
def test_killed_in_the_middle_and_run_again(edge: Edge, after: int) -> None:
    edge.fault(method="POST", skip=after, status=400, code=9999, times=99)
    assert run_module(edge, "cloudflare_traffic", wanted())["failed"]
    edge.clear()
    result = run_module(edge, "cloudflare_traffic", wanted())
    assert not result["failed"]
    assert len(result["actions"]) == 6 - after
    assert not run_module(edge, "cloudflare_traffic", wanted())["changed"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"account_id": "short"}, "account_id 'short' is not an identifier"),
        ({"zone": "nowhere.test"}, "zone 'nowhere.test' is not in account"),
        ({"zone": None}, "zone is needed for load balancers"),
        ({"owner": "a b"}, "owner 'a b' may hold only"),
        ({"base_url": "ftp://x"}, "is no http or https address"),
        ({"base_url": "http://192.0.2.1/client/v4"}, "would carry the token in clear"),
        ({"monitors": [MONITOR, MONITOR]}, "monitors: test-https is given more than once"),
        ({"monitors": [{"name": "x", "type": "tcp"}]}, "monitors[x].port is needed"),
        ({"pools": [{"name": "a b", "origins": []}]}, "pools[a b].name may hold only"),
        ({"pools": [{"name": "a", "origins": []}]}, "pools[a].origins: a pool needs at least one origin"),
        ({"pools": [{"name": "a"}]}, "pools[a].origins is needed"),
        ({"pools": [dict(POOL, latitude=1)]}, "latitude and longitude must be given together"),
        ({"pools": [dict(POOL, monitor="none")]}, "pools[test-ru].monitor: there is no monitor 'none'"),
        ({"pools": [dict(POOL, origins=[{"name": "x", "address": "192.0.2.1", "weight": 0.123}])]}, "weight"),
        ({"load_balancers": [dict(BALANCER, region_pools={"MOON": ["test-ru"]})]}, "'MOON' is no region"),
        ({"load_balancers": [dict(BALANCER, region_pools={"OC": []})]}, "region_pools.OC: a list of pools is needed"),
        ({"load_balancers": [dict(BALANCER, country_pools={"AUS": ["test-ru"]})]}, "'AUS' is no country code"),
        ({"load_balancers": [dict(BALANCER, proxied=True, ttl=60)]}, "ttl applies only when proxied is false"),
        ({"load_balancers": [{"name": "style.geokube.test"}]}, "default_pools is needed"),
    ],
)
def test_wrong_options_are_named(edge: Edge, change: dict[str, Any], text: str) -> None:
    params = dict(TRAFFIC)
    params["load_balancers"] = [] if "pools" in change else params["load_balancers"]
    result = run_module(edge, "cloudflare_traffic", {**params, **change})
    assert result["failed"]
    assert text in result["msg"], result["msg"]
