# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a healthy run gives: hosts, variables, groups, what -v says, what the user's own expressions add."""

from __future__ import annotations

import re
from typing import Any

import pytest
from geokube_lab.clouds import Machine
from inventory_runner import Done, Runner

PARSER_ERROR = 4


def machine(name: str, cloud: str = "digitalocean", **fields: Any) -> Machine:
    """Make a machine of the cluster in a usual place of its cloud."""
    places = {
        "aws": ("us-east-1", "us-east-1a", ""),
        "gcp": ("us-central1", "us-central1-a", "p1"),
        "digitalocean": ("fra1", "fra1", ""),
        "yandex": ("ru-central1", "ru-central1-a", "f0"),
    }
    region, zone, account = places[cloud]
    defaults: dict[str, Any] = {
        "cloud_region": region,
        "zone": zone,
        "account": account,
        "private_address": "10.9.0.9",
        "public_address": "203.0.113.9",
        "labels": {"geokube-cluster": "k1"},
    }
    return Machine(name, cloud, **{**defaults, **fields})


def run_with(runner: Runner, *machines: Machine, **options: Any) -> Done:
    """Run over exactly these machines."""
    assert runner.clouds is not None
    runner.clouds.load(machines)
    providers: dict[str, dict[str, Any]] = {
        "aws": {"regions": ["us-east-1"]},
        "gcp": {"projects": ["p1"]},
        "digitalocean": {},
        "yandex": {"folders": ["f0"], "insecure_transport": True},
    }
    used = sorted({entry.cloud for entry in machines})
    endpoints = {name: runner.clouds.emulators[name].endpoint for name in used}
    given = {name: {**providers[name], "endpoint": endpoints[name]} for name in used}
    return runner.run("--list", providers=options.pop("providers", given), **options)


def assert_fails(done: Done, *texts: str) -> None:
    """One error that holds each text, and no host."""
    assert done.code == PARSER_ERROR, done.stdout
    assert done.hosts == 0
    for text in texts:
        assert text in done.stderr


def test_whole(runner: Runner) -> None:
    """Every machine of every page of every cloud is there, and -v has a line for each provider."""
    done = runner.run("--list", "-v")
    assert done.code == 0, done.stderr
    assert len(done.hostvars) == 40
    # Text that is no template is text, for whatever else reads it.
    assert "__ansible_unsafe" not in done.stdout
    lines = re.findall(r"^geokube: (\w+): (\d+) hosts, (\d+) requests, \d+\.\d\d s$", done.stdout, re.MULTILINE)
    assert {name: int(hosts) for name, hosts, _requests in lines} == dict.fromkeys(
        ("aws", "gcp", "digitalocean", "yandex"), 10
    )
    assert runner.clouds is not None
    for name, _hosts, requests in lines:
        assert int(requests) == runner.clouds.emulators[name].faults.requests


def test_variables(runner: Runner) -> None:
    """Every host has the variables of the design, the cloud's own words among them."""
    labels = {"geokube-cluster": "k1", "geokube-role": "worker", "team": "blue"}
    done = run_with(runner, machine("web-1", "gcp", labels=labels, tags=("http",)))
    found = done.hostvars["web-1"]
    assert found.pop("geokube_created").startswith("2026-01-15T09:30:00")
    assert found.pop("geokube_instance_id").isdigit()
    assert found == {
        "ansible_host": "203.0.113.9",
        "geokube_account": "p1",
        "geokube_cloud_region": "us-central1",
        "geokube_cluster": "k1",
        "geokube_labels": {**labels, "http": ""},
        "geokube_latitude": 41.26,
        "geokube_longitude": -95.86,
        "geokube_machine_type": "e2-standard-2",
        "geokube_name": "web-1",
        "geokube_private_ip": "10.9.0.9",
        "geokube_provider": "gcp",
        "geokube_public_ip": "203.0.113.9",
        "geokube_region": "gcp-us-central1",
        "geokube_roles": ["worker"],
        "geokube_state": "running",
        "geokube_zone": "us-central1-a",
    }


@pytest.mark.parametrize("cloud", ["aws", "gcp", "digitalocean", "yandex"])
def test_same_variables_everywhere(runner: Runner, cloud: str) -> None:
    """The four clouds give the same names, and none is empty for a usual machine."""
    done = run_with(runner, machine("web-1", cloud))
    found = done.hostvars["web-1"]
    assert len(found) == 18
    empty = {name for name, value in found.items() if value in ("", [], {}, None)}
    assert empty == {"geokube_roles"} | ({"geokube_account"} if cloud == "digitalocean" else set())


@pytest.mark.parametrize("cloud", ["aws", "gcp", "digitalocean", "yandex"])
def test_ipv6_only(runner: Runner, cloud: str) -> None:
    """A machine that has only IPv6 is reached by it."""
    done = run_with(runner, machine("six", cloud, private_address=None, public_address=None, public_ipv6="2001:db8::6"))
    assert done.code == 0, done.stderr
    assert done.hostvars["six"]["ansible_host"] == "2001:db8::6"
    assert done.hostvars["six"]["geokube_public_ip"] == "2001:db8::6"


@pytest.mark.parametrize("cloud", ["aws", "gcp", "digitalocean", "yandex"])
def test_private_only(runner: Runner, cloud: str) -> None:
    """Without a public address a machine needs a bastion; compose may find another way."""
    hidden = machine("inner", cloud, public_address=None)
    done = run_with(runner, hidden)
    assert_fails(
        done, f"inner ({cloud}", "has no public address, and no bastion is set for its private one; set bastion"
    )
    done = run_with(runner, hidden, bastion="jump@203.0.113.1")
    assert done.hostvars["inner"]["ansible_host"] == "10.9.0.9"
    assert done.hostvars["inner"]["geokube_bastion"] == "jump@203.0.113.1"
    done = run_with(runner, hidden, compose={"ansible_host": "geokube_private_ip"})
    assert done.hostvars["inner"]["ansible_host"] == "10.9.0.9"
    assert "geokube_bastion" not in done.hostvars["inner"]


@pytest.mark.parametrize("cloud", ["aws", "gcp", "digitalocean", "yandex"])
def test_not_running(runner: Runner, cloud: str) -> None:
    """A stopped machine is left out and counted."""
    assert runner.clouds is not None
    runner.clouds.load([machine("on", cloud), machine("off", cloud, state="stopped", private_address="10.9.0.10")])
    done = runner.run("--list", "-v", only=[cloud])
    assert set(done.hostvars) == {"on"}
    assert f"geokube: {cloud}: 1 hosts (1 not running left out)" in done.stdout


def test_other_clusters(runner: Runner) -> None:
    """Machines of another cluster, or of none, are not there."""
    done = run_with(
        runner,
        machine("mine"),
        machine("theirs", labels={"geokube-cluster": "k10"}),
        machine("nobodys", labels={}),
        machine("ours", "yandex"),
        machine("theirs", "yandex", labels={"geokube-cluster": "k10"}),
    )
    assert set(done.hostvars) == {"mine", "ours"}


def test_duplicates(runner: Runner) -> None:
    """Two machines under one name are an error that names both; with unique they are two hosts."""
    twins = (machine("web-1", "aws"), machine("web-1", "gcp"), machine("Web_1", "digitalocean"))
    done = run_with(runner, *twins)
    assert_fails(done, "two machines would be the host 'web-1'", "web-1 (aws of ", "web-1 (gcp of p1")
    assert "Web_1" in done.stderr
    done = run_with(runner, *twins, hostname="unique")
    assert set(done.hostvars) == {"web-1-aws-us-east-1a", "web-1-gcp-us-central1-a", "web-1-digitalocean-fra1"}


def test_hostname_template(runner: Runner) -> None:
    """A template makes the name; one that does not work is an error."""
    done = run_with(runner, machine("web"), hostname="{{ geokube_name }}.{{ geokube_zone }}")
    assert set(done.hostvars) == {"web.fra1"}
    done = run_with(runner, machine("web"), hostname="{{ no_such_variable }}")
    assert_fails(done, "hostname, for web: ", "no_such_variable")
    done = run_with(runner, machine("web"), hostname="geokube_name")
    assert_fails(done, "hostname is 'geokube_name'; it must be name, unique or a template with {{ }}")


@pytest.mark.parametrize("name", ["all", "localhost", "kube_node", "ETCD", "ungrouped"])
def test_reserved_host_name(runner: Runner, name: str) -> None:
    """A machine named as a group, or as what Ansible knows already, is an error."""
    done = run_with(runner, machine("web", "aws", labels={"geokube-cluster": "k1", "Name": name}))
    wanted = name.lower().replace("_", "-")
    if wanted == "kube-node":
        assert set(done.hostvars) == {"kube-node"}
    else:
        assert_fails(done, f"the host name '{wanted}' of", "means something else; rename the machine")


def test_group_names_collide(runner: Runner) -> None:
    """Two values that become one group are an error that names both."""
    teams = (
        machine("a", labels={"geokube-cluster": "k1", "team": "x-1"}),
        machine("b", labels={"geokube-cluster": "k1", "team": "x_1"}),
    )
    keyed = [{"key": "geokube_labels.team", "prefix": "team"}]
    done = run_with(runner, *teams, keyed_groups=keyed)
    assert_fails(done, "groups 'team_x-1' and 'team_x_1' would both be 'team_x_1'")


@pytest.mark.parametrize("value", ["all", "ungrouped", "kube_control_plane", "etcd", "k8s_cluster"])
def test_group_would_be_reserved(runner: Runner, value: str) -> None:
    """A label's value does not become one of Ansible's or Kubespray's groups by accident."""
    labels = {"geokube-cluster": "k1", "team": value}
    keyed = [{"key": "geokube_labels.team", "prefix": "", "separator": ""}]
    done = run_with(runner, machine("a", labels=labels), keyed_groups=keyed)
    assert_fails(done, f"group '{value}' would be '{value}', which has a meaning of its own")


def test_constructable(runner: Runner) -> None:
    """compose, groups and keyed_groups work as elsewhere, parents too."""
    done = run_with(
        runner,
        machine("a", labels={"geokube-cluster": "k1", "team": "blue"}),
        machine("b", labels={"geokube-cluster": "k1", "team": "red"}),
        compose={"shout": "geokube_labels.team | upper", "spot": "geokube_cluster ~ '/' ~ geokube_region"},
        groups={"reds": "shout == 'RED'"},
        keyed_groups=[{"key": "geokube_labels.team", "prefix": "team", "parent_group": "teams"}],
    )
    assert done.code == 0, done.stderr
    assert done.hostvars["a"]["shout"] == "BLUE"
    assert done.hostvars["a"]["spot"] == "k1/digitalocean-fra1"
    assert done.inventory["reds"]["hosts"] == ["b"]
    assert done.inventory["team_blue"]["hosts"] == ["a"]
    assert sorted(done.inventory["teams"]["children"]) == ["team_blue", "team_red"]


@pytest.mark.parametrize(
    "trap",
    [
        "{{ lookup('ansible.builtin.pipe', 'id') }}",
        "#jinja2:variable_start_string:'[[',variable_end_string:']]'\n[[ lookup('ansible.builtin.pipe', 'id') ]]",
    ],
)
def test_text_of_a_cloud_is_no_template(runner: Runner, trap: str) -> None:
    """Whoever may label a machine cannot run anything on the controller."""
    done = run_with(
        runner,
        machine("a", "aws", labels={"geokube-cluster": "k1", "Name": "a", "trap": trap}),
        compose={"copied": "geokube_labels.trap"},
    )
    assert done.code == 0, done.stderr
    assert done.hostvars["a"]["copied"] == trap
    assert done.hostvars["a"]["geokube_labels"]["trap"] == trap
    assert runner.clouds is not None
    source = runner.source(providers={"aws": {"endpoint": runner.clouds.aws.endpoint, "regions": ["us-east-1"]}})
    done = runner.run("--host", "a", source=source)
    assert "uid=" not in done.stdout


def test_strict(runner: Runner) -> None:
    """An expression that fails is passed over, and with strict it is an error before any host is added."""
    done = run_with(runner, machine("a"), compose={"x": "geokube_labels.nothing.at.all"})
    assert "x" not in done.hostvars["a"]
    done = run_with(runner, machine("a"), compose={"x": "geokube_labels.nothing.at.all"}, strict=True)
    assert_fails(done, "Could not set x for host a")


def test_graph(runner: Runner) -> None:
    """--graph reads well: Kubernetes groups first, then providers, regions and zones."""
    done = runner.run("--graph")
    groups = re.findall(r"^  \|--@(\S+):$", done.stdout, re.MULTILINE)
    assert groups[:6] == ["ungrouped", "kube_control_plane", "etcd", "kube_node", "ingress", "database"]
    assert groups[6:10] == ["provider_aws", "provider_gcp", "provider_digitalocean", "provider_yandex"]
    kinds = [group.partition("_")[0] for group in groups[6:]]
    assert kinds == sorted(kinds)


def test_regions(runner: Runner) -> None:
    """Regions gather cloud regions; one without a machine is an error, a machine outside of all is one too."""
    machines = (machine("a", "aws"), machine("b", "gcp"), machine("c", "digitalocean"))
    regions = {"us": {"aws": ["us-east-1"], "gcp": ["us-central1"]}, "eu": {"digitalocean": ["fra1"]}}
    assert runner.clouds is not None
    runner.clouds.load(machines)
    endpoints = {name: {"endpoint": runner.clouds.emulators[name].endpoint} for name in ("aws", "gcp", "digitalocean")}
    endpoints["gcp"] |= {"projects": "p1"}
    done = runner.run(providers=endpoints, regions=regions)
    assert done.code == 0, done.stderr
    assert sorted(done.inventory["region_us"]["hosts"]) == ["a", "b"]
    assert done.inventory["kube_control_plane"]["hosts"] == ["a"]
    done = runner.run(providers=endpoints, regions=regions, home_region="eu")
    assert done.inventory["kube_control_plane"]["hosts"] == ["c"]
    assert done.hostvars["a"]["geokube_home_region"] == "eu"
    done = runner.run(providers=endpoints, regions={**regions, "as": {"digitalocean": ["sgp1"]}})
    assert_fails(
        done, "region as has no running machine with geokube-cluster=k1 in digitalocean sgp1; start or label one"
    )
    done = runner.run(providers=endpoints, regions={"us": regions["us"], "eu": {"digitalocean": ["ams3"]}})
    assert_fails(done, "c (digitalocean, fra1", "is in digitalocean fra1, which no region names")


def test_all_regions_of_aws(runner: Runner) -> None:
    """Without regions AWS is asked which it has, and each is listed."""
    assert runner.clouds is not None
    machines = (machine("a", "aws"), machine("b", "aws", cloud_region="sa-east-1", zone="sa-east-1a"))
    done = run_with(runner, *machines, providers={"aws": {"endpoint": runner.clouds.aws.endpoint}}, deadline=60)
    assert done.code == 0, done.stderr
    assert set(done.hostvars) == {"a", "b"}
    assert runner.clouds.aws.faults.by_operation()["DescribeRegions"] == 1


WRONG_OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "no such option": ({"cache_tiemout": 1}, "cache_tiemout is not an option; did you mean cache_timeout?"),
    "no such provider": ({"providers": {"azure": {}}}, "providers.azure is not a provider; known are: aws, gcp"),
    "no provider": ({"providers": {}}, "providers must name at least one provider"),
    "no such provider option": (
        {"providers": {"digitalocean": {"token": "x"}}},
        "providers.digitalocean.token is not an option; did you mean api_token?",
    ),
    "no project": ({"providers": {"gcp": {}}}, "providers.gcp.projects names no project; name at least one"),
    "no folder": ({"providers": {"yandex": {}}}, "providers.yandex.folders names no folder; name at least one"),
    "no bool": (
        {"providers": {"yandex": {"folders": "f0", "insecure_transport": "maybe"}}},
        "providers.yandex.insecure_transport must be true or false, not 'maybe'",
    ),
    "no such kind": (
        {"providers": {"gcp": {"projects": "p1", "auth_kind": "password"}}},
        "providers.gcp.auth_kind is 'password'; it must be one of application, serviceaccount",
    ),
    "partial of another": ({"allow_partial": ["azure"]}, "allow_partial names 'azure', which is not in providers"),
    "no deadline": ({"deadline": 0}, "deadline must be more than 0 seconds, not 0"),
    "deadline no number": ({"deadline": "soon"}, "deadline"),
    "no cache plugin": ({"cache": True, "cache_plugin": "no.such.plugin"}, "no.such.plugin"),
    "cluster missing": ({"cluster": None}, "cluster"),
    "no cluster": ({"cluster": ""}, "cluster must be a text that is not empty"),
    "region name": ({"regions": {"A_U": {"aws": ["x"]}}}, "regions.A_U must be a name of lower-case letters, digits"),
    "home elsewhere": (
        {"regions": {"au": {"digitalocean": ["syd1"]}}, "providers": {"digitalocean": {}}, "home_region": "as"},
        "home_region 'as' is not in regions",
    ),
    "region in two": (
        {
            "regions": {"a": {"digitalocean": ["syd1"]}, "b": {"digitalocean": ["syd1"]}},
            "providers": {"digitalocean": {}},
        },
        "regions: digitalocean syd1 is in a and in b; leave it in one",
    ),
    "provider without region": (
        {"regions": {"au": {"digitalocean": ["syd1"]}}, "providers": {"digitalocean": {}, "aws": {}}},
        "providers.aws has no cloud region in regions; add one, or remove the provider",
    ),
    "template": (
        {"cluster": "{{ undefined_thing }}"},
        "the template in cluster cannot be filled in: ",
    ),
}


@pytest.mark.parametrize("case", list(WRONG_OPTIONS))
def test_wrong_option(runner: Runner, case: str) -> None:
    """A wrong option is named, with what to do, and no cloud is asked."""
    options, message = WRONG_OPTIONS[case]
    done = runner.run(**options)
    assert_fails(done, message)
    assert runner.clouds is not None
    assert sum(emulator.faults.requests for emulator in runner.clouds.emulators.values()) == 0


def test_role_that_does_not_exist(runner: Runner) -> None:
    """A role label that names no role is an error that names the machine and the roles."""
    done = run_with(runner, machine("a", labels={"geokube-cluster": "k1", "geokube-role": "boss"}))
    assert_fails(done, "the label geokube-role of a (digitalocean", "'boss' is no role; roles are control-plane, etcd")
