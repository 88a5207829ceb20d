# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nftables table that lets in from outside only what is named: from wishes to text, nothing is run here."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .node_commands import NodeError

FAMILIES = ("ipv4", "ipv6")
MARK = "# Made by the Ansible role meridian.geokube.firewall: changes of this file are lost.\n"
NAME = re.compile(r"[a-z][a-z0-9_]{0,23}")
INTERFACE = re.compile(r'[^\s"/*]{1,15}')
# What the path MTU, the survey's pings, IPv6's neighbours and leases need, whoever sends it.
ALWAYS = (
    "ct state established,related accept",
    "icmp type { destination-unreachable, echo-request, time-exceeded, parameter-problem } accept",
    "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, echo-request, "
    "mld-listener-query, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, nd-redirect } accept",
    'udp sport 67 udp dport 68 accept comment "dhcp"',
    'ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept comment "dhcp"',
)

if TYPE_CHECKING:
    from typing import TypeAlias

    Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"


class FirewallError(NodeError):
    """The firewall cannot be as wanted. The text names the option or the file and says what to do."""


@dataclass(frozen=True)
class Opening:
    """Ports that sources outside may reach: numbers or ranges like C(8000-8010), networks of both families."""

    name: str
    protocol: str
    ports: tuple[str, ...]
    sources: tuple[Network, ...]

    def networks(self, family: str) -> list[Network]:
        """Give the sources of one family, none within another and in order."""
        version = int(family[-1])
        if version == 4:
            return list(
                ipaddress.collapse_addresses(one for one in self.sources if isinstance(one, ipaddress.IPv4Network))
            )
        return list(ipaddress.collapse_addresses(one for one in self.sources if isinstance(one, ipaddress.IPv6Network)))


@dataclass(frozen=True)
class Wish:
    """What the table of a machine shall do: which interfaces it watches, and what it lets in there."""

    table: str
    interfaces: tuple[str, ...]
    openings: tuple[Opening, ...]


def read_sources(name: str, sources: Sequence[str]) -> tuple[Network, ...]:
    """Read networks and addresses. Raises FirewallError with the opening's name for one that is neither."""
    found = []
    for one in sources:
        try:
            found.append(ipaddress.ip_network(one.strip()))
        except ValueError as error:
            raise FirewallError(
                f"openings: the source {one!r} of {name} is no network: {error}; "
                "write it like 192.0.2.0/24, 192.0.2.7 or 2001:db8::/32"
            ) from error
    return tuple(found)


def read_ports(name: str, ports: Sequence[str]) -> tuple[str, ...]:
    """Read ports and ranges of them, sorted. Raises FirewallError with the opening's name for one that is neither."""
    found = set()
    for one in ports:
        first, dash, last = str(one).strip().partition("-")
        numbers = [int(part) if part.isdigit() else 0 for part in ([first, last] if dash else [first])]
        if not all(0 < number < 65536 for number in numbers) or numbers != sorted(numbers):
            raise FirewallError(f"openings: {one!r} of {name} is no port and no range of ports like 8000-8010")
        found.add(tuple(numbers))
    if not found:
        raise FirewallError(f"openings: {name} has no ports: name at least one, or leave the opening out")
    return tuple("-".join(map(str, numbers)) for numbers in sorted(found))


def read_opening(name: str, protocol: str, ports: Sequence[str], sources: Sequence[str]) -> Opening:
    """Read one opening. Raises FirewallError that says which part of it is wrong."""
    if not NAME.fullmatch(name):
        raise FirewallError(
            f"openings: the name {name!r} must be small letters, digits and underscores, 24 at most, a letter first"
        )
    return Opening(name, protocol, read_ports(name, ports), read_sources(name, sources))


def check(wish: Wish) -> None:
    """Raise FirewallError for a wish that cannot be meant."""
    names = [one.name for one in wish.openings]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FirewallError(f"openings: the name {twice[0]} is there twice: give each its own")
    wrong = [one for one in wish.interfaces if not INTERFACE.fullmatch(one)]
    if wrong:
        raise FirewallError(f"interfaces: {wrong[0]!r} is no name of an interface")
    if not wish.interfaces:
        raise FirewallError("interfaces: there is none to watch, so nothing would be shut: name the public ones")


def set_name(opening: Opening, family: str) -> str:
    """Give the name of the set that holds an opening's sources of one family."""
    return f"{opening.name}_{family}"


def render(wish: Wish) -> str:
    """Give the table as text, the same for the same wish.

    It looks at packets before any address is translated (priority mangle comes before dstnat): what is meant for a
    port that a pod has on the machine is forwarded and never seen by an input chain. The policy is to accept, and the
    last rule drops: a chain that is being put in place has no rules for a moment, and must not drop in it.
    """
    check(wish)
    sets = [text for one in wish.openings for family in FAMILIES if (text := _set(one, family))]
    rules = [rule for one in wish.openings for family in FAMILIES if (rule := _rule(one, family))]
    watched = ", ".join(f'"{name}"' for name in sorted(set(wish.interfaces)))
    chain = [
        "\tchain outside {",
        "\t\ttype filter hook prerouting priority mangle; policy accept;",
        f"\t\tiifname != {{ {watched} }} accept",
        *(f"\t\t{rule}" for rule in (*ALWAYS, *rules)),
        "\t\tcounter drop",
        "\t}",
    ]
    return "\n".join([f"table inet {wish.table} {{", *sets, *chain, "}", ""])


def replacing(table: str, text: str) -> str:
    """Give a transaction after which the table is as C(text) says, whatever it was; an empty text removes it."""
    return f"table inet {table}\ndelete table inet {table}\n{text}"


def _is_any(networks: Sequence[Network]) -> bool:
    return any(one.prefixlen == 0 for one in networks)


def _set(opening: Opening, family: str) -> str:
    networks = opening.networks(family)
    if not networks or _is_any(networks):
        return ""
    elements = ", ".join(str(one) for one in networks)
    lines = (f"type {family}_addr", "flags interval", f"elements = {{ {elements} }}")
    return "\n".join([f"\tset {set_name(opening, family)} {{", *(f"\t\t{line}" for line in lines), "\t}"])


def _rule(opening: Opening, family: str) -> str:
    networks = opening.networks(family)
    if not networks:
        return ""
    keyword = {"ipv4": "ip", "ipv6": "ip6"}[family]
    source = f"meta nfproto {family}" if _is_any(networks) else f"{keyword} saddr @{set_name(opening, family)}"
    ports = ", ".join(opening.ports)
    return f'{source} {opening.protocol} dport {{ {ports} }} accept comment "{opening.name}"'
