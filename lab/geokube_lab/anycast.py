# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which point of presence answers whom: each region's own, or the next one by round trip when that is withdrawn."""

from __future__ import annotations

from geokube_lab.seas import State, pair
from geokube_lab.topology import Topology
from geokube_lab.wires import cable, users_bridge

# The first of the router's tables, one a region, that lead to who answers it.
TABLE = 100


def answering(topology: Topology, state: State, region: str) -> str | None:
    """The region whose point of presence answers that region's hosts; None when they can reach none."""
    reachable = [
        name
        for name in topology.regions
        if name not in state.withdrawn and (name == region or pair(region, name) not in state.cut_pairs)
    ]
    return min(reachable, key=lambda name: 0.0 if name == region else state.rtt(region, name), default=None)


def table(topology: Topology, region: str) -> int:
    """The router's table with the anycast route of a region's hosts."""
    return TABLE + list(topology.regions).index(region)


def routes(topology: Topology, state: State) -> list[str]:
    """Commands for `ip -batch` in the router: a route a region, and the cables of the points of presence."""
    commands = []
    for name, region in topology.regions.items():
        place = answering(topology, state, name)
        way = f"{topology.anycast_network} table {table(topology, name)}"
        if place is None:
            commands.append(f"route replace unreachable {way}")
        else:
            commands.append(f"route replace {way} via {topology.regions[place].pop_address} dev {users_bridge(place)}")
        on = "down" if name in state.withdrawn else "up"
        commands.append(f"link set {cable(region, region.pop_address)} {on}")
    return commands
