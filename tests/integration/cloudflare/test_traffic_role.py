# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role traffic, by ansible-playbook, against the emulator: steering, what it falls back to, what it keeps."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cloudflare_harness import ACCOUNT, CACHE_RULES, PULLS, TOKEN, ZONE, Edge

PLACES = {
    "ru": ("yandex", "ru-central1", "192.0.2.10"),
    "sg": ("digitalocean", "sgp1", "192.0.2.138"),
    "au": ("aws", "ap-southeast-2", "198.51.100.10"),
    "br": ("gcp", "southamerica-east1", "198.51.100.138"),
}
FALLBACK = {"ru": ["sg", "br", "au"], "sg": ["au", "ru", "br"], "au": ["sg", "br", "ru"], "br": ["ru", "au", "sg"]}
BALANCERS = f"/zones/{ZONE}/load_balancers"
POOLS = f"/accounts/{ACCOUNT}/load_balancers/pools"


def inventory(regions: tuple[str, ...] = tuple(PLACES)) -> dict[str, Any]:
    """One machine a region, in the group ingress."""
    hosts = {
        f"devfest-{region}-01": {
            "geokube_region": region,
            "geokube_provider": PLACES[region][0],
            "geokube_cloud_region": PLACES[region][1],
            "geokube_public_ip": PLACES[region][2],
        }
        for region in regions
    }
    return {"all": {"children": {"ingress": {"hosts": hosts}}}}


class Role:
    """Runs the role in a folder of its own."""

    def __init__(self, edge: Edge, folder: Path) -> None:
        self.edge, self.folder = edge, folder
        plan = {"home_region": "ru", "regions": {name: {"fallback_regions": order} for name, order in FALLBACK.items()}}
        (folder / "plan.json").write_text(json.dumps(plan))
        self.hosts()

    def hosts(self, *regions: str) -> None:
        """Write the inventory with machines in these regions; in all when none is named."""
        (self.folder / "hosts.yml").write_text(yaml.safe_dump(inventory(regions or tuple(PLACES))))

    def run(self, *options: str, **variables: Any) -> tuple[str, int]:
        """Give the output and how many tasks changed something."""
        given = {
            "geokube_cluster": "devfest", "geokube_domain": "geokube.test", "geokube_state_dir": str(self.folder),
            "traffic_account_id": ACCOUNT, "traffic_base_url": self.edge.url, "traffic_wait_healthy": 0,
            "traffic_drain_seconds": 0, "traffic_force": True, "ansible_python_interpreter": sys.executable,
            **variables,
        }  # fmt: skip
        play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": given,
                 "roles": ["meridian.geokube.traffic"]}]  # fmt: skip
        (self.folder / "play.yml").write_text(yaml.safe_dump(play))
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "hosts.yml", "play.yml", *options]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env={**os.environ, "CLOUDFLARE_API_TOKEN": TOKEN, "ANSIBLE_NOCOLOR": "1"},
            check=False,
        )
        output = done.stdout + done.stderr
        assert done.returncode == 0, output
        assert TOKEN not in output
        found = re.search(r"localhost +: .*changed=(\d+)", output)
        assert found, output
        return re.sub(r"\s+", " ", output), int(found[1])

    def balancer(self) -> dict[str, Any]:
        """The one load balancer, with names in place of the pools' identifiers."""
        names = {pool["id"]: pool["name"] for pool in self.edge.api("GET", POOLS)}
        text = json.dumps(self.edge.api("GET", BALANCERS)[0])
        for identifier, name in names.items():
            text = text.replace(identifier, name)
        found: dict[str, Any] = json.loads(text)
        return found


@pytest.fixture
def role(edge: Edge, tmp_path: Path) -> Role:
    return Role(edge, tmp_path)


@pytest.fixture
def poor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """An account without the add-on Traffic Steering."""
    edge = Edge(tmp_path_factory.mktemp("poor"), ("--without-traffic-steering",))
    edge.start()
    yield edge
    edge.stop()


def named(order: list[str]) -> list[str]:
    return [f"devfest-{region}" for region in order]


def test_without_the_add_on_it_goes_on_unsteered_and_says_so(poor: Edge, tmp_path: Path) -> None:
    role = Role(poor, tmp_path)
    told = (
        "WARNING: this Cloudflare account lacks the Traffic Steering add-on, so every user goes to devfest-ru and "
        "to the next pool only when that fails. Add the add-on, or set traffic_steering_policy to off "
        "to make this the wish."
    )
    output, changed = role.run()
    assert told in output
    assert changed
    balancer = role.balancer()
    assert balancer["steering_policy"] == "off"
    assert balancer["default_pools"] == named(["ru", *FALLBACK["ru"]])
    assert balancer["region_pools"] == {}
    again, changed = role.run()
    assert told in again
    assert changed == 0
    assert json.loads((tmp_path / "traffic.json").read_text())["steering_policy"] == "off"
    assert role.run("--check")[1] == 0, "nobody refuses in check mode, so it is remembered"
    assert role.run("--check", traffic_monitor_interval=30)[1] > 0
    wished, changed = role.run(traffic_steering_policy="off")
    assert "WARNING: this Cloudflare account" not in wished
    assert changed == 0


def test_geography_then_the_other_policies_then_a_region_leaves(role: Role) -> None:
    role.run()
    balancer = role.balancer()
    assert (balancer["steering_policy"], balancer["session_affinity"]) == ("geo", "none")
    assert balancer["region_pools"]["OC"] == named(["au", *FALLBACK["au"]])
    assert {len(order) for order in balancer["region_pools"].values()} == {4}
    assert balancer["fallback_pool"] == "devfest-ru"
    assert balancer["adaptive_routing"]["failover_across_pools"] is True
    assert role.run()[1] == 0
    assert role.run("--check", traffic_steering_policy="proximity")[1] > 0
    assert role.balancer()["steering_policy"] == "geo"
    role.run(traffic_steering_policy="proximity", traffic_session_affinity="cookie")
    balancer = role.balancer()
    assert (balancer["steering_policy"], balancer["region_pools"]) == ("proximity", {})
    assert balancer["session_affinity_attributes"]["zero_downtime_failover"] == "sticky"
    assert {pool["latitude"] for pool in role.edge.api("GET", POOLS)} > {55.75}
    role.hosts("ru", "sg", "br")
    role.run(traffic_steering_policy="dynamic_latency")
    balancer = role.balancer()
    assert balancer["steering_policy"] == "dynamic_latency"
    assert balancer["default_pools"] == named(["ru", "sg", "br"])
    assert {pool["name"] for pool in role.edge.api("GET", POOLS)} == set(named(["ru", "sg", "br"]))


def test_a_zone_is_not_made_strict_before_its_origins_were_seen(role: Role) -> None:
    """Without the plays on the machines nobody knows whether they have a certificate."""
    monitors = f"/accounts/{ACCOUNT}/load_balancers/monitors"
    output, _ = role.run()
    assert "WARNING: The zone geokube.test stays as it is" in output
    assert "devfest-au-01: not asked, as playbooks/traffic.yml would" in output
    assert role.edge.api("GET", f"/zones/{ZONE}/settings/ssl")["value"] == "full"
    monitor = role.edge.api("GET", monitors)[0]
    assert (monitor["allow_insecure"], monitor["probe_zone"]) == (True, "geokube.test")
    assert role.edge.api("GET", PULLS) == []

    role.edge.api("PATCH", f"/zones/{ZONE}/settings/ssl", {"value": "strict"})
    output, _ = role.run()
    assert "WARNING: The zone" not in output
    assert role.edge.api("GET", monitors)[0]["allow_insecure"] is False
    assert role.run()[1] == 0

    left_alone = {"traffic_origin_certificates": False, "traffic_authenticated_origin_pulls": False}
    output, _ = role.run(**left_alone)
    assert "WARNING" not in output
    monitor = role.edge.api("GET", monitors)[0]
    assert (monitor["allow_insecure"], monitor["probe_zone"]) == (True, "")
    assert role.edge.api("GET", f"/zones/{ZONE}/settings/ssl")["value"] == "strict"


def test_what_never_changes_is_kept_and_errors_are_not(role: Role) -> None:
    role.run()
    rules = role.edge.api("GET", CACHE_RULES)["rules"]
    assert [rule["description"] for rule in rules] == ["[geokube:devfest/results]", "[geokube:devfest/static]"]
    assert '"/results/"' in rules[0]["expression"]
    assert '"/v1/styles"' in rules[1]["expression"]
    for rule in rules:
        kept = rule["action_parameters"]["edge_ttl"]
        assert kept["mode"] == "respect_origin"
        assert kept["status_code_ttl"] == [{"status_code_range": {"from": 400, "to": 599}, "value": -1}]
