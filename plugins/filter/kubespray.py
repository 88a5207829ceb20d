# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters with which the kubespray role renders and decides."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.meridian.geokube.plugins.plugin_utils import kubespray


def kubespray_inventory(
    groups: Mapping[str, Sequence[str]],
    hostvars: Mapping[str, Mapping[str, Any]],
    mesh: Mapping[str, str],
    previous: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Give Kubespray's inventory for the outer inventory's groups."""
    try:
        return kubespray.inventory(groups, hostvars, mesh, previous)
    except kubespray.KubesprayError as error:
        raise AnsibleFilterError(str(error)) from error


def kubespray_groups(groups: Mapping[str, Sequence[str]], plan: Mapping[str, Any]) -> dict[str, list[str]]:
    """Give Kubespray's groups, the plan's control plane in them."""
    return kubespray.plan_groups(groups, plan)


def kubespray_plan_variables(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Give the plan's values that are Kubespray variables."""
    return kubespray.plan_variables(plan)


def kubespray_desired_state(
    hosts: Mapping[str, Any], variables: Mapping[str, Any], version: str, source: str
) -> dict[str, Any]:
    """Give what is compared with the state last applied."""
    return kubespray.desired_state(version, source, hosts, variables)


def kubespray_decision(
    desired: Mapping[str, Any],
    applied: Mapping[str, Any] | None = None,
    answers: bool = False,
    unfinished: str = "",
) -> dict[str, Any]:
    """Give playbook (or None) and why."""
    try:
        return dataclasses.asdict(kubespray.decide(desired, applied, answers, unfinished))
    except kubespray.KubesprayError as error:
        raise AnsibleFilterError(str(error)) from error


def kubespray_without(applied: Mapping[str, Any], removed: Sequence[str]) -> dict[str, Any]:
    """Give the state last applied without these hosts."""
    return kubespray.without_hosts(applied, removed)


def kubeconfig_with_server(kubeconfig: str, server: str, tls_server_name: str, name: str) -> str:
    """Give a kubeconfig whose only cluster is reached at another address."""
    document = yaml.safe_load(kubeconfig)
    if not isinstance(document, dict) or len(document.get("clusters") or ()) != 1:
        raise AnsibleFilterError("the kubeconfig of the first control plane node does not hold exactly one cluster")
    cluster, user, context = document["clusters"][0], document["users"][0], document["contexts"][0]
    # f-strings make plain text of Ansible's own, which PyYAML does not know.
    cluster["name"] = context["name"] = document["current-context"] = f"{name}"
    user["name"] = f"{name}-admin"
    cluster["cluster"] |= {"server": f"{server}", "tls-server-name": f"{tls_server_name}"}
    context["context"] |= {"cluster": f"{name}", "user": f"{name}-admin"}
    return yaml.safe_dump(document, sort_keys=False)


class FilterModule:
    """The filters of this file by their names."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Give the filters of this file."""
        return {
            "kubespray_inventory": kubespray_inventory,
            "kubespray_groups": kubespray_groups,
            "kubespray_plan_variables": kubespray_plan_variables,
            "kubespray_desired_state": kubespray_desired_state,
            "kubespray_decision": kubespray_decision,
            "kubespray_without": kubespray_without,
            "kubeconfig_with_server": kubeconfig_with_server,
        }
