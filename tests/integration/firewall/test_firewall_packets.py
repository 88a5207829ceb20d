# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gets in and what does not, with real packets."""

from __future__ import annotations

import re

import pytest
from firewall_machine import Machine, wish
from firewall_places import EDGE, MACHINE, MESH, STRANGER

SHUT = [("udp", 8472), ("tcp", 10250), ("tcp", 30080), ("udp", 30080)]


def dropped(machine: Machine) -> int:
    """Give how many packets the last rule has dropped."""
    text = machine.places.run("machine", "nft", "list", "chain", "inet", "geokube", "outside")
    found = re.search(r"counter packets (\d+) bytes \d+ drop", text)
    assert found is not None, text
    return int(found.group(1))


@pytest.fixture
def shut(machine: Machine) -> Machine:
    """Give the machine with its firewall."""
    machine.node().ensure(wish())
    return machine


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize(("kind", "port"), SHUT)
def test_a_port_that_answered_the_world_answers_the_mesh_alone(
    machine: Machine, family: int, kind: str, port: int
) -> None:
    ask = machine.places.ask
    assert ask("world", kind, STRANGER[family], MACHINE[family], port) == "machine"
    machine.node().ensure(wish())
    assert ask("world", kind, STRANGER[family], MACHINE[family], port, 1) == "TimeoutError"
    assert dropped(machine) > 0
    assert ask("mesh", kind, {4: "10.255.0.2", 6: "fd00::2"}[family], MESH[family], port) == "machine"


@pytest.mark.parametrize("family", [4, 6])
def test_everybody_gets_to_ssh(shut: Machine, family: int) -> None:
    assert shut.places.ask("world", "tcp", STRANGER[family], MACHINE[family], 22) == "machine"


def test_the_port_of_a_pod_is_the_edges_alone(machine: Machine) -> None:
    ask = machine.places.ask
    assert ask("world", "tcp", STRANGER[4], MACHINE[4], 443) == "pod"
    machine.node().ensure(wish())
    assert ask("world", "tcp", EDGE[4], MACHINE[4], 443) == "pod"
    assert ask("world", "tcp", STRANGER[4], MACHINE[4], 443, 1) == "TimeoutError"
    assert dropped(machine) > 0


def test_the_mesh_address_is_not_reached_through_the_public_interface(shut: Machine) -> None:
    route = ("route", "add", MESH[4], "via", MACHINE[4])
    shut.places.run("world", "ip", *route)
    try:
        assert shut.places.ask("world", "tcp", STRANGER[4], MESH[4], 10250, 1) == "TimeoutError"
    finally:
        shut.places.run("world", "ip", "route", "delete", MESH[4])


@pytest.mark.parametrize(("kind", "family"), [("tcp", 4), ("tcp", 6), ("udp", 4)])
def test_answers_to_the_machine_come_in(shut: Machine, kind: str, family: int) -> None:
    assert shut.places.ask("machine", kind, MACHINE[family], EDGE[family], 53) == "world"


@pytest.mark.parametrize("family", [4, 6])
def test_pings_and_neighbours_are_answered(shut: Machine, family: int) -> None:
    shut.places.run("world", "ip", "neighbour", "flush", "dev", "up0")
    shut.places.run("world", "ping", "-c", "1", "-W", "20", "-I", STRANGER[family], MACHINE[family])


def test_other_tables_stay_as_they_are(machine: Machine) -> None:
    before = machine.places.run("machine", "nft", "list", "table", "ip", "pods")
    machine.node().ensure(wish())
    machine.node().remove()
    assert machine.places.run("machine", "nft", "list", "table", "ip", "pods") == before
    assert machine.live() == ""
