"""Layers from Python packages."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from geokube_lab.images.layers import COMPRESSION, FORMAT, expand, write_layer
from geokube_lab.images.store import Layer, Store

# Debian 12's interpreter and C library, whichever Python builds the image.
PYTHON_VERSION = "3.11"
# Part of the key: a change of the rules below makes the layers anew.
RULES = "2"
PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in (36, 35, 34, 31, 28, 27, 24, 17, 12, 5)]
PLATFORMS += ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"]


def pip_layer(
    requirements: Sequence[str] | Path,
    *,
    target: str = "/usr/lib/python3/dist-packages",
    drop: str | None = None,
    dependencies: bool = True,
    store: Store | None = None,
) -> Layer:
    """A layer of wheels installed into `target` for Debian 12's Python 3.11.

    `requirements` are pinned requirement lines or a requirements file. Compiled files and console scripts (they
    would name the building machine's interpreter) are left out; `drop` is a regular expression, searched in the
    absolute path, of further files to leave out. The layer is kept by the lines asked for.
    """
    store = store or Store()
    lines = requirements.read_text().splitlines() if isinstance(requirements, Path) else list(requirements)
    facts = ["pip", RULES, FORMAT, COMPRESSION, PYTHON_VERSION, lines, target, drop, dependencies]
    key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
    with store.locked(key):
        known = store.known_layer(key)
        if known is not None:
            return known
        with tempfile.TemporaryDirectory(prefix="geokube-layer-") as name:
            root = Path(name) / "packages"
            _install(lines, root, Path(name) / "requirements.txt", dependencies)
            shutil.rmtree(root / "bin", ignore_errors=True)
            _list_what_is_there(root)
            unwanted = re.compile(drop) if drop else None
            entries = {
                path: entry
                for path, entry in expand({str(PurePosixPath(target)): root}).items()
                if not (unwanted and unwanted.search(path))
            }
            layer = write_layer(store, entries)
        store.remember_layer(key, layer)
        return layer


def _list_what_is_there(root: Path) -> None:
    """Take out of each RECORD what was left out, such as scripts, whose digests name the building machine's Python."""
    for record in root.glob("*.dist-info/RECORD"):
        with record.open(newline="") as file:
            rows = [row for row in csv.reader(file) if row and (root / row[0]).exists() and ".." not in row[0]]
        with record.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(sorted(rows))


def _install(lines: Sequence[str], root: Path, file: Path, dependencies: bool) -> None:
    file.write_text("".join(f"{line}\n" for line in lines))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--target", str(root), "--only-binary", ":all:", "--requirement", str(file)]
    command += ["--python-version", PYTHON_VERSION, "--implementation", "cp"]
    for platform in PLATFORMS:
        command += ["--platform", platform]
    if not dependencies:
        command.append("--no-deps")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"pip could not install {', '.join(lines)} for an image: {done.stderr.strip()}")
