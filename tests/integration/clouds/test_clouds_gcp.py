# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute Engine, driven by google-cloud-compute and google-auth."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import google.auth.transport.requests
import pytest
import requests
from clouds_sdks import gcp
from geokube_lab.clouds import Clouds, Fault, Machine, credentials
from geokube_lab.clouds.fleets import fleet, from_topology
from geokube_lab.topology import load
from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError, RefreshError
from google.cloud import compute_v1
from google.oauth2 import service_account


def all_instances(clouds: Clouds, **request: Any) -> list[Any]:
    """Every instance of the aggregated list."""
    pager = gcp(clouds).aggregated_list(request={"project": "p1", **request})
    return [instance for _, scope in pager for instance in scope.instances]


def test_the_lab_has_exactly_its_machine_in_sao_paulo(clouds: Clouds) -> None:
    node = load().regions["br"].nodes[0]
    clouds.load(from_topology(load()))
    client = gcp(clouds)
    (instance,) = client.list(project="geokube-lab", zone=node.zone)
    assert str(instance.id) == node.instance_id
    assert instance.name == node.name
    assert instance.network_interfaces[0].network_i_p == str(node.private_address)
    assert instance.network_interfaces[0].access_configs[0].nat_i_p == str(node.public_address)
    assert dict(instance.labels) == {"geokube-cluster": "devfest", "geokube-role": "worker--ingress--database"}
    assert instance.status == "RUNNING"
    assert instance.zone.endswith(f"/zones/{node.zone}")
    assert list(client.list(project="geokube-lab", zone="southamerica-east1-b")) == []


def test_the_aggregated_list_names_every_zone(clouds: Clouds) -> None:
    scopes = dict(gcp(clouds).aggregated_list(project="p1"))
    assert sum(len(scope.instances) for scope in scopes.values()) == 10
    assert scopes["zones/asia-east1-a"].warning.code == "NO_RESULTS_ON_PAGE"
    zones = {zone.name for zone in gcp(clouds, compute_v1.ZonesClient).list(project="p1")}
    assert {f"zones/{zone}" for zone in zones} == set(scopes)
    regions = {region.name for region in gcp(clouds, compute_v1.RegionsClient).list(project="p1")}
    assert {"southamerica-east1", "us-central1"} <= regions


def test_pages_of_500_join_without_gap(clouds: Clouds) -> None:
    machines = fleet(1203, clouds=("gcp",))
    clouds.load(machines)
    pages = list(gcp(clouds).aggregated_list(project="p1").pages)
    counts = [sum(len(scope.instances) for scope in page.items.values()) for page in pages]
    assert counts == [500, 500, 203]
    names = [instance.name for page in pages for scope in page.items.values() for instance in scope.instances]
    assert sorted(names) == sorted(machine.name for machine in machines)
    here = [machine.name for machine in machines if machine.zone == "us-central1-a"]
    request = {"project": "p1", "zone": "us-central1-a", "max_results": 200}
    zone_pages = list(gcp(clouds).list(request=request).pages)
    assert [len(page.items) for page in zone_pages] == [200, 101]
    assert sorted(instance.name for page in zone_pages for instance in page.items) == sorted(here)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("labels.geokube-cluster=k1", 10),
        ('labels.geokube-cluster = "k2"', 0),
        ("(labels.geokube-cluster = k1) (status = RUNNING)", 10),
        ("labels.geokube-cluster:*", 10),
        ("labels.nothing:*", 0),
        ("NOT labels.geokube-cluster:*", 0),
        ("status != RUNNING", 0),
        ("name eq 'n00001|n00005'", 2),
        ("name = n00001 OR name = n00005", 2),
    ],
)
def test_filters(clouds: Clouds, expression: str, expected: int) -> None:
    assert len(all_instances(clouds, filter=expression)) == expected


@pytest.mark.parametrize(
    "request_", [{"filter": "labels.a = (b"}, {"max_results": 501}, {"page_token": "made-up"}, {"order_by": "zone"}]
)
def test_requests_that_the_api_refuses(clouds: Clouds, request_: dict[str, Any]) -> None:
    with pytest.raises(exceptions.BadRequest, match="Invalid value for field"):
        all_instances(clouds, **request_)


def test_a_misspelt_parameter_is_refused(clouds: Clouds) -> None:
    url = f"{clouds.gcp.endpoint}/compute/v1/projects/p1/aggregated/instances"
    headers = {"Authorization": f"Bearer {credentials.GCP_TOKEN}"}
    answer = requests.get(url, params={"maxresults": 5}, headers=headers, timeout=5)
    assert answer.status_code == 400
    assert 'Unknown name "maxresults"' in answer.json()["error"]["message"]


def test_a_token_of_another_query_is_refused(clouds: Clouds) -> None:
    request = {"project": "p1", "max_results": 3}
    page = next(iter(gcp(clouds).aggregated_list(request=request).pages))
    with pytest.raises(exceptions.BadRequest, match="pageToken"):
        all_instances(clouds, filter="name = n00001", page_token=page.next_page_token)


def test_states_and_addresses(clouds: Clouds) -> None:
    place = ("gcp", "us-central1", "us-central1-a")
    clouds.load(
        [
            Machine("off", *place, "10.0.0.2", account="p1", state="stopped"),
            Machine("new", *place, "10.0.0.3", account="p1", state="starting", tags=("web",)),
            Machine("six", *place, None, account="p1", public_ipv6="2001:db8::5"),
        ]
    )
    found = {instance.name: instance for instance in all_instances(clouds)}
    states = {name: instance.status for name, instance in found.items()}
    assert states == {"off": "TERMINATED", "new": "PROVISIONING", "six": "RUNNING"}
    assert list(found["new"].tags.items) == ["web"]
    assert not found["off"].network_interfaces[0].access_configs
    interface = found["six"].network_interfaces[0]
    assert interface.stack_type == "IPV6_ONLY"
    assert interface.ipv6_access_configs[0].external_ipv6 == "2001:db8::5"


@pytest.mark.parametrize(
    ("token", "project", "error", "message"),
    [
        # google-auth answers a 401 by a refresh, which neither of these two can do.
        (None, "p1", GoogleAuthError, "Anonymous credentials cannot be refreshed"),
        ("wrong", "p1", GoogleAuthError, "do not contain the necessary fields"),
        (credentials.guest(credentials.GCP_TOKEN), "p1", exceptions.Forbidden, "compute.instances.list"),
        (credentials.GCP_TOKEN, "p2", exceptions.NotFound, "projects/p2"),
    ],
)
def test_refused(clouds: Clouds, token: str | None, project: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        list(gcp(clouds, token=token).aggregated_list(project=project))


@pytest.mark.parametrize(
    ("headers", "reason", "message"),
    [
        ({}, "required", "missing required authentication credential"),
        ({"Authorization": "Bearer wrong"}, "authError", "invalid authentication credentials"),
    ],
)
def test_the_document_of_a_401(clouds: Clouds, headers: dict[str, str], reason: str, message: str) -> None:
    answer = requests.get(f"{clouds.gcp.endpoint}/compute/v1/projects/p1/zones", headers=headers, timeout=5)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["status"]) == (401, 401, "UNAUTHENTICATED")
    assert error["errors"][0]["reason"] == reason
    assert message in error["message"]


def test_an_unknown_zone_and_an_empty_project(clouds: Clouds) -> None:
    with pytest.raises(exceptions.NotFound, match="zones/mars-a"):
        list(gcp(clouds).list(project="p1", zone="mars-a"))
    assert list(gcp(clouds).list(project="empty-project", zone="us-central1-a")) == []


def test_an_unreachable_zone_is_told_in_both_places(clouds: Clouds) -> None:
    clouds.gcp.faults.add(Fault("unreachable", scope="us-central1-a"))
    (page,) = gcp(clouds).aggregated_list(project="p1").pages
    assert list(page.unreachables) == ["zones/us-central1-a"]
    assert page.items["zones/us-central1-a"].warning.code == "UNREACHABLE"
    assert not page.items["zones/us-central1-a"].instances
    assert page.items["zones/us-central1-b"].instances
    (page,) = gcp(clouds).list(project="p1", zone="us-central1-a").pages
    assert page.warning.code == "UNREACHABLE"
    assert not page.items


def test_partial_responses(clouds: Clouds) -> None:
    inner = "name,networkInterfaces/accessConfigs/natIP"
    fields = f"nextPageToken,unreachables,items/*/warning/code,items/*/instances({inner})"
    answer = requests.get(
        f"{clouds.gcp.endpoint}/compute/v1/projects/p1/aggregated/instances",
        params={"fields": fields},
        headers={"Authorization": f"Bearer {credentials.GCP_TOKEN}"},
        timeout=5,
    ).json()
    assert set(answer) == {"items"}
    assert answer["items"]["zones/asia-east1-a"] == {"warning": {"code": "NO_RESULTS_ON_PAGE"}}
    (instance, *_) = answer["items"]["zones/us-central1-a"]["instances"]
    assert set(instance) == {"name", "networkInterfaces"}
    assert instance["networkInterfaces"] == [{"accessConfigs": [{"natIP": "198.18.0.2"}]}]


def test_a_service_account_key_opens_the_api(clouds: Clouds) -> None:
    info = clouds.gcp.identity.service_account()
    scopes = ["https://www.googleapis.com/auth/compute.readonly"]
    identity = service_account.Credentials.from_service_account_info(info, scopes=scopes)
    identity.refresh(google.auth.transport.requests.Request())
    assert list(gcp(clouds, token=identity.token).list(project="p1", zone="us-central1-a"))
    other = service_account.Credentials.from_service_account_info({**info, "client_email": "x@y.test"}, scopes=scopes)
    with pytest.raises(RefreshError, match="Invalid JWT"):
        other.refresh(google.auth.transport.requests.Request())


def test_the_metadata_server_gives_a_token(clouds: Clouds) -> None:
    # google-auth reads the variable when it is imported.
    program = (
        "import google.auth, google.auth.transport.requests as transport\n"
        "identity, project = google.auth.default()\n"
        "identity.refresh(transport.Request())\n"
        "print(identity.token, project)\n"
    )
    host = clouds.gcp.endpoint.removeprefix("http://")
    environment = {
        "PATH": os.environ["PATH"],
        "GCE_METADATA_HOST": host,
        "GCE_METADATA_IP": host,
        "HOME": "/nonexistent",
    }
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    token, project = done.stdout.split()
    assert project == "geokube-lab"
    assert list(gcp(clouds, token=token).list(project="p1", zone="us-central1-a"))
