# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the control plane and etcd live, and whether their quorum can work there.

Sources: etcd's tuning guide (the leader waits for a majority), Red Hat's limit of 50 ms between etcd members,
etcd#11836 (12 -> 200 ms a write at 20 ms RTT when the leader moved).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from .links import LinkTable
from .model import CONTROL_PLANE, ETCD, Candidate, ControlPlane, Machine, PlanError, Spread, Wishes

# etcd over links slower than this (ms) is refused unless the operator accepts it.
SLOW_QUORUM = 100.0
# From here on (ms) it is worth a warning.
WORTH_A_WARNING = 50.0


def candidates(table: LinkTable) -> tuple[Candidate, ...]:
    """Give every region with its total and worst RTT to the others, the best first."""
    found = []
    for region in table.regions:
        distances = [table.between_regions(region, other) for other in table.regions if other != region]
        found.append(Candidate(region, round(sum(distances), 3), max(distances, default=0.0)))
    return tuple(sorted(found, key=lambda one: (one.total_rtt, one.worst_rtt, one.region)))


def commit_latency(table: LinkTable, members: Sequence[str]) -> float:
    """Give what a write waits for (ms): the slowest answer of the nearest majority, from the best-placed leader."""
    majority = len(members) // 2 + 1
    return min(sorted(table.between(leader, other) for other in members)[majority - 1] for leader in members)


def best_spread(table: LinkTable) -> Spread | None:
    """Give the three regions over which etcd would be fastest; None with fewer than three regions."""
    options = []
    for trio in combinations(table.regions, 3):
        distances = {frozenset(two): table.between_regions(*two) for two in combinations(trio, 2)}
        nearest = min(
            min(distances[frozenset((leader, other))] for other in trio if other != leader) for leader in trio
        )
        options.append(Spread(trio, nearest, max(distances.values())))
    return min(options, key=lambda one: (one.worst_rtt, one.write_latency, one.regions), default=None)


def place(machines: Sequence[Machine], table: LinkTable, wishes: Wishes) -> tuple[ControlPlane, list[str]]:
    """Decide the home region, the control plane's machines and etcd's members; give them and the warnings.

    Raises PlanError for a home region that has no machine or contradicts the labels, for an even number of etcd
    members, and for a quorum over slow links that was not accepted.
    """
    ranking = candidates(table)
    home, why, warnings = _home(machines, ranking, wishes)
    hosts = [machine.name for machine in machines if CONTROL_PLANE in machine.roles]
    if not hosts:
        hosts = [next(machine.name for machine in machines if machine.region == home)]
    etcd = [machine.name for machine in machines if ETCD in machine.roles] or hosts
    if len(etcd) % 2 == 0:
        raise PlanError(
            f"etcd would have {len(etcd)} members ({', '.join(etcd)}), and an even number adds no tolerance: "
            "label one machine more or one less with the role etcd"
        )
    region_of = {machine.name: machine.region for machine in machines}
    spans = len({region_of[name] for name in etcd}) > 1
    quorum = max((table.between(a, b) for a, b in combinations(etcd, 2)), default=0.0)
    latency = commit_latency(table, etcd)
    warnings += _judge_quorum(etcd, table, quorum, latency, wishes.accept_slow_quorum)
    far = {region_of[name] for name in hosts} - {region_of[name] for name in etcd}
    if far:
        warnings.append(
            f"control-plane machines in {', '.join(sorted(far))} have no etcd member in their region: "
            "each of their API requests crosses the ocean"
        )
    placed = ControlPlane(home, tuple(hosts), tuple(etcd), ranking, best_spread(table), quorum, latency, spans, why)
    return placed, warnings


def _home(machines: Sequence[Machine], ranking: Sequence[Candidate], wishes: Wishes) -> tuple[str, str, list[str]]:
    regions = {machine.region for machine in machines}
    labelled = [machine for machine in machines if CONTROL_PLANE in machine.roles]
    labelled_regions = [machine.region for machine in labelled]
    by_region = {one.region: one for one in ranking}
    best = ranking[0]
    if wishes.home_region is not None:
        home = wishes.home_region
        if home not in regions:
            raise PlanError(
                f"geokube_home_region is {home!r}, which has no machine; regions: {', '.join(sorted(regions))}"
            )
        if labelled and home not in labelled_regions:
            raise PlanError(
                f"geokube_home_region is {home!r}, but the role label control-plane sits on "
                f"{', '.join(f'{one.name} ({one.region})' for one in labelled)}: move the label or drop the setting"
            )
        reason = "geokube_home_region says so"
    elif labelled:
        home = max(sorted(set(labelled_regions)), key=labelled_regions.count)
        reason = f"the role label control-plane sits on {', '.join(one.name for one in labelled)}"
    elif wishes.basis.home_region in regions and wishes.basis.home_region != best.region:
        home = str(wishes.basis.home_region)
        reason = "the earlier plan put it there, and a control plane that exists does not move by itself"
    else:
        home, reason = best.region, "lowest total RTT to the other regions"
    here = by_region[home]
    why = f"{reason}; total {here.total_rtt:g} ms, worst {here.worst_rtt:g} ms"
    warnings = []
    if best.total_rtt < here.total_rtt:
        why += f" ({best.region} would have total {best.total_rtt:g} ms, worst {best.worst_rtt:g} ms)"
        if reason.startswith("the earlier plan"):
            warnings.append(
                f"{best.region} is now a better home ({best.total_rtt:g} ms in total) than {home} "
                f"({here.total_rtt:g} ms); set geokube_home_region to silence this or to move on purpose"
            )
    return home, why, warnings


def _judge_quorum(etcd: Sequence[str], table: LinkTable, quorum: float, latency: float, accepted: bool) -> list[str]:
    if quorum <= WORTH_A_WARNING:
        return []
    one, other = max(combinations(etcd, 2), key=lambda two: table.between(*two))
    told = (
        f"etcd members {one} and {other} are {quorum:g} ms apart; every write to the cluster would wait "
        f"{latency:g} ms with the leader in the best place, up to {quorum:g} ms otherwise"
    )
    if quorum > SLOW_QUORUM and not accepted:
        raise PlanError(
            f"{told}. That is over {SLOW_QUORUM:g} ms: keep the role etcd within one region, "
            "or set geokube_accept_slow_quorum=true"
        )
    return [told]
