"""Put what nodes download into the lab's file server, with checksums."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from geokube_lab.binaries.compile import artifact_directory, program
from geokube_lab.binaries.targets import Target, target
from geokube_lab.images.store import link_atomically

# Path under the file server, version left out, and which files of the artifact are put there.
PUBLISHED = (
    ("kubernetes", "kubernetes", ("kubernetes.gz",)),
    ("flannel", "cni-plugin-flannel", ("flannel",)),
)


def publish(files_directory: Path) -> list[Path]:
    """Write `<name>/<version>/{<file>,sha256sums}` below `files_directory`; the paths that were not there before.

    `kubernetes/v1.35.4/kubernetes.gz` is the one program that acts as kubelet, kubeadm, kubectl, etcd, etcdctl and
    the rest by its name; `cni-plugin-flannel/v0.9.1/flannel` is flannel's CNI plugin. `sha256sums` has lines for
    sha256sum --check, the unpacked program included, and is written last.
    """
    written: list[Path] = []
    for name, folder, files in PUBLISHED:
        source = target(name)
        program(source)
        directory = files_directory / folder / source.version
        written += _bring(source, directory, [*files, "sha256sums"])
    return written


def _bring(source: Target, directory: Path, names: Iterable[str]) -> Iterable[Path]:
    for name in names:
        origin, goal = artifact_directory(source) / name, directory / name
        if goal.exists() and (goal.samefile(origin) or goal.read_bytes() == origin.read_bytes()):
            continue
        link_atomically(origin, goal)
        yield goal
