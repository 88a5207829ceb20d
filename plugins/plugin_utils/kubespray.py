# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Kubespray is told, and which of its playbooks has to run: pure functions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

GROUPS = ("kube_control_plane", "etcd", "kube_node")
CONNECTION_VARIABLES = (
    "ansible_host",
    "ansible_port",
    "ansible_user",
    "ansible_connection",
    "ansible_ssh_private_key_file",
    "ansible_ssh_args",
    "ansible_ssh_common_args",
    "ansible_ssh_extra_args",
    "ansible_ssh_executable",
    "ansible_control_path",
    "ansible_control_path_dir",
    "ansible_host_key_checking",
    "ansible_python_interpreter",
    "ansible_become_method",
    "ansible_become_user",
)
PASSWORDS = ("ansible_password", "ansible_ssh_pass", "ansible_ssh_password", "ansible_become_pass")


class KubesprayError(ValueError):
    """Says what is wrong with what Kubespray would be told, and what to do about it."""


def inventory_hosts(groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Give the cluster's hosts in the order of their groups, each once.

    Raises KubesprayError when a group is missing or empty, or when etcd has an even number of members.
    """
    for group in GROUPS:
        if not groups.get(group):
            raise KubesprayError(f"the inventory's group {group} is empty: Kubespray needs at least one host in it")
    if len(groups["etcd"]) % 2 == 0:
        raise KubesprayError(
            f"group etcd has {len(groups['etcd'])} hosts ({', '.join(groups['etcd'])}): make it an odd number"
        )
    return list(dict.fromkeys(host for group in GROUPS for host in groups[group]))


def _connection(host: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    for name in PASSWORDS:
        if name in variables:
            raise KubesprayError(
                f"host {host} has {name}: a password would be written into Kubespray's inventory. "
                "Use a key, and sudo without a password"
            )
    found = {name: variables[name] for name in CONNECTION_VARIABLES if name in variables}
    return {**found, "ansible_host": variables.get("ansible_host", host), "ansible_become": True}


def _etcd_names(members: Sequence[str], previous: Mapping[str, Any]) -> dict[str, str]:
    """Give each etcd member a name that it keeps for good: Kubespray's own follow the order of the group."""
    old_hosts = (previous.get("all") or {}).get("hosts") or {}
    names = {
        host: str(old_hosts[host]["etcd_member_name"])
        for host in members
        if "etcd_member_name" in (old_hosts.get(host) or {})
    }
    taken = {str(values["etcd_member_name"]) for values in old_hosts.values() if "etcd_member_name" in (values or {})}
    free = (name for number in range(1, 10_000) if (name := f"etcd{number}") not in taken)
    return {host: names.get(host) or next(free) for host in members}


def inventory(
    groups: Mapping[str, Sequence[str]],
    hostvars: Mapping[str, Mapping[str, Any]],
    mesh: Mapping[str, str],
    previous: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Give Kubespray's inventory as the mapping of a YAML inventory file.

    `mesh` maps each host to its address on the mesh; `previous` is the inventory rendered last, from which etcd's
    member names are kept. Raises KubesprayError for a host without a mesh address, region or zone, with a password,
    and for empty or even groups.
    """
    hosts: dict[str, dict[str, Any]] = {}
    etcd_names = _etcd_names(groups.get("etcd") or (), previous or {})
    for host in inventory_hosts(groups):
        variables = hostvars[host]
        if host not in mesh:
            raise KubesprayError(f"host {host} has no address on the mesh: run the mesh role first")
        for name in ("geokube_region", "geokube_zone"):
            if not variables.get(name):
                raise KubesprayError(f"host {host} has no {name}: the inventory has to say where it stands")
        labels = {
            "topology.kubernetes.io/region": str(variables["geokube_region"]),
            "topology.kubernetes.io/zone": str(variables["geokube_zone"]),
        }
        own = dict(variables.get("kubespray_host_vars") or {})
        labels |= own.pop("node_labels", {})
        hosts[host] = {**_connection(host, variables), **own, "ip": mesh[host], "node_labels": labels}
        if host in etcd_names:
            hosts[host]["etcd_member_name"] = etcd_names[host]
    return {
        "all": {
            "hosts": hosts,
            "children": {group: {"hosts": {host: {} for host in groups[group]}} for group in GROUPS},
        }
    }


def plan_groups(groups: Mapping[str, Sequence[str]], plan: Mapping[str, Any]) -> dict[str, list[str]]:
    """Give Kubespray's groups: the plan's control plane and etcd where it has them, else the inventory's.

    A control plane node that is not in kube_node runs no workloads.
    """
    place = plan.get("control_plane") or {}
    return {
        "kube_control_plane": list(place.get("hosts") or groups.get("kube_control_plane") or ()),
        "etcd": list(place.get("etcd") or groups.get("etcd") or ()),
        "kube_node": list(groups.get("kube_node") or ()),
    }


def plan_variables(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Give the plan's values that Kubespray consumes, by variable name and as Kubespray writes them."""
    return {
        name: entry["value"] for name, entry in plan.get("values", {}).items() if entry.get("consumer") == "kubespray"
    }


@dataclass(frozen=True)
class Decision:
    """Which playbook has to run (none when there is nothing to do), and why."""

    playbook: str | None
    why: str


def digest(value: Any) -> str:
    """Give the SHA-256 of a value's canonical JSON, as sha256:<hex>."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def desired_state(version: str, source: str, hosts: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is compared with, and after success kept as, the state last applied.

    `hosts` is what `inventory` gives; of the variables only a digest is kept, for they may hold secrets.
    """
    return {
        "version": 1,
        "kubespray_version": version,
        "kubespray_source": source,
        "kube_version": str(variables.get("kube_version", "")),
        "variables": digest({name: value for name, value in variables.items() if name != "kube_version"}),
        "hosts": {
            name: {"ip": values["ip"], "digest": digest(values)} for name, values in hosts["all"]["hosts"].items()
        },
        "groups": {name: sorted(group["hosts"]) for name, group in hosts["all"]["children"].items()},
    }


def without_hosts(applied: Mapping[str, Any], removed: Sequence[str]) -> dict[str, Any]:
    """Give the state last applied as it is after these hosts were removed from the cluster."""
    gone = set(removed)
    return {
        **applied,
        "hosts": {name: values for name, values in applied["hosts"].items() if name not in gone},
        "groups": {name: [host for host in hosts if host not in gone] for name, hosts in applied["groups"].items()},
    }


def _refuse_losses(desired: Mapping[str, Any], applied: Mapping[str, Any]) -> None:
    missing = sorted(set(applied["hosts"]) - set(desired["hosts"]))
    if missing:
        raise KubesprayError(
            f"{', '.join(missing)}: part of the cluster, but no longer in the inventory. A node is never removed "
            "by its absence: bring it back into the inventory, or remove it with the role's tasks remove_node"
        )
    for name, values in applied["hosts"].items():
        now = desired["hosts"][name]["ip"]
        if now != values["ip"]:
            raise KubesprayError(
                f"{name}: its mesh address was {values['ip']} when the cluster was formed and is {now} now. etcd and "
                "the certificates are bound to it: restore mesh.json"
            )


def decide(
    desired: Mapping[str, Any], applied: Mapping[str, Any] | None, answers: bool, unfinished: str = ""
) -> Decision:
    """Say which playbook brings the cluster from the state last applied to the desired one.

    `unfinished` names the playbook that was started last and has not ended well. Raises KubesprayError when hosts are
    gone or their mesh addresses have changed.
    """
    if not applied:
        return Decision("cluster.yml", "no cluster has been formed from this state folder")
    _refuse_losses(desired, applied)
    for name in ("kubespray_version", "kube_version"):
        if desired[name] != applied[name]:
            return Decision("upgrade_cluster.yml", f"{name} was {applied[name]!r} and is {desired[name]!r}")
    if unfinished:
        return Decision(unfinished, f"the last run of {unfinished} has not ended well")
    if desired["variables"] != applied["variables"]:
        return Decision("cluster.yml", "the variables have changed")
    changed = [name for name, values in applied["hosts"].items() if desired["hosts"][name] != values]
    if changed:
        return Decision("cluster.yml", f"the variables of {', '.join(sorted(changed))} have changed")
    new = sorted(set(desired["hosts"]) - set(applied["hosts"]))
    core = ("kube_control_plane", "etcd")
    if any(desired["groups"][group] != applied["groups"][group] for group in core):
        return Decision("cluster.yml", "the control plane or etcd has other members")
    if new:
        return Decision("scale.yml", f"new: {', '.join(new)}")
    if desired != applied:
        return Decision("cluster.yml", "groups or source have changed")
    if not answers:
        return Decision("cluster.yml", "the API server does not answer")
    return Decision(None, "the cluster is as desired and answers")
