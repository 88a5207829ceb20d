"""Layers from Debian packages, with all that they depend on and without what a container never reads."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from geokube_lab.errors import LabError
from geokube_lab.images.layers import COMPRESSION, FORMAT, MERGED, Entry, File, Symlink, expand, write_layer
from geokube_lab.images.store import Layer, Store
from geokube_lab.paths import cache

# Part of the key: a change of the rules below makes the layers anew.
RULES = "1"
# Documentation but for licences, translations, and what only dpkg or an administrator would use.
UNWANTED = re.compile(
    r"^/(usr/share/(man|info|locale|lintian|bug|doc-base|bash-completion|zsh|fish|menu|pixmaps|applications|gdb)(/|$)"
    r"|usr/share/doc/(?!.*/copyright$)[^/]+/.+"
    r"|usr/include(/|$)|usr/lib/systemd(/|$)|etc/(init\.d|cron\.\w+|logrotate\.d|default)(/|$)"
    r"|var/(cache|log|lib/(apt|dpkg))(/|$)|.*/__pycache__(/|$))"
)
# Essential for installing packages with, not for running what they hold.
WITHOUT = ("debconf", "dpkg", "perl-base", "init-system-helpers", "install-info", "ucf", "sensible-utils", "tar")


class PackageError(LabError):
    """Debian's packages could not be had; the text says which and what to do."""


def _apt(arguments: Sequence[str], archives: Path) -> str:
    empty = archives / "status"
    empty.touch()
    command = [
        "apt-get",
        "--quiet",
        "--yes",
        "-o",
        f"Dir::State::status={empty}",
        "-o",
        f"Dir::Cache::archives={archives}",
        "-o",
        "Debug::NoLocking=true",
        "-o",
        "APT::Install-Recommends=false",
        "-o",
        "APT::Sandbox::User=root",
        "-o",
        "Acquire::http::Timeout=60",
        "-o",
        "Acquire::Retries=3",
        *arguments,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    if done.returncode != 0:
        raise PackageError(
            f"apt-get {' '.join(arguments)} failed: {done.stderr.strip() or done.stdout.strip()}. "
            "Run 'apt-get update' and try again; the packages are those of Debian 12."
        )
    return done.stdout


def _ensure_lists() -> None:
    if any(Path("/var/lib/apt/lists").glob("*_Packages*")):
        return
    done = subprocess.run(["apt-get", "--quiet", "update"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PackageError(f"apt-get update failed: {done.stderr.strip()}")


def download(packages: Sequence[str], without: Sequence[str] = WITHOUT) -> list[Path]:
    """The .deb files of packages and of all that they depend on from nothing, less `without`, checked by apt."""
    _ensure_lists()
    archives = cache() / "debian"
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="geokube-apt-") as nothing:
        # apt lists only what it would still download: ask with an empty cache.
        listing = _apt(["--print-uris", "install", *packages], Path(nothing))
    names = re.findall(r"^'[^']+' (\S+_\S+\.deb) \d+", listing, re.MULTILINE)
    wanted = [name for name in names if name.split("_", 1)[0] not in without]
    if not wanted:
        raise PackageError(f"apt names no archive for {', '.join(packages)}: {listing.strip()}")
    if any(not (archives / name).exists() for name in wanted):
        _apt(["--download-only", "install", *packages], archives)
    return sorted(archives / name for name in wanted)


def _unpack(archives: Sequence[Path], target: Path) -> None:
    for archive in archives:
        command = ["dpkg-deb", "-x", str(archive), str(target)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise PackageError(f"{archive.name} does not unpack: {done.stderr.strip()}; remove {archive} and try again")


def _status(archives: Sequence[Path]) -> Iterator[tuple[str, Entry]]:
    # Where scanners look for the packages of images that have no dpkg.
    for archive in archives:
        done = subprocess.run(["dpkg-deb", "--field", str(archive)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise PackageError(
                f"{archive.name} says not what it is: {done.stderr.strip()}; remove {archive} and try again"
            )
        yield f"/var/lib/dpkg/status.d/{archive.name.split('_', 1)[0]}", File(done.stdout.encode())


def _contents(root: Path, drop: re.Pattern[str] | None) -> Iterator[tuple[str, Entry]]:
    # Packages of Debian 12 still hold /bin and /lib; its systems have them merged into /usr.
    for merged in ("bin", "sbin", "lib", "lib64"):
        yield f"/{merged}", Symlink(f"usr/{merged}")
    for path, entry in expand({"/": root}).items():
        top = PurePosixPath(path).parts[1:2]
        name = f"/usr{path}" if top and top[0] in MERGED else path
        if name == "/" or UNWANTED.match(name) or (drop and drop.search(name)):
            continue
        yield name, entry


def debian_layer(
    packages: Sequence[str],
    *,
    without: Sequence[str] = WITHOUT,
    drop: str | None = None,
    status: bool = False,
    refresh: bool = False,
    store: Store | None = None,
) -> Layer:
    """A layer of Debian packages with their dependencies.

    `without` names packages of the closure that are left out, `drop` is a regular expression (searched in the
    absolute path) of files to leave out besides documentation. Maintainer scripts are not run: alternatives
    (such as /usr/sbin/iptables) must be made by a files_layer of symbolic links. The layer is kept by the names
    asked for; `refresh` takes the packages' present versions. `status` records the packages in the layer.
    """
    store = store or Store()
    facts = [
        "debian",
        FORMAT,
        COMPRESSION,
        RULES,
        sorted(packages),
        sorted(without),
        drop,
        *(["status"] if status else []),
    ]
    key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
    with store.locked(key):
        known = None if refresh else store.known_layer(key)
        if known is not None:
            return known
        archives = download(packages, without)
        with tempfile.TemporaryDirectory(prefix="geokube-layer-") as name:
            root = Path(name) / "root"
            root.mkdir()
            _unpack(archives, root)
            entries = dict(_contents(root, re.compile(drop) if drop else None))
            if status:
                entries.update(_status(archives))
            layer = write_layer(store, entries)
        store.remember_layer(key, layer)
        return layer
