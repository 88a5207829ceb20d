# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""From machines to hosts and groups."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meridian.geokube.plugins.plugin_utils.hosts import Host, merge_tags
from ansible_collections.meridian.geokube.plugins.plugin_utils.inventory_settings import Settings, read_settings
from ansible_collections.meridian.geokube.plugins.plugin_utils.layout import Layout, LayoutError, arrange
from ansible_collections.meridian.geokube.plugins.plugin_utils.names import ROLE_GROUPS, GroupNames, NameRefused
from ansible_collections.meridian.geokube.plugins.plugin_utils.roles import groups_of_label
from hypothesis import given
from hypothesis import strategies as st

DEFAULTS: dict[str, Any] = {
    "cluster": "k1",
    "cluster_label": "geokube-cluster",
    "role_label": "geokube-role",
    "regions": None,
    "providers": {"aws": {}, "digitalocean": {}},
    "home_region": None,
    "hostname": "name",
    "bastion": None,
    "allow_partial": [],
    "deadline": 60.0,
    "timeout": 10.0,
    "retries": 3,
}
REGIONS = {"sg": {"digitalocean": ["sgp1"]}, "us": {"aws": ["us-east-1"], "digitalocean": ["nyc1"]}}


def settings(**options: Any) -> Settings:
    """Read settings made of the defaults and these."""
    return read_settings({**DEFAULTS, **options}.__getitem__)


def machine(name: str, provider: str = "digitalocean", region: str = "sgp1", role: str = "", **fields: Any) -> Host:
    """Make a running machine of the cluster."""
    labels = {"geokube-cluster": "k1"} | ({"geokube-role": role} if role else {})
    values: dict[str, Any] = {
        "provider": provider,
        "account": "",
        "instance_id": f"id-{name}",
        "name": name,
        "cloud_region": region,
        "zone": region,
        "running": True,
        "state": "active",
        "machine_type": "s-1vcpu-1gb",
        "created": "2026-01-15T09:30:00Z",
        "public_ip": "203.0.113.9",
        "private_ip": "10.0.0.9",
        "labels": labels,
    }
    return Host(**{**values, **fields})


def arranged(*machines: Host, missing: tuple[str, ...] = (), **options: Any) -> Layout:
    """Arrange machines under these options; C(missing) clouds did not answer."""
    return arrange(machines, settings(**options), GroupNames(), missing=missing)


def test_no_role_at_all() -> None:
    """Without labels every machine does everything, and the first of the home region is the control plane."""
    layout = arranged(
        machine("b"), machine("a"), machine("c", region="nyc1"), regions=REGIONS, providers=DEFAULTS["providers"]
    )
    assert layout.groups["kube_control_plane"] == layout.groups["etcd"] == ("a",)
    for group in ("kube_node", "ingress", "database"):
        assert layout.groups[group] == ("a", "b", "c")
    assert all(member.variables["geokube_roles"] == [] for member in layout.members)


@pytest.mark.parametrize(("home", "first"), [(None, "a"), ("sg", "a"), ("us", "c")])
def test_home_region(home: str | None, first: str) -> None:
    """The option says whose first machine; else the first in regions, not in the alphabet."""
    layout = arranged(machine("a"), machine("c", region="nyc1"), regions=REGIONS, home_region=home)
    assert layout.groups["kube_control_plane"] == (first,)
    assert layout.variables.get("geokube_home_region") == home


def test_roles_by_label() -> None:
    """A label says what a machine does; machines without one do the rest."""
    layout = arranged(
        machine("cp", role="control-plane,etcd"),
        machine("w", role="worker--ingress"),
        machine("db", role="database"),
        machine("plain"),
    )
    assert layout.groups["kube_control_plane"] == layout.groups["etcd"] == ("cp",)
    assert layout.groups["kube_node"] == ("plain", "w")
    assert layout.groups["ingress"] == ("plain", "w")
    assert layout.groups["database"] == ("db", "plain")


def test_etcd_follows_the_control_plane() -> None:
    """Where no label says etcd, the control plane is it."""
    layout = arranged(machine("cp", role="control-plane"), machine("w", role="worker"))
    assert layout.groups["etcd"] == ("cp",)


@pytest.mark.parametrize(
    ("missing", "options", "first"),
    [
        # The first region is whole, whoever else is missing.
        (("aws",), {"regions": REGIONS}, ("a",)),
        (("digitalocean",), {"regions": REGIONS}, ()),
        (("aws",), {"regions": REGIONS, "home_region": "us"}, ()),
        # Without regions the first by name is the home: AWS's would stand before DigitalOcean's.
        (("aws",), {}, ()),
        (("yandex",), {"providers": {"digitalocean": {}, "yandex": {}}}, ("c",)),
        (("aws",), {"home_region": "digitalocean-sgp1"}, ("a",)),
        (("aws",), {"home_region": "aws-us-east-1"}, ()),
    ],
)
def test_no_second_control_plane(missing: tuple[str, ...], options: dict[str, Any], first: tuple[str, ...]) -> None:
    """A cloud that is away does not make another machine the control plane than the one it may hold."""
    given_options = {**options, "allow_partial": list(missing)}
    layout = arranged(machine("a"), machine("c", region="nyc1"), missing=missing, **given_options)
    assert layout.groups["kube_control_plane"] == layout.groups["etcd"] == first
    assert layout.headless == (not first)
    labelled = arranged(
        machine("a"), machine("c", region="nyc1", role="control-plane"), missing=missing, **given_options
    )
    assert labelled.groups["kube_control_plane"] == ("c",)


def test_home_region_without_a_machine() -> None:
    """Without regions a wrong home_region would leave the cluster without a control plane."""
    with pytest.raises(LayoutError, match=r"home_region 'sgp1' has no running machine.*machines are digitalocean-sgp1"):
        arranged(machine("a"), home_region="sgp1")
    assert arranged(machine("a", role="control-plane"), home_region="sgp1").groups["etcd"] == ("a",)


def test_rare_group_of_kubespray() -> None:
    """calico_rr is there only when a label names it."""
    layout = arranged(machine("a", role="kube_control_plane,etcd,kube_node"), machine("b", role="calico_rr"))
    assert layout.groups["calico_rr"] == ("b",)
    assert "calico_rr" not in arranged(machine("a")).groups


@given(
    st.lists(st.sampled_from(["control-plane", "etcd", "worker", "ingress", "database", *ROLE_GROUPS]), min_size=1),
    st.sampled_from([",", ", ", "--", " "]),
)
def test_role_label_separators(roles: list[str], separator: str) -> None:
    """Every separator gives the same groups, each once and in one order."""
    groups = groups_of_label(separator.join(roles))
    assert groups == groups_of_label(",".join(reversed(roles)))
    assert list(groups) == [group for group in ROLE_GROUPS if group in groups]


def test_unknown_role() -> None:
    """All unknown roles are named at once, with whose they are."""
    with pytest.raises(LayoutError, match=r"of a \(digitalocean, sgp1, id id-a\): 'king', 'queen' is no role"):
        arranged(machine("a", role="king,worker,queen"))


def test_every_problem_at_once() -> None:
    """One error lists all that is wrong, up to twenty lines."""
    machines = [machine("twin", instance_id=str(number)) for number in range(30)]
    with pytest.raises(LayoutError) as caught:
        arranged(*machines)
    lines = str(caught.value).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 9 more"


@given(
    st.lists(
        st.tuples(st.text(alphabet="aA-_.1", min_size=1, max_size=3), st.sampled_from(["sgp1", "nyc1"])), max_size=8
    )
)
def test_hosts_are_unique_or_refused(entries: list[tuple[str, str]]) -> None:
    """Whatever the names, either every machine is a host of its own or the error names two."""
    machines = [machine(name, region=region, instance_id=str(index)) for index, (name, region) in enumerate(entries)]
    try:
        layout = arranged(*machines, hostname="unique")
    except (LayoutError, NameRefused) as error:
        assert "two machines would be" in str(error) or "no letter or digit" in str(error)
    else:
        assert len({member.name for member in layout.members}) == len(machines)
        everyone = {name for names in layout.groups.values() for name in names}
        assert everyone == {member.name for member in layout.members}


def test_regions_without_a_machine() -> None:
    """A region that is named is not empty; stopped machines are mentioned."""
    with pytest.raises(
        LayoutError, match=r"region us has no running machine .* aws us-east-1, digitalocean nyc1 \(1 not"
    ):
        arranged(machine("a"), machine("b", region="nyc1", running=False), regions=REGIONS)
    # Only a cloud that really is missing excuses its region.
    allowed: dict[str, Any] = {"regions": REGIONS, "allow_partial": ["aws"]}
    with pytest.raises(LayoutError, match="region us has no running machine"):
        arranged(machine("a"), **allowed)
    assert arranged(machine("a"), missing=("aws",), **allowed).groups["region_sg"] == ("a",)


def test_machine_outside_of_regions() -> None:
    """A machine that no region holds is named."""
    with pytest.raises(LayoutError, match=r"c \(digitalocean, fra1, .* is in digitalocean fra1, which no region names"):
        arranged(machine("a"), machine("b", region="nyc1"), machine("c", region="fra1"), regions=REGIONS)


def test_bastion_by_region() -> None:
    """Each region may have its own; a machine with a public address needs none."""
    inner = machine("inner", public_ip="")
    layout = arranged(inner, machine("outer"), bastion={"digitalocean-sgp1": "jump@203.0.113.1"})
    variables = {member.name: member.variables for member in layout.members}
    assert variables["inner"]["ansible_host"] == "10.0.0.9"
    assert variables["inner"]["geokube_bastion"] == "jump@203.0.113.1"
    assert "geokube_bastion" not in variables["outer"]
    assert "ansible_host" not in arranged(inner, bastion={"elsewhere": "x"}).members[0].variables


def test_merge_tags() -> None:
    """DigitalOcean's tags become labels; a key that comes twice has both values."""
    tags = ["web", "geokube-role:worker", "geokube-role:ingress", "a:b:c", "geokube-cluster:k1"]
    assert merge_tags(tags) == {
        "web": "",
        "geokube-role": "worker,ingress",
        "a": "b:c",
        "geokube-cluster": "k1",
    }
    assert merge_tags(["x", "x:1"]) == merge_tags(["x:1", "x"]) == {"x": "1"}
