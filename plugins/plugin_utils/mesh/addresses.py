# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mesh addresses: given once to a machine's name and kept for good."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, ip_address


class MeshError(ValueError):
    """No mesh can be laid out as asked. The text names the setting and what to do."""


def read_network(text: str) -> IPv4Network:
    """Give the mesh network. Raises MeshError for anything that is not a private IPv4 network."""
    try:
        network = IPv4Network(text)
    except ValueError as error:
        raise MeshError(f"mesh_network is {text!r}, which is no IPv4 network: {error}") from error
    if not network.is_private:
        raise MeshError(f"mesh_network is {network}, which is public: take a part of 10.0.0.0/8 or 192.168.0.0/16")
    return network


def adopt(known: Mapping[str, str], live: Mapping[str, Sequence[str]], network: IPv4Network) -> dict[str, str]:
    """Give the known addresses and those that running machines have already, should the known ones be lost.

    C(live) holds the addresses of each machine's mesh interface, with or without prefix lengths.
    Raises MeshError when a machine runs with another address than the known one, before anything is changed.
    """
    addresses = dict(known)
    for name, found in live.items():
        running = [one.partition("/")[0] for one in found if ip_address(one.partition("/")[0]) in network]
        if not running or addresses.get(name) in running:
            continue
        if name in addresses:
            raise MeshError(
                f"{name} runs with the mesh address {running[0]}, but mesh.json gives it {addresses[name]}; a changed "
                "address breaks etcd: restore the state folder, or remove mesh.json to adopt what the machines have"
            )
        addresses[name] = running[0]
    return addresses


def allocate(
    hosts: Sequence[str], known: Mapping[str, str], network: IPv4Network, taken: Iterable[str] = ()
) -> dict[str, str]:
    """Give every host its address: the known one, else the lowest free one in the order of C(hosts).

    Addresses of machines that are gone stay reserved for their names. Raises MeshError when the network is full,
    when a known address lies outside of it, or when it holds an address that the machines use already (C(taken)).
    """
    for address in taken:
        if address and ip_address(address) in network:
            raise MeshError(f"mesh_network {network} holds {address}, which a machine already has: choose another one")
    outside = [name for name, address in known.items() if IPv4Address(address) not in network]
    if outside:
        raise MeshError(
            f"mesh.json gives {outside[0]} the address {known[outside[0]]}, outside of mesh_network {network}; "
            "addresses are kept for good: set mesh_network back"
        )
    if len(set(known.values())) != len(known):
        raise MeshError("mesh.json gives two machines the same address: restore it from a backup")
    addresses = dict(known)
    used = set(known.values())
    free = (str(address) for address in network.hosts() if str(address) not in used)
    for name in hosts:
        if name in addresses:
            continue
        chosen = next(free, None)
        if chosen is None:
            raise MeshError(
                f"mesh_network {network} has no address left for {name}: take names of machines that are gone for "
                "good out of mesh.json"
            )
        addresses[name] = chosen
    return addresses
