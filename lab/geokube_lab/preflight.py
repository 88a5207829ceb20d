"""What the lab needs of its host, checked before anything is made."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from geokube_lab import cgroups, paths
from geokube_lab.errors import LabError
from geokube_lab.topology import Topology

# Command -> Debian package.
_COMMANDS = {
    "dnsmasq": "dnsmasq-base",
    "docker-registry": "docker-registry",
    "fping": "fping",
    "iptables-restore": "iptables",
    "ip": "iproute2",
    "mmdebstrap": "mmdebstrap",
    "nc": "netcat-openbsd",
    "nft": "nftables",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "sysctl": "procps",
    "systemd-nspawn": "systemd-container",
}
_DEVICES = {"/dev/net/tun": "TUN", "/dev/fuse": "FUSE_FS", "/dev/kmsg": "PRINTK"}
_CONTROLLERS = ("cpu", "cpuset", "memory", "pids", "devices", "freezer")
# A control plane takes 30 inotify instances, a worker 17, the first machine's own services included.
_INOTIFY_CONTROL_PLANE, _INOTIFY_WORKER = 30, 17
_GIB = 1 << 30
_MEMORY_A_NODE, _DISK_A_NODE, _DISK_CACHE = 1 * _GIB, 3 * _GIB, 1 * _GIB


def check_commands() -> None:
    """Raise LabError that lists the commands that are missing, and the packages that bring them."""
    missing = {command: package for command, package in _COMMANDS.items() if shutil.which(command) is None}
    if missing:
        packages = " ".join(sorted(set(missing.values())))
        _refuse([f"commands {', '.join(missing)}: apt-get install --no-install-recommends {packages}"])


def check_host(topology: Topology) -> None:
    """Raise LabError that lists everything else that is missing. Nothing of a lab may run yet."""
    _refuse([*_kernel(), *_devices(), *_cgroups(), *_inotify(topology), *_room(topology), *_ports(topology)])


def _refuse(problems: list[str]) -> None:
    if problems:
        raise LabError("this machine lacks what the lab needs:\n" + "\n".join(f"  - {problem}" for problem in problems))


def _kernel() -> Iterator[str]:
    """Try the real thing in a network namespace that goes away with its process."""
    trials = {
        "network namespaces": "true",
        "veth": "ip link add gk0 type veth peer name gk1",
        "bridge": "ip link add gk0 type bridge",
        "NFQUEUE (CONFIG_NETFILTER_XT_TARGET_NFQUEUE)": "iptables -A FORWARD -m mark --mark 1 -j NFQUEUE --queue-num 1",
        "nftables numgen": "nft 'add table inet t; add chain inet t c; "
        "add rule inet t c numgen random mod 100 < 1 drop'",
    }
    for feature, script in trials.items():
        done = subprocess.run(["unshare", "--net", "sh", "-ec", script], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()
            yield f"kernel feature {feature}: {said[0] if said else 'not usable'}"
    if not any(line.split()[-1] == "overlay" for line in Path("/proc/filesystems").read_text().splitlines()):
        yield "kernel feature overlayfs (CONFIG_OVERLAY_FS; modprobe overlay)"


def _devices() -> Iterator[str]:
    for device, option in _DEVICES.items():
        if not Path(device).exists():
            yield f"device {device} (kernel option CONFIG_{option})"


def _cgroups() -> Iterator[str]:
    mounted = {name for names in cgroups.hierarchies() for name in names.split(",")}
    missing = [controller for controller in _CONTROLLERS if controller not in mounted]
    if missing:
        yield (
            f"cgroup v1 controllers {', '.join(missing)}: boot with systemd.unified_cgroup_hierarchy=0 "
            "systemd.legacy_systemd_cgroup_controller=1"
        )


def inotify_instances() -> int:
    """How many inotify instances root holds on this host."""
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == 0:
                count += sum(str(link.readlink()) == "anon_inode:inotify" for link in (process / "fd").iterdir())
        except OSError:
            continue
    return count


def _inotify(topology: Topology) -> Iterator[str]:
    limit = int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())
    used = inotify_instances()
    planes = sum("control-plane" in node.roles for node in topology.nodes)
    needed = planes * _INOTIFY_CONTROL_PLANE + (len(topology.nodes) - planes) * _INOTIFY_WORKER
    if used + needed > limit:
        yield (
            f"inotify instances: root has {limit} on this host, {used} are in use, a cluster on {len(topology.nodes)} "
            f"machines takes {needed}; end what uses them or raise fs.inotify.max_user_instances"
        )


def _room(topology: Topology) -> Iterator[str]:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            available, needed = int(line.split()[1]) * 1024, len(topology.nodes) * _MEMORY_A_NODE
            if available < needed:
                yield f"memory: {available / _GIB:.1f} GiB are free, {needed / _GIB:.1f} are needed"
    wanted: dict[int, tuple[Path, int]] = {}
    for path, size in ((paths.DATA, len(topology.nodes) * _DISK_A_NODE), (paths.cache(), _DISK_CACHE)):
        existing = next(place for place in (path, *path.parents) if place.exists())
        device = existing.stat().st_dev
        wanted[device] = (existing, wanted.get(device, (existing, 0))[1] + size)
    for existing, size in wanted.values():
        free = shutil.disk_usage(existing).free
        if free < size:
            yield f"disk: {free / _GIB:.1f} GiB are free on {existing}, {size / _GIB:.1f} are needed"
    if any(character in str(paths.cache()) for character in ":,\\"):
        yield f"cache folder {paths.cache()}: overlayfs cannot use a path with a colon, a comma or a backslash"


def _ports(topology: Topology) -> Iterator[str]:
    for name, port in topology.ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                yield f"port 127.0.0.1:{port} ({name}): {error.strerror}; change ports.{name} in topology.yml"
