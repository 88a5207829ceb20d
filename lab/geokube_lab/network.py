"""The lab's wires: a router that knows all regions, and namespaces for users, points of presence and Ansible."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network

from geokube_lab import anycast, paths
from geokube_lab.processes import run
from geokube_lab.topology import Node, Region, Topology
from geokube_lab.wan import queue_rules
from geokube_lab.wires import cable, machines_bridge, users_bridge

_BUILT = paths.RUN / "built"


def exists(namespace: str) -> bool:
    """Whether a network namespace of the lab is there, and whole: a killed `up` leaves unmarked ones."""
    return (paths.NETNS / namespace).exists() and (_BUILT / namespace).exists()


def gateway(network: IPv4Network) -> IPv4Address:
    """The router's address in a network: the first one."""
    return network[1]


def fingerprint(topology: Topology) -> str:
    """What the router is made for, as text to be compared."""
    regions = {
        region.name: [str(region.machines), str(region.users), str(region.private), region.mtu]
        for region in topology.regions.values()
    }
    anycast = {name: str(address) for name, address in topology.anycast.items()}
    rtt = [topology.rtt(a, b) for a, b in topology.pairs]
    return json.dumps([regions, anycast, rtt, topology.controller])


def complete(topology: Topology) -> bool:
    """Whether the router and all namespaces that last are there."""
    return all(exists(namespace) for namespace in namespaces(topology))


def namespaces(topology: Topology) -> list[str]:
    """The namespaces that last as long as the lab (the machines' last as long as a boot)."""
    return [
        paths.ROUTER,
        paths.CONTROLLER,
        *(paths.client_namespace(region) for region in topology.regions),
        *(paths.pop_namespace(region) for region in topology.regions),
    ]


def build(topology: Topology) -> list[str]:
    """Make what is missing of the router and the namespaces (not the machines': those come at boot); what was made."""
    missing = [namespace for namespace in namespaces(topology) if not exists(namespace)]
    if not exists(paths.ROUTER):
        _router(topology)
    for region in topology.regions.values():
        _host(region, paths.client_namespace(region.name), region.client_address)
        _host(region, paths.pop_namespace(region.name), region.pop_address, topology.anycast.values())
    _host(topology.regions[topology.controller], paths.CONTROLLER, topology.controller_address)
    return missing


def connect_node(topology: Topology, node: Node) -> None:
    """A machine's network namespace, made anew: nothing of its last boot is left in it."""
    region = topology.regions[node.region]
    namespace = paths.node_namespace(node.name)
    disconnect_node(topology, node)
    _host(region, namespace, node.public_address, private=[node.private_address])


def disconnect_node(topology: Topology, node: Node) -> None:
    """Take a machine's namespace and its cable away."""
    if exists(paths.ROUTER):
        end = cable(topology.regions[node.region], node.public_address)
        run("ip", "-n", paths.ROUTER, "link", "delete", end, check=False)
    remove(paths.node_namespace(node.name))


def remove(namespace: str) -> None:
    """Delete a network namespace if it is there."""
    (_BUILT / namespace).unlink(missing_ok=True)
    if (paths.NETNS / namespace).exists():
        run("ip", "netns", "delete", namespace)


def _router(topology: Topology) -> None:
    remove(paths.ROUTER)
    run("ip", "netns", "add", paths.ROUTER)
    _sysctl(
        paths.ROUTER,
        "net.ipv6.conf.all.disable_ipv6=1",
        "net.ipv6.conf.default.disable_ipv6=1",
        "net.ipv4.ip_forward=1",
        "net.ipv4.conf.all.rp_filter=0",
        "net.ipv4.conf.default.rp_filter=0",
        "net.ipv4.conf.all.send_redirects=0",
        "net.ipv4.conf.default.send_redirects=0",
    )
    commands = ["link set lo up"]
    for region in topology.regions.values():
        table = anycast.table(topology, region.name)
        for bridge, network in (
            (machines_bridge(region.name), region.machines),
            (users_bridge(region.name), region.users),
        ):
            commands += [
                f"link add {bridge} mtu {region.mtu} type bridge forward_delay 0 mcast_snooping 0 nf_call_iptables 0",
                f"address add {gateway(network)}/{network.prefixlen} dev {bridge}",
                f"link set {bridge} up",
                f"rule add iif {bridge} to {topology.anycast_network} lookup {table}",
            ]
        way = f"via {region.pop_address} dev {users_bridge(region.name)}"
        commands.append(f"route add {topology.anycast_network} {way} table {table}")
    _ip(paths.ROUTER, commands)
    run("ip", "netns", "exec", paths.ROUTER, "iptables-restore", text=queue_rules(topology))
    _finished(paths.ROUTER)


def _host(
    region: Region,
    namespace: str,
    address: IPv4Address,
    own: Iterable[IPv4Address] = (),
    private: Iterable[IPv4Address] = (),
) -> None:
    if exists(namespace):
        return
    end = cable(region, address)
    network, bridge = (
        (region.machines, machines_bridge(region.name))
        if address in region.machines
        else (region.users, users_bridge(region.name))
    )
    remove(namespace)
    run("ip", "-n", paths.ROUTER, "link", "delete", end, check=False)
    run("ip", "netns", "add", namespace)
    _ip(
        paths.ROUTER,
        [
            f"link add {end} mtu {region.mtu} type veth peer name eth0 mtu {region.mtu} netns {namespace}",
            f"link set {end} master {bridge} up",
        ],
    )
    _ip(
        namespace,
        [
            "link set lo up",
            f"address add {address}/{network.prefixlen} broadcast {network.broadcast_address} dev eth0",
            *(f"address add {other}/{region.private.prefixlen} dev eth0" for other in private),
            "link set eth0 up",
            f"route add default via {gateway(network)}",
            *(f"address add {other}/32 dev lo" for other in own),
        ],
    )
    _finished(namespace)


def _finished(namespace: str) -> None:
    _BUILT.mkdir(parents=True, exist_ok=True)
    (_BUILT / namespace).touch()


def _ip(namespace: str, commands: Sequence[str]) -> None:
    run("ip", "-n", namespace, "-batch", "-", text="\n".join(commands) + "\n")


def _sysctl(namespace: str, *settings: str) -> None:
    run("ip", "netns", "exec", namespace, "sysctl", "-qw", *settings)
