# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One machine's side of the mesh: its file, its running interface, its service."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from . import wireguard_host as host
from .node_commands import must, service_state
from .wireguard import MARK, Interface, Live, Peer, commands, endpoints_in, render, silent


class Node:
    """Brings one interface to what is wanted.

    C(changes) tells in words what differed, C(silent) which peers did not answer of late.
    """

    def __init__(self, folder: Path, interface: Interface, peers: Sequence[Peer], check_mode: bool) -> None:
        self.file = folder / f"{interface.name}.conf"
        self.changes: list[str] = []
        self.silent: list[str] = []
        self._interface = interface
        self._peers = peers
        self._check_mode = check_mode
        self._unit = f"wg-quick@{interface.name}.service"

    def ensure(self) -> tuple[str, str]:
        """Bring everything to what is wanted; give the file's text before and after.

        A running interface is changed before the file is, so that a run that was killed in between is made good.
        """
        before = self.file.read_text(encoding="utf-8") if self.file.exists() else ""
        if before and not before.startswith(MARK):
            raise host.WireGuardError(
                f"{self.file} was not made by this role: choose another interface name, or remove it"
            )
        after = render(self._interface, self._peers)
        live = host.live_interface(self._interface.name)
        if live is not None:
            self.silent = silent(self._peers, live, time.time())
            self._same_address()
            self._set(live, before)
            self._mtu()
        self._write(before, after)
        if live is None:
            self.changes.append(f"{self._interface.name} started")
            if not self._check_mode:
                host.restart(self._unit)
        self._enable()
        return before, after

    def _write(self, before: str, after: str) -> None:
        if before != after:
            if not self._check_mode:
                host.write_secret(self.file, after, replace=True)
        elif host.secured(self.file, 0o600, not self._check_mode):
            self.changes.append(f"mode of {self.file} set to 0600")

    def _enable(self) -> None:
        enabled, _active = service_state(self._unit)
        if not enabled:
            self.changes.append(f"{self._unit} enabled")
            if not self._check_mode:
                must(["systemctl", "enable", self._unit])

    def _same_address(self) -> None:
        wanted = self._interface.address
        addresses = host.live_addresses(self._interface.name)
        if wanted in addresses:
            return
        if addresses:
            raise host.WireGuardError(
                f"it has the address {', '.join(addresses)}, but the mesh gives it {wanted}; a changed mesh address "
                f"breaks etcd: restore mesh.json in the state folder, or take {self._interface.name} down by hand first"
            )
        self.changes.append(f"address {wanted} added")
        if not self._check_mode:
            must(["ip", "address", "add", wanted, "dev", self._interface.name])

    def _set(self, live: Live, earlier: str) -> None:
        key_file = Path(self._interface.key_file)
        if self._check_mode and not key_file.exists():
            return
        own = host.public_key(key_file)
        arguments, words = commands(self._interface, self._peers, live, own, endpoints_in(earlier))
        self.changes += words
        if arguments and not self._check_mode:
            must(["wg", "set", self._interface.name, *arguments])

    def _mtu(self) -> None:
        current = host.live_mtu(self._interface.name)
        if current != self._interface.mtu:
            self.changes.append(f"mtu {current} -> {self._interface.mtu}")
            if not self._check_mode:
                must(["ip", "link", "set", "dev", self._interface.name, "mtu", str(self._interface.mtu)])
