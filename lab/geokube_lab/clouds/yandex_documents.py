# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""Yandex Compute's messages: an instance field by field, and the gRPC code that stands for an HTTP status."""

from __future__ import annotations

import hashlib

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from yandex.cloud.compute.v1.instance_pb2 import (
    IPV4,
    AttachedDisk,
    Instance,
    NetworkInterface,
    NetworkSettings,
    OneToOneNat,
    PrimaryAddress,
    Resources,
    SchedulingPolicy,
)

from geokube_lab.clouds.machine import Machine

ZONES = {
    "ru-central1-a": "ru-central1",
    "ru-central1-b": "ru-central1",
    "ru-central1-d": "ru-central1",
    "ru-central1-e": "ru-central1",
    "kz1-a": "kz1",
}
_STATUS = {
    "starting": Instance.PROVISIONING,
    "running": Instance.RUNNING,
    "stopping": Instance.STOPPING,
    "stopped": Instance.STOPPED,
    "deleted": Instance.DELETING,
    "failed": Instance.ERROR,
}
_CODES = {
    400: (grpc.StatusCode.INVALID_ARGUMENT, "Illegal argument"),
    401: (grpc.StatusCode.UNAUTHENTICATED, "The token is invalid"),
    403: (grpc.StatusCode.PERMISSION_DENIED, "Permission denied"),
    404: (grpc.StatusCode.NOT_FOUND, "Not found"),
    429: (grpc.StatusCode.RESOURCE_EXHAUSTED, "Quota limit api.requests exceeded"),
    500: (grpc.StatusCode.INTERNAL, "Internal error"),
    503: (grpc.StatusCode.UNAVAILABLE, "Service unavailable"),
    504: (grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline exceeded"),
}


def grpc_status(status: int) -> tuple[grpc.StatusCode, str]:
    """The gRPC code for an HTTP status, and the message it usually comes with."""
    return _CODES.get(status, _CODES[500 if status >= 500 else 400])


def instance(machine: Machine) -> Instance:
    """An instance as the API shows it."""
    created = Timestamp()
    created.FromDatetime(machine.created)
    return Instance(
        id=machine.instance_id,
        folder_id=machine.account,
        created_at=created,
        name=machine.name,
        labels=dict(machine.labels),
        zone_id=machine.zone,
        platform_id=machine.machine_type,
        resources=Resources(memory=8 * 2**30, cores=2, core_fraction=100),
        status=_STATUS[machine.state],
        boot_disk=AttachedDisk(
            mode=AttachedDisk.READ_WRITE, device_name=_identifier("disk", machine), disk_id=_identifier("disk", machine)
        ),
        network_interfaces=[_network_interface(machine)],
        fqdn=f"{machine.name}.{machine.cloud_region}.internal",
        scheduling_policy=SchedulingPolicy(preemptible=False),
        network_settings=NetworkSettings(type=NetworkSettings.STANDARD),
    )


def _network_interface(machine: Machine) -> NetworkInterface:
    interface = NetworkInterface(
        index="0", mac_address=_mac_address(machine), subnet_id=_identifier(f"subnet/{machine.zone}")
    )
    if machine.private_address:
        interface.primary_v4_address.CopyFrom(PrimaryAddress(address=machine.private_address))
        if machine.public_address:
            interface.primary_v4_address.one_to_one_nat.CopyFrom(
                OneToOneNat(address=machine.public_address, ip_version=IPV4)
            )
    if machine.public_ipv6:
        interface.primary_v6_address.CopyFrom(PrimaryAddress(address=machine.public_ipv6))
    return interface


def _identifier(kind: str, machine: Machine | None = None) -> str:
    digest = hashlib.sha256(f"{kind}/{machine.instance_id if machine else ''}".encode()).hexdigest()
    return "fhm" + digest[:17]


def _mac_address(machine: Machine) -> str:
    digest = hashlib.sha256(machine.instance_id.encode()).digest()
    return "d0:0d:" + ":".join(f"{byte:02x}" for byte in digest[:4])
