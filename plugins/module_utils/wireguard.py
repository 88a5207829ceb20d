# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WireGuard as wg-quick and wg see it: the configuration file, what an interface tells, what differs. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

# With packets to keep alive, a tunnel makes a new handshake every 120 s and is dead without one after 180 s.
SILENCE_SECONDS = 185

MARK = "# Managed by the role meridian.geokube.mesh"


@dataclass(frozen=True)
class Peer:
    """Another machine of the mesh; the endpoint as C(address:port), the keepalive in seconds."""

    name: str
    public_key: str
    endpoint: str
    allowed_ips: tuple[str, ...]
    keepalive: int


@dataclass(frozen=True)
class Interface:
    """This machine's side: its address with the prefix length, the port it listens on, the MTU in bytes."""

    name: str
    address: str
    listen_port: int
    mtu: int
    key_file: str


@dataclass(frozen=True)
class LivePeer:
    """A peer as the running interface has it; the last handshake in seconds since 1970, 0 for never."""

    endpoint: str | None
    allowed_ips: frozenset[str]
    keepalive: int
    handshake: int = 0


@dataclass(frozen=True)
class Live:
    """The running interface, without its private key."""

    public_key: str
    listen_port: int
    peers: dict[str, LivePeer]


def is_key(text: str) -> bool:
    """Tell whether a text is a WireGuard key: 32 bytes in base64."""
    try:
        return len(base64.b64decode(text, validate=True)) == 32
    except (binascii.Error, ValueError):
        return False


def render(interface: Interface, peers: Sequence[Peer]) -> str:
    """Give the file for wg-quick. It names the private key's file and does not hold the key."""
    lines = [
        MARK,
        "[Interface]",
        f"Address = {interface.address}",
        f"ListenPort = {interface.listen_port}",
        f"MTU = {interface.mtu}",
        f"PostUp = wg set %i private-key {interface.key_file}",
    ]
    for peer in sorted(peers, key=lambda one: one.name):
        lines += [
            "",
            f"# {peer.name}",
            "[Peer]",
            f"PublicKey = {peer.public_key}",
            f"Endpoint = {peer.endpoint}",
            f"AllowedIPs = {', '.join(peer.allowed_ips)}",
            f"PersistentKeepalive = {peer.keepalive}",
        ]
    return "\n".join(lines) + "\n"


def parse_dump(text: str) -> Live:
    """Read C(wg show INTERFACE dump) and forget the private key in it. Raises ValueError for any other text."""
    lines = [line.split("\t") for line in text.splitlines() if line]
    if not lines or len(lines[0]) != 4 or any(len(line) != 8 for line in lines[1:]):
        raise ValueError("wg show printed something else than a dump")
    peers = {
        line[0]: LivePeer(
            endpoint=None if line[2] == "(none)" else line[2],
            allowed_ips=frozenset() if line[3] == "(none)" else frozenset(line[3].split(",")),
            keepalive=0 if line[7] == "off" else int(line[7]),
            handshake=int(line[4]),
        )
        for line in lines[1:]
    }
    return Live(lines[0][1], int(lines[0][2]), peers)


def endpoints_in(configuration: str) -> dict[str, str]:
    """Give each peer's endpoint in a file that C(render) made, by its public key."""
    found, key = {}, ""
    for line in configuration.splitlines():
        name, _separator, value = line.partition(" = ")
        if name == "PublicKey":
            key = value
        elif name == "Endpoint" and key:
            found[key] = value
    return found


def silent(peers: Sequence[Peer], live: Live, now: float) -> list[str]:
    """Give the names of the peers with which no handshake was made of late; none of those without keepalive."""
    return [
        peer.name
        for peer in peers
        if peer.keepalive
        and peer.public_key in live.peers
        and now - live.peers[peer.public_key].handshake > SILENCE_SECONDS
    ]


def commands(
    interface: Interface, peers: Sequence[Peer], live: Live, public_key: str, earlier: dict[str, str]
) -> tuple[list[str], list[str]]:
    """Give the arguments of C(wg set INTERFACE) that bring the running interface to what is wanted, and in words why.

    A live endpoint that differs is left alone unless the configured one changed against C(earlier) (public key ->
    endpoint): behind a NAT WireGuard itself follows a peer to another port. Both lists are empty when all is well.
    """
    arguments: list[str] = []
    words: list[str] = []
    if live.public_key != public_key:
        arguments += ["private-key", interface.key_file]
        words.append("private key loaded")
    if live.listen_port != interface.listen_port:
        arguments += ["listen-port", str(interface.listen_port)]
        words.append(f"listen port {live.listen_port} -> {interface.listen_port}")
    wanted = {peer.public_key: peer for peer in peers}
    for key in sorted(set(live.peers) - set(wanted)):
        arguments += ["peer", key, "remove"]
        words.append(f"peer {key} removed")
    for key, peer in sorted(wanted.items(), key=lambda item: item[1].name):
        current = live.peers.get(key)
        changes: list[str] = []
        if current is None or current.endpoint is None or earlier.get(key, peer.endpoint) != peer.endpoint:
            changes += ["endpoint", peer.endpoint]
        if current is None or current.keepalive != peer.keepalive:
            changes += ["persistent-keepalive", str(peer.keepalive)]
        if current is None or current.allowed_ips != frozenset(peer.allowed_ips):
            changes += ["allowed-ips", ",".join(peer.allowed_ips)]
        if changes:
            arguments += ["peer", key, *changes]
            words.append(f"peer {peer.name} {'added' if current is None else 'corrected: ' + ', '.join(changes[::2])}")
    return arguments, words
