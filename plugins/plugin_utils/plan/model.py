# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plan reads and what it gives: plain, frozen values without any behaviour of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

CONTROL_PLANE = "control-plane"
ETCD = "etcd"
DATABASE = "database"

Consumer = Literal["kubespray", "mesh", "cockroachdb", "report"]


class PlanError(ValueError):
    """What was asked for cannot work, or the survey does not say enough. The text names what to do."""


@dataclass(frozen=True)
class Machine:
    """One machine of the cluster.

    C(roles) are the labels of its VM; empty means that it carries none.
    C(clock_error) is the bound of its clock's error in milliseconds, or None where it is not known.
    """

    name: str
    region: str
    roles: tuple[str, ...] = ()
    mesh_address: str | None = None
    clock_error: float | None = None


@dataclass(frozen=True)
class Link:
    """One measured direction between two machines: RTT in milliseconds, loss as a fraction, MTU in bytes."""

    source: str
    target: str
    rtt: float
    loss: float = 0.0
    path_mtu: int = 1500


@dataclass(frozen=True)
class Basis:
    """What an earlier plan rested on, so that measurement noise does not move a setting.

    C(rtt) holds the RTT in milliseconds of pairs of machines, each pair in alphabetical order.
    """

    home_region: str | None = None
    cockroachdb_primary_region: str | None = None
    rtt: Mapping[tuple[str, str], float] = field(default_factory=dict)


@dataclass(frozen=True)
class Wishes:
    """What the operator decided; None leaves it to the plan."""

    cluster: str
    home_region: str | None = None
    accept_slow_quorum: bool = False
    cockroachdb_primary_region: str | None = None
    basis: Basis = Basis()


@dataclass(frozen=True)
class Value:
    """One computed setting, as literally as its consumer wants it, and why."""

    value: str | int | float
    unit: str
    why: str
    consumer: Consumer


@dataclass(frozen=True)
class Candidate:
    """A region as a place for the control plane: RTT in milliseconds to the other regions."""

    region: str
    total_rtt: float
    worst_rtt: float


@dataclass(frozen=True)
class Spread:
    """The best three regions over which etcd could be spread, and what a write would then cost (ms)."""

    regions: tuple[str, ...]
    write_latency: float
    worst_rtt: float


@dataclass(frozen=True)
class ControlPlane:
    """Where the control plane lives.

    C(quorum_rtt) is the largest RTT between two etcd members, C(write_latency) what a commit waits for; both ms.
    """

    home_region: str
    hosts: tuple[str, ...]
    etcd: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    spread: Spread | None
    quorum_rtt: float
    write_latency: float
    spans_regions: bool
    why: str


@dataclass(frozen=True)
class Fallback:
    """The other regions in the order in which they take over, with the RTT to each in milliseconds."""

    regions: tuple[str, ...]
    rtt: tuple[float, ...]


@dataclass(frozen=True)
class Plan:
    """Everything that was computed; C(plan_file.to_json) gives it as the file's content."""

    cluster: str
    inputs_digest: str
    home_region: str
    machines: tuple[Machine, ...]
    control_plane: ControlPlane
    regions: Mapping[str, Fallback]
    values: Mapping[str, Value]
    rtt: Mapping[tuple[str, str], float]
    warnings: tuple[str, ...]
