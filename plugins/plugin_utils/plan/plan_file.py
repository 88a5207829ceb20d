# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan as the file plan.json, and the basis that a later plan takes from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .model import Basis, Plan, PlanError

VERSION = 1


def to_json(plan: Plan) -> dict[str, Any]:
    """Give the content of plan.json: plain dictionaries, lists, strings and numbers."""
    place = plan.control_plane
    return {
        "version": VERSION,
        "cluster": plan.cluster,
        "inputs_digest": plan.inputs_digest,
        "home_region": plan.home_region,
        "hosts": {one.name: {"region": one.region, "mesh_address": one.mesh_address} for one in plan.machines},
        "control_plane": {
            "hosts": list(place.hosts),
            "etcd": list(place.etcd),
            "why": place.why,
            "quorum_rtt_ms": place.quorum_rtt,
            "write_latency_ms": place.write_latency,
            "candidates": [
                {"region": one.region, "total_rtt_ms": one.total_rtt, "worst_rtt_ms": one.worst_rtt}
                for one in place.candidates
            ],
            "spread": None
            if place.spread is None
            else {
                "regions": list(place.spread.regions),
                "write_latency_ms": place.spread.write_latency,
                "worst_rtt_ms": place.spread.worst_rtt,
            },
        },
        "regions": {
            name: {
                "nearest": fallback.regions[0] if fallback.regions else None,
                "fallback_regions": list(fallback.regions),
                "rtt_ms": dict(zip(fallback.regions, fallback.rtt, strict=True)),
            }
            for name, fallback in plan.regions.items()
        },
        "values": {
            name: {"value": one.value, "unit": one.unit, "why": one.why, "consumer": one.consumer}
            for name, one in plan.values.items()
        },
        "links": [{"between": [one, other], "rtt_ms": rtt} for (one, other), rtt in sorted(plan.rtt.items())],
        "warnings": list(plan.warnings),
    }


def basis_of(content: Mapping[str, Any]) -> Basis:
    """Give what a new plan keeps of an earlier plan.json.

    Raises PlanError when the file is not a plan of this version.
    """
    if content.get("version") != VERSION:
        raise PlanError(f"plan.json has version {content.get('version')!r}, not {VERSION}: remove it to plan afresh")
    try:
        primary = content["values"].get("cockroachdb_primary_region", {}).get("value")
        rtt = {(str(link["between"][0]), str(link["between"][1])): float(link["rtt_ms"]) for link in content["links"]}
        return Basis(str(content["home_region"]), None if primary is None else str(primary), rtt)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise PlanError(f"plan.json is damaged ({error!r}): remove it to plan afresh") from error
