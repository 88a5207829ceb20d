# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which point of presence answers whom when some are down."""

from __future__ import annotations

import pytest
from geokube_lab import anycast, topology, wan


@pytest.fixture
def world() -> topology.Topology:
    """The default topology."""
    return topology.load()


def test_every_region_is_answered_at_home(world: topology.Topology) -> None:
    state = wan.fresh(world)
    assert {region: anycast.answering(world, state, region) for region in world.regions} == {
        region: region for region in world.regions
    }
    assert not state.broken


def test_the_next_place_by_round_trip_answers(world: topology.Topology) -> None:
    state = wan.fresh(world)
    state.withdrawn.add("au")
    nearest = min((name for name in world.regions if name != "au"), key=lambda name: world.rtt("au", name))
    assert anycast.answering(world, state, "au") == nearest == "sg"
    assert anycast.answering(world, state, "sg") == "sg"
    state.withdrawn.add("sg")
    assert anycast.answering(world, state, "au") == "br"
    state.rtt_ms[wan.pair("au", "ru")] = 1
    assert anycast.answering(world, state, "au") == "ru"


def test_a_place_behind_a_cut_link_does_not_answer(world: topology.Topology) -> None:
    state = wan.fresh(world)
    state.withdrawn.add("au")
    state.cut_pairs.add(wan.pair("au", "sg"))
    assert anycast.answering(world, state, "au") == "br"


def test_without_any_place_there_is_no_way(world: topology.Topology) -> None:
    state = wan.fresh(world)
    state.withdrawn.update(world.regions)
    assert anycast.answering(world, state, "au") is None
    commands = anycast.routes(world, state)
    assert f"route replace unreachable {world.anycast_network} table {anycast.table(world, 'au')}" in commands


def test_the_router_follows(world: topology.Topology) -> None:
    state = wan.fresh(world)
    state.withdrawn.add("au")
    commands = anycast.routes(world, state)
    assert "route replace 203.0.113.0/24 table 102 via 192.0.2.212 dev sg-u" in commands
    assert [line for line in commands if line.endswith("down")] == ["link set au-u20 down"]
    assert "link set sg-u20 up" in commands


def test_what_is_down_survives_its_file_and_old_files_can_be_read(world: topology.Topology) -> None:
    state = wan.fresh(world)
    state.withdrawn.add("au")
    assert wan.State.parse(state.dump()) == state
    assert state.broken
    old = state.dump().replace('"withdrawn"', '"of_another_version"')
    assert wan.State.parse(old).withdrawn == set()
