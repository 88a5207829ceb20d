# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One machine's firewall: its table, its guard, its files."""

from __future__ import annotations

from collections.abc import Sequence

from . import firewall_boot as boot
from . import firewall_host as host
from .firewall_changes import transaction
from .firewall_guard import Guard
from .firewall_rules import FirewallError, Wish, render, replacing


class Node:
    """Brings one table to what is wanted.

    C(changes) tells in words what differed besides the rules; C(before) and C(after) are the table's text;
    C(unconfirmed) says that the rules hold until the guard's time is up, unless they are confirmed.
    """

    def __init__(self, table: str, guard: Guard, check_mode: bool) -> None:
        self.changes: list[str] = []
        self.warnings: list[str] = []
        self.before = self.after = ""
        self.unconfirmed = False
        self._table = table
        self._guard = guard
        self._check_mode = check_mode

    @property
    def changed(self) -> bool:
        """Whether anything differed."""
        return self.before != self.after or bool(self.changes)

    def ensure(self, wish: Wish) -> None:
        """Bring the table to the wish, under guard; or the files to the table, when that is as wanted and confirmed."""
        source = render(wish)
        self.after = host.listed(self._table, source)
        # From here on the timer does not fire while the rules are looked at and changed.
        pending = self._guard.pending if self._check_mode else self._guard.extend()
        self.before = host.live_table(self._table)
        if pending:
            self.changes.append("rules that an earlier run left unconfirmed")
        if self.before != self.after:
            self._apply()
        if self.before != self.after or pending:
            self.unconfirmed = not self._check_mode
            self.changes += boot.differences(boot.rules_text(self._table, source)) if self._check_mode else []
        else:
            self._keep(source)
            if not self._check_mode:
                # What a rollback left tells nothing any more: the rules that hold are the wanted ones.
                self._guard.clean()

    def confirm(self, wish: Wish) -> None:
        """Keep for good the rules that hold; raises FirewallError when they do not, or by an old connection."""
        source = render(wish)
        self._guard.check_new_connection()
        self.before = self.after = host.live_table(self._table)
        if self.after != host.listed(self._table, source):
            raise FirewallError("other rules hold than those to confirm: is a second run under way?")
        self._keep(source)
        self._guard.disarm()
        self.changes.append("rules confirmed")

    def remove(self) -> None:
        """Remove the table and everything that was kept for it."""
        self.before = host.live_table(self._table)
        self.changes += boot.remove(self._check_mode)
        if self._check_mode:
            return
        self._guard.clean()
        if self.before:
            host.apply(replacing(self._table, ""))

    def _apply(self) -> None:
        if self._check_mode:
            return
        if self._guard.forget_failure():
            self.warnings.append("the rules of an earlier run were rolled back, as no new connection confirmed them")
        self._guard.arm(self.before)
        host.apply(transaction(self._table, self.before, self.after))
        if host.live_table(self._table) != self.after:
            host.apply(replacing(self._table, self.after))
        if host.live_table(self._table) != self.after:
            raise FirewallError("the rules do not hold after they were applied: does something else change them?")
        self._guard.applied()

    def _keep(self, source: str) -> None:
        wanted = boot.rules_text(self._table, source)
        self.changes += boot.differences(wanted)
        if self.changes and not self._check_mode:
            boot.keep(wanted)


def public_interfaces(asked: Sequence[str], addresses: Sequence[str], trusted: Sequence[str]) -> list[str]:
    """Give the interfaces that the world is behind, of those of this machine.

    They are those C(asked) for; or else those of the default routes and those that have one of the C(addresses),
    without the C(trusted) ones. Raises FirewallError when that makes no sense on this machine.
    """
    present = host.interfaces()
    for name in asked:
        if name not in present:
            raise FirewallError(f"interfaces: there is no {name} here; there are {', '.join(sorted(present))}")
        if name in trusted or name == "lo":
            raise FirewallError(f"interfaces: {name} is one of trusted_interfaces: it cannot be shut, too")
    if asked:
        return sorted(set(asked))
    found = {name for name, held in present.items() if set(held) & set(addresses)} | set(host.default_interfaces())
    found -= {"lo", *trusted}
    if not found:
        raise FirewallError(
            "interfaces: this machine has no default route but through trusted_interfaces, and no interface with one "
            "of public_addresses: name the public interfaces"
        )
    return sorted(found)
