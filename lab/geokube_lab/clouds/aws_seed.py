# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts machines into moto's EC2 with the identifiers and addresses that they must have."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from ipaddress import IPv4Network
from typing import Any
from unittest import mock

from moto.ec2 import ec2_backends
from moto.ec2.models import instances as moto_instances

from geokube_lab.clouds.machine import Machine

_STATES = {
    "starting": ("pending", 0),
    "running": ("running", 16),
    "stopping": ("stopping", 64),
    "stopped": ("stopped", 80),
    "deleted": ("terminated", 48),
    "failed": ("terminated", 48),
}
# The lab's machines name an image of their own; moto's catalogue would be loaded for every region at every reset.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
_IMAGE = "ami-0geokubedebian0012"
_Subnets = dict[tuple[str, str, str], Any]
_lock = threading.Lock()


def seed(machines: Sequence[Machine], account: str) -> None:
    """Empties an account of moto's EC2 and puts these machines in, each in a reservation of its own."""
    with _lock:
        for backend in list(ec2_backends[account].values()):
            backend.reset()
        for machine in machines:
            # moto looks the zone up among its own; one that it does not have is the caller's mistake.
            _check_zone(machine, account)
        subnets: _Subnets = {}
        identifiers = iter([machine.instance_id for machine in machines])
        # moto has no way to choose an instance's id.
        with mock.patch.object(moto_instances, "random_instance_id", lambda: next(identifiers)):
            for machine in machines:
                _run(machine, account, subnets)


def _check_zone(machine: Machine, account: str) -> None:
    try:
        backend = ec2_backends[account][machine.cloud_region]
    except KeyError:
        raise ValueError(f"aws: {machine.name} is in {machine.cloud_region!r}, which EC2 does not have") from None
    zones = [zone.name for zone in backend.describe_availability_zones()]
    if machine.zone not in zones:
        raise ValueError(
            f"aws: {machine.name} is in zone {machine.zone!r}; {machine.cloud_region} has {', '.join(zones)}"
        )


def _run(machine: Machine, account: str, subnets: _Subnets) -> None:
    backend = ec2_backends[account][machine.cloud_region]
    subnet = _subnet(backend, machine, subnets)
    reservation = backend.run_instances(
        _IMAGE,
        1,
        None,
        [],
        subnet_id=subnet.id,
        private_ip=machine.private_address,
        instance_type=machine.machine_type,
        # Otherwise moto matches the type against every offering of the region, for each instance.
        is_instance_type_default=True,
        region_name=machine.cloud_region,
        associate_public_ip=False,
        block_device_mappings=[],
        tags={"instance": {"Name": machine.name, **machine.labels}},
    )
    (instance,) = reservation.instances
    instance.launch_time = machine.created.replace(tzinfo=None)
    name, code = _STATES[machine.state]
    instance._state = moto_instances.InstanceState(name, code)
    if machine.public_ipv6:
        instance.nics[0].ipv6_addresses = [machine.public_ipv6]
    if machine.public_address:
        # Without tags of its own: moto goes through all tags there are for each instance that it lists.
        address = backend.allocate_address("vpc", machine.public_address)
        backend.associate_address(instance=instance, eni=None, allocation_id=address.allocation_id)


def _subnet(backend: Any, machine: Machine, subnets: _Subnets) -> Any:
    network = IPv4Network(f"{machine.private_address or '10.255.0.0'}/16", strict=False)
    key = (machine.cloud_region, machine.zone, str(network))
    if key not in subnets:
        vpc = backend.create_vpc(str(network))
        subnets[key] = backend.create_subnet(vpc.id, str(network), availability_zone=machine.zone)
    return subnets[key]
