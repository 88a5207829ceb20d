# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of hosts and groups: DNS-1123 for hosts, Python-like for groups, and never two things under one name."""

from __future__ import annotations

import re
from collections.abc import Iterable

LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
#: A DNS-1123 subdomain, as Kubernetes names its nodes.
HOST_NAME = re.compile(rf"{LABEL}(?:\.{LABEL})*")
#: A DNS-1123 label, as the names of Kubernetes objects and label values.
REGION_NAME = re.compile(LABEL)
LONGEST_HOST_NAME = 253
LONGEST_LABEL = 63

#: Groups that Ansible makes itself; as a host, C(localhost) is its own too.
ANSIBLE_NAMES = frozenset({"all", "ungrouped", "localhost"})
#: The role groups that this inventory fills, and what Kubespray adds to them or reads.
ROLE_GROUPS = ("kube_control_plane", "etcd", "kube_node", "ingress", "database")
#: Kubespray's group that only some clusters have; a label may name it.
RARE_GROUPS = ("calico_rr",)
KUBESPRAY_GROUPS = frozenset(
    {"kube_control_plane", "etcd", "kube_node", "k8s_cluster", "calico_rr", "bastion", "no_floating", "gfs_cluster"}
)
RESERVED_GROUPS = ANSIBLE_NAMES | KUBESPRAY_GROUPS | frozenset(ROLE_GROUPS)


class NameRefused(ValueError):
    """A name cannot be used; the text says which, whose and what to do."""


def clean_host_name(name: str) -> str:
    """Give C(name) as DNS-1123: lower case, every other character a dash, no dash or dot at an end.

    Raises NameRefused when nothing is left or a part is too long: cutting it could make two names one.
    """
    parts = [re.sub(r"[^a-z0-9]+", "-", part).strip("-") for part in name.lower().split(".")]
    cleaned = ".".join(filter(None, parts))
    if not cleaned:
        raise NameRefused("has no letter or digit in it")
    if len(cleaned) > LONGEST_HOST_NAME or any(len(part) > LONGEST_LABEL for part in cleaned.split(".")):
        raise NameRefused(f"is longer than {LONGEST_LABEL} characters between dots, or {LONGEST_HOST_NAME} in all")
    return cleaned


def clean_group_name(name: str) -> str:
    """Give C(name) as a group's name: letters, digits and underscores, no digit first."""
    cleaned = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return f"_{cleaned}" if cleaned[:1].isdigit() else cleaned


class GroupNames:
    """Hands out group names and refuses two different names that become one."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._reserved = frozenset(reserved)
        self._raw: dict[str, str] = {}

    def reserving(self, reserved: Iterable[str]) -> GroupNames:
        """Give these names with more that are refused."""
        more = GroupNames(self._reserved | frozenset(reserved))
        more._raw = dict(self._raw)
        return more

    def clean(self, raw: str) -> str:
        """Give the group's name of C(raw); raises NameRefused when it is taken or reserved."""
        cleaned = clean_group_name(raw)
        if cleaned in self._reserved:
            raise NameRefused(
                f"group {raw!r} would be {cleaned!r}, which has a meaning of its own; use a prefix or another key"
            )
        first = self._raw.setdefault(cleaned, raw)
        if first != raw:
            raise NameRefused(
                f"groups {first!r} and {raw!r} would both be {cleaned!r}; rename one, or use another prefix"
            )
        return cleaned
