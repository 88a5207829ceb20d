# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan's values, the control plane's candidates and the order in which regions take over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .wording import milliseconds, setting

GROUPS = (
    ("kubespray", "Kubernetes", "handed to Kubespray under these names"),
    ("mesh", "Mesh", "the WireGuard interface of every machine"),
    ("cockroachdb", "Database", "CockroachDB across the regions"),
    ("report", "What to expect", "computed for your eyes, set nowhere"),
)


def values(plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the values in groups by who consumes them; empty groups are left out."""
    groups = []
    for consumer, title, note in GROUPS:
        rows = [
            {"name": name, "value": setting(one["value"], one["unit"]), "why": one["why"]}
            for name, one in plan["values"].items()
            if one["consumer"] == consumer
        ]
        if rows:
            groups.append({"title": title, "note": note, "rows": rows})
    return groups


def candidates(plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the regions as homes, the best first, with the share of the bar that shows the total RTT."""
    found = plan["control_plane"]["candidates"]
    largest = max((one["total_rtt_ms"] for one in found), default=0) or 1
    return [
        {
            "region": one["region"],
            "total": milliseconds(one["total_rtt_ms"]),
            "worst": milliseconds(one["worst_rtt_ms"]),
            "width": round(100 * one["total_rtt_ms"] / largest, 1),
            "home": one["region"] == plan["home_region"],
        }
        for one in found
    ]


def takeover(plan: Mapping[str, Any], traffic: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Give for each region where its users go: itself, then the others at their distance on one common ruler.

    The order registered with the traffic layer wins over the plan's; both are told when they differ.
    """
    registered = (traffic or {}).get("users") or {}
    largest = max((rtt for one in plan["regions"].values() for rtt in one["rtt_ms"].values()), default=0) or 1
    rows = []
    for region, one in sorted(plan["regions"].items()):
        planned = [region, *one["fallback_regions"]]
        pools = registered.get(region, {}).get("regions") or planned
        distances = {region: 0.0, **one["rtt_ms"]}
        rows.append(
            {
                "region": region,
                "differs": pools != planned,
                "planned": planned,
                "stops": [
                    {
                        "region": name,
                        "rank": rank,
                        "ms": milliseconds(distances[name]) if name != region else "0",
                        "left": round(100 * distances[name] / largest, 1),
                    }
                    for rank, name in enumerate(pools)
                    if name in distances
                ],
            }
        )
    return rows
