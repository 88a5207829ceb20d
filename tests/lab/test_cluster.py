# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster that the kubespray role forms in the lab: its nodes, its pod network, what it lets the world see."""

from __future__ import annotations

import ipaddress
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import road
import yaml
from kubernetes import client, config

ZONES = {
    "devfest-ru-01": ("ru", "ru-central1-a"),
    "devfest-sg-01": ("sg", "sgp1"),
    "devfest-au-01": ("au", "ap-southeast-2a"),
    "devfest-br-01": ("br", "southamerica-east1-a"),
}
MESH = ipaddress.ip_network("10.255.0.0/24")
# Users reach 80 and 443; ssh and WireGuard check who knocks.
PUBLIC = {("tcp", 22), ("tcp", 80), ("tcp", 443), ("udp", 51820)}
# The kernel binds VXLAN's socket to every address: the firewall shuts it, as test_firewall.py shows.
VXLAN = ("udp", 8472)
CLUSTER_DNS = "10.233.0.3"


def on_node(node: str, command: str) -> str:
    """Run a shell command as root on a node and give its output."""
    done = road.Lab().run("ssh", node, "--", f"sudo sh -c '{command}'", check=False)
    assert done.returncode == 0, f"{node}: {command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def api() -> Iterator[client.CoreV1Api]:
    """Give the cluster's API."""
    config.load_kube_config(str(road.STATE / "kubeconfig"))
    yield client.CoreV1Api()


@pytest.fixture(scope="module")
def resolvers(api: client.CoreV1Api) -> dict[str, str]:
    """Give the address of CoreDNS's pod on each node."""
    pods = api.list_namespaced_pod("kube-system", label_selector="k8s-app=kube-dns").items
    addresses = {pod.spec.node_name: pod.status.pod_ip for pod in pods}
    assert addresses.keys() == ZONES.keys()
    return addresses


def namespace_of(node: str, address: str) -> str:
    """Give the name of the network namespace of the pod with this address."""
    listed = on_node(node, "for n in $(ip netns list | cut -d\\  -f1); do echo $n $(ip -n $n -4 -o address); done")
    names = [line.split()[0] for line in listed.splitlines() if f" {address}/" in line]
    assert len(names) == 1, f"{node}: no one pod has {address}: {listed}"
    return names[0]


def test_nodes_are_ready_and_carry_region_and_zone(api: client.CoreV1Api) -> None:
    nodes = {node.metadata.name: node for node in api.list_node().items}
    assert nodes.keys() == ZONES.keys()
    for name, node in nodes.items():
        labels = node.metadata.labels
        found = (labels["topology.kubernetes.io/region"], labels["topology.kubernetes.io/zone"])
        assert found == ZONES[name]
        assert [c.status for c in node.status.conditions if c.type == "Ready"] == ["True"]
        addresses = [a.address for a in node.status.addresses if a.type == "InternalIP"]
        assert all(ipaddress.ip_address(address) in MESH for address in addresses)


@pytest.mark.parametrize("node", ZONES)
def test_a_pod_reaches_the_pods_of_all_nodes(node: str, resolvers: dict[str, str]) -> None:
    namespace = namespace_of(node, resolvers[node])
    urls = {other: f"http://{address}:8080/health" for other, address in resolvers.items()}
    # One login for all: each costs several round trips.
    asked = "; ".join(f"ip netns exec {namespace} curl --silent --max-time 10 {url}; echo" for url in urls.values())
    assert dict(zip(urls, on_node(node, asked).splitlines(), strict=True)) == dict.fromkeys(urls, "OK"), node


@pytest.mark.parametrize("node", ["devfest-au-01", "devfest-br-01"])
def test_names_are_resolved_without_crossing_an_ocean(node: str, resolvers: dict[str, str]) -> None:
    namespace = namespace_of(node, resolvers[node])
    query = f"dig +tries=1 +stats @{CLUSTER_DNS} kubernetes.default.svc.cluster.local"
    # One login for all: each costs several round trips.
    answers = on_node(node, f"for i in 1 2 3 4 5; do ip netns exec {namespace} {query}; done").split("Query time:")
    assert len(answers) == 6 and all("10.233.0.1" in answer for answer in answers[:-1])
    milliseconds = sorted(int(answer.split()[0]) for answer in answers[1:])
    # The control plane is 260 ms away from br and 360 ms from au.
    assert milliseconds[2] < 60


@pytest.mark.parametrize("node", ZONES)
def test_nothing_of_the_cluster_listens_on_a_public_address(node: str) -> None:
    listeners = set()
    for line in on_node(node, "ss -H -lntu").splitlines():
        protocol, local = line.split()[0], line.split()[4]
        address, _, port = local.rpartition(":")
        address = address.strip("[]").partition("%")[0]
        inside = address not in ("*", "0.0.0.0", "::") and (
            ipaddress.ip_address(address).is_loopback or ipaddress.ip_address(address) in MESH
        )
        if not inside:
            listeners.add((protocol, int(port)))
    assert listeners - PUBLIC - {VXLAN} == set()


@pytest.mark.parametrize("region", road.NODES)
def test_the_world_cannot_reach_the_cluster(region: str) -> None:
    knock = "for port in 2379 6443 10250 10256 30080; do nc -z -w 2 $0 $port && echo $port; done; echo done"
    done = road.Lab().run("client", region, "--", "sh", "-c", knock, road.NODES[region], check=False)
    assert done.stdout.split() == ["done"], done.stdout + done.stderr


def test_the_kubeconfig_is_for_its_owner_and_goes_over_the_forward() -> None:
    path = road.STATE / "kubeconfig"
    assert path.stat().st_mode & 0o777 == 0o600
    cluster = yaml.safe_load(path.read_text())["clusters"][0]["cluster"]
    assert cluster["server"].startswith("https://127.0.0.1:")


def test_a_second_run_changes_nothing() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", "inventories/lab", "playbooks/cluster.yml"],
        cwd=road.ROOT,
        env={**os.environ, "ANSIBLE_CONFIG": str(road.ROOT / "ansible.cfg")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert road.recap(done.stdout)["localhost"]["changed"] == 0, done.stdout
