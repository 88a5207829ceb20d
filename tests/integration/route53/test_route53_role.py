# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role traffic with the driver route53, by ansible-playbook and amazon.aws, against moto."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

HOSTNAME = "style.geokube.test"
MACHINES = {
    "devfest-au-01": ("au", "aws", "ap-southeast-2", "198.51.100.10"),
    "devfest-br-01": ("br", "gcp", "southamerica-east1", "198.51.100.138"),
}
PLAN = {"home_region": "au", "regions": {"au": {"fallback_regions": ["br"]}, "br": {"fallback_regions": ["au"]}}}
# amazon.aws takes a secret out of all that it returns: it must be no part of a name.
KEY, SECRET = "route53-key", "route53-secret"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """moto as a process of its own: its world is one a process, and other tests have theirs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (tmp_path_factory.mktemp("moto") / "moto.log").open("ab")
    server = Path(sys.executable).with_name("moto_server")
    process = subprocess.Popen([str(server), "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    end = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{url}/moto-api/data.json", timeout=2).close()
            break
        except OSError:
            assert process.poll() is None and time.monotonic() < end, "moto does not start"
            time.sleep(0.2)
    yield url
    process.terminate()
    process.wait(30)


class Route53:
    """The role in a folder of its own, and what it made as boto3 sees it."""

    def __init__(self, endpoint: str, folder: Path) -> None:
        self.endpoint, self.folder = endpoint, folder
        self.api = boto3.client(
            "route53", endpoint_url=endpoint, region_name="us-east-1",
            aws_access_key_id=KEY, aws_secret_access_key=SECRET,
        )  # fmt: skip
        made = self.api.create_hosted_zone(Name="geokube.test", CallerReference="test")
        self.zone = made["HostedZone"]["Id"]
        (folder / "plan.json").write_text(json.dumps(PLAN))

    def role(self, machines: dict[str, tuple[str, str, str, str]], *options: str) -> int:
        """Run the role for these machines; give how many tasks changed something."""
        names = ("geokube_region", "geokube_provider", "geokube_cloud_region", "geokube_public_ip")
        hosts = {name: dict(zip(names, values, strict=True)) for name, values in machines.items()}
        (self.folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": {"ingress": {"hosts": hosts}}}}))
        given = {"geokube_cluster": "devfest", "geokube_domain": "geokube.test", "geokube_state_dir": str(self.folder),
                 "traffic_driver": "route53", "ansible_python_interpreter": sys.executable}  # fmt: skip
        play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": given,
                 "roles": ["meridian.geokube.traffic"]}]  # fmt: skip
        (self.folder / "play.yml").write_text(yaml.safe_dump(play))
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts.yml", "play.yml", *options]
        environment = {**os.environ, **CREDENTIALS, "AWS_URL": self.endpoint, "AWS_ENDPOINT_URL": self.endpoint,
                       "ANSIBLE_NOCOLOR": "1"}  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, env=environment, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        found = re.search(r"localhost +: .*changed=(\d+)", done.stdout)
        assert found, done.stdout
        return int(found[1])

    def records(self) -> list[dict[str, Any]]:
        """All records but those that come with a zone."""
        listed = self.api.list_resource_record_sets(HostedZoneId=self.zone)["ResourceRecordSets"]
        return [record for record in listed if record["Type"] not in ("NS", "SOA")]

    def checks(self) -> dict[str, Any]:
        """The health checks by the address that they look at."""
        return {one["HealthCheckConfig"]["IPAddress"]: one for one in self.api.list_health_checks()["HealthChecks"]}


def test_regions_come_stay_and_leave(endpoint: str, tmp_path: Path) -> None:
    route53 = Route53(endpoint, tmp_path)
    foreign = {"Name": f"other.{HOSTNAME}", "Type": "A", "TTL": 60, "SetIdentifier": "others", "Weight": 1,
               "ResourceRecords": [{"Value": "192.0.2.99"}]}  # fmt: skip
    change = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": foreign}]}
    route53.api.change_resource_record_sets(HostedZoneId=route53.zone, ChangeBatch=change)

    assert route53.role(MACHINES) > 0
    records = route53.records()
    latency = {one["Region"]: one for one in records if "Region" in one}
    assert set(latency) == {"ap-southeast-2", "sa-east-1"}
    for region, name in (("ap-southeast-2", "au"), ("sa-east-1", "br")):
        assert latency[region]["Name"] == f"{HOSTNAME}."
        assert latency[region]["AliasTarget"]["DNSName"].rstrip(".") == f"{name}.{HOSTNAME}"
        assert latency[region]["AliasTarget"]["EvaluateTargetHealth"] is True
    checks = route53.checks()
    assert set(checks) == {"198.51.100.10", "198.51.100.138"}
    config = checks["198.51.100.10"]["HealthCheckConfig"]
    assert (config["Type"], config["Port"], config["ResourcePath"]) == ("HTTPS", 443, "/readyz")
    assert (config["RequestInterval"], config["FailureThreshold"]) == (10, 3)
    weighted = {one["Name"]: one for one in records if one.get("SetIdentifier", "").startswith("devfest devfest-")}
    assert weighted[f"au.{HOSTNAME}."]["HealthCheckId"] == checks["198.51.100.10"]["Id"]
    assert weighted[f"au.{HOSTNAME}."]["ResourceRecords"] == [{"Value": "198.51.100.10"}]
    assert weighted[f"au.{HOSTNAME}."]["TTL"] == 60

    assert route53.role(MACHINES) == 0
    assert route53.records() == records

    left = {name: machine for name, machine in MACHINES.items() if machine[0] == "br"}
    assert route53.role(left) > 0
    names = {(one["Name"].rstrip("."), one.get("SetIdentifier")) for one in route53.records()}
    assert names == {
        (HOSTNAME, "devfest-br"), (f"br.{HOSTNAME}", "devfest devfest-br-01"), (f"other.{HOSTNAME}", "others"),
    }  # fmt: skip
    assert set(route53.checks()) == {"198.51.100.138"}
    summary = json.loads((tmp_path / "traffic.json").read_text())
    assert (summary["driver"], set(summary["regions"])) == ("route53", {"br"})
