# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for the talk's links, and what each of its values obeys."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.meridian.geokube.plugins.plugin_utils.plan.database import lead_for_global_reads
from ansible_collections.meridian.geokube.plugins.plugin_utils.plan.model import Basis, Link, Machine, PlanError, Wishes
from ansible_collections.meridian.geokube.plugins.plugin_utils.plan.plan_file import basis_of, to_json
from ansible_collections.meridian.geokube.plugins.plugin_utils.plan.planner import plan
from ansible_collections.meridian.geokube.plugins.plugin_utils.plan.timers import election, heartbeat

WISHES = Wishes("devfest")
REGIONS = ("ru", "sg", "au", "br")
TALK = {
    ("ru", "au"): 360,
    ("ru", "sg"): 195,
    ("ru", "br"): 260,
    ("au", "sg"): 150,
    ("sg", "br"): 320,
    ("au", "br"): 305,
}


def talk_links(**changed: float) -> list[Link]:
    """Give the talk's links, some RTT changed by name: C(ru_au=20)."""
    rtt = {pair: changed.get("_".join(pair), value) for pair, value in TALK.items()}
    return [
        Link(f"{one}-01", f"{other}-01", float(value))
        for pair, value in rtt.items()
        for one, other in (pair, pair[::-1])
    ]


@pytest.fixture
def machines() -> list[Machine]:
    """The talk's machines, the control plane's label in ru."""
    return with_etcd("ru")


@pytest.fixture
def links() -> list[Link]:
    """The talk's links."""
    return talk_links()


def unlabelled() -> list[Machine]:
    """Give the talk's machines without any label."""
    return [Machine(f"{region}-01", region) for region in REGIONS]


def with_etcd(*regions: str) -> list[Machine]:
    """Give the talk's machines, those of some regions with control plane and etcd."""
    return [
        Machine(f"{region}-01", region, ("control-plane", "etcd", "database") if region in regions else ("database",))
        for region in REGIONS
    ]


def test_talk_values(machines: list[Machine], links: list[Link]) -> None:
    got = {name: one.value for name, one in plan(machines, links, WISHES).values.items()}
    assert got == {
        "etcd_heartbeat_interval": 250,
        "etcd_election_timeout": 5000,
        "etcd_retries": 10,
        "kubelet_status_update_frequency": "20s",
        "kube_controller_node_monitor_grace_period": "60s",
        "kube_controller_manager_leader_elect_lease_duration": "30s",
        "kube_controller_manager_leader_elect_renew_deadline": "20s",
        "kube_scheduler_leader_elect_lease_duration": "30s",
        "kube_scheduler_leader_elect_renew_deadline": "20s",
        "mesh_mtu": 1420,
        "pod_mtu": 1370,
        "cockroachdb_primary_region": "sg",
        "cockroachdb_survival_goal": "region",
        "cockroachdb_max_offset": "250ms",
        "cockroachdb_lead_for_global_reads": "835ms",
        "write_latency_p50": 150.0,
    }


def test_fallback_order_is_the_order_of_the_rtt(machines: list[Machine], links: list[Link]) -> None:
    got = {region: one.regions for region, one in plan(machines, links, WISHES).regions.items()}
    assert got == {
        "au": ("sg", "br", "ru"),
        "br": ("ru", "au", "sg"),
        "ru": ("sg", "br", "au"),
        "sg": ("au", "ru", "br"),
    }


def test_every_value_says_why_with_a_measured_number(machines: list[Machine], links: list[Link]) -> None:
    for name, one in plan(machines, links, WISHES).values.items():
        assert len(one.why) > 20, name
        assert any(sign.isdigit() for sign in one.why), name


def test_the_label_decides_the_home_and_the_plan_says_what_would_be_better(machines: list[Machine]) -> None:
    place = plan(machines, talk_links(), WISHES).control_plane
    assert (place.home_region, place.hosts, place.etcd) == ("ru", ("ru-01",), ("ru-01",))
    assert "sg would have total 665 ms" in place.why


def test_without_labels_the_home_is_the_region_with_the_lowest_total_rtt() -> None:
    got = plan(unlabelled(), talk_links(), WISHES)
    assert (got.home_region, got.control_plane.hosts) == ("sg", ("sg-01",))


def test_the_plan_changes_when_the_rtt_changes() -> None:
    near_br = {"ru_br": 10.0, "au_br": 20.0, "sg_br": 30.0}
    far = plan(unlabelled(), talk_links(), WISHES)
    near = plan(unlabelled(), talk_links(**near_br), WISHES)
    assert (far.home_region, near.home_region) == ("sg", "br")
    assert far.regions["au"].regions[0] == "sg"
    assert near.regions["au"].regions[0] == "br"
    assert (far.values["write_latency_p50"].value, near.values["write_latency_p50"].value) == (150, 10)
    assert near.values["cockroachdb_primary_region"].value == "br"
    assert near.values["kubelet_status_update_frequency"].value == "10s"
    assert far.inputs_digest != near.inputs_digest


def test_a_very_slow_link_stretches_the_grace_period() -> None:
    slow = plan(with_etcd("ru"), talk_links(ru_au=1500), WISHES)
    assert slow.values["kube_controller_node_monitor_grace_period"].value == "70s"
    assert slow.values["cockroachdb_lead_for_global_reads"].value == "2545ms"


@pytest.mark.parametrize(
    ("rtt", "beat", "vote"),
    [(0, 250, 5000), (195, 250, 5000), (360, 400, 5000), (500, 500, 5000), (800, 800, 8000), (9000, 9000, 50000)],
)
def test_etcd_timers_follow_the_tuning_guide(rtt: float, beat: int, vote: int) -> None:
    assert (heartbeat(rtt), election(rtt)) == (beat, vote)


def test_lead_for_global_reads_is_cockroachdbs_formula() -> None:
    assert lead_for_global_reads(150, max_offset=500) == 800
    assert lead_for_global_reads(360) == 835


def test_a_quorum_over_an_ocean_is_refused_with_the_latency_it_would_cost() -> None:
    with pytest.raises(PlanError, match=r"au-01 and ru-01 are 360 ms apart.* 195 ms with.*geokube_accept_slow_quorum"):
        plan(with_etcd("ru", "sg", "au"), talk_links(au_sg=210), WISHES)


def test_an_accepted_slow_quorum_gets_timers_for_it_and_a_warning() -> None:
    got = plan(with_etcd("ru", "sg", "au"), talk_links(), replace(WISHES, accept_slow_quorum=True))
    assert got.values["etcd_heartbeat_interval"].value == 400
    assert got.values["kube_scheduler_leader_elect_renew_deadline"].value == "40s"
    assert got.values["kube_scheduler_leader_elect_lease_duration"].value == "60s"
    assert got.control_plane.write_latency == 150
    assert any("360 ms apart" in text for text in got.warnings)


def test_a_quorum_over_a_short_link_is_planned_without_a_word() -> None:
    got = plan(with_etcd("ru", "sg", "au"), talk_links(ru_sg=8, ru_au=9, au_sg=7), WISHES)
    assert got.control_plane.spans_regions
    assert got.warnings == ()


def test_an_even_number_of_etcd_members_is_refused() -> None:
    with pytest.raises(PlanError, match=r"etcd would have 2 members \(ru-01, sg-01\)"):
        plan(with_etcd("ru", "sg"), talk_links(), WISHES)


def test_a_home_without_machines_is_refused(machines: list[Machine]) -> None:
    with pytest.raises(PlanError, match=r"geokube_home_region is 'mars'.*regions: au, br, ru, sg"):
        plan(machines, talk_links(), replace(WISHES, home_region="mars"))


def test_a_home_against_the_labels_is_refused(machines: list[Machine]) -> None:
    with pytest.raises(PlanError, match=r"'sg', but the role label control-plane sits on ru-01 \(ru\)"):
        plan(machines, talk_links(), replace(WISHES, home_region="sg"))


def test_the_operators_home_wins_without_labels() -> None:
    got = plan(unlabelled(), talk_links(), replace(WISHES, home_region="br"))
    assert (got.home_region, got.control_plane.hosts) == ("br", ("br-01",))


def test_a_missing_link_is_named(machines: list[Machine], links: list[Link]) -> None:
    with pytest.raises(PlanError, match=r"lacks 1 link\(s\): au-01 -> sg-01.*survey_refresh=true"):
        plan(machines, [link for link in links if (link.source, link.target) != ("au-01", "sg-01")], WISHES)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"loss": 1.0}, "lost 100% of its packets"),
        ({"rtt": 0.0}, "outside 0 to 10000"),
        ({"path_mtu": 1300}, "narrowest path 1300 bytes"),
    ],
)
def test_a_link_that_cannot_work_is_named(
    machines: list[Machine], links: list[Link], change: dict[str, float], text: str
) -> None:
    links[0] = replace(links[0], **change)
    with pytest.raises(PlanError, match=text) as caught:
        plan(machines, links, WISHES)
    assert f"{links[0].source} -> {links[0].target}" in str(caught.value)


def test_no_machines_and_twins_are_refused(machines: list[Machine], links: list[Link]) -> None:
    with pytest.raises(PlanError, match="inventory is empty"):
        plan([], links, WISHES)
    with pytest.raises(PlanError, match="more than once: ru-01"):
        plan([*machines, machines[0]], links, WISHES)
    with pytest.raises(PlanError, match="no region: x-01"):
        plan([*machines, Machine("x-01", "")], links, WISHES)


def test_the_mtu_follows_the_narrowest_path(machines: list[Machine], links: list[Link]) -> None:
    links[3] = replace(links[3], path_mtu=1460)
    got = plan(machines, links, WISHES)
    assert (got.values["mesh_mtu"].value, got.values["pod_mtu"].value) == (1380, 1330)
    assert f"{links[3].source} -> {links[3].target}" in got.values["mesh_mtu"].why


def test_loss_and_bad_clocks_are_warned_about(machines: list[Machine], links: list[Link]) -> None:
    links[0] = replace(links[0], loss=0.1)
    machines[1] = replace(machines[1], clock_error=180.0)
    texts = "\n".join(plan(machines, links, WISHES).warnings)
    assert "lose 5.0% of their packets" in texts
    assert "clock of sg-01 may be wrong by 180 ms" in texts


def test_without_database_labels_there_are_no_database_values() -> None:
    machines = [replace(one, roles=("worker",)) for one in unlabelled()]
    got = plan(machines, talk_links(), WISHES)
    assert not [name for name in got.values if name.startswith("cockroachdb")]
    assert any("role label database" in text for text in got.warnings)


def test_one_machine_alone_gets_a_plan() -> None:
    got = plan([Machine("ru-01", "ru")], [], WISHES)
    assert got.home_region == "ru"
    assert got.values["mesh_mtu"].value == 1420
    assert got.values["cockroachdb_survival_goal"].value == "zone"


def test_the_home_stays_when_the_rtt_moves_but_the_plan_tells() -> None:
    first = plan(unlabelled(), talk_links(), WISHES)
    basis = basis_of(to_json(first))
    moved = plan(unlabelled(), talk_links(ru_sg=400, ru_br=20, ru_au=30), replace(WISHES, basis=basis))
    assert moved.home_region == "sg"
    assert any("ru is now a better home" in text for text in moved.warnings)


def test_a_damaged_plan_file_is_told_apart() -> None:
    with pytest.raises(PlanError, match="version 7"):
        basis_of({"version": 7})
    with pytest.raises(PlanError, match="damaged"):
        basis_of({"version": 1, "values": {}, "links": [{}], "home_region": "ru"})


def test_the_file_is_plain_json(machines: list[Machine], links: list[Link]) -> None:
    content = to_json(plan(machines, links, WISHES))
    assert json.loads(json.dumps(content)) == content
    assert basis_of(content) == Basis("ru", "sg", {tuple(x["between"]): x["rtt_ms"] for x in content["links"]})


def test_the_documentation_names_every_value(machines: list[Machine], links: list[Link]) -> None:
    text = (Path(__file__).parents[3] / "docs" / "plan.md").read_text()
    got = plan(machines, links, WISHES)
    hidden = [name for name in got.values if f"`{name}`" not in text and "_leader_elect_" not in name]
    assert hidden == []
    spread = got.control_plane.spread
    assert spread is not None
    assert f"at best {spread.write_latency:g} ms a write, {spread.worst_rtt:g} ms with the leader" in text
    for one in got.control_plane.candidates:
        if one.region in ("sg", "ru"):
            assert f"{one.total_rtt:g} ms" in text
