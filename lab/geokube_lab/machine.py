"""A machine: its disks and identity, made once, and the process that powers it.

    python -m geokube_lab.machine NODE

keeps a machine running through its own reboots, until it powers itself off or until SIGTERM, which is a power loss.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType

from geokube_lab import cgroups, kernel, network, paths, ready, topology
from geokube_lab.errors import LabError
from geokube_lab.identity import write_identity
from geokube_lab.processes import Process, background, forget, last_lines, recorded
from geokube_lab.rootfs import has_host_modules
from geokube_lab.topology import Node, Topology

# On the host's own file system: overlayfs does not go on top of overlayfs.
_DISKS = {"containerd": 0o711, "kubelet": 0o755, "etcd": 0o700}
_REBOOT = 133
_NSPAWN = (
    "systemd-nspawn",
    "--quiet",
    "--boot",
    "--register=no",
    "--keep-unit",
    "--console=read-only",
    "--resolv-conf=off",
    "--timezone=off",
    "--link-journal=no",
    "--capability=all",
    "--drop-capability=CAP_SYS_TIME,CAP_SYS_MODULE",
    "--system-call-filter=add_key keyctl bpf @mount @privileged perf_event_open",
    "--bind=/dev/net/tun",
    "--bind=/dev/fuse",
    "--bind=/dev/kmsg",
)


def process_name(node: str) -> str:
    """Under which the power supply of a machine is recorded and logs."""
    return f"machine-{node}"


def folder(node: str) -> Path:
    """Where a machine's disks are."""
    return paths.MACHINES / node


def create(world: Topology, node: Node, rootfs: Path) -> None:
    """Make the machine's disks and identity on top of a root file system."""
    home = folder(node.name)
    unfinished = home.with_name(home.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for name in ("upper", "work", "root"):
        (unfinished / name).mkdir(parents=True)
    for disk, mode in _DISKS.items():
        (unfinished / "disks" / disk).mkdir(parents=True)
        (unfinished / "disks" / disk).chmod(mode)
    write_identity(world, node, unfinished / "upper")
    # What lies under an overlay must stay the same as long as the overlay.
    (unfinished / "rootfs").symlink_to(rootfs)
    unfinished.rename(home)


def start(node: Node) -> Process:
    """Switch a machine on; nothing happens when it runs. Raises LabError."""
    running = recorded(process_name(node.name))
    if running is not None:
        return running
    rootfs = folder(node.name) / "rootfs"
    if not rootfs.is_dir():
        raise LabError(f"{node.name}: {rootfs} leads nowhere; make new machines with `lab/lab down` and `lab/lab up`")
    argv = [sys.executable, "-m", "geokube_lab.machine", node.name]
    return background(process_name(node.name), argv, {"PYTHONPATH": str(paths.LAB)})


def crash(world: Topology, node: Node) -> None:
    """Power loss: everything in the machine ends at once; its disks stay."""
    running = recorded(process_name(node.name))
    if running is not None:
        running.stop()
    cgroups.destroy(paths.node_cgroup(node.name))
    network.disconnect_node(world, node)
    forget(process_name(node.name))


def is_on(node: Node) -> bool:
    """Whether the machine has power and a network."""
    return recorded(process_name(node.name)) is not None and network.exists(paths.node_namespace(node.name))


def wait_for_ssh(node: Node, seconds: float) -> None:
    """Wait until the machine's sshd answers the controller. Raises LabError with the end of its log."""
    name = process_name(node.name)

    def alive() -> bool:
        return recorded(name) is not None

    if not ready.wait(f"ssh://{node.public_address}:22", paths.CONTROLLER, seconds, alive):
        state = "does not answer" if alive() else "ended"
        raise LabError(
            f"{node.name} {state} after {seconds:.0f} s or less; {paths.LOGS / name}.log ends:\n{last_lines(name)}"
        )


class _Off(Exception):
    """The power goes."""


def supervise(world: Topology, node: Node) -> int:
    """Boot the machine, again after each reboot; how nspawn ended."""

    def power_off(_number: int, _frame: FrameType | None) -> None:
        raise _Off

    signal.signal(signal.SIGTERM, power_off)
    code = _REBOOT
    try:
        while code == _REBOOT:
            cgroups.destroy(paths.node_cgroup(node.name))
            network.connect_node(world, node)
            folders = cgroups.create(node.name)
            pid = os.fork()
            if pid == 0:
                _boot(node, folders)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            print(f"{node.name}: nspawn ended with {code}", flush=True)
    except _Off:
        code = 0
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    cgroups.destroy(paths.node_cgroup(node.name))
    network.disconnect_node(world, node)
    return code


def _boot(node: Node, folders: list[Path]) -> None:
    """In the child: a cgroup, a mount namespace, the disks, then nspawn in this process's place."""
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        kernel.die_with_parent()
        cgroups.enter(folders)
        kernel.private_mounts()
        home = folder(node.name)
        layers = f"lowerdir={(home / 'rootfs').resolve()},upperdir={home / 'upper'},workdir={home / 'work'}"
        kernel.mount(f"geokube-{node.name}", home / "root", "overlay", options=layers)
        binds = [f"--bind={home / 'disks' / disk}:/var/lib/{disk}" for disk in _DISKS]
        if has_host_modules():
            binds.append("--bind-ro=/lib/modules")
        os.environ["SYSTEMD_NSPAWN_API_VFS_WRITABLE"] = "network"
        namespace = home / "network"
        namespace.touch()
        kernel.mount(str(paths.NETNS / paths.node_namespace(node.name)), namespace, flags=kernel.MS_BIND)
        # nspawn leaves locks and folders there.
        kernel.mount("geokube-run", Path("/run"), "tmpfs", options="mode=755")
        os.execvp(
            _NSPAWN[0],
            [
                *_NSPAWN,
                f"--network-namespace-path={namespace}",
                f"--machine={node.name}",
                *binds,
                "-D",
                str(home / "root"),
            ],
        )
    except BaseException as error:
        print(f"{node.name}: {error}", flush=True)
    finally:
        os._exit(1)


def main(argv: list[str]) -> int:
    """See the module's docstring."""
    world = topology.load()
    try:
        return supervise(world, world.node(argv[1]))
    except LabError as error:
        print(f"{argv[1]}: {error}", flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
