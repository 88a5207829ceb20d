# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where machines come from: the lab's topology, or a made-up fleet of any size for tests and benchmarks."""

from __future__ import annotations

from ipaddress import IPv4Address
from itertools import cycle, islice

from geokube_lab.clouds.machine import CLOUDS, Machine, role_label
from geokube_lab.topology import Topology

ROLE_LABEL, CLUSTER_LABEL = "geokube-role", "geokube-cluster"
# Two regions, or one with several zones, in each cloud: (cloud region, zone, account).
_PLACES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "aws": (("us-east-1", "us-east-1a", ""), ("us-east-1", "us-east-1b", ""), ("sa-east-1", "sa-east-1a", "")),
    "gcp": (
        ("us-central1", "us-central1-a", "p1"),
        ("us-central1", "us-central1-b", "p1"),
        ("southamerica-east1", "southamerica-east1-a", "p1"),
        ("europe-west1", "europe-west1-b", "p1"),
    ),
    "digitalocean": (("sgp1", "sgp1", ""), ("fra1", "fra1", "")),
    "yandex": (("ru-central1", "ru-central1-a", "f0"), ("ru-central1", "ru-central1-b", "f1")),
}


def from_topology(topology: Topology) -> list[Machine]:
    """Exactly the lab's machines."""
    return [
        Machine(
            name=node.name,
            cloud=node.cloud,
            cloud_region=node.cloud_region,
            zone=node.zone,
            private_address=str(node.private_address),
            public_address=str(node.public_address),
            labels={CLUSTER_LABEL: topology.cluster, ROLE_LABEL: role_label(node.cloud, node.roles)},
            instance_id=node.instance_id,
        )
        for node in topology.nodes
    ]


def fleet(count: int, cluster: str = "k1", clouds: tuple[str, ...] = CLOUDS) -> list[Machine]:
    """``count`` machines named n00000 and on, dealt out to the clouds in turn and to each cloud's places in turn.

    Their public addresses run through 198.18.0.0/15, the network set aside for benchmarks (RFC 2544); the private
    ones through 10.0.0.0/8. The projects are p1, the folders f0 and f1.
    """
    places = {cloud: cycle(_PLACES[cloud]) for cloud in clouds}
    public, private = IPv4Address("198.18.0.1"), IPv4Address("10.0.1.10")
    machines = []
    for index, cloud in enumerate(islice(cycle(clouds), count)):
        region, zone, account = next(places[cloud])
        machines.append(
            Machine(
                name=f"n{index:05d}",
                cloud=cloud,
                cloud_region=region,
                zone=zone,
                account=account,
                private_address=str(private + index),
                public_address=str(public + index),
                labels={CLUSTER_LABEL: cluster, ROLE_LABEL: role_label(cloud, ("worker",))},
                instance_id="" if cloud != "digitalocean" else str(300_000_000 + index),
            )
        )
    return machines
