# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every plan, whatever the links are."""

from __future__ import annotations

import random
from dataclasses import replace

from ansible_collections.meridian.geokube.plugins.plugin_utils.plan.model import Link, Machine, Plan, Wishes
from ansible_collections.meridian.geokube.plugins.plugin_utils.plan.plan_file import basis_of, to_json
from ansible_collections.meridian.geokube.plugins.plugin_utils.plan.planner import plan
from hypothesis import given, settings
from hypothesis import strategies as st

Network = tuple[list[Machine], list[Link]]
WISHES = Wishes("devfest", accept_slow_quorum=True)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """One to three machines in each of two to five regions, every pair with an RTT of 0.2 to 900 ms."""
    sizes = draw(st.lists(st.integers(1, 3), min_size=2, max_size=5))
    machines = [
        Machine(f"r{region}-{number:02}", f"r{region}") for region, size in enumerate(sizes) for number in range(size)
    ]
    links = []
    for position, one in enumerate(machines):
        for other in machines[position + 1 :]:
            low, high = (0.2, 3.0) if one.region == other.region else (3.0, 900.0)
            rtt = draw(st.floats(low, high))
            mtu = draw(st.sampled_from((1380, 1460, 1500, 9000)))
            links += [Link(one.name, other.name, rtt, path_mtu=mtu), Link(other.name, one.name, rtt, path_mtu=mtu)]
    return machines, links


def settle(network: Network) -> Plan:
    """Plan without an earlier plan."""
    return plan(*network, WISHES)


@given(networks(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_the_input_does_not_matter(network: Network, dice: random.Random) -> None:
    machines, links = map(list, network)
    dice.shuffle(machines)
    dice.shuffle(links)
    assert to_json(plan(machines, links, WISHES))["values"] == to_json(settle(network))["values"]
    assert plan(machines, links, WISHES).inputs_digest == settle(network).inputs_digest


@given(networks())
@settings(max_examples=60, deadline=None)
def test_planning_again_on_its_own_basis_changes_nothing(network: Network) -> None:
    first = to_json(settle(network))
    assert to_json(plan(*network, replace(WISHES, basis=basis_of(first)))) == first


@given(networks(), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_noise_changes_nothing_once_there_is_a_plan(network: Network, seed: int) -> None:
    machines, links = network
    first = to_json(settle(network))
    dice = random.Random(seed)
    noisy = [replace(link, rtt=link.rtt * dice.uniform(0.985, 1.015)) for link in links]
    assert to_json(plan(machines, noisy, replace(WISHES, basis=basis_of(first)))) == first


@given(networks())
@settings(max_examples=60, deadline=None)
def test_timers_obey_their_rules(network: Network) -> None:
    got = settle(network)
    values = {name: one.value for name, one in got.values.items()}
    quorum = got.control_plane.quorum_rtt
    assert values["etcd_heartbeat_interval"] >= 0.5 * quorum
    assert 10 * quorum <= values["etcd_election_timeout"] <= 50_000
    assert values["etcd_election_timeout"] >= 5 * values["etcd_heartbeat_interval"]
    grace = int(str(values["kube_controller_node_monitor_grace_period"]).rstrip("s"))
    status = int(str(values["kubelet_status_update_frequency"]).rstrip("s"))
    assert grace >= max(60, 3 * status)
    for component in ("kube_controller_manager", "kube_scheduler"):
        lease = int(str(values[f"{component}_leader_elect_lease_duration"]).rstrip("s"))
        renew = int(str(values[f"{component}_leader_elect_renew_deadline"]).rstrip("s"))
        assert lease > renew >= 2 * values["etcd_election_timeout"] / 1000


@given(networks())
@settings(max_examples=60, deadline=None)
def test_fallbacks_are_all_others_by_rtt(network: Network) -> None:
    got = settle(network)
    regions = {machine.region for machine in got.machines}
    for region, fallback in got.regions.items():
        assert set(fallback.regions) == regions - {region}
        assert list(fallback.rtt) == sorted(fallback.rtt)


@given(networks())
@settings(max_examples=60, deadline=None)
def test_the_home_has_the_lowest_total(network: Network) -> None:
    got = settle(network)
    totals = {one.region: one.total_rtt for one in got.control_plane.candidates}
    assert totals[got.home_region] == min(totals.values())


@given(networks())
@settings(max_examples=60, deadline=None)
def test_every_packet_fits(network: Network) -> None:
    got = settle(network)
    narrowest = min(link.path_mtu for link in network[1])
    assert int(got.values["mesh_mtu"].value) + 80 == narrowest
    assert int(got.values["pod_mtu"].value) + 50 + 80 == narrowest
