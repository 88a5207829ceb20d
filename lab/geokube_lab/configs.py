"""Configuration files of the programs that serve the points of presence."""

from __future__ import annotations

import json

from geokube_lab import paths
from geokube_lab.topology import Topology


def dnsmasq_config(topology: Topology) -> str:
    """Names of the lab's domain for one point of presence; everything else does not exist, at once."""
    edge, dns = topology.anycast["edge"], topology.anycast["dns"]
    lines = [
        "no-resolv",
        "no-hosts",
        "no-poll",
        "bind-interfaces",
        f"listen-address={dns}",
        "except-interface=lo",
        "user=root",
        "pid-file=",
        "cache-size=0",
        "local-ttl=30",
        # No server above: without this, dnsmasq answers REFUSED, which resolvers try again.
        "local=/#/",
        f"address=/style.{topology.domain}/{edge}",
        f"host-record=registry.{topology.domain},{topology.anycast['registry']}",
        f"host-record=files.{topology.domain},{topology.anycast['files']}",
    ]
    lines += [f"host-record={node.name},{node.name}.{topology.domain},{node.public_address}" for node in topology.nodes]
    return "\n".join(lines) + "\n"


def registry_config(topology: Topology) -> str:
    """docker-registry for one point of presence; all of them share the storage, so none may cache what is in it."""
    return json.dumps(
        {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(paths.REGISTRY), "maxthreads": 100},
                "delete": {"enabled": True},
                "maintenance": {"uploadpurging": {"enabled": False}},
            },
            "http": {
                "addr": f"{topology.anycast['registry']}:5000",
                "headers": {"X-Content-Type-Options": ["nosniff"]},
            },
        },
        indent=1,
    )
