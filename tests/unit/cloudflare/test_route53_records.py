# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From hosts and plan to Route53's records, and what of them is stale."""

from __future__ import annotations

from typing import Any

from ansible_collections.meridian.geokube.plugins.plugin_utils.traffic_route53 import route53_records, route53_stale

SETTINGS = {"cluster": "devfest", "hostname": "style.geokube.test"}
PLAN = {
    "home_region": "ru",
    "regions": {"ru": {"fallback_regions": ["au", "id"]}, "au": {"fallback_regions": ["id", "ru"]},
                "id": {"fallback_regions": ["au", "ru"]}},
}  # fmt: skip


def host(name: str, region: str, provider: str, cloud_region: str, address: str) -> dict[str, Any]:
    return {"inventory_hostname": name, "geokube_region": region, "geokube_provider": provider,
            "geokube_cloud_region": cloud_region, "geokube_public_ip": address}  # fmt: skip


HOSTS = [
    host("ru-1", "ru", "yandex", "ru-central1", "192.0.2.10"),
    host("au-1", "au", "aws", "ap-southeast-2", "198.51.100.10"),
    host("id-1", "id", "digitalocean", "syd1", "198.51.100.11"),
]


def listed(wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """The records as the API would list them."""
    latency = [
        {
            "Name": "style.geokube.test.",
            "Type": "A",
            "SetIdentifier": one["identifier"],
            "Region": one["aws_region"],
            "AliasTarget": {"DNSName": one["target"] + "."},
        }
        for one in wanted["regions"]
    ]
    weighted = [
        {
            "Name": one["name"] + ".",
            "Type": "A",
            "SetIdentifier": one["identifier"],
            "Weight": 1,
            "ResourceRecords": [{"Value": one["address"]}],
        }
        for one in wanted["hosts"]
    ]
    return [{"Name": "geokube.test.", "Type": "NS", "ResourceRecords": [{"Value": "x."}]}, *latency, *weighted]


def test_regions_with_one_aws_region_share_its_record() -> None:
    made = route53_records(HOSTS, PLAN, SETTINGS)
    assert [one["identifier"] for one in made["regions"]] == ["devfest-ru", "devfest-au"]
    assert made["regions"][1]["aws_region"] == "ap-southeast-2"
    assert [one["name"] for one in made["hosts"]] == [
        "ru.style.geokube.test",
        "au.style.geokube.test",
        "au.style.geokube.test",
    ]
    assert made["checks"][0] == {"name": "devfest ru-1", "address": "192.0.2.10"}
    assert made["summary"]["regions"]["ru"]["pools"] == ["ru", "au", "id"]


def test_nothing_is_stale_that_is_wanted() -> None:
    made = route53_records(HOSTS, PLAN, SETTINGS)
    assert route53_stale(listed(made), made, SETTINGS) == {"regions": [], "hosts": []}


def test_what_left_is_stale_and_what_others_own_is_not() -> None:
    before = listed(route53_records(HOSTS, PLAN, SETTINGS))
    before.append({"Name": "style.geokube.test.", "Type": "A", "SetIdentifier": "other-au", "Region": "us-east-1",
                   "AliasTarget": {"DNSName": "x."}})  # fmt: skip
    before.append({"Name": "xx.style.geokube.test.", "Type": "A", "SetIdentifier": "other a", "Weight": 1,
                   "ResourceRecords": [{"Value": "192.0.2.1"}]})  # fmt: skip
    stale = route53_stale(before, route53_records(HOSTS[:1], PLAN, SETTINGS), SETTINGS)
    assert [one["identifier"] for one in stale["regions"]] == ["devfest-au"]
    assert [one["identifier"] for one in stale["hosts"]] == ["devfest au-1", "devfest id-1"]


def test_a_changed_address_is_stale() -> None:
    before = listed(route53_records(HOSTS, PLAN, SETTINGS))
    moved = [dict(HOSTS[0], geokube_public_ip="192.0.2.99"), *HOSTS[1:]]
    stale = route53_stale(before, route53_records(moved, PLAN, SETTINGS), SETTINGS)
    assert stale["hosts"] == [{"name": "ru.style.geokube.test", "identifier": "devfest ru-1", "address": "192.0.2.10"}]
