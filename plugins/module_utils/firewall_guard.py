# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What puts the earlier rules back unless somebody gets in by the new ones: a timer on the machine itself."""

from __future__ import annotations

import shutil
from pathlib import Path

from . import firewall_host as host
from .firewall_rules import FirewallError, replacing
from .node_commands import PATH, must, run

# On a file system that a reboot empties: after one, the confirmed rules are loaded anyhow.
FOLDER = Path("/run/geokube-firewall")
UNIT = "geokube-firewall-rollback"


class Guard:
    """Remembers the rules before, and restores them when its time is up.

    Files: C(earlier.nft) the transaction that restores, C(pending) since when the new rules hold (seconds since boot),
    C(rolled-back) the same after the timer has restored the earlier ones.
    """

    def __init__(self, table: str, seconds: int, folder: Path = FOLDER) -> None:
        self._table = table
        self._seconds = seconds
        self._folder = folder
        self._earlier = folder / "earlier.nft"
        self._pending = folder / "pending"
        self._rolled_back = folder / "rolled-back"

    @property
    def pending(self) -> bool:
        """Whether rules hold that nobody has confirmed yet."""
        return self._pending.exists()

    def forget_failure(self) -> bool:
        """Tell, once, whether the last rules were rolled back."""
        failed = self._rolled_back.exists()
        self._rolled_back.unlink(missing_ok=True)
        return failed

    def arm(self, live: str) -> None:
        """Start the timer that restores C(live), or what held before rules that are still unconfirmed."""
        if not self.pending:
            host.write(self._earlier, replacing(self._table, live), 0o600)
            self.applied()
        self._start()

    def extend(self) -> bool:
        """Give rules still unconfirmed their whole time again; tell whether there are any."""
        if not self.pending:
            return False
        self._start()
        if not self.pending:
            # The timer was faster: the earlier rules hold again.
            run(["systemctl", "stop", f"{UNIT}.timer"])
        return self.pending

    def _start(self) -> None:
        if run(["systemctl", "restart", f"{UNIT}.timer"])[0] == 0:
            return
        restore = f"nft -f {self._earlier} && mv {self._pending} {self._rolled_back}"
        run(["systemctl", "reset-failed", f"{UNIT}.service", f"{UNIT}.timer"])
        must(
            [
                *("systemd-run", "--quiet", "--collect", f"--unit={UNIT}", f"--on-active={self._seconds}"),
                *("--timer-property=AccuracySec=100ms", f"--setenv=PATH={PATH}", "/bin/sh", "-c", restore),
            ]
        )

    def applied(self) -> None:
        """Note that the new rules hold from now on: only later connections count."""
        host.write(self._pending, f"{host.seconds_since_boot():.2f}\n", 0o600)

    def check_new_connection(self) -> None:
        """Raise FirewallError unless this process came by an ssh connection made under the new rules, or by no ssh."""
        if not self.pending:
            raise FirewallError(
                f"the new rules are gone: no new connection confirmed them within {self._seconds} s, "
                "so the earlier ones were put back; look at the sources of ssh, or raise confirm_within"
            )
        since, connected = float(host.read(self._pending)), host.ssh_session_start()
        if connected is not None and connected < since:
            raise FirewallError(
                "this is a connection from before the new rules, which proves nothing: confirm them by a new one"
            )

    def disarm(self) -> None:
        """Stop the timer and forget the earlier rules. Raises FirewallError when it was just too late."""
        run(["systemctl", "stop", f"{UNIT}.timer", f"{UNIT}.service"])
        if not self.pending:
            raise FirewallError("the earlier rules were put back in this very moment: run it again")
        self.clean()

    def clean(self) -> bool:
        """Remove everything that the guard keeps; tell whether there was anything."""
        existed = self._folder.exists()
        if existed:
            run(["systemctl", "stop", f"{UNIT}.timer", f"{UNIT}.service"])
            shutil.rmtree(self._folder)
        return existed
