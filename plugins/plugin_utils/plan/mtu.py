# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MTU of the mesh and of the pods, from the narrowest measured path."""

from __future__ import annotations

from .links import LinkTable
from .model import PlanError, Value

# IPv6 40 + UDP 8 + WireGuard 32: what wg-quick subtracts; right for IPv4 too, with 20 bytes to spare.
WIREGUARD_OVERHEAD = 80
# IPv4 20 + UDP 8 + VXLAN 8 + Ethernet 14.
VXLAN_OVERHEAD = 50
# The least that every IPv6 interface must carry.
LEAST_MTU = 1280
ETHERNET = 1500


def mtu(table: LinkTable) -> tuple[dict[str, Value], list[str]]:
    """Give mesh_mtu and pod_mtu in bytes, and warnings about narrow paths.

    Raises PlanError when a path is too narrow for a mesh of 1280 bytes.
    """
    link = table.narrowest()
    path = link.path_mtu if link else ETHERNET
    where = f"narrowest path {path} bytes ({link.source} -> {link.target})" if link else "one machine, no path"
    mesh = path - WIREGUARD_OVERHEAD
    if mesh < LEAST_MTU:
        raise PlanError(
            f"{where}: WireGuard would leave {mesh} bytes, and less than {LEAST_MTU} breaks IPv6 and many services; "
            "raise the MTU of that path or its interface, then survey_refresh=true"
        )
    pods = mesh - VXLAN_OVERHEAD
    warnings = []
    if path < ETHERNET:
        warnings.append(f"{where}: every packet of the cluster is kept to {mesh} bytes because of this one")
    return {
        "mesh_mtu": Value(mesh, "bytes", f"{where} less {WIREGUARD_OVERHEAD} of WireGuard over IPv6 or IPv4", "mesh"),
        "pod_mtu": Value(pods, "bytes", f"mesh_mtu {mesh} less {VXLAN_OVERHEAD} of VXLAN", "report"),
    }, warnings
