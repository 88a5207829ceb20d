# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The timers of etcd, kubelet and the leader elections, from the measured RTT.

Sources: etcd's tuning guide (heartbeat 0.5 to 1.5 times the largest RTT between members, election at least ten
times it, at most 50 s, the same on all members); kubelet's HTTP/2 health check (a dead connection is noticed after
30 s + 15 s); upstream's proportion of lease to renew deadline (15 s / 10 s).
"""

from __future__ import annotations

from math import ceil

from .links import LinkTable
from .model import ControlPlane, Machine, Value

# Kubespray's own defaults (ms); they leave room for slow cloud disks, so the plan never goes below them.
HEARTBEAT_FLOOR = 250
ELECTION_FLOOR = 5_000
ELECTION_CAP = 50_000

# A WAN begins here (ms): below it the defaults of a data centre hold.
WAN = 50.0

# kubelet: 30 s without an answer, then 15 s for the ping, then it opens a new connection.
DEAD_CONNECTION_SECONDS = 45
LEASE_PERIOD_SECONDS = 10
# TCP, TLS 1.3 and the first request, each tried once more.
RECONNECT_ROUND_TRIPS = 8
GRACE_FLOOR_SECONDS = 60


def round_up(amount: float, step: int) -> int:
    """Round up to a multiple of a step."""
    return ceil(round(amount / step, 6)) * step


def timers(machines: tuple[Machine, ...], table: LinkTable, place: ControlPlane) -> dict[str, Value]:
    """Give the timers by the names of Kubespray's variables."""
    return {**_etcd(table, place), **_kubelet(machines, table, place), **_elections(table, place)}


def heartbeat(quorum_rtt: float) -> int:
    """Give etcd's heartbeat interval in ms for the largest RTT between members in ms."""
    return max(HEARTBEAT_FLOOR, round_up(quorum_rtt, 50))


def election(quorum_rtt: float) -> int:
    """Give etcd's election timeout in ms for the largest RTT between members in ms."""
    return min(ELECTION_CAP, max(ELECTION_FLOOR, round_up(10 * quorum_rtt, 500), 5 * heartbeat(quorum_rtt)))


def _etcd(table: LinkTable, place: ControlPlane) -> dict[str, Value]:
    members = f"largest RTT between the {len(place.etcd)} etcd member(s) {place.quorum_rtt:g} ms"
    if len(place.etcd) == 1:
        members = "one etcd member, so no link is in the quorum"
    beat, vote = heartbeat(place.quorum_rtt), election(place.quorum_rtt)
    floor = place.quorum_rtt <= HEARTBEAT_FLOOR
    worst = max(table.rtt.values(), default=0.0)
    retries = 10 if worst > WAN else 4
    return {
        "etcd_heartbeat_interval": Value(
            beat,
            "ms",
            f"{members}; about one RTT, rounded up to 50 ms" + (f", not below {HEARTBEAT_FLOOR} ms" if floor else ""),
            "kubespray",
        ),
        "etcd_election_timeout": Value(
            vote,
            "ms",
            f"{members}; at least ten RTT and five heartbeats, between {ELECTION_FLOOR:g} and {ELECTION_CAP:g} ms",
            "kubespray",
        ),
        "etcd_retries": Value(
            retries,
            "",
            f"the slowest link has {worst:g} ms"
            + (": health checks over it need more tries than the default 4" if retries > 4 else ", the default holds"),
            "kubespray",
        ),
    }


def _kubelet(machines: tuple[Machine, ...], table: LinkTable, place: ControlPlane) -> dict[str, Value]:
    reach = {machine.name: min(table.between(machine.name, host) for host in place.hosts) for machine in machines}
    farthest = max(sorted(reach), key=lambda name: reach[name])
    worst = reach[farthest]
    far = f"{farthest} is {worst:g} ms from the control plane"
    status = 20 if worst > WAN else 10
    reconnect = RECONNECT_ROUND_TRIPS * worst / 1000
    grace = max(
        GRACE_FLOOR_SECONDS, round_up(DEAD_CONNECTION_SECONDS + LEASE_PERIOD_SECONDS + reconnect, 5), 3 * status
    )
    return {
        "kubelet_status_update_frequency": Value(
            f"{status}s",
            "duration",
            f"{far}; "
            + (
                f"over {WAN:g} ms a report every 20 s will do, leases renewed every {LEASE_PERIOD_SECONDS} s show life"
                if status == 20
                else "the default holds"
            ),
            "kubespray",
        ),
        "kube_controller_node_monitor_grace_period": Value(
            f"{grace}s",
            "duration",
            f"{far}; kubelet notices a dead connection after {DEAD_CONNECTION_SECONDS} s, its lease is at most "
            f"{LEASE_PERIOD_SECONDS} s old, {RECONNECT_ROUND_TRIPS} round trips to come back take {reconnect:.1f} s; "
            f"rounded up to 5 s, at least {GRACE_FLOOR_SECONDS} s",
            "kubespray",
        ),
    }


def _elections(table: LinkTable, place: ControlPlane) -> dict[str, Value]:
    silence = 4 * election(place.quorum_rtt) / 1000
    why = f"etcd can be silent for two elections of up to twice its timeout, {silence:g} s"
    if place.spans_regions:
        silence *= 2
        why += f", twice that because etcd's members span regions, {silence:g} s"
    renew = round_up(max(10.0, silence), 5)
    lease = renew * 3 // 2
    values = {}
    for component in ("kube_controller_manager", "kube_scheduler"):
        values[f"{component}_leader_elect_lease_duration"] = Value(
            f"{lease}s", "duration", f"one and a half times the renew deadline of {renew} s, as upstream", "kubespray"
        )
        values[f"{component}_leader_elect_renew_deadline"] = Value(
            f"{renew}s", "duration", f"{why}; a leader must not give up before", "kubespray"
        )
    return values
