# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From one state of the table to another: the transaction, from texts as C(nft list table) prints them."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from .firewall_rules import replacing

SET = re.compile(r"^\tset (\S+) \{\n(.*?)^\t\}\n", re.MULTILINE | re.DOTALL)
ELEMENTS = re.compile(r"^\t\telements = \{([^}]*)\}\n", re.MULTILINE)


@dataclass(frozen=True)
class Parts:
    """A table taken apart: its text without what the sets hold, and what each set holds, in order."""

    frame: str
    sets: dict[str, tuple[str, ...]]


def take_apart(text: str) -> Parts:
    """Take a listed table apart."""
    held = {}
    for found in SET.finditer(text):
        elements = ELEMENTS.search(found.group(2))
        held[found.group(1)] = tuple(one.strip() for one in elements.group(1).split(",")) if elements else ()
    return Parts(ELEMENTS.sub("", text), held)


def bounds(element: str) -> tuple[int, int, int]:
    """Give an element of a set as (IP version, first address, last address)."""
    first, dash, last = element.partition("-")
    if dash:
        low, high = ipaddress.ip_address(first), ipaddress.ip_address(last)
        return low.version, int(low), int(high)
    network = ipaddress.ip_network(element)
    return network.version, int(network.network_address), int(network.broadcast_address)


def overlap(one: str, other: str) -> bool:
    """Tell whether two elements share an address."""
    version, first, last = bounds(one)
    other_version, other_first, other_last = bounds(other)
    return version == other_version and first <= other_last and other_first <= last


def transaction(table: str, live: str, wanted: str) -> str:
    """Give what brings the live table to the wanted one, all at once or not at all; empty when nothing differs.

    Where only the sets' elements differ, new ones are added before old ones are removed; an old one that overlaps a
    new one is removed first, as nftables knows no overlapping elements. Any other difference replaces the table.
    """
    if live == wanted:
        return ""
    if not live or not wanted:
        return replacing(table, wanted)
    before, after = take_apart(live), take_apart(wanted)
    if before.frame != after.frame:
        return replacing(table, wanted)
    first: list[str] = []
    added: list[str] = []
    removed: list[str] = []
    for name, elements in after.sets.items():
        new = [one for one in elements if one not in before.sets[name]]
        old = [one for one in before.sets[name] if one not in elements]
        in_the_way = [one for one in old if any(overlap(one, other) for other in new)]
        rest = [one for one in old if one not in in_the_way]
        for command, ones, lines in (("delete", in_the_way, first), ("add", new, added), ("delete", rest, removed)):
            if ones:
                lines.append(f"{command} element inet {table} {name} {{ {', '.join(ones)} }}\n")
    return "".join(first + added + removed)
