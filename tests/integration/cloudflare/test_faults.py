# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault table: each error of the API, each module, each state; and what must never happen after one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cloudflare_harness import ACCOUNT, MONITOR, ZONE, Edge, free_port, run_module, wanted

POOL = {"name": "test-ru", "origins": [{"name": "ru-1", "address": "192.0.2.1"}]}
BALANCER = {"name": "style.geokube.test", "default_pools": ["test-ru"], "fallback_pool": "test-ru"}
MODULES: dict[str, dict[str, Any]] = {
    "cloudflare_load_balancer_monitor": {"owner": "test", **MONITOR},
    "cloudflare_load_balancer_pool": POOL,
    "cloudflare_load_balancer": {"zone": ZONE, **BALANCER},
    "cloudflare_traffic": {"owner": "test", "zone": ZONE, "monitors": [MONITOR], "pools": [POOL],
                           "load_balancers": [BALANCER]},
}  # fmt: skip
# (fault of the emulator, what the message must say)
REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "401": ({"status": 401, "code": 10000}, "The API token is not accepted"),
    "403": ({"status": 403, "code": 10000}, "The token lacks the permission"),
    "404": ({"status": 404, "code": 1001}, "Check account_id and zone"),
    "400 not enabled": ({"status": 400, "code": 1002, "message": "feature is not enabled"}, "plan lacks this feature"),
    "400 invalid": ({"status": 400, "code": 1002, "message": "origins: validation failed"}, "Change the option"),
    "400 not unique": ({"status": 400, "code": 1003}, "Another object has this name"),
    "400 referenced": ({"status": 400, "code": 1002, "message": "is still referenced"}, "Something still uses"),
    "412 referenced": ({"status": 412, "code": 1005}, "Something still uses the object"),
    "301": ({"status": 301, "headers": {"Location": "https://example.com"}}, "base_url is redirected"),
    "500 for good": ({"status": 500, "times": 99}, "run again later"),
    "reset for good": ({"action": "reset", "times": 99}, "no answer"),
    "torn for good": ({"action": "torn", "times": 99}, "no answer: "),
}
PASSING: dict[str, dict[str, Any]] = {
    "500": {"status": 500},
    "502": {"status": 502, "times": 2},
    "503": {"status": 503, "headers": {"Retry-After": "0"}},
    "reset": {"action": "reset"},
    "torn": {"action": "torn"},
    "429": {"status": 429, "code": 10100, "headers": {"Retry-After": "1"}},
}


def prepared(edge: Edge, module: str, state: str) -> dict[str, Any]:
    """The options of a module, with what it needs there, and what it removes when it shall remove it."""
    if module == "cloudflare_load_balancer" or (module == "cloudflare_load_balancer_pool" and state == "absent"):
        assert not run_module(edge, "cloudflare_load_balancer_pool", POOL)["failed"]
    if state == "absent" and module != "cloudflare_load_balancer_pool":
        assert not run_module(edge, module, MODULES[module])["failed"]
    edge.clear()
    return dict(MODULES[module], state=state)


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("module", [*MODULES])
@pytest.mark.parametrize("fault", [*REFUSALS])
def test_a_refusal_fails_with_what_to_do(edge: Edge, fault: str, module: str, state: str) -> None:
    params = prepared(edge, module, state)
    injected, text = REFUSALS[fault]
    edge.fault(**injected)
    result = run_module(edge, module, params)
    assert result["failed"]
    assert text in result["msg"], result["msg"]
    assert "Traceback" not in result["msg"]


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("module", [*MODULES])
@pytest.mark.parametrize("fault", [*PASSING])
def test_a_passing_fault_is_outlived(edge: Edge, fault: str, module: str, state: str) -> None:
    params = prepared(edge, module, state)
    edge.fault(method="GET|PATCH|DELETE", **PASSING[fault])
    result = run_module(edge, module, params)
    assert not result["failed"], result["msg"]
    assert result["changed"]
    assert not run_module(edge, module, params)["changed"]


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
    result = run_module(edge, "cloudflare_traffic", MODULES["cloudflare_traffic"])
    assert not result["failed"], result["msg"]
    assert len(edge.api("GET", collection)) == 1
    assert not run_module(edge, "cloudflare_traffic", MODULES["cloudflare_traffic"])["changed"]


def test_a_post_that_fails_for_good_is_told(edge: Edge) -> None:
    edge.fault(method="POST", path="monitors$", status=502, times=99)
    result = run_module(edge, "cloudflare_traffic", MODULES["cloudflare_traffic"])
    assert result["failed"]
    assert "HTTP 502" in result["msg"]
    assert len([one for one in edge.requests() if one.startswith("POST")]) == 3


def test_a_wrong_token(edge: Edge) -> None:
    result = run_module(edge, "cloudflare_traffic", MODULES["cloudflare_traffic"], token="not-the-token")
    assert result["failed"]
    assert result["status"] == 401
    assert "mistyped, expired or revoked" in result["msg"]


def test_a_token_that_may_only_read(edge: Edge) -> None:
    result = run_module(edge, "cloudflare_traffic", MODULES["cloudflare_traffic"], token="reader")
    assert result["failed"]
    assert "'Account > Load Balancing: Monitors and Pools: Edit'" in result["msg"]


def test_a_long_rate_limit_is_an_error_that_says_how_long(edge: Edge) -> None:
    edge.fault(status=429, code=971, headers={"Retry-After": "300"}, times=9)
    result = run_module(edge, "cloudflare_traffic", dict(MODULES["cloudflare_traffic"], rate_limit_wait=60))
    assert result["failed"]
    assert "wait 300 s" in result["msg"]
    assert "rate_limit_wait" in result["msg"]


def test_a_rate_limit_in_the_middle_is_waited_for_and_told(edge: Edge) -> None:
    edge.fault(method="POST", path="pools$", status=429, code=10100, headers={"Retry-After": "2"})
    result = run_module(edge, "cloudflare_traffic", MODULES["cloudflare_traffic"])
    assert not result["failed"]
    assert result["rate_limit_waited"] == 2
    assert "waiting 2 s" in json.dumps(result["warnings"])


def test_a_server_that_hangs(edge: Edge) -> None:
    edge.fault(action="hang", seconds=30, times=9)
    result = run_module(edge, "cloudflare_traffic", dict(MODULES["cloudflare_traffic"], request_timeout=1))
    assert result["failed"]
    assert "no answer: " in result["msg"]


def test_nobody_there(edge: Edge) -> None:
    params = dict(MODULES["cloudflare_traffic"], base_url=f"http://127.0.0.1:{free_port()}/client/v4")
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
    params = dict(MODULES["cloudflare_traffic"])
    params["load_balancers"] = [] if "pools" in change else params["load_balancers"]
    result = run_module(edge, "cloudflare_traffic", {**params, **change})
    assert result["failed"]
    assert text in result["msg"], result["msg"]
