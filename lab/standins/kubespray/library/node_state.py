# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything a node needs in one task: over an ocean each task costs more than what it does.

In this order: check the node's address, load nothing, make folders, download, write files, link, remove, reload
systemd, restart or start units, run commands. A file of `secret_files` is gone again when the module ends.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import os
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

TIMEOUT = 120


class NodeError(Exception):
    """Says what could not be done on the node."""


def write_file(path: Path, content: bytes, mode: int) -> bool:
    """Write a file whole or not at all; give whether it is another one now."""
    if path.is_file() and path.read_bytes() == content and path.stat().st_mode & 0o7777 == mode:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    new.chmod(mode)
    new.replace(path)
    return True


def digest_of(path: Path) -> str:
    """Give a file's SHA-256 in hex, empty when it is not there."""
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fetch(url: str) -> Any:
    """Open a URL. Raises NodeError with the URL and what was answered."""
    try:
        return urllib.request.urlopen(url, timeout=TIMEOUT)
    except OSError as error:
        raise NodeError(f"{url}: {error}") from error


def wanted_digest(sums_url: str, name: str) -> str:
    """Give the SHA-256 that a sha256sums file has for a name."""
    with fetch(sums_url) as answer:
        for line in answer.read().decode().splitlines():
            digest, _, listed = line.partition("  ")
            if listed.strip().lstrip("*") == name:
                return str(digest.strip())
    raise NodeError(f"{sums_url} has no line for {name}")


def download(url: str, sums_url: str, name: str, path: Path) -> bool:
    """Download a program, unpack it when it is a .gz, and put it in place once its SHA-256 is the listed one."""
    wanted = wanted_digest(sums_url, name)
    if digest_of(path) == wanted:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    try:
        with fetch(url) as answer, new.open("wb") as stream:
            shutil.copyfileobj(gzip.GzipFile(fileobj=answer) if url.endswith(".gz") else answer, stream, 1 << 20)
    except (OSError, EOFError, http.client.HTTPException) as error:
        raise NodeError(f"{url}: {error}") from error
    found = digest_of(new)
    if found != wanted:
        new.unlink()
        raise NodeError(f"{url}: its SHA-256 is {found}, {sums_url} says {wanted}")
    new.chmod(0o755)
    new.replace(path)
    return True


def run(argv: list[str], timeout: int = TIMEOUT) -> str:
    """Run a command and give its output. Raises NodeError with the end of what it said."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise NodeError(f"{' '.join(argv)}: not done after {timeout} s") from None
    except OSError as error:
        raise NodeError(f"{argv[0]}: {error.strerror}") from error
    if done.returncode != 0:
        raise NodeError(f"{' '.join(argv)} ended with {done.returncode}: {(done.stderr + done.stdout).strip()[-1500:]}")
    return done.stdout


def check_address(address: str) -> None:
    """Raise NodeError unless the node has this address."""
    if f" {address}/" not in run(["ip", "-4", "-oneline", "address", "show"]):
        raise NodeError(f"ip is {address}, which no interface of this node has: is the mesh up?")


def apply_files(given: dict[str, Any]) -> list[str]:
    """Bring downloads, files and links about; give the paths that changed."""
    changed = [
        item["path"]
        for item in given["downloads"]
        if download(item["url"], item["sums_url"], item["name"], Path(item["path"]))
    ]
    changed += [
        item["path"]
        for item in given["files"]
        if write_file(Path(item["path"]), item["content"].encode(), int(item.get("mode", "0644"), 8))
    ]
    for path, target in given["links"].items():
        if not (Path(path).is_symlink() and str(Path(path).readlink()) == target):
            Path(path).unlink(missing_ok=True)
            Path(path).symlink_to(target)
            changed.append(path)
    for name in given["absent"]:
        path = Path(name)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
            changed.append(name)
        elif path.exists() or path.is_symlink():
            path.unlink()
            changed.append(name)
    return changed


def apply_units(units: list[dict[str, Any]], changed: list[str]) -> list[str]:
    """Enable units; start those that should run, restart them where a file of theirs changed."""
    done: list[str] = []
    if any(path.startswith("/etc/systemd/system") for path in changed):
        run(["systemctl", "daemon-reload"])
    for unit in units:
        name = unit["name"]
        if subprocess.run(["systemctl", "--quiet", "is-enabled", name], capture_output=True, check=False).returncode:
            run(["systemctl", "enable", name])
            done.append(f"{name} enabled")
        active = subprocess.run(["systemctl", "--quiet", "is-active", name], check=False).returncode == 0
        touched = any(path.startswith(tuple(unit.get("restart_on", ()))) for path in changed)
        if active and touched:
            run(["systemctl", "restart", name])
            done.append(f"{name} restarted")
        elif not active and unit.get("started", True):
            run(["systemctl", "start", name])
            done.append(f"{name} started")
    return done


def run_commands(commands: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """Run the commands whose `creates` is not there; give what changed and all output.

    A command changed something unless its last line of output says it did not: "unchanged".
    """
    changed: list[str] = []
    output: list[str] = []
    for command in commands:
        if command.get("creates") and Path(command["creates"]).exists():
            continue
        said = run(list(command["argv"]), int(command.get("timeout", TIMEOUT))).strip()
        output += said.splitlines()
        if not said.endswith("unchanged"):
            changed.append(" ".join(command["argv"]))
    return changed, output


def main() -> None:
    """Bring the node to the given state."""
    listed = {"type": "list", "elements": "dict", "default": []}
    module = AnsibleModule(
        argument_spec={
            "address": {"type": "str"},
            "downloads": listed,
            "files": listed,
            "secret_files": {"type": "dict", "default": {}, "no_log": True},
            "links": {"type": "dict", "default": {}},
            "absent": {"type": "list", "elements": "str", "default": []},
            "units": listed,
            "commands": listed,
        },
    )
    given = module.params
    secrets = [Path(path) for path in given["secret_files"]]
    try:
        if given["address"]:
            check_address(given["address"])
        changed = apply_files(given)
        changed += apply_units(given["units"], changed)
        for path in secrets:
            write_file(path, given["secret_files"][str(path)].encode(), 0o600)
        commands, output = run_commands(given["commands"])
        changed += commands
    except NodeError as error:
        module.fail_json(msg=str(error))
    finally:
        for path in secrets:
            path.unlink(missing_ok=True)
    module.exit_json(changed=bool(changed), did=changed, output=output)


if __name__ == "__main__":
    main()
