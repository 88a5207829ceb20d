# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From hosts and plan to Route53: a health check and a record per host, and a latency record per region over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.meridian.geokube.plugins.plugin_utils.traffic import order_for, regions_of

Record = dict[str, Any]


def route53_records(hosts: Iterable[Mapping[str, Any]], plan: Mapping[str, Any], settings: Mapping[str, Any]) -> Record:
    """Give `checks`, `hosts`, `regions` and `summary`.

    `settings`: cluster, hostname. Route53 takes one latency record per AWS region and name, so regions of ours with
    the same nearest AWS region share one. Raises TrafficError as traffic_wishes does.
    """
    regions = regions_of(hosts)
    cluster, hostname = settings["cluster"], settings["hostname"]
    groups: dict[str, str] = {}
    checks: list[Record] = []
    records: list[Record] = []
    for name, region in regions.items():
        group = groups.setdefault(region.place.route53_region, name)
        for origin, address in region.origins:
            identifier = f"{cluster} {origin}"
            checks.append({"name": identifier, "address": address})
            records.append({"name": f"{group}.{hostname}", "identifier": identifier, "address": address})
    latency = [
        {"aws_region": aws_region, "identifier": f"{cluster}-{group}", "target": f"{group}.{hostname}"}
        for aws_region, group in groups.items()
    ]
    summary = {
        "version": 1,
        "driver": "route53",
        "hostname": hostname,
        "home_region": next(iter(order_for(str(plan["home_region"]), plan, regions))),
        "regions": {
            name: {
                "pools": order_for(name, plan, regions),
                "origins": [origin[1] for origin in region.origins],
                "aws_region": region.place.route53_region,
                "latitude": region.latitude,
                "longitude": region.longitude,
            }
            for name, region in regions.items()
        },
    }
    return {"checks": checks, "hosts": records, "regions": latency, "summary": summary}


def route53_stale(known: Iterable[Mapping[str, Any]], wanted: Mapping[str, Any], settings: Mapping[str, Any]) -> Record:
    """Of the records that are there, those of this cluster that are not wanted: `regions` and `hosts`.

    `known` is what the API lists (ResourceRecordSets). Only records with our identifiers count: a latency record of
    the host name, or a weighted one right below it.
    """
    cluster, hostname = settings["cluster"], settings["hostname"]
    regions = {(one["identifier"], one["target"]) for one in wanted["regions"]}
    hosts = {(one["name"], one["identifier"], one["address"]) for one in wanted["hosts"]}
    stale: dict[str, list[Record]] = {"regions": [], "hosts": []}
    for record in known:
        name, identifier = str(record["Name"]).rstrip("."), record.get("SetIdentifier", "")
        alias = str(record.get("AliasTarget", {}).get("DNSName", "")).rstrip(".")
        if name == hostname and record.get("Region") and identifier.startswith(f"{cluster}-"):
            if (identifier, alias) not in regions:
                stale["regions"].append({"aws_region": record["Region"], "identifier": identifier, "target": alias})
        elif name.endswith(f".{hostname}") and "." not in name.removesuffix(f".{hostname}") and "Weight" in record:
            for value in record.get("ResourceRecords", []):
                if identifier.startswith(f"{cluster} ") and (name, identifier, value["Value"]) not in hosts:
                    stale["hosts"].append({"name": name, "identifier": identifier, "address": value["Value"]})
    return stale
