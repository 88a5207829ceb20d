"""topology.yml: the talk's world, and an error that names the key for each way to spoil it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from ipaddress import IPv4Address
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import yaml
from geokube_lab import topology
from geokube_lab.errors import LabError

Document = dict[str, Any]
TALK = {
    ("ru", "au"): 360,
    ("ru", "sg"): 195,
    ("ru", "br"): 260,
    ("au", "sg"): 150,
    ("sg", "br"): 320,
    ("au", "br"): 305,
}


@pytest.fixture
def document() -> Document:
    """The document of lab/topology.yml, free to be spoilt."""
    loaded: Document = yaml.safe_load(topology.DEFAULT_PATH.read_text())
    return loaded


def test_the_default_is_the_talks_matrix_both_ways() -> None:
    world = topology.load()
    assert set(world.pairs) == set(permutations(("ru", "sg", "au", "br"), 2))
    for (a, b), milliseconds in TALK.items():
        assert world.rtt(a, b) == world.rtt(b, a) == milliseconds
    assert world.rtt("ru", "ru") == 0


def test_addresses_follow_the_networks() -> None:
    world = topology.load()
    addresses = {node.name: str(node.public_address) for node in world.nodes}
    assert addresses == {
        "devfest-ru-01": "192.0.2.10",
        "devfest-sg-01": "192.0.2.138",
        "devfest-au-01": "198.51.100.10",
        "devfest-br-01": "198.51.100.138",
    }
    assert str(world.node("devfest-br-01").private_address) == "10.4.0.10"
    assert str(world.regions["au"].client_address) == "198.51.100.74"
    assert str(world.regions["sg"].pop_address) == "192.0.2.212"
    assert str(world.controller_address) == "192.0.2.94"
    assert world.anycast["dns"] == IPv4Address("203.0.113.53")
    assert world.regions["br"].mtu == 1460
    assert world.regions["ru"].mtu == 1500


def test_instance_identifiers_have_the_shape_of_their_cloud_and_are_stable() -> None:
    first, second = topology.load(), topology.load()
    assert first.nodes == second.nodes
    by_cloud = {node.cloud: node.instance_id for node in first.nodes}
    assert by_cloud["aws"].startswith("i-0")
    assert len(by_cloud["aws"]) == 19
    assert by_cloud["gcp"].isdigit()
    assert len(by_cloud["gcp"]) == 19
    assert by_cloud["digitalocean"].isdigit()
    assert by_cloud["yandex"].startswith("fhm")


def test_a_second_machine_gets_the_next_addresses(document: Document) -> None:
    document["regions"]["au"]["nodes"].append({"name": "devfest-au-02", "roles": ["worker"]})
    node = topology.parse(document).node("devfest-au-02")
    assert (str(node.public_address), str(node.private_address)) == ("198.51.100.11", "10.3.0.11")


def delete(*path: str) -> Callable[[Document], None]:
    def spoil(document: Document) -> None:
        for key in path[:-1]:
            document = document[key]
        del document[path[-1]]

    return spoil


def put(value: object, *path: str | int) -> Callable[[Document], None]:
    def spoil(document: Any) -> None:
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = value

    return spoil


SPOILT = [
    (delete("cluster"), "cluster: missing"),
    (put("Dev Fest", "cluster"), "cluster: 'Dev Fest'"),
    (put(1, "unknown"), "unknown: unknown key"),
    (delete("regions", "au", "zone"), "regions.au.zone: missing"),
    (put("azure", "regions", "au", "cloud"), "regions.au.cloud: 'azure' is not one of aws"),
    (put("192.0.2.1/26", "regions", "ru", "machines"), "regions.ru.machines: not an IPv4 network"),
    (put("192.0.2.0/28", "regions", "ru", "machines"), "regions.ru.machines: 192.0.2.0/28 is too small"),
    (put("192.0.2.0/26", "regions", "sg", "users"), "regions.sg.users: 192.0.2.0/26 overlaps regions.ru.machines"),
    (put(91, "regions", "ru", "latitude"), "regions.ru.latitude: 91 is not between"),
    (put(True, "regions", "ru", "latitude"), "regions.ru.latitude: must be a number"),
    (put(float("nan"), "regions", "ru", "longitude"), "regions.ru.longitude: must be a number"),
    (put(1499.5, "regions", "ru", "mtu"), "regions.ru.mtu: 1499.5 is not a whole number"),
    (put([], "regions", "ru", "nodes"), "regions.ru.nodes: must be a list"),
    (put(["king"], "regions", "ru", "nodes", 0, "roles"), "regions.ru.nodes[0].roles: 'king' is not one of"),
    (put(["etcd", "etcd"], "regions", "ru", "nodes", 0, "roles"), "regions.ru.nodes[0].roles: 'etcd' is there twice"),
    (
        put("devfest-ru-01", "regions", "au", "nodes", 0, "name"),
        "regions.au.nodes: 'devfest-ru-01' is already in region ru",
    ),
    (put("Node_1", "regions", "au", "nodes", 0, "name"), "regions.au.nodes[0].name: 'Node_1'"),
    (put("mars", "controller"), "controller: 'mars' is not among the regions"),
    (delete("rtt_ms", "au", "br"), "rtt_ms.au.br: missing"),
    (delete("rtt_ms", "br"), "rtt_ms.br: missing"),
    (put(360, "rtt_ms", "au", "br"), "rtt_ms.au.br is 360 and rtt_ms.br.au is 305: a round trip has one value"),
    (put(-1, "rtt_ms", "au", "br"), "rtt_ms.au.br: -1 is not between"),
    (put("fast", "rtt_ms", "au", "br"), "rtt_ms.au.br: must be a number, not str 'fast'"),
    (put(1, "rtt_ms", "au", "au"), "rtt_ms.au.au: unknown key"),
    (put("203.0.114.1", "anycast", "edge"), "anycast.edge: 203.0.114.1 is not in 203.0.113.0/24"),
    (put("203.0.113.53", "anycast", "edge"), "anycast.dns: 203.0.113.53 is anycast.edge already"),
    (put(5600, "ports", "gcp"), "ports.gcp: 5600 is ports.aws already"),
    (put(70000, "ports", "gcp"), "ports.gcp: 70000 is not between"),
]


@pytest.mark.parametrize(("spoil", "message"), SPOILT, ids=[message for _, message in SPOILT])
def test_a_spoilt_document_is_refused_with_the_key(
    document: Document, spoil: Callable[[Document], None], message: str
) -> None:
    topology.parse(copy.deepcopy(document))
    spoil(document)
    with pytest.raises(topology.TopologyError) as caught:
        topology.parse(document)
    assert str(caught.value).startswith(message)


def test_an_unquoted_norway_is_explained(document: Document) -> None:
    # `no:` is false in YAML 1.1.
    document["regions"][False] = document["regions"].pop("br")
    with pytest.raises(topology.TopologyError, match=r"regions\.False: a key must be text"):
        topology.parse(document)


@pytest.mark.parametrize(
    ("text", "message"), [("a: [", "not YAML"), ("- 1", "must be a mapping"), ("", "must be a mapping")]
)
def test_a_file_that_is_no_topology_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "world.yml"
    path.write_text(text)
    with pytest.raises(topology.TopologyError) as caught:
        topology.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(topology.TopologyError, match=r"none\.yml: cannot be read: No such file"):
        topology.load(tmp_path / "none.yml")


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    world = topology.load()
    with pytest.raises(LabError, match="no region 'us'; the regions are ru, sg, au, br"):
        world.region("us")
    with pytest.raises(LabError, match="no node 'x'; the nodes are devfest-ru-01"):
        world.node("x")
