# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""The methods of Yandex Cloud's API that the emulator answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from google.protobuf.timestamp_pb2 import Timestamp
from yandex.cloud.compute.v1.instance_pb2 import Instance
from yandex.cloud.compute.v1.instance_service_pb2 import (
    GetInstanceRequest,
    ListInstancesRequest,
    ListInstancesResponse,
)
from yandex.cloud.compute.v1.zone_pb2 import Zone
from yandex.cloud.compute.v1.zone_service_pb2 import GetZoneRequest, ListZonesRequest, ListZonesResponse
from yandex.cloud.endpoint.api_endpoint_pb2 import ApiEndpoint
from yandex.cloud.endpoint.api_endpoint_service_pb2 import (
    GetApiEndpointRequest,
    ListApiEndpointsRequest,
    ListApiEndpointsResponse,
)
from yandex.cloud.iam.v1.iam_token_service_pb2 import CreateIamTokenRequest, CreateIamTokenResponse
from yandex.cloud.resourcemanager.v1.folder_pb2 import Folder
from yandex.cloud.resourcemanager.v1.folder_service_pb2 import GetFolderRequest

from geokube_lab.clouds import paging, yandex_filter
from geokube_lab.clouds.faults import Call, Fault
from geokube_lab.clouds.yandex_documents import ZONES
from geokube_lab.clouds.yandex_identity import IdentityProvider, InvalidAssertion

PAGE_SIZE_DEFAULT, PAGE_SIZE_LIMIT = 100, 1000
CLOUD_ID = "b1ggeokubelabcloud00"
_SERVICES = ("compute", "iam", "resource-manager", "vpc", "endpoint")


class Refused(Exception):
    """An answer that is an error; ``status`` is the HTTP status that its gRPC code stands for."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Listed:
    """An instance's message, its bytes as a list's element, and the fields that a filter may name."""

    __slots__ = ("fields", "framed", "message")

    def __init__(self, message: Instance) -> None:
        self.message = message
        # Elements of a repeated field lie side by side on the wire, so a page is its elements' bytes joined.
        self.framed: bytes = ListInstancesResponse(instances=[message]).SerializeToString()
        self.fields: Mapping[str, str] = {
            "id": message.id,
            "name": message.name,
            "created_at": message.created_at.ToJsonString(),
            "status": Instance.Status.Name(message.status),
            "zone_id": message.zone_id,
            "platform_id": message.platform_id,
            "host_id": message.host_id,
        }


class World(Protocol):
    """What the methods read."""

    identity: IdentityProvider

    @property
    def folders(self) -> Mapping[str, Sequence[Listed]]:
        """The instances of each folder."""

    @property
    def endpoint(self) -> str:
        """Host and port of the emulator."""


@dataclass(frozen=True, slots=True)
class Method:
    """One method: its request's type, how the faults see a request, and its answer in bytes."""

    request: Any
    call: Callable[[Any], Call]
    answer: Callable[[World, Any, Fault | None], bytes]
    open: bool = False


def _folder(world: World, folder_id: str) -> Sequence[Listed]:
    if not folder_id:
        raise Refused(400, "Request validation error: FolderId: Field is required")
    if folder_id not in world.folders:
        raise Refused(404, f"Folder {folder_id} not found")
    return world.folders[folder_id]


def _list_instances(world: World, request: Any, fault: Fault | None) -> bytes:
    if not 0 <= request.page_size <= PAGE_SIZE_LIMIT:
        raise Refused(400, f"Request validation error: PageSize: Value must be in the range of [0 {PAGE_SIZE_LIMIT}]")
    instances = _folder(world, request.folder_id)
    if request.order_by:
        instances = _ordered(instances, request.order_by)
    try:
        predicate = yandex_filter.compile_filter(request.filter)
    except yandex_filter.BadFilter as error:
        raise Refused(400, str(error)) from error
    found = [instance for instance in instances if predicate(instance.fields)] if request.filter else instances
    query = json.dumps([request.folder_id, request.filter, request.order_by])
    try:
        page = paging.cut(found, request.page_token, request.page_size or PAGE_SIZE_DEFAULT, query, fault)
    except paging.BadPageToken as error:
        raise Refused(400, "Request validation error: PageToken: Illegal page token") from error
    tail: bytes = ListInstancesResponse(next_page_token=page.next_token).SerializeToString()
    return b"".join([*(instance.framed for instance in page.items), tail])


def _ordered(instances: Sequence[Listed], order: str) -> Sequence[Listed]:
    field, _, direction = order.partition(" ")
    field = {"createdAt": "created_at", "zoneId": "zone_id"}.get(field, field)
    if field not in yandex_filter.FIELDS or direction not in ("", "asc", "desc"):
        raise Refused(400, f"Request validation error: OrderBy: Illegal order {order!r}")
    return sorted(instances, key=lambda instance: instance.fields[field], reverse=direction == "desc")


def _get_instance(world: World, request: Any, fault: Fault | None) -> bytes:
    for instances in world.folders.values():
        for instance in instances:
            if instance.message.id == request.instance_id:
                return bytes(instance.message.SerializeToString())
    raise Refused(404, f"Instance {request.instance_id} not found")


def _list_zones(world: World, request: Any, fault: Fault | None) -> bytes:
    zones = [Zone(id=zone, region_id=region, status=Zone.UP) for zone, region in ZONES.items()]
    return bytes(ListZonesResponse(zones=zones).SerializeToString())


def _get_zone(world: World, request: Any, fault: Fault | None) -> bytes:
    if request.zone_id not in ZONES:
        raise Refused(404, f"Zone {request.zone_id} not found")
    return bytes(Zone(id=request.zone_id, region_id=ZONES[request.zone_id], status=Zone.UP).SerializeToString())


def _get_folder(world: World, request: Any, fault: Fault | None) -> bytes:
    _folder(world, request.folder_id)
    folder = Folder(id=request.folder_id, cloud_id=CLOUD_ID, name=request.folder_id, status=Folder.ACTIVE)
    return bytes(folder.SerializeToString())


def _list_endpoints(world: World, request: Any, fault: Fault | None) -> bytes:
    endpoints = [ApiEndpoint(id=service, address=world.endpoint) for service in _SERVICES]
    return bytes(ListApiEndpointsResponse(endpoints=endpoints).SerializeToString())


def _get_endpoint(world: World, request: Any, fault: Fault | None) -> bytes:
    if request.api_endpoint_id not in _SERVICES:
        raise Refused(404, f"ApiEndpoint {request.api_endpoint_id} not found")
    return bytes(ApiEndpoint(id=request.api_endpoint_id, address=world.endpoint).SerializeToString())


def _create_token(world: World, request: Any, fault: Fault | None) -> bytes:
    if not request.jwt:
        raise Refused(401, "OAuth tokens are not taken any more; use a service account's key")
    try:
        token, expires = world.identity.exchange(request.jwt)
    except InvalidAssertion as error:
        raise Refused(401, f"The JWT is invalid: {error}") from error
    until = Timestamp()
    until.FromDatetime(expires)
    return bytes(CreateIamTokenResponse(iam_token=token, expires_at=until).SerializeToString())


def _named(operation: str) -> Callable[[Any], Call]:
    return lambda request: Call(operation)


def _list_call(request: Any) -> Call:
    return Call("instances.list", frozenset({request.folder_id}), paging.page_number(request.page_token))


_COMPUTE = "/yandex.cloud.compute.v1"
METHODS: Mapping[str, Method] = {
    f"{_COMPUTE}.InstanceService/List": Method(ListInstancesRequest, _list_call, _list_instances),
    f"{_COMPUTE}.InstanceService/Get": Method(GetInstanceRequest, _named("instances.get"), _get_instance),
    f"{_COMPUTE}.ZoneService/List": Method(ListZonesRequest, _named("zones.list"), _list_zones),
    f"{_COMPUTE}.ZoneService/Get": Method(GetZoneRequest, _named("zones.get"), _get_zone),
    "/yandex.cloud.resourcemanager.v1.FolderService/Get": Method(
        GetFolderRequest, lambda request: Call("folders.get", frozenset({request.folder_id})), _get_folder
    ),
    "/yandex.cloud.endpoint.ApiEndpointService/List": Method(
        ListApiEndpointsRequest, _named("endpoints.list"), _list_endpoints, open=True
    ),
    "/yandex.cloud.endpoint.ApiEndpointService/Get": Method(
        GetApiEndpointRequest, _named("endpoints.get"), _get_endpoint, open=True
    ),
    "/yandex.cloud.iam.v1.IamTokenService/Create": Method(
        CreateIamTokenRequest, _named("token"), _create_token, open=True
    ),
}
