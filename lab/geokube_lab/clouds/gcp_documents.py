# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute Engine's documents: an instance field by field as the API reference has it, and the API's errors."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from geokube_lab.clouds.machine import Machine

API = "https://www.googleapis.com/compute/v1"
_STATUS = {
    "starting": "PROVISIONING",
    "running": "RUNNING",
    "stopping": "STOPPING",
    "stopped": "TERMINATED",
    "deleted": "STOPPING",
    "failed": "REPAIRING",
}
_ERRORS = {
    400: ("invalid", "INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: (
        "authError",
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
    ),
    403: ("forbidden", "PERMISSION_DENIED", "The caller does not have permission"),
    404: ("notFound", "NOT_FOUND", "Requested entity was not found."),
    429: ("rateLimitExceeded", "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'List requests'."),
    500: ("internalError", "INTERNAL", "Internal error encountered."),
    503: ("backendError", "UNAVAILABLE", "The service is currently unavailable."),
}


def error_document(status: int, message: str | None = None, reason: str | None = None) -> dict[str, Any]:
    """An error as Google's APIs write it."""
    its_reason, name, default = _ERRORS.get(status, _ERRORS[500 if status >= 500 else 400])
    text, reason = message or default, reason or its_reason
    entry: dict[str, str] = {"message": text, "domain": "global", "reason": reason}
    if status == 401:
        entry |= {"location": "Authorization", "locationType": "header"}
        entry["message"] = "Login Required." if reason == "required" else "Invalid Credentials"
    elif status in (429, 403) and reason == "rateLimitExceeded":
        entry["domain"] = "usageLimits"
    document: dict[str, Any] = {"code": status, "message": text, "errors": [entry]}
    if status in (401, 429) or status >= 500:
        document["status"] = name
    return {"error": document}


def instance(machine: Machine) -> dict[str, Any]:
    """An instance as the API shows it."""
    project = f"{API}/projects/{machine.account}"
    zone = f"{project}/zones/{machine.zone}"
    created = machine.created.strftime("%Y-%m-%dT%H:%M:%S.000%z")
    created = f"{created[:-2]}:{created[-2:]}"
    document: dict[str, Any] = {
        "kind": "compute#instance",
        "id": machine.instance_id,
        "creationTimestamp": created,
        "name": machine.name,
        "tags": {"fingerprint": _fingerprint(*machine.tags)} | ({"items": list(machine.tags)} if machine.tags else {}),
        "machineType": f"{zone}/machineTypes/{machine.machine_type}",
        "status": _STATUS[machine.state],
        "zone": zone,
        "canIpForward": False,
        "networkInterfaces": [_network_interface(machine, project)],
        "disks": [
            {
                "kind": "compute#attachedDisk",
                "type": "PERSISTENT",
                "mode": "READ_WRITE",
                "source": f"{zone}/disks/{machine.name}",
                "deviceName": machine.name,
                "index": 0,
                "boot": True,
                "autoDelete": True,
                "licenses": [f"{API}/projects/debian-cloud/global/licenses/debian-12-bookworm"],
                "interface": "SCSI",
                "guestOsFeatures": [{"type": "UEFI_COMPATIBLE"}, {"type": "VIRTIO_SCSI_MULTIQUEUE"}],
                "diskSizeGb": "50",
                "architecture": "X86_64",
            }
        ],
        "metadata": {"kind": "compute#metadata", "fingerprint": _fingerprint("metadata")},
        "serviceAccounts": [
            {
                "email": "400000000000-compute@developer.gserviceaccount.com",
                "scopes": ["https://www.googleapis.com/auth/devstorage.read_only"],
            }
        ],
        "selfLink": f"{zone}/instances/{machine.name}",
        "scheduling": {
            "onHostMaintenance": "MIGRATE",
            "automaticRestart": True,
            "preemptible": False,
            "provisioningModel": "STANDARD",
        },
        "cpuPlatform": "Intel Broadwell",
        "labelFingerprint": _fingerprint(*map(str, machine.labels.items())),
        "startRestricted": False,
        "deletionProtection": False,
        "shieldedInstanceConfig": {"enableSecureBoot": False, "enableVtpm": True, "enableIntegrityMonitoring": True},
        "fingerprint": _fingerprint(machine.name),
        "lastStartTimestamp": created,
    }
    if machine.labels:
        document["labels"] = dict(machine.labels)
    return document


def _network_interface(machine: Machine, project: str) -> dict[str, Any]:
    interface: dict[str, Any] = {
        "kind": "compute#networkInterface",
        "network": f"{project}/global/networks/default",
        "subnetwork": f"{project}/regions/{machine.cloud_region}/subnetworks/default",
        "name": "nic0",
        "fingerprint": _fingerprint("nic0", machine.name),
        "stackType": "IPV4_ONLY",
    }
    if machine.private_address:
        interface["networkIP"] = machine.private_address
    if machine.public_address:
        interface["accessConfigs"] = [
            {
                "kind": "compute#accessConfig",
                "type": "ONE_TO_ONE_NAT",
                "name": "External NAT",
                "natIP": machine.public_address,
                "networkTier": "PREMIUM",
            }
        ]
    if machine.public_ipv6:
        interface["stackType"] = "IPV4_IPV6" if machine.private_address else "IPV6_ONLY"
        interface["ipv6AccessType"] = "EXTERNAL"
        interface["ipv6AccessConfigs"] = [
            {
                "kind": "compute#accessConfig",
                "type": "DIRECT_IPV6",
                "name": "external-ipv6",
                "externalIpv6": machine.public_ipv6,
                "externalIpv6PrefixLength": 96,
                "networkTier": "PREMIUM",
            }
        ]
    return interface


def _fingerprint(*parts: str) -> str:
    return base64.b64encode(hashlib.sha256("/".join(parts).encode()).digest()[:8]).decode()
