# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WireGuard on this machine: its tools, its private key, its running interface, its service."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from .node_commands import NodeError, has_tool, must, run
from .node_files import write_whole
from .wireguard import Live, is_key, parse_dump


class WireGuardError(NodeError):
    """WireGuard on this machine cannot be brought where it should be. The text says what to do."""


def kernel_has_wireguard() -> bool:
    """Tell whether the kernel has WireGuard, built in or as a module that can be loaded."""
    if Path("/sys/module/wireguard").exists():
        return True
    return has_tool("modprobe") and run(["modprobe", "-n", "-q", "wireguard"])[0] == 0


def missing_packages() -> list[str]:
    """Give the Debian packages without which no mesh can be made here."""
    missing = [] if has_tool("wg") and has_tool("wg-quick") else ["wireguard-tools"]
    if not kernel_has_wireguard() and not has_tool("wireguard-go"):
        missing.append("wireguard-go")
    return missing


def secured(path: Path, mode: int, correct: bool) -> bool:
    """Tell whether owner or mode of a path is not root's and C(mode), and correct that if asked."""
    found = path.stat()
    if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) == mode:
        return False
    if correct:
        os.chown(path, os.geteuid(), os.getegid())
        path.chmod(mode)
    return True


def write_secret(path: Path, text: str, replace: bool) -> None:
    """Write a file of mode 0600 whole or not at all; without C(replace) an existing file is an error."""
    write_whole(path, text, 0o600, replace)


def public_key(key_file: Path) -> str:
    """Give the public key of a private key's file. Raises WireGuardError when the file holds no key."""
    text = key_file.read_text(encoding="utf-8").strip()
    if not is_key(text):
        raise WireGuardError(
            f"{key_file} does not hold a WireGuard key: remove it and run again, the others then learn the new one"
        )
    return must(["wg", "pubkey"], text + "\n").strip()


def has_interface(name: str) -> bool:
    """Tell whether there is an interface of that name."""
    return Path("/sys/class/net", name).exists()


def live_interface(name: str) -> Live | None:
    """Give the running interface, or None when there is none."""
    if not has_interface(name):
        return None
    code, out, err = run(["wg", "show", name, "dump"])
    if code != 0:
        raise WireGuardError(
            f"wg show {name} ended with {code}: {err.strip()[-200:]}; is {name} a WireGuard interface?"
        )
    try:
        return parse_dump(out)
    except ValueError as error:
        raise WireGuardError(f"{name}: {error}") from error


def live_mtu(name: str) -> int:
    """Give the MTU of an interface in bytes."""
    return int(Path("/sys/class/net", name, "mtu").read_text(encoding="utf-8"))


def live_addresses(name: str) -> list[str]:
    """Give the addresses of an interface with their prefix lengths."""
    try:
        shown = json.loads(must(["ip", "-json", "address", "show", "dev", name]) or "[]")
        return [
            f"{one['local']}/{one['prefixlen']}"
            for entry in shown
            for one in entry.get("addr_info", [])
            if one.get("scope") == "global"
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise WireGuardError(f"ip address show dev {name} printed something unexpected: {error!r}") from error


def restart(unit: str) -> None:
    """Start a unit afresh. Raises WireGuardError with the end of its journal when that fails."""
    run(["systemctl", "reset-failed", unit])
    code, _out, err = run(["systemctl", "restart", unit])
    if code != 0:
        journal = run(["journalctl", "-u", unit, "-n", "15", "--no-pager", "-o", "cat"])[1].strip()
        raise WireGuardError(f"{unit} does not start: {err.strip()[-200:]}\n{journal[-1200:]}")
