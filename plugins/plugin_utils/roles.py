# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine does in the cluster, read from its role label."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ansible_collections.meridian.geokube.plugins.plugin_utils.names import RARE_GROUPS, ROLE_GROUPS

#: Every role by the names that the label may use: ours, and Kubespray's groups.
ROLE_NAMES: Mapping[str, str] = {
    "control-plane": "kube_control_plane",
    "worker": "kube_node",
    **{group: group for group in (*ROLE_GROUPS, *RARE_GROUPS)},
}
#: What the host variable calls each group.
NAME_OF_GROUP: Mapping[str, str] = {
    "kube_control_plane": "control-plane",
    "etcd": "etcd",
    "kube_node": "worker",
    "ingress": "ingress",
    "database": "database",
    "calico_rr": "calico_rr",
}
#: The groups of a machine without a role label.
DEFAULT_GROUPS = ("kube_node", "ingress", "database")
#: Compute Engine and Yandex allow no comma in a label, so two dashes separate as well.
SEPARATOR = re.compile(r"--|[,\s]+")


def groups_of_label(value: str) -> tuple[str, ...]:
    """Give the groups that a role label names, in the order of C(ROLE_GROUPS); raises ValueError for an unknown one."""
    names = [name for name in SEPARATOR.split(value.strip()) if name]
    unknown = [name for name in names if name not in ROLE_NAMES]
    if unknown:
        raise ValueError(f"{', '.join(map(repr, unknown))} is no role; roles are {', '.join(NAME_OF_GROUP.values())}")
    found = {ROLE_NAMES[name] for name in names}
    return tuple(group for group in (*ROLE_GROUPS, *RARE_GROUPS) if group in found)


def with_control_plane(members: Mapping[str, Sequence[str]], first: str | None) -> dict[str, tuple[str, ...]]:
    """Give each role group its members, with a control plane and etcd where no label named one.

    C(first) is the machine that becomes the control plane then; etcd follows the control plane.
    """
    groups = {group: tuple(members.get(group, ())) for group in ROLE_GROUPS}
    groups |= {group: tuple(members[group]) for group in RARE_GROUPS if group in members}
    if not groups["kube_control_plane"] and first is not None:
        groups["kube_control_plane"] = (first,)
    if not groups["etcd"]:
        groups["etcd"] = groups["kube_control_plane"]
    return groups
