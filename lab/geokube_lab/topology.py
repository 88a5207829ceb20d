"""The lab's world as typed, checked, immutable values, read from topology.yml."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations, permutations
from pathlib import Path

import yaml

from geokube_lab.errors import LabError
from geokube_lab.instances import instance_id
from geokube_lab.sections import Section, TopologyError

# Names the topology file in the place of the default one, for a lab command and all that it starts.
VARIABLE = "GEOKUBE_TOPOLOGY"
DEFAULT_PATH = Path(__file__).resolve().parents[1] / "topology.yml"
__all__ = ["Node", "Region", "Topology", "TopologyError", "load", "parse"]
CLOUDS = ("aws", "digitalocean", "gcp", "yandex")
ROLES = ("control-plane", "etcd", "worker", "ingress", "database")
ANYCAST = ("edge", "registry", "files", "dns")
PORTS = ("aws", "gcp", "digitalocean", "yandex", "cloudflare", "kubernetes")
NODE_OFFSET, CLIENT_OFFSET, POP_OFFSET, CONTROLLER_OFFSET = 9, 10, 20, 30
# Linux allows 15 characters and a region's bridges are called <region>-m and <region>-u.
REGION_NAME = re.compile(r"[a-z][a-z0-9]{0,11}")
NODE_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?")


@dataclass(frozen=True)
class Node:
    """One machine: a virtual machine of a cloud as the cluster sees it."""

    name: str
    region: str
    cloud: str
    cloud_region: str
    zone: str
    public_address: IPv4Address
    private_address: IPv4Address
    roles: tuple[str, ...]
    instance_id: str


@dataclass(frozen=True)
class Region:
    """A place with one latency to the others: its machines and its users, each in a network of their own."""

    name: str
    city: str
    cloud: str
    cloud_region: str
    zone: str
    latitude: float
    longitude: float
    machines: IPv4Network
    users: IPv4Network
    private: IPv4Network
    mtu: int
    nodes: tuple[Node, ...]

    @property
    def client_address(self) -> IPv4Address:
        """Where this region's users sit."""
        return self.users[CLIENT_OFFSET]

    @property
    def pop_address(self) -> IPv4Address:
        """The point of presence, as the origins see it."""
        return self.users[POP_OFFSET]


@dataclass(frozen=True)
class Topology:
    """Everything that topology.yml says."""

    cluster: str
    domain: str
    anycast_network: IPv4Network
    anycast: Mapping[str, IPv4Address]
    ports: Mapping[str, int]
    controller: str
    regions: Mapping[str, Region]
    rtt_ms: Mapping[tuple[str, str], float] = field(repr=False)

    def rtt(self, a: str, b: str) -> float:
        """Round trip between two regions in milliseconds; 0 inside one region."""
        return 0.0 if a == b else self.rtt_ms[a, b]

    def region(self, name: str) -> Region:
        """The region of that name, or an error that lists the names there are."""
        if name not in self.regions:
            raise LabError(f"there is no region {name!r}; the regions are {', '.join(self.regions)}")
        return self.regions[name]

    def node(self, name: str) -> Node:
        """The node of that name, or an error that lists the names there are."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise LabError(f"there is no node {name!r}; the nodes are {', '.join(node.name for node in self.nodes)}")

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All machines, region by region."""
        return tuple(node for region in self.regions.values() for node in region.nodes)

    @property
    def controller_address(self) -> IPv4Address:
        """Where Ansible's connections come from."""
        return self.regions[self.controller].users[CONTROLLER_OFFSET]

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every ordered pair of regions, always in the same order."""
        return tuple(permutations(self.regions, 2))


def load(path: Path | str | None = None) -> Topology:
    """Read and check a topology file (default: what GEOKUBE_TOPOLOGY names, else lab/topology.yml).

    Raises TopologyError that names the file and the key.
    """
    source = Path(path or os.environ.get(VARIABLE) or DEFAULT_PATH)
    try:
        document = yaml.safe_load(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise TopologyError(f"{source}: cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise TopologyError(f"{source}: not YAML: {error}") from error
    try:
        return parse(document)
    except TopologyError as error:
        raise TopologyError(f"{source}: {error}") from error


def parse(document: object) -> Topology:
    """The topology in an already loaded document. Raises TopologyError that names the key."""
    top = Section("", document)
    top.only("cluster", "domain", "anycast", "ports", "controller", "regions", "rtt_ms")
    anycast = top.section("anycast")
    anycast.only("network", *ANYCAST)
    network = anycast.network("network")
    addresses = {name: anycast.address(name, network) for name in ANYCAST}
    _all_different("anycast", addresses)
    ports = top.section("ports")
    ports.only(*PORTS)
    numbers = {name: ports.integer(name, 1, 65535) for name in PORTS}
    _all_different("ports", numbers)
    listed = top.section("regions")
    regions = {name: _region(name, listed.section(name)) for name in listed.names()}
    if len(regions) < 2:
        raise TopologyError("regions: at least two are needed for a link to exist")
    _disjoint(network, regions.values())
    _unique_nodes(regions.values())
    controller = top.text("controller", REGION_NAME)
    if controller not in regions:
        raise TopologyError(f"controller: {controller!r} is not among the regions {', '.join(regions)}")
    return Topology(
        cluster=top.text("cluster", NODE_NAME),
        domain=top.text("domain", re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")),
        anycast_network=network,
        anycast=addresses,
        ports=numbers,
        controller=controller,
        regions=regions,
        rtt_ms=_rtt_table(tuple(regions), top.section("rtt_ms")),
    )


def _region(name: str, section: Section) -> Region:
    if not REGION_NAME.fullmatch(name):
        raise TopologyError(f"{section.key}: a region's name is 1 to 12 small letters and digits, a letter first")
    section.only(
        "city", "cloud", "cloud_region", "zone", "latitude", "longitude",
        "machines", "users", "private", "mtu", "nodes",
    )  # fmt: skip
    cloud = section.choice("cloud", CLOUDS)
    cloud_region, zone = section.text("cloud_region"), section.text("zone")
    machines, private = section.network("machines", 26), section.network("private", 26)
    nodes = []
    for number, entry in enumerate(section.sections("nodes"), start=1):
        entry.only("name", "roles", "instance_id")
        node_name = entry.text("name", NODE_NAME)
        if NODE_OFFSET + number >= machines.num_addresses - 1:
            raise TopologyError(f"{entry.key}: {machines} has no room for it")
        nodes.append(
            Node(
                name=node_name,
                region=name,
                cloud=cloud,
                cloud_region=cloud_region,
                zone=zone,
                public_address=machines[NODE_OFFSET + number],
                private_address=private[NODE_OFFSET + number],
                roles=entry.choices("roles", ROLES),
                instance_id=entry.text("instance_id") if entry.has("instance_id") else instance_id(cloud, node_name),
            )
        )
    return Region(
        name=name,
        city=section.text("city"),
        cloud=cloud,
        cloud_region=cloud_region,
        zone=zone,
        latitude=section.number("latitude", -90, 90),
        longitude=section.number("longitude", -180, 180),
        machines=machines,
        users=section.network("users", 26),
        private=private,
        mtu=section.integer("mtu", 1280, 9000) if section.has("mtu") else 1500,
        nodes=tuple(nodes),
    )


def _rtt_table(regions: tuple[str, ...], table: Section) -> dict[tuple[str, str], float]:
    table.only(*regions)
    result = {}
    for region in regions:
        row = table.section(region)
        row.only(*(other for other in regions if other != region))
        for other in regions:
            if other != region:
                result[region, other] = row.number(other, 0, 10_000)
    for a, b in combinations(regions, 2):
        if result[a, b] != result[b, a]:
            raise TopologyError(
                f"rtt_ms.{a}.{b} is {result[a, b]:g} and rtt_ms.{b}.{a} is {result[b, a]:g}: a round trip has one value"
            )
    return result


def _disjoint(anycast: IPv4Network, regions: Iterable[Region]) -> None:
    named = [("anycast.network", anycast)]
    for region in regions:
        named += [(f"regions.{region.name}.{kind}", getattr(region, kind)) for kind in ("machines", "users", "private")]
    for (a, first), (b, second) in combinations(named, 2):
        if first.overlaps(second):
            raise TopologyError(f"{b}: {second} overlaps {a}, {first}")


def _unique_nodes(regions: Iterable[Region]) -> None:
    seen: dict[str, str] = {}
    for region in regions:
        for node in region.nodes:
            for value in (node.name, node.instance_id):
                if value in seen:
                    raise TopologyError(f"regions.{region.name}.nodes: {value!r} is already in region {seen[value]}")
                seen[value] = region.name


def _all_different(key: str, values: Mapping[str, object]) -> None:
    for a, b in combinations(values, 2):
        if values[a] == values[b]:
            raise TopologyError(f"{key}.{b}: {values[b]} is {key}.{a} already")
