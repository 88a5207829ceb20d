"""A cgroup of its own for each machine, in every hierarchy."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from geokube_lab import paths
from geokube_lab.errors import LabError

# Processes outside any cgroup compete one by one with the whole lab: it needs the weight of many.
_CPU_SHARES = "16384"


def hierarchies() -> dict[str, Path]:
    """Where this process stands in each hierarchy that is mounted: name (cpu, memory, name=systemd, ...) -> folder."""
    mounted: dict[str, Path] = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        point = Path(before.split(" ")[4])
        if kind == "cgroup2":
            mounted[""] = point
        elif kind == "cgroup":
            mounted.update(dict.fromkeys(options.split(","), point))
    result = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        name = names.split(",")[0]
        if name in mounted:
            # The lab's own processes stand in the lab's cgroup: not another one below it.
            result[names] = mounted[name] / path.partition(f"/{paths.CGROUP}")[0].lstrip("/")
    return result


def create(node: str) -> list[Path]:
    """Make the machine's cgroup in every hierarchy; the folders."""
    made = []
    for names, parent in hierarchies().items():
        lab = parent / paths.CGROUP
        for folder in (lab, lab / paths.node_cgroup(node)):
            if not folder.is_dir():
                with contextlib.suppress(FileExistsError):
                    folder.mkdir()
            if "cpuset" in names.split(","):
                _inherit(folder, "cpuset.cpus")
                _inherit(folder, "cpuset.mems")
        if "cpu" in names.split(","):
            (lab / "cpu.shares").write_text(_CPU_SHARES)
        made.append(lab / paths.node_cgroup(node))
    return made


def enter_services() -> None:
    """Move the calling process to the cgroup by which `down` finds the lab's services, whatever was recorded."""
    for names, parent in hierarchies().items():
        if "pids" in names.split(","):
            folder = parent / paths.CGROUP / paths.SERVICES_CGROUP
            folder.mkdir(parents=True, exist_ok=True)
            enter([folder])


def enter(folders: list[Path]) -> None:
    """Move the calling process."""
    for folder in folders:
        (folder / "cgroup.procs").write_text(f"{os.getpid()}\n")


def find(name: str) -> list[Path]:
    """All cgroups of that name, in whichever cgroup the shell that made them stood."""
    return sorted({found for root in _roots() for found in _search(root, name)})


def destroy(name: str) -> None:
    """Kill whatever runs in the cgroups of that name and remove them with all below them."""
    deadline = time.monotonic() + 10
    folders = find(name)
    while pids := {pid for folder in folders for pid in _members(folder)}:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise LabError(f"processes in the cgroup {name} do not end: {', '.join(map(str, sorted(pids)))}")
        time.sleep(0.01)
    for folder in folders:
        _remove(folder, deadline)


def _inherit(folder: Path, setting: str) -> None:
    if not (folder / setting).read_text().strip():
        (folder / setting).write_text((folder.parent / setting).read_text())


def _roots() -> set[Path]:
    roots = set()
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        if after.startswith(("cgroup ", "cgroup2 ")):
            roots.add(Path(before.split(" ")[4]))
    return roots


def _search(root: Path, name: str) -> Iterator[Path]:
    for folder, below, _ in os.walk(root):
        if name in below:
            yield Path(folder, name)
            below.remove(name)


def _members(folder: Path) -> set[int]:
    found: set[int] = set()
    for place, _, files in os.walk(folder):
        if "cgroup.procs" in files:
            with contextlib.suppress(OSError):
                found.update(map(int, Path(place, "cgroup.procs").read_text().split()))
    return found - {0}


def _remove(folder: Path, deadline: float) -> None:
    for place, _, _ in os.walk(folder, topdown=False):
        while True:
            try:
                Path(place).rmdir()
            except FileNotFoundError:
                pass
            except OSError as error:
                # The kernel needs a moment after the last process ended.
                if time.monotonic() > deadline:
                    raise LabError(f"cgroup {place} cannot be removed: {error.strerror}") from error
                time.sleep(0.01)
                continue
            break
