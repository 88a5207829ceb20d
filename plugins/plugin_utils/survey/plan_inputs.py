# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the survey and the inventory to what the plan reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..plan.model import Link, Machine, PlanError
from .links import Facts, measured_links


def machines_of(facts: Facts, survey: Mapping[str, Any], mesh_addresses: Mapping[str, str]) -> list[Machine]:
    """Give the plan's machines. Raises PlanError for a machine whose roles are no list."""
    machines = []
    for name, one in facts.items():
        roles = one.get("geokube_roles") or []
        if isinstance(roles, str) or not all(isinstance(role, str) for role in roles):
            raise PlanError(f"geokube_roles of {name} is {roles!r}, not a list of names")
        clock = survey["hosts"].get(name, {}).get("clock_error_ms")
        machines.append(
            Machine(
                name=name,
                region=str(one.get("geokube_region") or ""),
                roles=tuple(sorted(roles)),
                mesh_address=mesh_addresses.get(name),
                clock_error=None if clock is None else float(clock),
            )
        )
    return machines


def links_of(survey: Mapping[str, Any]) -> list[Link]:
    """Give the plan's links: the median RTT of each direction."""
    return [
        Link(source, target, link["rtt_ms"]["median"], link["loss"], link["path_mtu"])
        for (source, target), link in measured_links(survey).items()
    ]
