# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps users served while pools and balancers change."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_account import BALANCER, POOL
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_errors import RefusedError
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_names import pools_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_account import Account

    Record = dict[str, Any]

POLL = 2.0


class Guards:
    """Refuses what would leave users without a healthy origin; unknown health counts as unhealthy."""

    def __init__(
        self,
        account: Account,
        force: bool = False,
        check_mode: bool = False,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.account = account
        self.force = force
        self.check_mode = check_mode
        self.sleep = sleep
        self.clock = clock

    def users_of(self, pool: Record) -> list[Record]:
        """The load balancers that use a pool, as reference records."""
        return [entry for entry in self.account.referrers(POOL, pool) if entry.get("resource_type") == BALANCER]

    def healthy(self, pool: Record) -> bool:
        """Whether a pool is enabled and has as many healthy origins as it needs."""
        if not pool.get("enabled", True):
            return False
        health = self.account.health(pool)
        count = sum(bool(health.get(origin["address"])) for origin in pool["origins"] if origin.get("enabled", True))
        return count >= needed(pool)

    def pool_keeps_enough(self, current: Record, after: Record) -> None:
        """Refuse a change of origins that takes a healthy one away and leaves too few."""
        if self.force:
            return
        health = self.account.health(current)
        kept = addresses(after)
        lost = sorted(address for address in addresses(current) - kept if health.get(address))
        # What does not exist yet cannot be healthy yet: the real run waits for it before it takes anything away.
        new = kept - addresses(current) if self.check_mode else set()
        count = len([address for address in kept if health.get(address) or address in new])
        if lost and count < needed(after):
            raise RefusedError(
                f"pool {current['name']}: without {', '.join(lost)} it would have {count} healthy of "
                f"{needed(after)} needed origins: wait until others are healthy, or set force"
            )

    def pool_may_rest(self, current: Record) -> None:
        """Refuse to disable a pool that is the last healthy one of a load balancer."""
        if self.force:
            return
        for user in self.users_of(current):
            balancer = self._balancer(user, f"pool {current['name']}")
            rest = [pool for pool in self._records(pools_of(balancer)) if pool["id"] != current["id"]]
            self._keep_one(balancer["name"], [current], rest)

    def balancer_keeps_one(self, name: str, before: Iterable[str], after: Iterable[str]) -> None:
        """Refuse to take the last healthy pool from a load balancer; pools are given by identifier or name."""
        kept = set(after)
        gone = [pool for pool in before if pool not in kept]
        if gone and not self.force:
            self._keep_one(name, self._records(gone), self._records(kept))

    def _keep_one(self, balancer: str, gone: list[Record], kept: list[Record]) -> None:
        if any(self.healthy(pool) for pool in kept):
            return
        healthy = [pool["name"] for pool in gone if self.healthy(pool)]
        if healthy:
            rest = ", ".join(pool["name"] for pool in kept) or "none"
            raise RefusedError(
                f"load balancer {balancer}: {', '.join(healthy)} is its last healthy pool (the others: {rest}); "
                "make another pool healthy first, or set force"
            )

    def _balancer(self, user: Record, what: str) -> Record:
        if self.account.zone:
            for balancer in self.account.all(BALANCER):
                if balancer["id"] == user["resource_id"]:
                    return balancer
        raise RefusedError(
            f"{what} is used by load balancer {user.get('resource_name')}, whose other pools cannot be seen from here: "
            "give its zone, or set force"
        )

    def _records(self, pools: Iterable[str]) -> list[Record]:
        wanted = set(pools)
        return [pool for pool in self.account.all(POOL) if pool["id"] in wanted or pool["name"] in wanted]

    def wait_healthy(self, pools: list[Record], seconds: float) -> list[Record]:
        """Wait until all of these pools are healthy; give those that are not when the time is over."""
        end = self.clock() + seconds
        waiting = pools
        while True:
            waiting = [pool for pool in waiting if not self.healthy(pool)]
            if not waiting or self.clock() >= end:
                return waiting
            self.sleep(POLL)


def needed(pool: Record) -> int:
    """How many healthy origins a pool needs."""
    minimum = pool.get("minimum_origins")
    return max(1, 1 if minimum is None else int(minimum))


def addresses(pool: Record) -> set[str]:
    """The addresses of the origins that take part."""
    return {origin["address"] for origin in pool.get("origins") or [] if origin.get("enabled", True)}
