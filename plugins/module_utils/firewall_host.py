# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the firewall asks this machine: its tables, interfaces, addresses, and who talks to it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from .firewall_rules import FirewallError
from .node_commands import has_tool, must, run
from .node_files import write_whole

# The daemon's process of one connection; OpenSSH calls it so since 9.8.
SSH_SESSION = ("sshd", "sshd-session")


def missing_packages() -> list[str]:
    """Give the Debian packages without which there can be no firewall here."""
    return [] if has_tool("nft") else ["nftables"]


def live_table(table: str) -> str:
    """Give the text of the table as it is now, without counts; empty when there is none."""
    code, out, err = run(["nft", "--stateless", "list", "table", "inet", table])
    if code == 0:
        return out
    if "No such file or directory" in err:
        return ""
    raise FirewallError(f"nft list table inet {table} ended with {code}: {err.strip()[-300:]}")


def listed(table: str, text: str) -> str:
    """Give the text of a table as this machine's nft would list it, from a network namespace that ends with the call.

    So a wished table can be compared with a live one, and is tried before it matters.
    """
    script = f"nft -f - && nft --stateless list table inet {table}"
    code, out, err = run(["unshare", "--net", "sh", "-c", script], text)
    if code != 0:
        raise FirewallError(f"nft refuses the rules: {err.strip()[-600:]}\n{text}")
    return out


def apply(transaction: str) -> None:
    """Run a transaction of nft: it takes effect at once and as a whole, or not at all."""
    must(["nft", "-f", "-"], transaction)


def interfaces() -> dict[str, list[str]]:
    """Give the addresses of each interface, without their prefix lengths."""
    return {
        entry["ifname"]: [one["local"] for one in entry.get("addr_info", []) if "local" in one]
        for entry in _read("address", "show")
        if "ifname" in entry
    }


def default_interfaces() -> list[str]:
    """Give the interfaces of the default routes of both families."""
    found = set()
    for family in ("-4", "-6"):
        for route in _read(family, "route", "show", "default"):
            found |= {hop["dev"] for hop in (route, *route.get("nexthops", [])) if "dev" in hop}
    return sorted(found)


def _read(*arguments: str) -> list[dict[str, Any]]:
    text = must(["ip", "-json", *arguments])
    try:
        return list(json.loads(text or "[]"))
    except ValueError as error:
        raise FirewallError(f"ip {' '.join(arguments)} printed something unexpected: {error}") from error


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file whole or not at all, and its folder when missing."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    write_whole(path, text, mode)


def read(path: Path) -> str:
    """Give the text of a file, empty when there is none."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def seconds_since_boot() -> float:
    """Give the time since this machine started, by the clock of the processes' start times."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def ssh_session_start(pid: int | None = None) -> float | None:
    """Give when the ssh connection started that this process came by, in seconds since boot; None without one."""
    at = os.getpid() if pid is None else pid
    while at > 1:
        text = Path("/proc", str(at), "stat").read_text(encoding="utf-8")
        # The name is in parentheses and may hold blanks.
        name, fields = text[text.index("(") + 1 : text.rindex(")")], text[text.rindex(")") + 2 :].split()
        if name in SSH_SESSION:
            return int(fields[19]) / os.sysconf("SC_CLK_TCK")
        at = int(fields[1])
    return None
