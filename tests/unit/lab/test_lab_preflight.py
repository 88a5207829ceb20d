"""What the lab asks of its host, and how it says what is missing."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest
from geokube_lab import cgroups, preflight, topology
from geokube_lab.errors import LabError


@pytest.fixture
def world() -> topology.Topology:
    """The default topology."""
    return topology.load()


@pytest.fixture(autouse=True)
def only_what_is_under_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that has everything; each test takes one thing away."""
    monkeypatch.setattr(preflight, "_kernel", lambda: iter(()))
    monkeypatch.setattr(preflight, "_DEVICES", {})
    monkeypatch.setattr(preflight, "_ports", lambda _: iter(()))
    monkeypatch.setattr(preflight, "inotify_instances", lambda: 0)
    monkeypatch.setattr(preflight, "_MEMORY_A_NODE", 0)
    monkeypatch.setattr(preflight, "_DISK_A_NODE", 0)
    monkeypatch.setattr(preflight, "_DISK_CACHE", 0)
    monkeypatch.setattr(cgroups, "hierarchies", lambda: dict.fromkeys(preflight._CONTROLLERS, Path("/")))


def refusal(world: topology.Topology) -> str:
    with pytest.raises(LabError) as caught:
        preflight.check_host(world)
    return str(caught.value)


def test_a_host_that_has_everything_passes(world: topology.Topology) -> None:
    preflight.check_host(world)


def test_missing_commands_come_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda command: None if command in ("ssh", "ssh-keygen", "nft") else "/bin/x")
    with pytest.raises(LabError) as caught:
        preflight.check_commands()
    assert "commands nft, ssh, ssh-keygen: apt-get install --no-install-recommends nftables openssh-client" in str(
        caught.value
    )


def test_every_command_comes_with_a_listed_package() -> None:
    listed = (preflight.paths.LAB / "packages" / "host.txt").read_text().splitlines()
    assert set(preflight._COMMANDS.values()) <= set(listed)


def test_inotify_instances_are_counted_for_the_whole_cluster(
    world: topology.Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())
    monkeypatch.setattr(preflight, "inotify_instances", lambda: limit - 80)
    # One control plane and three workers take 81.
    assert f"root has {limit} on this host, {limit - 80} are in use, a cluster on 4 machines takes 81" in refusal(world)
    monkeypatch.setattr(preflight, "inotify_instances", lambda: limit - 81)
    preflight.check_host(world)


def test_memory_and_disk_are_told_in_gibibytes(world: topology.Topology, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_MEMORY_A_NODE", 1 << 50)
    monkeypatch.setattr(preflight, "_DISK_A_NODE", 1 << 60)
    message = refusal(world)
    assert "memory: " in message
    assert "4194304.0 are needed" in message
    assert "disk: " in message


def test_a_cache_that_overlayfs_cannot_name_is_refused(
    world: topology.Topology, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a:b"))
    assert "overlayfs cannot use a path with a colon" in refusal(world)


def test_missing_controllers_are_named(world: topology.Topology, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "hierarchies", lambda: {"": Path("/"), "cpu,cpuacct": Path("/"), "pids": Path("/")})
    assert "cgroup v1 controllers cpuset, memory, devices, freezer: boot with" in refusal(world)


def test_missing_devices_and_taken_ports_are_all_listed_at_once(
    world: topology.Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(preflight, "_kernel", lambda: iter(["kernel feature veth: not usable"]))
    monkeypatch.setattr(preflight, "_DEVICES", {"/dev/nosuch": "TUN"})
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        document = preflight.Topology(**{**world.__dict__, "ports": {"aws": taken}})
        message = refusal(document)
    assert "  - kernel feature veth: not usable\n  - device /dev/nosuch (kernel option CONFIG_TUN)\n" in message
    assert f"port 127.0.0.1:{taken} (aws): Address already in use; change ports.aws in topology.yml" in message
