# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands where Ansible's inventory would be while the user's expressions are evaluated, so that nothing is added."""

from __future__ import annotations

from typing import Any


class Recorder:
    """Takes what Ansible's Constructable does to an inventory.

    C(memberships) are (group, host) pairs and C(children) (group, group) pairs, in the order in which they came.
    """

    def __init__(self) -> None:
        self.groups: dict[str, None] = {}
        self.memberships: dict[tuple[str, str], None] = {}
        self.children: dict[tuple[str, str], None] = {}
        self.variables: dict[str, dict[str, Any]] = {}

    def add_group(self, group: str) -> str:
        """Note a group."""
        self.groups[group] = None
        return group

    def add_host(self, host: str, group: str | None = None, port: int | None = None) -> str:
        """Note that C(host) is in C(group)."""
        if group is not None:
            self.memberships[group, host] = None
        return host

    def add_child(self, group: str, child: str) -> bool:
        """Note a group in a group, or a host in a group."""
        (self.children if child in self.groups else self.memberships)[group, child] = None
        return True

    def set_variable(self, entity: str, name: str, value: Any) -> None:
        """Note a variable of a host."""
        self.variables.setdefault(entity, {})[name] = value
