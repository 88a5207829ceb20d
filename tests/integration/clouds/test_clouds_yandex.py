# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Yandex Cloud, driven by yandexcloud."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
import requests
from clouds_sdks import bearer, yandex
from geokube_lab.clouds import Clouds, Machine, credentials
from geokube_lab.clouds.fleets import fleet, from_topology
from geokube_lab.topology import load
from yandex.cloud.compute.v1.instance_pb2 import Instance
from yandex.cloud.compute.v1.instance_service_pb2 import GetInstanceRequest, ListInstancesRequest
from yandex.cloud.compute.v1.zone_service_pb2 import ListZonesRequest
from yandex.cloud.compute.v1.zone_service_pb2_grpc import ZoneServiceStub
from yandex.cloud.endpoint.api_endpoint_service_pb2 import ListApiEndpointsRequest
from yandex.cloud.endpoint.api_endpoint_service_pb2_grpc import ApiEndpointServiceStub
from yandex.cloud.iam.v1.iam_token_service_pb2 import CreateIamTokenRequest
from yandex.cloud.iam.v1.iam_token_service_pb2_grpc import IamTokenServiceStub
from yandex.cloud.resourcemanager.v1.folder_service_pb2 import GetFolderRequest
from yandex.cloud.resourcemanager.v1.folder_service_pb2_grpc import FolderServiceStub
from yandexcloud._auth_fabric import MetadataAuth, ServiceAccountAuth


def listed(clouds: Clouds, **request: Any) -> Any:
    """One page."""
    return yandex(clouds).List(ListInstancesRequest(**request), metadata=bearer(), timeout=5)


def refused(clouds: Clouds, token: str | None = credentials.YANDEX_TOKEN, **request: Any) -> grpc.RpcError:
    """The error of a request that must fail."""
    metadata = bearer(token) if token is not None else ()
    with pytest.raises(grpc.RpcError) as caught:
        yandex(clouds).List(ListInstancesRequest(**request), metadata=metadata, timeout=5)
    return caught.value


def test_the_lab_has_exactly_its_machine_in_moscow(clouds: Clouds) -> None:
    node = load().regions["ru"].nodes[0]
    clouds.load(from_topology(load()))
    answer = listed(clouds, folder_id="b1ggeokubelab0000000")
    (instance,) = answer.instances
    assert answer.next_page_token == ""
    assert instance.id == node.instance_id
    assert instance.name == node.name
    address = instance.network_interfaces[0].primary_v4_address
    assert address.address == str(node.private_address)
    assert address.one_to_one_nat.address == str(node.public_address)
    assert instance.zone_id == node.zone
    assert instance.status == Instance.RUNNING
    roles = "control-plane--etcd--worker--ingress--database"
    assert dict(instance.labels) == {"geokube-cluster": "devfest", "geokube-role": roles}
    assert yandex(clouds).Get(GetInstanceRequest(instance_id=node.instance_id), metadata=bearer()) == instance


def test_pages_of_1000_join_without_gap(clouds: Clouds) -> None:
    machines = [machine for machine in fleet(5010, clouds=("yandex",)) if machine.account == "f0"]
    clouds.load(machines)
    sizes, names, token = [], [], ""
    while True:
        answer = listed(clouds, folder_id="f0", page_size=1000, page_token=token)
        sizes.append(len(answer.instances))
        names += [instance.name for instance in answer.instances]
        token = answer.next_page_token
        assert len(token) <= 100
        if not token:
            break
    assert sizes == [1000, 1000, 505]
    assert sorted(names) == sorted(machine.name for machine in machines)
    assert [call.page for call in clouds.yandex.faults.calls()] == [1, 2, 3]
    assert len(listed(clouds, folder_id="f0").instances) == 100


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('name = "n00003"', ["n00003"]),
        ("name != 'n00003' AND zone_id = \"ru-central1-a\"", ["n00011", "n00019", "n00027", "n00035"]),
        ("name IN (n00003, 'n00011')", ["n00003", "n00011"]),
        ('status = "STOPPED"', []),
    ],
)
def test_filters(clouds: Clouds, expression: str, expected: list[str]) -> None:
    answer = listed(clouds, folder_id="f0", filter=expression, order_by="name")
    assert [instance.name for instance in answer.instances] == expected


@pytest.mark.parametrize(
    "request_",
    [
        {"folder_id": "f0", "page_size": 1001},
        {"folder_id": ""},
        {"folder_id": "f0", "page_token": "made-up"},
        {"folder_id": "f0", "filter": 'labels.geokube-cluster = "k1"'},
        {"folder_id": "f0", "filter": "name ="},
        {"folder_id": "f0", "order_by": "colour"},
    ],
)
def test_requests_that_the_api_refuses(clouds: Clouds, request_: dict[str, Any]) -> None:
    assert refused(clouds, **request_).code() == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("token", "folder", "code"),
    [
        (None, "f0", grpc.StatusCode.UNAUTHENTICATED),
        ("wrong", "f0", grpc.StatusCode.UNAUTHENTICATED),
        (credentials.guest(credentials.YANDEX_TOKEN), "f0", grpc.StatusCode.PERMISSION_DENIED),
        (credentials.YANDEX_TOKEN, "f9", grpc.StatusCode.NOT_FOUND),
    ],
)
def test_refused(clouds: Clouds, token: str | None, folder: str, code: grpc.StatusCode) -> None:
    assert refused(clouds, token, folder_id=folder).code() == code


def test_an_empty_folder(clouds: Clouds) -> None:
    assert not listed(clouds, folder_id="empty-folder").instances


def test_states_and_addresses(clouds: Clouds) -> None:
    place = ("yandex", "ru-central1", "ru-central1-d")
    clouds.load(
        [
            Machine("off", *place, "10.0.0.2", account="f0", state="stopped"),
            Machine("bad", *place, "10.0.0.3", account="f0", state="failed"),
            Machine("six", *place, None, account="f0", public_ipv6="2001:db8::5"),
        ]
    )
    found = {instance.name: instance for instance in listed(clouds, folder_id="f0").instances}
    states = {name: Instance.Status.Name(instance.status) for name, instance in found.items()}
    assert states == {"off": "STOPPED", "bad": "ERROR", "six": "RUNNING"}
    assert not found["off"].network_interfaces[0].primary_v4_address.one_to_one_nat.address
    assert found["six"].network_interfaces[0].primary_v6_address.address == "2001:db8::5"
    assert not found["six"].network_interfaces[0].HasField("primary_v4_address")


def test_a_service_account_key_opens_the_api(clouds: Clouds) -> None:
    key = clouds.yandex.identity.service_account_key()
    request = ServiceAccountAuth(key).get_token_request()
    answer = yandex(clouds, IamTokenServiceStub).Create(request)
    assert yandex(clouds).List(ListInstancesRequest(folder_id="f0"), metadata=bearer(answer.iam_token)).instances
    other = ServiceAccountAuth({**key, "service_account_id": "somebody"}).get_token_request()
    with pytest.raises(grpc.RpcError) as caught:
        yandex(clouds, IamTokenServiceStub).Create(other)
    assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED
    with pytest.raises(grpc.RpcError) as caught:
        yandex(clouds, IamTokenServiceStub).Create(CreateIamTokenRequest(yandex_passport_oauth_token="old"))
    assert "OAuth" in caught.value.details()


def test_the_metadata_service_gives_a_token(clouds: Clouds) -> None:
    token = MetadataAuth(clouds.yandex.metadata.address).get_token()
    assert yandex(clouds).List(ListInstancesRequest(folder_id="f0"), metadata=bearer(token)).instances
    assert requests.get(f"http://{clouds.yandex.metadata.address}/", timeout=5).status_code == 403


def test_zones_folders_and_endpoints(clouds: Clouds) -> None:
    zones = yandex(clouds, ZoneServiceStub).List(ListZonesRequest(), metadata=bearer()).zones
    assert {"ru-central1-a", "ru-central1-b", "ru-central1-d"} <= {zone.id for zone in zones}
    folders = yandex(clouds, FolderServiceStub)
    assert folders.Get(GetFolderRequest(folder_id="f1"), metadata=bearer()).id == "f1"
    endpoints = yandex(clouds, ApiEndpointServiceStub).List(ListApiEndpointsRequest()).endpoints
    assert {each.address for each in endpoints} == {clouds.yandex.endpoint}


def test_a_method_that_is_not_there(clouds: Clouds) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        yandex(clouds).Stop(GetInstanceRequest(), metadata=bearer())
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
