# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What brings the table back at boot: a file of rules, and a service that loads it before there is a network."""

from __future__ import annotations

from pathlib import Path

from . import firewall_host as host
from .firewall_rules import MARK, FirewallError, replacing
from .node_commands import must, service_state

RULES = Path("/etc/nftables.d/geokube.nft")
SERVICE = "geokube-firewall.service"
UNIT = Path("/etc/systemd/system", SERVICE)
# nftables.service flushes all tables when it starts or reloads: this one then follows it.
UNIT_TEXT = f"""\
# Made by the Ansible role meridian.geokube.firewall: changes of this file are lost.
[Unit]
Description=What of this machine the public interfaces let in
DefaultDependencies=no
After=local-fs.target nftables.service
Before=network-pre.target shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=nft -f {RULES}
ExecReload=nft -f {RULES}

[Install]
WantedBy=sysinit.target
"""


def rules_text(table: str, text: str) -> str:
    """Give the file's text for a table."""
    return MARK + replacing(table, text)


def differences(wanted: str) -> list[str]:
    """Say what would not come back at boot as it is wanted: C(wanted) is the text of the rules' file."""
    found = []
    rules = host.read(RULES)
    if rules and not rules.startswith(MARK):
        raise FirewallError(f"{RULES} was not made by this role: move it away, or remove it")
    if rules != wanted:
        found.append(f"{RULES} written")
    if host.read(UNIT) != UNIT_TEXT:
        found.append(f"{UNIT} written")
    if service_state(SERVICE) != (True, True):
        found.append(f"{SERVICE} enabled")
    return found


def keep(wanted: str) -> None:
    """Write both files, and enable and start the service, which loads what already holds."""
    host.write(RULES, wanted)
    if host.read(UNIT) != UNIT_TEXT:
        host.write(UNIT, UNIT_TEXT)
        must(["systemctl", "daemon-reload"])
    if service_state(SERVICE) != (True, True):
        must(["systemctl", "enable", "--now", SERVICE])


def remove(check_mode: bool) -> list[str]:
    """Remove service and files; say what was removed."""
    there = [str(path) for path in (UNIT, RULES) if path.exists()]
    if not check_mode and UNIT.exists():
        must(["systemctl", "disable", "--now", SERVICE])
    if not check_mode:
        for path in there:
            Path(path).unlink()
        if str(UNIT) in there:
            must(["systemctl", "daemon-reload"])
    return [f"{path} removed" for path in there]
