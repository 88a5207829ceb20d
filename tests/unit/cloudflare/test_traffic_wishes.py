# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From hosts and plan to pools and their order."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.meridian.geokube.plugins.plugin_utils.traffic import TrafficError, traffic_wishes

PLACES = {
    "ru": ("yandex", "ru-central1", "192.0.2.10"),
    "sg": ("digitalocean", "sgp1", "192.0.2.138"),
    "au": ("aws", "ap-southeast-2", "198.51.100.10"),
    "br": ("gcp", "southamerica-east1", "198.51.100.138"),
}
HOSTS: list[dict[str, Any]] = [
    {
        "inventory_hostname": f"devfest-{region}-01",
        "geokube_region": region,
        "geokube_provider": provider,
        "geokube_cloud_region": cloud_region,
        "geokube_public_ip": address,
    }
    for region, (provider, cloud_region, address) in PLACES.items()
]
PLAN: dict[str, Any] = {
    "home_region": "ru",
    "regions": {
        "ru": {"fallback_regions": ["sg", "br", "au"]},
        "sg": {"fallback_regions": ["au", "ru", "br"]},
        "au": {"fallback_regions": ["sg", "br", "ru"]},
        "br": {"fallback_regions": ["ru", "au", "sg"]},
    },
}
SETTINGS: dict[str, Any] = {
    "cluster": "devfest",
    "hostname": "style.geokube.test",
    "steering_policy": "geo",
    "session_affinity": "none",
    "session_affinity_ttl": 1800,
    "session_failover": "sticky",
    "monitor": {"type": "https", "path": "/readyz"},
}


def test_every_regions_users_have_all_pools_nearest_first() -> None:
    made = traffic_wishes(HOSTS, PLAN, SETTINGS)
    (balancer,) = made["load_balancers"]
    ours = {code: balancer["region_pools"][code] for code in ("EEU", "SEAS", "OC", "SSAM")}
    assert ours == {
        "EEU": ["devfest-ru", "devfest-sg", "devfest-br", "devfest-au"],
        "SEAS": ["devfest-sg", "devfest-au", "devfest-ru", "devfest-br"],
        "OC": ["devfest-au", "devfest-sg", "devfest-br", "devfest-ru"],
        "SSAM": ["devfest-br", "devfest-ru", "devfest-au", "devfest-sg"],
    }
    assert balancer["fallback_pool"] == "devfest-ru"
    assert balancer["default_pools"] == balancer["region_pools"]["EEU"]
    assert balancer["adaptive_routing"] == {"failover_across_pools": True}
    assert made["pools"][2]["origins"] == [{"name": "devfest-au-01", "address": "198.51.100.10", "enabled": True}]
    assert made["summary"]["regions"]["au"]["pools"] == ["au", "sg", "br", "ru"]


def test_the_order_follows_the_measurement() -> None:
    plan = copy.deepcopy(PLAN)
    plan["regions"]["au"]["fallback_regions"] = ["ru", "br", "sg"]
    (balancer,) = traffic_wishes(HOSTS, plan, SETTINGS)["load_balancers"]
    assert balancer["region_pools"]["OC"] == ["devfest-au", "devfest-ru", "devfest-br", "devfest-sg"]


def test_regions_where_we_are_not_go_to_the_nearest_on_the_map() -> None:
    (balancer,) = traffic_wishes(HOSTS, PLAN, SETTINGS)["load_balancers"]
    assert len(balancer["region_pools"]) == 13
    assert {code: pools[0] for code, pools in balancer["region_pools"].items()} == {
        "EEU": "devfest-ru", "WEU": "devfest-ru", "NAF": "devfest-ru", "ME": "devfest-ru",
        "SAS": "devfest-sg", "SEAS": "devfest-sg", "NEAS": "devfest-sg", "OC": "devfest-au",
        "SSAM": "devfest-br", "NSAM": "devfest-br", "ENAM": "devfest-ru", "WNAM": "devfest-ru", "SAF": "devfest-br",
    }  # fmt: skip
    assert all(len(set(pools)) == 4 for pools in balancer["region_pools"].values())


def test_users_of_a_region_that_left_go_to_the_nearest() -> None:
    (balancer,) = traffic_wishes([h for h in HOSTS if h["geokube_region"] != "au"], PLAN, SETTINGS)["load_balancers"]
    assert balancer["region_pools"]["OC"][0] == "devfest-sg"


def test_regions_without_ingress_are_left_out_also_at_home() -> None:
    made = traffic_wishes([host for host in HOSTS if host["geokube_region"] != "ru"], PLAN, SETTINGS)
    (balancer,) = made["load_balancers"]
    assert balancer["fallback_pool"] == "devfest-sg"
    assert balancer["region_pools"]["OC"] == ["devfest-au", "devfest-sg", "devfest-br"]


def test_several_hosts_of_a_region_share_a_pool() -> None:
    second = dict(HOSTS[2], inventory_hostname="devfest-au-02", geokube_public_ip="198.51.100.11")
    made = traffic_wishes([*HOSTS, second], PLAN, SETTINGS)
    assert [len(pool["origins"]) for pool in made["pools"]] == [1, 1, 2, 1]


def test_two_regions_in_one_cloudflare_region_are_told_apart_by_country() -> None:
    second = dict(HOSTS[1], inventory_hostname="id", geokube_region="id", geokube_provider="aws",
                  geokube_cloud_region="ap-southeast-3", geokube_public_ip="192.0.2.200")  # fmt: skip
    plan = copy.deepcopy(PLAN)
    for name, entry in plan["regions"].items():
        entry["fallback_regions"].insert(0 if name == "sg" else 3, "id")
    plan["regions"]["id"] = {"fallback_regions": ["sg", "au", "ru", "br"]}
    (balancer,) = traffic_wishes([*HOSTS, second], plan, SETTINGS)["load_balancers"]
    assert balancer["region_pools"]["SEAS"][:2] == ["devfest-sg", "devfest-id"]
    assert [pools[:2] for pools in balancer["country_pools"].values()] == [["devfest-id", "devfest-sg"]]


@pytest.mark.parametrize("policy", ["off", "random", "proximity", "dynamic_latency"])
def test_without_geography_nothing_is_listed_by_region(policy: str) -> None:
    """These policies choose among the default pools, and the empty maps clear what geo had."""
    (balancer,) = traffic_wishes(HOSTS, PLAN, dict(SETTINGS, steering_policy=policy))["load_balancers"]
    assert balancer["steering_policy"] == policy
    assert balancer["region_pools"] == balancer["country_pools"] == {}
    assert len(balancer["default_pools"]) == 4


def test_sessions_move_when_their_machine_fails() -> None:
    (balancer,) = traffic_wishes(HOSTS, PLAN, SETTINGS)["load_balancers"]
    assert balancer["session_affinity"] == "none"
    assert not {"session_affinity_ttl", "session_affinity_attributes"} & set(balancer)
    (balancer,) = traffic_wishes(HOSTS, PLAN, dict(SETTINGS, session_affinity="cookie"))["load_balancers"]
    assert balancer["session_affinity_attributes"] == {"zero_downtime_failover": "sticky"}
    assert balancer["session_affinity_ttl"] == 1800


@pytest.mark.parametrize(
    ("hosts", "plan", "text"),
    [
        ([], PLAN, "the group ingress is empty"),
        ([dict(HOSTS[0], geokube_public_ip="")], PLAN, "has no geokube_public_ip"),
        ([dict(HOSTS[0], geokube_cloud_region="mars-1")], PLAN, "'mars-1' of yandex is not in the catalogue"),
        ([dict(HOSTS[0], geokube_region="xx")], PLAN, "how far xx is from ru"),
        (HOSTS, {"home_region": "ru", "regions": {}}, "region 'ru' is not in the plan"),
    ],
)
def test_what_does_not_go_together_is_named(hosts: list[Any], plan: dict[str, Any], text: str) -> None:
    with pytest.raises(TrafficError, match=text):
        traffic_wishes(hosts, plan, SETTINGS)
