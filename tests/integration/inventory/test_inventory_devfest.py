# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""The talk's inventory by hand and the lab's by the clouds are the same cluster."""

from __future__ import annotations

from typing import Any

import yaml
from geokube_lab import topology
from geokube_lab.clouds.fleets import from_topology
from inventory_runner import ROOT, Done, Runner

#: What only a cloud can say.
ONLY_BY_CLOUDS = {"account", "created", "labels", "machine_type", "name", "state"}


def groups(done: Done) -> dict[str, Any]:
    """Give every group's hosts, without what Ansible says about the whole."""
    return {
        name: sorted(entry.get("hosts", []))
        for name, entry in done.inventory.items()
        if name not in {"_meta", "all", "ungrouped"}
    }


def variables(done: Done) -> dict[str, dict[str, Any]]:
    """Give the variables of this collection, and the address."""
    return {
        host: {
            name: value
            for name, value in found.items()
            if name == "ansible_host" or name.partition("geokube_")[2] not in {"", *ONLY_BY_CLOUDS}
        }
        for host, found in done.hostvars.items()
    }


def test_same_cluster(runner: Runner) -> None:
    """inventories/devfest/hosts.ini and inventories/lab/geokube.yml give the same groups and variables."""
    assert runner.clouds is not None
    runner.clouds.load(from_topology(topology.load()))
    document = yaml.safe_load((ROOT / "inventories" / "lab" / "geokube.yml").read_text())
    for name, emulator in runner.clouds.emulators.items():
        document["providers"][name]["endpoint"] = emulator.endpoint
    source = runner.folder / "lab.geokube.yml"
    source.write_text(yaml.safe_dump(document, sort_keys=False))
    by_clouds = runner.run(source=source)
    assert by_clouds.code == 0, by_clouds.stderr
    by_hand = runner.run(source=ROOT / "inventories" / "devfest" / "hosts.ini")
    assert groups(by_hand) == groups(by_clouds)
    hand, cloud = variables(by_hand), variables(by_clouds)
    for found in cloud.values():
        assert len(found) == 12
    assert hand == cloud
