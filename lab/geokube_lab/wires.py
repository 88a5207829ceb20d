# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the router's interfaces are called."""

from __future__ import annotations

from ipaddress import IPv4Address

from geokube_lab.topology import Region


def machines_bridge(region: str) -> str:
    """The router's interface to a region's machines."""
    return f"{region}-m"


def users_bridge(region: str) -> str:
    """The router's interface to a region's users."""
    return f"{region}-u"


def cable(region: Region, address: IPv4Address) -> str:
    """The router's end of the cable to the host with that address."""
    side, network = ("m", region.machines) if address in region.machines else ("u", region.users)
    return f"{region.name}-{side}{int(address) - int(network.network_address)}"
