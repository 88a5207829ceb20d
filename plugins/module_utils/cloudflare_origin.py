# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One origin of a pool that others manage: read the pool, change this origin, look whether it stayed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_account import POOL
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_errors import CloudflareError, RefusedError
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_shapes import ORIGIN, writable
from ansible_collections.meridian.geokube.plugins.module_utils.ensure import Difference, difference, given

if TYPE_CHECKING:
    from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_account import Account
    from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_guards import Guards

    Record = dict[str, Any]

TRIES = 5
# The API has no compare-and-swap, so two writers at one moment can undo each other: look again after this, seconds.
SETTLE = 0.5
LOOKS = 40


class PoolOrigin:
    """Brings one origin of one pool to what is wanted."""

    def __init__(self, account: Account, guards: Guards, pool: str, drain_seconds: float) -> None:
        """`pool` is a name or an identifier."""
        self.account, self.guards, self.drain_seconds = account, guards, drain_seconds
        self.name = pool

    def pool(self) -> Record:
        """The pool as it is now; CloudflareError when there is none."""
        for record in self.account.all(POOL):
            if self.name in (record["id"], record["name"]):
                return record
        names = ", ".join(sorted(str(record["name"]) for record in self.account.all(POOL))) or "none"
        raise CloudflareError(
            f"there is no pool {self.name!r} in account {self.account.account_id}; the pools are {names}: "
            "create it with cloudflare_load_balancer_pool or cloudflare_traffic"
        )

    def present(self, wanted: Record) -> Difference:
        """Add or change the origin."""
        wanted = given(wanted)
        found = self._compared(wanted)
        if found.needed and not self.guards.check_mode:
            self._write(wanted)
        return found

    def absent(self, name: str) -> Difference:
        """Drain and remove the origin."""
        pool = self.pool()
        current = _origin(pool, name)
        if current is None:
            return Difference()
        rest = [origin for origin in writable(pool)["origins"] if origin["name"] != name]
        if not rest:
            raise RefusedError(
                f"origin {name} is the only one of pool {pool['name']}, and a pool needs one: delete the pool"
            )
        used = bool(current.get("enabled", True)) and bool(self.guards.users_of(pool))
        if used:
            self.guards.pool_keeps_enough(pool, dict(pool, origins=rest))
        if not self.guards.check_mode:
            if used:
                self.account.change(POOL, pool, {"origins": [*rest, dict(current, enabled=False)]})
                self.guards.sleep(self.drain_seconds)
            self._remove(name)
        return Difference({"name": name}, current, {})

    def _compared(self, wanted: Record) -> Difference:
        return difference(_origin(self.pool(), wanted["name"]), wanted, ORIGIN)

    def _write(self, wanted: Record) -> None:
        for attempt in range(TRIES):
            self._step_aside(attempt)
            pool = self.pool()
            origins = writable(pool)["origins"]
            current = _origin(pool, wanted["name"])
            found = difference(current, wanted, ORIGIN)
            if not found.needed:
                return
            changed = dict(current or {}, **found.send)
            others = [origin for origin in origins if origin["name"] != wanted["name"]]
            after = dict(pool, origins=[*others, changed])
            if current is not None and self.guards.users_of(pool):
                self.guards.pool_keeps_enough(pool, after)
            self._settle(self.account.change(POOL, pool, {"origins": after["origins"]}))
        raise CloudflareError(
            f"pool {self.name}: another writer took origin {wanted['name']} out again {TRIES} times: "
            "let one host at a time register (throttle: 1)"
        )

    def _remove(self, name: str) -> None:
        for attempt in range(TRIES):
            self._step_aside(attempt)
            pool = self.pool()
            rest = [origin for origin in writable(pool)["origins"] if origin["name"] != name]
            if _origin(pool, name) is None:
                return
            self._settle(self.account.change(POOL, pool, {"origins": rest}))
        raise CloudflareError(f"pool {self.name}: another writer put origin {name} back {TRIES} times")

    def _step_aside(self, attempt: int) -> None:
        """Let others write first, and only then read: what is read is written at once."""
        if attempt:
            self.guards.sleep(random.uniform(0, 2 * SETTLE))
            self.account.forget(POOL)

    def _settle(self, written: Record) -> None:
        """Wait until the pool stays as it is: while others write, one of them may still hold what it read before."""
        for _look in range(LOOKS):
            before = writable(written)["origins"]
            self.guards.sleep(SETTLE)
            self.account.forget(POOL)
            written = self.pool()
            if writable(written)["origins"] == before:
                return


def _origin(pool: Record, name: str) -> Record | None:
    return next((origin for origin in writable(pool)["origins"] if origin["name"] == name), None)
