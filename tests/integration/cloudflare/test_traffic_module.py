# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudflare_traffic against the emulator: create, no-op, drift, clear, delete, prune, identity, check mode."""

from __future__ import annotations

import copy
from typing import Any

from cloudflare_harness import ACCOUNT, ZONE, Edge, identified, run_module, wanted

POOLS = f"/accounts/{ACCOUNT}/load_balancers/pools"
MONITORS = f"/accounts/{ACCOUNT}/load_balancers/monitors"
BALANCERS = f"/zones/{ZONE}/load_balancers"

FULL_MONITOR = {
    "name": "test-https", "type": "https", "description": "ready", "method": "GET", "path": "/readyz",
    "header": {"Host": ["style.geokube.test"]}, "port": 0, "timeout": 5, "retries": 1, "interval": 15,
    "consecutive_up": 1, "consecutive_down": 1, "expected_body": "", "expected_codes": "200",
    "follow_redirects": False, "allow_insecure": True, "probe_zone": "",
}  # fmt: skip
FULL_POOL = {
    "description": "Moscow", "enabled": True, "minimum_origins": 1, "check_regions": ["EEU", "OC"], "latitude": 55.75,
    "longitude": 37.62, "load_shedding": {"default_percent": 0, "default_policy": "random"}, "notification_email": "",
    "notification_filter": {"origin": {"disable": True}, "pool": {"healthy": True}},
    "origin_steering": {"policy": "random"},
    "origins": [{"name": "ru-1", "address": "192.0.2.1", "enabled": True, "weight": 1, "port": 0,
                 "flatten_cname": True, "header": {"Host": ["style.geokube.test"]}}],
}  # fmt: skip
FULL_BALANCER = {
    "description": "the service", "enabled": True, "country_pools": {"BR": ["test-br", "test-ru"]},
    "session_affinity": "none", "session_affinity_ttl": 1800, "adaptive_routing": {"failover_across_pools": False},
    "session_affinity_attributes": {"zero_downtime_failover": "none", "samesite": "Auto"},
    "location_strategy": {"mode": "pop", "prefer_ecs": "proximity"}, "rules": [],
    "random_steering": {"default_weight": 1, "pool_weights": {"test-ru": 0.5, "test-sg": 0.5}},
}  # fmt: skip


def full() -> dict[str, Any]:
    wishes = wanted(monitors=[copy.deepcopy(FULL_MONITOR)])
    wishes["pools"][0].update(copy.deepcopy(FULL_POOL))
    wishes["load_balancers"][0].update(copy.deepcopy(FULL_BALANCER))
    return wishes


def apply(edge: Edge, wishes: dict[str, Any], check: bool = False) -> dict[str, Any]:
    result = run_module(edge, "cloudflare_traffic", wishes, check)
    assert not result["failed"], result["msg"]
    return result


def snapshot(edge: Edge) -> list[Any]:
    return [edge.api("GET", path) for path in (MONITORS, POOLS, BALANCERS)]


def test_ten_requests_create_everything_and_four_find_nothing_to_do(edge: Edge) -> None:
    created = apply(edge, wanted())
    assert created["changed"]
    assert created["requests"] == len(edge.requests()) == 10
    assert [action["action"] for action in created["actions"]] == ["create"] * 6
    edge.clear()
    again = apply(edge, wanted())
    assert not again["changed"]
    assert again["requests"] == len(edge.requests()) == 4
    assert again["diff"] == {"before": {}, "after": {}}


def test_check_mode_changes_nothing_and_foretells_the_diff(edge: Edge) -> None:
    foretold = apply(edge, full(), check=True)
    assert snapshot(edge) == [[], [], []]
    done = apply(edge, full())
    assert foretold["actions"] == done["actions"]
    assert foretold["diff"] == done["diff"]
    assert foretold["diff"]["before"]["pool test-ru"] == {}
    assert foretold["diff"]["after"]["load_balancer style.geokube.test"]["fallback_pool"] == "test-ru"


def test_everything_given_is_stored_and_found_again(edge: Edge) -> None:
    apply(edge, full())
    assert not apply(edge, full())["changed"]


def test_what_is_not_given_is_left_alone(edge: Edge) -> None:
    apply(edge, full())
    before = snapshot(edge)
    assert not apply(edge, wanted(monitors=[{"name": "test-https"}]))["changed"]
    assert snapshot(edge) == before


def test_maps_and_texts_are_cleared_by_giving_them_empty(edge: Edge) -> None:
    apply(edge, full())
    wishes = full()
    wishes["load_balancers"][0].update(region_pools={}, country_pools={}, description="", rules=[])
    wishes["pools"][0].update(check_regions=[], description="", monitor="")
    wishes["monitors"][0].update(header={}, description="")
    assert apply(edge, wishes)["changed"]
    monitors, pools, balancers = snapshot(edge)
    assert balancers[0]["region_pools"] == balancers[0]["country_pools"] == {}
    assert balancers[0]["description"] == "[geokube:test/style.geokube.test]"
    assert not pools[0].get("check_regions")
    assert not pools[0].get("monitor")
    assert monitors[0]["header"] == {}
    assert not apply(edge, wishes)["changed"]


def test_a_rule_that_answers_by_itself_is_found_again(edge: Edge) -> None:
    """The server marks it as the last one, whether or not that was given."""
    wishes = wanted()
    answer = {"status_code": 503, "message_body": "closed"}
    wishes["load_balancers"][0]["rules"] = [{"name": "closed", "condition": "true", "fixed_response": answer}]
    foretold = apply(edge, wishes, check=True)
    assert foretold["diff"] == apply(edge, wishes)["diff"]
    assert edge.api("GET", BALANCERS)[0]["rules"][0]["terminates"] is True
    assert not apply(edge, wishes)["changed"]


def test_order_of_origins_is_irrelevant_and_order_of_pools_is_not(edge: Edge) -> None:
    wishes = wanted()
    wishes["pools"][0]["origins"] = [{"name": "b", "address": "192.0.2.9"}, {"name": "a", "address": "192.0.2.8"}]
    apply(edge, wishes)
    wishes["pools"][0]["origins"].reverse()
    assert not apply(edge, wishes)["changed"]
    wishes["load_balancers"][0]["default_pools"].reverse()
    result = apply(edge, wishes)
    assert [action["fields"] for action in result["actions"]] == [["default_pools"]]


def test_absent_deletes_what_is_named_in_order(edge: Edge) -> None:
    apply(edge, wanted())
    edge.clear()
    foretold = apply(edge, wanted(state="absent"), check=True)
    assert [len(part) for part in snapshot(edge)] == [1, 4, 1]
    result = apply(edge, wanted(state="absent"))
    assert snapshot(edge) == [[], [], []]
    assert foretold["actions"] == result["actions"]
    assert [action["kind"] for action in result["actions"]] == ["load_balancer", *["pool"] * 4, "monitor"]
    assert not apply(edge, wanted(state="absent"))["changed"]


def test_prune_takes_only_what_carries_the_owners_mark(edge: Edge) -> None:
    apply(edge, wanted())
    edge.api("POST", POOLS, {"name": "hand-made", "origins": [{"name": "x", "address": "192.0.2.50"}]})
    other = wanted(owner="other", monitors=[], load_balancers=[])
    other["pools"] = [{"name": "other-ru", "origins": [{"name": "x", "address": "192.0.2.51"}]}]
    apply(edge, other)
    less = wanted(monitors=[], prune=True)
    less["pools"] = [dict(pool, monitor="") for pool in less["pools"] if pool["name"] != "test-au"]
    balancer = less["load_balancers"][0]
    balancer["region_pools"] = {
        code: [pool for pool in pools if pool != "test-au"] for code, pools in balancer["region_pools"].items()
    }
    result = apply(edge, less)
    deleted = [(one["kind"], one["name"]) for one in result["actions"] if one["action"] == "delete"]
    assert deleted == [("pool", "test-au"), ("monitor", "test-https")]
    names = {pool["name"] for pool in edge.api("GET", POOLS)}
    assert names == {"test-ru", "test-sg", "test-br", "hand-made", "other-ru"}
    assert not apply(edge, less)["changed"]


def test_another_owners_object_is_not_touched(edge: Edge) -> None:
    apply(edge, wanted())
    for state in ("present", "absent"):
        result = run_module(edge, "cloudflare_traffic", wanted(owner="other", state=state))
        assert result["failed"]
        assert "belongs to owner 'test'" in result["msg"]


def test_twins_are_an_error_that_lists_them(edge: Edge) -> None:
    body = {"type": "https", "interval": 15, "description": "[geokube:test/test-https]"}
    ids = [edge.api("POST", MONITORS, body)["id"] for _ in range(2)]
    result = run_module(edge, "cloudflare_traffic", wanted())
    assert result["failed"]
    assert all(identifier in result["msg"] for identifier in ids)
    assert edge.api("GET", POOLS) == []


def test_pools_may_be_given_by_identifier(edge: Edge) -> None:
    apply(edge, wanted())
    ids = {pool["name"]: pool["id"] for pool in edge.api("GET", POOLS)}
    wishes = wanted()
    wishes["load_balancers"] = identified(wishes["load_balancers"], ids)
    assert not apply(edge, wishes)["changed"]


def test_an_unknown_pool_is_named_before_anything_is_changed(edge: Edge) -> None:
    wishes = wanted()
    wishes["load_balancers"][0]["default_pools"] = ["test-nowhere"]
    result = run_module(edge, "cloudflare_traffic", wishes)
    assert result["failed"]
    assert "load_balancers[style.geokube.test]: there is no pool 'test-nowhere'" in result["msg"]
    assert snapshot(edge) == [[], [], []]
