# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift in every single field that the modules have, by the module of the object and by the whole set-up's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.meridian.geokube.plugins.module_utils import cloudflare_options
from cloudflare_harness import ACCOUNT, ZONE, Edge, identified, run_module
from drift_cases import GIVEN, OWNER, POOL, SPECS, Path, at, changed, leaves, other, wishes

PATHS = {
    "monitor": f"/accounts/{ACCOUNT}/load_balancers/monitors",
    "pool": f"/accounts/{ACCOUNT}/load_balancers/pools",
    "load_balancer": f"/zones/{ZONE}/load_balancers",
}
MODULES = {
    "monitor": "cloudflare_load_balancer_monitor",
    "pool": "cloudflare_load_balancer_pool",
    "load_balancer": "cloudflare_load_balancer",
}
LEAVES = [(kind, path, option) for kind, spec in SPECS.items() for path, option in leaves(spec)]
# What no other value can be written to: a rule with a fixed response ends, and there is one session policy.
FIXED: set[Path] = {("rules", 0, "terminates"), ("load_shedding", "session_policy")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """An Enterprise account, where no field is refused, with everything set up."""
    edge = Edge(tmp_path_factory.mktemp("enterprise"), ("--enterprise", "--rate-limit=100000"))
    edge.start()
    yield edge
    edge.stop()


def records(edge: Edge) -> dict[str, list[dict[str, Any]]]:
    """Everything that the account has, without times and what the probes find."""
    passing = ("modified_on", "healthy")
    return {
        kind: [
            {name: value for name, value in record.items() if name not in passing} for record in edge.api("GET", path)
        ]
        for kind, path in PATHS.items()
    }


def single(kind: str) -> dict[str, Any]:
    """The options of the object's own module."""
    more = {"drain_seconds": 0} if kind == "pool" else {}
    return {"owner": OWNER, "force": True, **({} if kind == "monitor" else {"zone": ZONE}), **more, **GIVEN[kind]}


def apply(edge: Edge, module: str, params: dict[str, Any], check: bool = False) -> dict[str, Any]:
    result = run_module(edge, module, params, check)
    assert not result["failed"], result["msg"]
    return result


def test_every_option_is_given_and_has_another_value() -> None:
    for kind, path, option in LEAVES:
        value = at(GIVEN[kind], path)
        if path not in FIXED:
            assert other(value, option, str(path[-1])) != value, path


@pytest.mark.parametrize(
    ("kind", "path", "option"),
    [leaf for leaf in LEAVES if leaf[1] not in FIXED],
    ids=[f"{kind}.{'.'.join(map(str, path))}" for kind, path, _ in LEAVES if path not in FIXED],
)
def test_drift_is_seen_and_taken_back(whole: Edge, kind: str, path: Path, option: dict[str, Any]) -> None:
    apply(whole, "cloudflare_traffic", wishes())
    before = records(whole)
    record = before[kind][0]
    ids = {one["name"]: one["id"] for one in before["pool"]}
    value = identified(other(at(GIVEN[kind], path), option, str(path[-1])), ids)
    if path == ("description",):
        # With the owner's mark kept, which also says which monitor it is.
        value = record["description"].replace("[", "by hand [")
    sent = changed(record, path, value)
    if path == ("proxied",):
        sent["ttl"] = None
    if path == ("monitor",):
        sent["monitor"] = ""
    for module, params in ((MODULES[kind], single(kind)), ("cloudflare_traffic", wishes())):
        whole.api("PATCH", f"{PATHS[kind]}/{record['id']}", sent)
        assert records(whole) != before
        foretold = apply(whole, module, params, check=True)
        result = apply(whole, module, params)
        assert [(one["kind"], one["action"]) for one in result["actions"]] == [(kind, "update")]
        assert path[0] in result["actions"][0]["fields"]
        assert (foretold["actions"], foretold["diff"]) == (result["actions"], result["diff"])
        assert records(whole) == before
        assert not apply(whole, module, params)["changed"]


@pytest.mark.parametrize("option", [name for name in cloudflare_options.ORIGIN if name != "name"])
def test_drift_of_one_origin_is_taken_back(whole: Edge, option: str) -> None:
    apply(whole, "cloudflare_traffic", wishes())
    before = records(whole)
    params = {"pool": POOL, **GIVEN["pool"]["origins"][0]}
    pool = before["pool"][0]
    value = other(params[option], cloudflare_options.ORIGIN[option], option)
    whole.api("PATCH", f"{PATHS['pool']}/{pool['id']}", {"origins": [{**pool["origins"][0], option: value}]})
    assert records(whole) != before
    foretold = apply(whole, "cloudflare_load_balancer_pool_origin", params, check=True)
    result = apply(whole, "cloudflare_load_balancer_pool_origin", params)
    assert result["changed"]
    assert foretold["diff"] == result["diff"]
    assert [name for name, shown in result["diff"]["after"].items() if result["diff"]["before"].get(name) != shown] == [
        option
    ]
    assert records(whole) == before
    assert not apply(whole, "cloudflare_load_balancer_pool_origin", params)["changed"]


CLEARED = {
    "monitor": {"header": {}, "description": "", "expected_body": "", "probe_zone": ""},
    "pool": {"check_regions": [], "health_sources": [], "description": "", "monitor": "", "monitor_group": "",
             "notification_email": "", "notification_filter": {}, "load_shedding": {}, "origin_steering": {}},
    "load_balancer": {"country_pools": {}, "region_pools": {}, "pop_pools": {}, "description": "", "rules": [],
                      "pool_sets": [], "adaptive_routing": {}, "location_strategy": {}, "random_steering": {},
                      "session_affinity_attributes": {}},
}  # fmt: skip


@pytest.mark.parametrize(("kind", "option"), [(kind, option) for kind, given in CLEARED.items() for option in given])
def test_giving_it_empty_clears_it(whole: Edge, kind: str, option: str) -> None:
    for module, params in ((MODULES[kind], single(kind)), ("cloudflare_traffic", wishes())):
        apply(whole, "cloudflare_traffic", wishes())
        target = params if module != "cloudflare_traffic" else params[f"{kind}s"][0]
        target[option] = CLEARED[kind][option]
        assert apply(whole, module, params)["changed"]
        shown = records(whole)[kind][0].get(option)
        if option == "description":
            assert shown is not None
            assert shown.startswith("[geokube:")
        elif "options" in SPECS[kind][option] and SPECS[kind][option]["type"] == "dict":
            # Back at the server's defaults.
            assert shown != GIVEN[kind][option]
        else:
            assert not shown
        assert not apply(whole, module, params)["changed"]
