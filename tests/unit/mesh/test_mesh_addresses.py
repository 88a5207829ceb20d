# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mesh addresses and endpoints: given once, kept for good, refused with a reason."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from ansible_collections.meridian.geokube.plugins.plugin_utils.mesh.addresses import (
    MeshError,
    adopt,
    allocate,
    read_network,
)
from ansible_collections.meridian.geokube.plugins.plugin_utils.mesh.endpoints import reached_at, with_port
from ansible_collections.meridian.geokube.plugins.plugin_utils.mesh.peers import peers_of
from hypothesis import given
from hypothesis import strategies as st

NETWORK = read_network("10.255.0.0/24")
NAMES = st.lists(st.text("abcdef0123", min_size=1, max_size=6), unique=True, max_size=30)


def test_addresses_are_given_in_order() -> None:
    assert allocate(["b", "a"], {}, NETWORK) == {"b": "10.255.0.1", "a": "10.255.0.2"}


@given(NAMES, NAMES)
def test_addresses_are_kept_for_good_and_never_shared(first: list[str], then: list[str]) -> None:
    before = allocate(first, {}, NETWORK)
    after = allocate(then, before, NETWORK)
    assert {name: after[name] for name in before} == before
    assert set(after) == set(first) | set(then)
    assert len(set(after.values())) == len(after)
    assert all(ip_address(address) in NETWORK for address in after.values())


def test_an_address_of_a_machine_that_is_gone_is_not_given_again() -> None:
    known = allocate(["old"], {}, NETWORK)
    assert allocate(["new"], known, NETWORK)["new"] == "10.255.0.2"


def test_what_machines_run_with_is_adopted_when_the_file_is_lost() -> None:
    live = {"b": ["10.255.0.1/24"], "a": [], "c": ["10.1.0.4/24"]}
    assert adopt({}, live, NETWORK) == {"b": "10.255.0.1"}
    assert allocate(["a", "b", "c"], adopt({}, live, NETWORK), NETWORK) == {
        "b": "10.255.0.1",
        "a": "10.255.0.2",
        "c": "10.255.0.3",
    }


def test_a_machine_that_runs_with_another_address_is_refused() -> None:
    assert adopt({"a": "10.255.0.1"}, {"a": ["10.255.0.1/24"]}, NETWORK) == {"a": "10.255.0.1"}
    with pytest.raises(
        MeshError, match=r"a runs with the mesh address 10\.255\.0\.9, but mesh.json gives it 10\.255\.0\.1"
    ):
        adopt({"a": "10.255.0.1"}, {"a": ["10.255.0.9/24"]}, NETWORK)


def test_a_full_network_names_the_machine() -> None:
    with pytest.raises(MeshError, match=r"10\.255\.0\.0/30 has no address left for c"):
        allocate(["a", "b", "c"], {}, read_network("10.255.0.0/30"))


@pytest.mark.parametrize(
    ("known", "taken", "text"),
    [
        ({"a": "10.1.0.5"}, [], "mesh.json gives a the address 10.1.0.5, outside of mesh_network"),
        ({"a": "10.255.0.1", "b": "10.255.0.1"}, [], "two machines the same address"),
        ({}, ["10.255.0.77"], "holds 10.255.0.77, which a machine already has"),
    ],
)
def test_contradictions_are_refused(known: dict[str, str], taken: list[str], text: str) -> None:
    with pytest.raises(MeshError, match=text):
        allocate(["a"], known, NETWORK, taken)


@pytest.mark.parametrize("text", ["10.255.0.0", "10.255.0.1/24", "8.8.8.0/24", "mesh", "fd00::/64"])
def test_a_network_that_is_none_is_refused(text: str) -> None:
    if text == "10.255.0.0":
        assert read_network(text).num_addresses == 1
        return
    with pytest.raises(MeshError, match="mesh_network is"):
        read_network(text)


def test_machines_meet_at_public_addresses_unless_they_share_a_network() -> None:
    one = {"geokube_public_ip": "192.0.2.10", "geokube_private_ip": "10.1.0.10", "geokube_private_network": "vpc-1"}
    two = {"geokube_public_ip": "192.0.2.11", "geokube_private_ip": "10.1.0.11", "geokube_private_network": "vpc-1"}
    far = {"geokube_public_ip": "198.51.100.10", "geokube_private_ip": "10.1.0.11", "geokube_private_network": "vpc-2"}
    assert reached_at(one, two, "two") == "10.1.0.11"
    assert reached_at(one, far, "far") == "198.51.100.10"
    assert reached_at({}, {"ansible_host": "192.0.2.9"}, "plain") == "192.0.2.9"


@pytest.mark.parametrize("facts", [{}, {"ansible_host": "node.example.org"}])
def test_a_machine_without_an_address_is_named(facts: dict[str, str]) -> None:
    with pytest.raises(MeshError, match="lost-01"):
        reached_at({}, facts, "lost-01")


def test_an_ipv6_endpoint_has_brackets() -> None:
    assert with_port("2001:db8::1", 51820) == "[2001:db8::1]:51820"
    assert with_port("192.0.2.1", 51820) == "192.0.2.1:51820"


def test_everybody_is_everybodys_peer_except_machines_without_a_key() -> None:
    facts = {name: {"geokube_public_ip": f"192.0.2.{number}"} for number, name in enumerate("abc", 1)}
    addresses = allocate(list(facts), {}, NETWORK)
    peers = peers_of(facts, addresses, {"a": "KEYA", "b": "KEYB"}, 51820)
    assert {name: [peer["name"] for peer in one] for name, one in peers.items()} == {
        "a": ["b"],
        "b": ["a"],
        "c": ["a", "b"],
    }
    assert peers["a"][0] == {
        "name": "b",
        "public_key": "KEYB",
        "endpoint": "192.0.2.2:51820",
        "allowed_ips": ["10.255.0.2/32"],
    }
