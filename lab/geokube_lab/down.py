"""`lab down`: find everything that carries the lab's names, whatever state it is in, and take it away."""

from __future__ import annotations

import contextlib
import shutil
import signal
from pathlib import Path

from geokube_lab import cgroups, kernel, paths
from geokube_lab.lock import exclusive
from geokube_lab.processes import forget, recorded, run
from geokube_lab.progress import Progress


def down(progress: Progress, purge: bool) -> None:
    """Remove the lab; with `purge` also its keys, registry, files and logs. The cache stays."""
    data = paths.DATA.is_dir() and any(paths.DATA.iterdir())
    if not paths.RUN.exists() and not any(paths.NETNS.glob(f"{paths.PREFIX}*")) and not data:
        progress.line("there is no lab")
        return
    with exclusive():
        with progress.step("processes, machines, namespaces, mounts"):
            stop_everything()
        with progress.step("disks"):
            shutil.rmtree(paths.DATA if purge else paths.MACHINES, ignore_errors=True)
        shutil.rmtree(paths.RUN)


def stop_everything() -> None:
    """End all processes of the lab and remove its cgroups, mounts and namespaces; the data stay."""
    _close_ssh()
    names = [path.name for path in paths.PIDS.glob("[!.]*")] if paths.PIDS.exists() else []
    running = [process for name in names if (process := recorded(name)) is not None]
    for process in running:
        process.signal(signal.SIGTERM)
    for process in running:
        process.stop()
    for name in names:
        forget(name)
    cgroups.destroy(paths.CGROUP)
    for target in _mounts():
        with contextlib.suppress(OSError):
            kernel.unmount(target)
    for namespace in sorted(paths.NETNS.glob(f"{paths.PREFIX}*")):
        run("ip", "netns", "delete", namespace.name)
    shutil.rmtree(paths.RUN / "built", ignore_errors=True)
    for leftover in ("wan.json", "delays.json"):
        (paths.RUN / leftover).unlink(missing_ok=True)


def _close_ssh() -> None:
    """End the ssh connections that Ansible keeps: their machines will be gone."""
    for control in paths.CONTROL.glob("*") if paths.CONTROL.exists() else ():
        run("ssh", "-F", "none", "-o", f"ControlPath={control}", "-O", "exit", "lab", check=False)


def _mounts() -> list[Path]:
    """Mounts of the lab in this mount namespace, the innermost first."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split(" ")
        point = fields[4].encode().decode("unicode_escape")
        if point.startswith((f"{paths.DATA}/", f"{paths.RUN}/")):
            found.append(Path(point))
    return found[::-1]
