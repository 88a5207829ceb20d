# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's core on a namespace: every command runs in there, and systemd's are played."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.meridian.geokube.plugins.module_utils import (
    firewall_boot,
    firewall_guard,
    firewall_host,
    node_commands,
)
from ansible_collections.meridian.geokube.plugins.module_utils.firewall_guard import Guard
from ansible_collections.meridian.geokube.plugins.module_utils.firewall_node import Node
from ansible_collections.meridian.geokube.plugins.module_utils.firewall_rules import Wish, read_opening
from firewall_places import EDGE, Places

ANYONE = ["0.0.0.0/0", "::/0"]
REAL = node_commands.run


class Killed(BaseException):
    """The module was killed here."""


def wish(*ingress: str) -> Wish:
    """Give a wish that lets in ssh from everywhere and 443 from some."""
    sources = ingress or tuple(EDGE.values())
    return Wish(
        "geokube",
        ("eth0",),
        (read_opening("ssh", "tcp", ["22"], ANYONE), read_opening("ingress", "tcp", ["80", "443"], sources)),
    )


class Machine:
    """Runs commands in the machine's namespace; C(kill_at) ends everything before that many more of them."""

    def __init__(self, places: Places, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.places = places
        self.commands: list[str] = []
        self.transactions: list[str] = []
        self.kill_at: int | None = None
        self.timer: list[str] | None = None
        self.enabled = False
        self._folder = folder / "run"
        for module in (node_commands, firewall_host, firewall_guard):
            monkeypatch.setattr(module, "run", self.run)
        monkeypatch.setattr(firewall_boot, "RULES", folder / "nftables.d" / "geokube.nft")
        monkeypatch.setattr(firewall_boot, "UNIT", folder / "system" / firewall_boot.SERVICE)

    def node(self, check_mode: bool = False) -> Node:
        """Give the core as a new run of the module has it."""
        return Node("geokube", Guard("geokube", 60, self._folder), check_mode)

    def live(self) -> str:
        """Give the table that holds."""
        return firewall_host.live_table("geokube")

    def run(self, argv: Sequence[str], stdin: str | None = None) -> tuple[int, str, str]:
        """Run or play a command."""
        if self.kill_at is not None:
            if self.kill_at == 0:
                raise Killed
            self.kill_at -= 1
        self.commands.append(" ".join(argv[:3]))
        if argv[0] == "systemctl":
            return self._systemctl(*argv[1:])
        if argv[0] == "systemd-run":
            self.timer = list(argv[argv.index("/bin/sh") :])
            return 0, "", ""
        if list(argv[:2]) == ["nft", "-f"]:
            self.transactions.append(stdin or "")
        return REAL(["ip", "netns", "exec", self.places.machine, *argv], stdin)

    def time_is_up(self) -> None:
        """Let the timer fire, if there is one."""
        if self.timer is not None:
            command, self.timer = self.timer, None
            REAL(["ip", "netns", "exec", self.places.machine, *command])

    def reboot(self) -> None:
        """Forget what a reboot forgets, and load what one loads."""
        self.timer = None
        REAL(["rm", "-rf", str(self._folder)])
        REAL(["ip", "netns", "exec", self.places.machine, "nft", "delete", "table", "inet", "geokube"])
        if self.enabled:
            REAL(["ip", "netns", "exec", self.places.machine, "nft", "-f", str(firewall_boot.RULES)])

    def _systemctl(self, verb: str, *arguments: str) -> tuple[int, str, str]:
        if verb == "restart":
            return (0, "", "") if self.timer is not None else (5, "", "Unit not found.")
        if verb == "stop":
            self.timer = None
        if verb in ("enable", "disable"):
            self.enabled = verb == "enable"
        if verb == "show":
            state = "UnitFileState=enabled\nActiveState=active\n"
            return 0, state if self.enabled else "UnitFileState=\nActiveState=inactive\n", ""
        return 0, "", ""
