# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Kubespray is told, and which playbook follows from what changed."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.meridian.geokube.plugins.plugin_utils import kubespray
from ansible_collections.meridian.geokube.plugins.plugin_utils.kubespray import KubesprayError

GROUPS = {"kube_control_plane": ["ru-01"], "etcd": ["ru-01"], "kube_node": ["ru-01", "au-01"]}
MESH = {"ru-01": "10.255.0.1", "au-01": "10.255.0.2", "br-01": "10.255.0.3"}


def host(region: str, **more: Any) -> dict[str, Any]:
    return {"ansible_host": f"{region}.example", "geokube_region": region, "geokube_zone": f"{region}-a", **more}


HOSTVARS = {"ru-01": host("ru"), "au-01": host("au"), "br-01": host("br")}


def rendered(groups: dict[str, list[str]] | None = None, previous: dict[str, Any] | None = None) -> dict[str, Any]:
    return kubespray.inventory(groups or GROUPS, HOSTVARS, MESH, previous)


def state(hosts: dict[str, Any] | None = None, version: str = "v2.31.0", **variables: Any) -> dict[str, Any]:
    return kubespray.desired_state(version, "folder", hosts or rendered(), variables)


def test_a_host_is_reached_by_its_public_and_known_by_its_mesh_address() -> None:
    hosts = rendered()["all"]["hosts"]
    assert hosts["au-01"] == {
        "ansible_host": "au.example",
        "ansible_become": True,
        "ip": "10.255.0.2",
        "node_labels": {"topology.kubernetes.io/region": "au", "topology.kubernetes.io/zone": "au-a"},
    }
    assert hosts["ru-01"]["etcd_member_name"] == "etcd1"
    assert not any("access_ip" in values for values in hosts.values())


def test_groups_hold_their_hosts() -> None:
    children = rendered()["all"]["children"]
    assert {name: list(group["hosts"]) for name, group in children.items()} == GROUPS


def test_the_connection_of_the_outer_inventory_is_handed_on() -> None:
    variables = {"ru-01": host("ru"), "au-01": host("au", ansible_ssh_common_args="-o ProxyCommand='nc -F %h %p'")}
    hosts = kubespray.inventory(GROUPS, variables, MESH)["all"]["hosts"]
    assert hosts["au-01"]["ansible_ssh_common_args"] == "-o ProxyCommand='nc -F %h %p'"
    assert "ansible_ssh_common_args" not in hosts["ru-01"]


def test_a_hosts_own_variables_and_labels_come_on_top() -> None:
    own = {"kubelet_max_pods": 50, "node_labels": {"disk": "ssd"}}
    hosts = kubespray.inventory(GROUPS, {**HOSTVARS, "au-01": host("au", kubespray_host_vars=own)}, MESH)["all"][
        "hosts"
    ]
    assert hosts["au-01"]["kubelet_max_pods"] == 50
    assert hosts["au-01"]["node_labels"]["disk"] == "ssd"
    assert hosts["au-01"]["node_labels"]["topology.kubernetes.io/region"] == "au"


def test_etcd_members_keep_their_names_when_the_order_changes() -> None:
    three = {**GROUPS, "etcd": ["ru-01", "au-01", "br-01"], "kube_node": ["ru-01", "au-01", "br-01"]}
    first = rendered({**three, "etcd": ["br-01"]})
    names = {name: values["etcd_member_name"] for name, values in rendered(three, first)["all"]["hosts"].items()}
    assert names == {"br-01": "etcd1", "ru-01": "etcd2", "au-01": "etcd3"}


@pytest.mark.parametrize(
    ("groups", "hostvars", "mesh", "says"),
    [
        ({**GROUPS, "kube_node": []}, HOSTVARS, MESH, "kube_node is empty"),
        ({**GROUPS, "etcd": ["ru-01", "au-01"]}, HOSTVARS, MESH, "odd number"),
        (GROUPS, HOSTVARS, {"ru-01": "10.255.0.1"}, "au-01 has no address on the mesh"),
        (GROUPS, {**HOSTVARS, "au-01": {"geokube_zone": "a"}}, MESH, "au-01 has no geokube_region"),
        (GROUPS, {**HOSTVARS, "au-01": host("au", ansible_become_pass="x")}, MESH, "au-01 has ansible_become_pass"),
    ],
)
def test_what_cannot_work_is_refused(groups: Any, hostvars: Any, mesh: Any, says: str) -> None:
    with pytest.raises(KubesprayError, match=says):
        kubespray.inventory(groups, hostvars, mesh)


def test_only_the_plans_values_for_kubespray_are_taken() -> None:
    plan = {
        "values": {
            "etcd_heartbeat_interval": {"value": 400, "unit": "ms", "consumer": "kubespray", "why": ""},
            "mesh_mtu": {"value": 1420, "unit": "bytes", "consumer": "mesh", "why": ""},
        }
    }
    assert kubespray.plan_variables(plan) == {"etcd_heartbeat_interval": 400}


def test_the_plan_places_the_control_plane() -> None:
    plan = {"control_plane": {"hosts": ["au-01"], "etcd": ["au-01"]}}
    assert kubespray.plan_groups(GROUPS, plan)["kube_control_plane"] == ["au-01"]
    assert kubespray.plan_groups(GROUPS, {})["kube_control_plane"] == ["ru-01"]


def with_node(name: str) -> dict[str, Any]:
    return rendered({**GROUPS, "kube_node": [*GROUPS["kube_node"], name]})


def with_label() -> dict[str, Any]:
    hosts = copy.deepcopy(rendered())
    hosts["all"]["hosts"]["au-01"]["node_labels"]["x"] = "y"
    return hosts


@pytest.mark.parametrize(
    ("desired", "answers", "unfinished", "playbook"),
    [
        (state(), True, "", None),
        (state(), False, "", "cluster.yml"),
        (state(a=1), True, "", "cluster.yml"),
        (state(with_label()), True, "", "cluster.yml"),
        (state(with_node("br-01")), True, "", "scale.yml"),
        (state(with_node("br-01"), a=1), True, "", "cluster.yml"),
        (state(version="v2.32.0"), True, "", "upgrade_cluster.yml"),
        (state(kube_version="1.36.0"), True, "", "upgrade_cluster.yml"),
        (state(), True, "scale.yml", "scale.yml"),
    ],
)
def test_the_playbook_follows_from_what_changed(
    desired: dict[str, Any], answers: bool, unfinished: str, playbook: str | None
) -> None:
    assert kubespray.decide(desired, state(), answers, unfinished).playbook == playbook


def test_without_a_cluster_one_is_formed() -> None:
    assert kubespray.decide(state(), {}, False).playbook == "cluster.yml"


def test_a_lost_host_is_not_removed_by_its_absence() -> None:
    with pytest.raises(KubesprayError, match="br-01: part of the cluster, but no longer in the inventory"):
        kubespray.decide(state(), state(with_node("br-01")), True)


def test_a_changed_mesh_address_is_refused() -> None:
    moved = kubespray.inventory(GROUPS, HOSTVARS, {**MESH, "au-01": "10.255.0.9"})
    with pytest.raises(KubesprayError, match=r"au-01: its mesh address was 10\.255\.0\.2"):
        kubespray.decide(state(moved), state(), True)


def test_a_removed_host_is_forgotten() -> None:
    left = kubespray.without_hosts(state(with_node("br-01")), ["br-01"])
    assert kubespray.decide(state(), left, True).playbook is None


def test_no_variables_value_is_kept() -> None:
    assert "hunter2" not in str(state(registry_password="hunter2"))
    assert state(registry_password="hunter2") != state(registry_password="hunter3")
