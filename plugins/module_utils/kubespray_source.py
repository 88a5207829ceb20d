# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every way to have Kubespray's tree shares: errors, one run at a time, and trees that appear whole or not."""

from __future__ import annotations

import fcntl
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

ENTRY_POINTS = ("galaxy.yml", "cluster.yml", "requirements.txt")
Result = TypeVar("Result")


class SourceError(Exception):
    """Says why Kubespray cannot be had, and what to do."""


class PassingError(SourceError):
    """The same for what may be otherwise in a moment: a network, a busy server."""


def refuse_password(source: str) -> None:
    """Raise SourceError for a URL with a password: it would be seen in the list of processes and in logs."""
    try:
        password = urlsplit(source).password
    except ValueError as error:
        raise SourceError(f"kubespray_source is no valid URL: {error}") from error
    if password:
        raise SourceError(
            "kubespray_source holds a password, which logs and the list of processes would show: leave it out and let "
            "git's credential helper or a .netrc file give it"
        )


def patiently(work: Callable[[], Result], attempts: int, pause: float) -> Result:
    """Do the work; after a PassingError again, up to `attempts` times with `pause`, then twice that, ... seconds."""
    for attempt in range(1, attempts):
        try:
            return work()
        except PassingError:
            time.sleep(pause * 2 ** (attempt - 1))
    return work()


@contextmanager
def alone(destination: Path) -> Iterator[None]:
    """Let one process at a time bring a tree to `destination`; remove what killed ones left."""
    destination.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with destination.with_name(f".{destination.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in destination.parent.glob(f".{destination.name}.new-*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


@contextmanager
def appearing(destination: Path) -> Iterator[Path]:
    """Give an empty folder that becomes `destination` when the block ends well, and is removed when not."""
    scratch = Path(tempfile.mkdtemp(prefix=f".{destination.name}.new-", dir=destination.parent))
    try:
        tree = scratch / "tree"
        tree.mkdir(mode=0o700)
        yield tree
        if destination.exists():
            destination.rename(scratch / "old")
        tree.rename(destination)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def check_tree(tree: Path, source: str, wanted: str) -> str:
    """Give the version that a tree says it is, when it is `wanted` (with or without v); raise SourceError if not."""
    missing = [name for name in ENTRY_POINTS if not (tree / name).is_file()]
    if missing:
        raise SourceError(f"kubespray_source {source} is no tree of Kubespray: it has no {', '.join(missing)}")
    said = re.search(r"^version:\s*[\"']?([^\s\"'#]+)", (tree / "galaxy.yml").read_text(encoding="utf-8"), re.MULTILINE)
    version = said[1] if said else "of no version"
    if version != wanted.removeprefix("v"):
        raise SourceError(
            f"kubespray_source {source} is Kubespray {version}, kubespray_version says {wanted}: change one of them"
        )
    return version
