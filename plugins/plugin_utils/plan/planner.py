# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: every setting that depends on the network, computed from the measured links."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from .control_plane import place
from .database import database
from .fallback import fallbacks
from .links import LinkTable
from .model import Link, Machine, Plan, PlanError, Wishes
from .mtu import mtu
from .timers import timers

# Loss over both directions from which on it is worth a warning.
LOSS = 0.02


def plan(hosts: Iterable[Machine], links: Iterable[Link], wishes: Wishes) -> Plan:
    """Compute the plan. The same input in any order gives the same plan.

    Raises PlanError, with what to do, when the survey lacks a link or when what is wished for cannot work.
    """
    machines = _in_order(hosts)
    table = LinkTable(machines, links, wishes.basis.rtt)
    control_plane, warnings = place(machines, table, wishes)
    sizes, size_warnings = mtu(table)
    stored, store_warnings = database(machines, table, wishes)
    for (one, other), loss in table.lossy(LOSS):
        warnings.append(f"{one} and {other} lose {loss:.1%} of their packets: expect slow writes and image pulls")
    for one, other in table.asymmetric():
        warnings.append(f"{one} and {other} measured different round trips in the two directions: the link is not calm")
    return Plan(
        cluster=wishes.cluster,
        inputs_digest=_digest(machines, table, wishes),
        home_region=control_plane.home_region,
        machines=machines,
        control_plane=control_plane,
        regions=fallbacks(table),
        values={**timers(machines, table, control_plane), **sizes, **stored},
        rtt=table.rtt,
        warnings=tuple(warnings + size_warnings + store_warnings),
    )


def _in_order(hosts: Iterable[Machine]) -> tuple[Machine, ...]:
    machines = tuple(sorted(hosts, key=lambda machine: machine.name))
    if not machines:
        raise PlanError("there is no machine to plan for: the inventory is empty")
    names = [machine.name for machine in machines]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PlanError(f"these machines are named more than once: {', '.join(twice)}")
    homeless = [machine.name for machine in machines if not machine.region]
    if homeless:
        raise PlanError(f"these machines have no region: {', '.join(homeless)}; set geokube_region")
    return machines


def _digest(machines: Sequence[Machine], table: LinkTable, wishes: Wishes) -> str:
    narrowest = table.narrowest()
    inputs = {
        "machines": [asdict(machine) | {"clock_error": None} for machine in machines],
        "rtt": [[*names, rtt] for names, rtt in sorted(table.rtt.items())],
        "path_mtu": narrowest.path_mtu if narrowest else None,
        "home_region": wishes.home_region,
        "accept_slow_quorum": wishes.accept_slow_quorum,
        "cockroachdb_primary_region": wishes.cockroachdb_primary_region,
    }
    return "sha256:" + hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
