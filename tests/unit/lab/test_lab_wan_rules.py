"""The sea's state and the rules that it becomes."""

from __future__ import annotations

import pytest
from geokube_lab import topology, wan


@pytest.fixture
def world() -> topology.Topology:
    """The default topology."""
    return topology.load()


def test_state_survives_its_file(world: topology.Topology) -> None:
    state = wan.fresh(world)
    state.loss_percent[wan.pair("ru", "au")] = 2.5
    state.cut_pairs.add(wan.pair("sg", "br"))
    state.cut_regions.add("au")
    assert wan.State.parse(state.dump()) == state


def test_each_direction_waits_half_a_round_trip(world: topology.Topology) -> None:
    queues = wan.queue_numbers(world)
    assert len(set(queues.values())) == 12
    delays = wan.delays(world, wan.fresh(world))
    assert delays[str(queues["ru", "au"])] == delays[str(queues["au", "ru"])] == 180
    assert delays[str(queues["sg", "au"])] == 75


def test_every_crossing_has_its_queue_and_neighbours_have_none(world: topology.Topology) -> None:
    text = wan.ruleset(world, wan.fresh(world))
    queues = wan.queue_numbers(world)
    for (a, b), queue in queues.items():
        for here in "mu":
            for there in "mu":
                assert f'"{a}-{here}" . "{b}-{there}" : goto {a}_{b}' in text
        assert f"add rule {wan.TABLE} {a}_{b} meta mark set {queue} accept" in text
        assert f"--mark {queue} -j NFQUEUE --queue-num {queue}\n" in wan.queue_rules(world)
    assert '"ru-m" . "ru-u" : accept' in text
    assert "numgen" not in text
    # Only the policy drops.
    assert [line for line in text.splitlines() if line.endswith("drop")] == []


def test_a_cut_region_loses_its_machines_only(world: topology.Topology) -> None:
    state = wan.fresh(world)
    state.cut_regions.add("au")
    lines = wan.ruleset(world, state).splitlines()
    assert f'add rule {wan.TABLE} forward iifname "au-m" drop' in lines
    assert f'add rule {wan.TABLE} forward oifname "au-m" drop' in lines
    assert not any("au-u" in line and line.endswith("drop") for line in lines)
    # The drop comes before the way.
    assert lines.index(f'add rule {wan.TABLE} forward iifname "au-m" drop') < len(lines) - 1
    assert "vmap" in lines[-1]


def test_a_cut_pair_and_a_loss_hold_both_ways_and_nowhere_else(world: topology.Topology) -> None:
    state = wan.fresh(world)
    state.cut_pairs.add(wan.pair("ru", "sg"))
    state.loss_percent[wan.pair("br", "au")] = 0.5
    lines = wan.ruleset(world, state).splitlines()
    assert {line.split()[4] for line in lines if line.endswith(" drop") and "numgen" not in line} == {"ru_sg", "sg_ru"}
    lossy = [line for line in lines if "numgen" in line]
    assert {line.split()[4] for line in lossy} == {"au_br", "br_au"}
    assert all("mod 100000 < 500 drop" in line for line in lossy)


def test_the_rules_never_delete_a_base_chain(world: topology.Topology) -> None:
    # It would drop what waits in the queues.
    assert "delete" not in wan.ruleset(world, wan.fresh(world))
