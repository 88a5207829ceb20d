# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a machine is reached by another: the one place that decides between public and private addresses."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from .addresses import MeshError


def reached_at(source: Mapping[str, Any], target: Mapping[str, Any], name: str) -> str:
    """Give the IP address at which C(target) is reached from C(source), both by their host variables.

    The private one when both have the same C(geokube_private_network), else the public one.
    Raises MeshError, naming the machine, when there is none.
    """
    network = source.get("geokube_private_network")
    if network and network == target.get("geokube_private_network") and target.get("geokube_private_ip"):
        return _checked(str(target["geokube_private_ip"]), name, "geokube_private_ip")
    address = target.get("geokube_public_ip") or target.get("ansible_host")
    if not address:
        raise MeshError(f"{name} has neither geokube_public_ip nor ansible_host: its machine has no public address")
    return _checked(str(address), name, "geokube_public_ip")


def _checked(address: str, name: str, variable: str) -> str:
    try:
        return str(ip_address(address))
    except ValueError as error:
        raise MeshError(f"{variable} of {name} is {address!r}, which is no IP address") from error


def with_port(address: str, port: int) -> str:
    """Give C(address:port), an IPv6 address in brackets."""
    return f"[{address}]:{port}" if ip_address(address).version == 6 else f"{address}:{port}"
