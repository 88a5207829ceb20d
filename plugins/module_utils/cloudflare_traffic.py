# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings monitors, pools and load balancers to what is wanted, in the order that keeps users served."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_account import (
    BALANCER,
    MONITOR,
    POOL,
    TITLES,
    identity,
)
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_errors import CloudflareError, RefusedError
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_names import (
    IDENTIFIER,
    Tag,
    owner_of,
    pools_of,
    renamed,
    split,
    without_pool,
)
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_shapes import (
    LOAD_BALANCER,
    monitor_shapes,
    writable,
)
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_shapes import POOL as POOL_SHAPES
from ansible_collections.meridian.geokube.plugins.module_utils.ensure import Difference, difference

if TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_account import Account
    from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_guards import Guards
    from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_wishes import Wishes

    Record = dict[str, Any]


@dataclass
class Report:
    """What was done, and each touched object before and after ("pool devfest-au": {...})."""

    actions: list[Record] = field(default_factory=list)
    before: Record = field(default_factory=dict)
    after: Record = field(default_factory=dict)

    def note(self, kind: str, name: str, action: str, found: Difference) -> None:
        """Keep one change."""
        self.actions.append({"kind": kind, "name": name, "action": action, "fields": sorted(found.send)})
        title = f"{kind} {name}"
        self.before.setdefault(title, found.before)
        self.after[title] = found.after


class Reconciler:
    """One run over one account."""

    def __init__(
        self, account: Account, wishes: Wishes, guards: Guards, warn: Callable[[str], None] = lambda text: None
    ) -> None:
        self.account, self.wishes, self.guards, self.warn = account, wishes, guards, warn
        self.check_mode = guards.check_mode
        self.report = Report()
        self._fresh_pools: list[Record] = []

    def present(self) -> Report:
        """Create and change what is wanted; then, with prune, remove what else the owner has."""
        self._check_references()
        for monitor in self.wishes.monitors:
            self._ensure(MONITOR, monitor["name"], monitor, monitor_shapes(self._monitor_type(monitor)))
        for pool in self.wishes.pools:
            self._pool(pool)
        self._wait_healthy()
        surplus = self._surplus() if self.wishes.prune else []
        self._rest(surplus)
        for balancer in self.wishes.load_balancers:
            self._balancer(balancer)
        self._remove(surplus)
        return self.report

    def absent(self) -> Report:
        """Delete what is named: balancers, pools, monitors."""
        named = ((BALANCER, self.wishes.load_balancers), (POOL, self.wishes.pools), (MONITOR, self.wishes.monitors))
        found = [
            (kind, record)
            for kind, objects in named
            for one in objects
            if (record := self.account.find(kind, one["name"], self.wishes.owner)) is not None
        ]
        for kind, record in found:
            self._check_owner(kind, record)
        self._rest(found)
        self._remove(found)
        return self.report

    def _monitor_type(self, monitor: Record) -> str:
        current = self.account.find(MONITOR, monitor["name"], self.wishes.owner) or {}
        return str(monitor.get("type") or current.get("type") or "http")

    def _check_references(self) -> None:
        for pool in self.wishes.pools:
            if pool.get("monitor"):
                self._check_reference(MONITOR, pool["monitor"], f"pools[{pool['name']}].monitor", self.wishes.monitors)
        for balancer in self.wishes.load_balancers:
            for name in pools_of(balancer):
                self._check_reference(POOL, name, f"load_balancers[{balancer['name']}]", self.wishes.pools)

    def _check_reference(self, kind: str, name: str, where: str, wanted: list[Record]) -> None:
        if any(one["name"] == name for one in wanted) or (kind == MONITOR and IDENTIFIER.fullmatch(name)):
            return
        known = {str(record["id"]) for record in self.account.all(kind)}
        names = {found for one in self.account.all(kind) if (found := identity(kind, one, self.wishes.owner))}
        if name not in known | names:
            there = ", ".join(sorted(names | {str(one["name"]) for one in wanted})) or "none"
            raise CloudflareError(
                f"{where}: there is no {TITLES[kind]} {name!r} in account {self.account.account_id}; "
                f"the {TITLES[kind]}s are {there}: create it first, or name it in the same task"
            )

    def _check_owner(self, kind: str, record: Record) -> None:
        owner = owner_of(record)
        if owner is not None and self.wishes.owner is not None and owner != self.wishes.owner and not self.wishes.force:
            raise RefusedError(
                f"{TITLES[kind]} {identity(kind, record, owner)} belongs to owner {owner!r}, not to "
                f"{self.wishes.owner!r}: choose another name, or set force to take it over"
            )

    def shown(self, kind: str, record: Record) -> Record:
        """An object as diffs show it: without what the server adds, with names where it has identifiers."""
        view = writable(record)
        if kind == BALANCER:
            return renamed(view, lambda pool: self.account.name_of(POOL, pool))
        if kind == POOL and view.get("monitor"):
            view["monitor"] = self._monitor_name(view["monitor"])
        return view

    def _monitor_name(self, monitor: str) -> str:
        by_name = self.wishes.monitors or any(
            not IDENTIFIER.fullmatch(pool.get("monitor") or "0" * 32) for pool in self.wishes.pools
        )
        return self.account.name_of(MONITOR, monitor, self.wishes.owner) if by_name else monitor

    def _compared(self, kind: str, name: str, wanted: Record, shapes: Any) -> tuple[Record | None, Difference]:
        current = self.account.find(kind, name, self.wishes.owner)
        if current is not None:
            self._check_owner(kind, current)
        wanted = {key: value for key, value in wanted.items() if kind != MONITOR or key != "name"}
        text, mark = split(current.get("description") if current else "")
        tag = Tag(self.wishes.owner, name) if self.wishes.owner else mark
        if tag is not None:
            wanted["description"] = tag.on(wanted.get("description", text))
        if kind == POOL and wanted.get("monitor"):
            wanted["monitor"] = self._monitor_name(wanted["monitor"])
        if kind == BALANCER:
            wanted = renamed(wanted, lambda pool: self.account.name_of(POOL, pool))
        view = None if current is None else self.shown(kind, current)
        return current, difference(view, wanted, shapes)

    def _ensure(self, kind: str, name: str, wanted: Record, shapes: Any) -> None:
        current, found = self._compared(kind, name, wanted, shapes)
        self._apply(kind, name, current, found)
        if current is None and not self.check_mode:
            # After an answer that got lost, what is found may be another's older object of that name.
            current, rest = self._compared(kind, name, wanted, shapes)
            if current is not None and rest.needed:
                self.account.change(kind, current, self._sendable(kind, rest.send))

    def _apply(self, kind: str, name: str, current: Record | None, found: Difference) -> Record | None:
        if not found.needed:
            return current
        self.report.note(kind, name, "update" if current else "create", found)
        if self.check_mode:
            return current
        body = self._sendable(kind, found.send)
        if current is None:
            return self.account.create(kind, body, name, self.wishes.owner)
        return self.account.change(kind, current, body)

    def _sendable(self, kind: str, fields: Record) -> Record:
        if kind == BALANCER:
            return renamed(fields, lambda pool: self._identifier(POOL, pool))
        if kind == POOL and fields.get("monitor"):
            return dict(fields, monitor=self._identifier(MONITOR, fields["monitor"]))
        return fields

    def _identifier(self, kind: str, name: str) -> str:
        record = None if IDENTIFIER.fullmatch(name) else self.account.find(kind, name, self.wishes.owner)
        return name if record is None else str(record["id"])

    def _pool(self, wanted: Record) -> None:
        name = wanted["name"]
        current, found = self._compared(POOL, name, wanted, POOL_SHAPES)
        if current is None:
            if "origins" not in wanted:
                raise CloudflareError(f"pools[{name}].origins is needed: the pool does not exist yet")
            self._ensure(POOL, name, wanted, POOL_SHAPES)
        else:
            if "origins" in found.send or found.send.get("enabled") is False:
                self._keep_users(current, found)
            self._apply(POOL, name, current, found)
        if found.needed and not self.check_mode and ("origins" in found.send or "monitor" in found.send):
            record = self.account.find(POOL, name)
            self._fresh_pools += [record] if record else []

    def _keep_users(self, current: Record, found: Difference) -> None:
        """Bring new origins in, then take old ones out of service, before the pool gets its final form."""
        after = dict(current, **found.send)
        if after.get("enabled", True) is False:
            if current.get("enabled", True):
                self.guards.pool_may_rest(current)
            return
        wanted = after["origins"]
        names = {origin["name"] for origin in wanted}
        places = {origin["address"] for origin in wanted}
        old = writable(current)["origins"]
        leaving = [origin for origin in old if origin["name"] not in names and origin["address"] not in places]
        enabled = {origin["address"] for origin in old if origin.get("enabled", True)}
        staying = {origin["address"] for origin in wanted if origin.get("enabled", True)}
        if not enabled - staying or not self.guards.users_of(current):
            return
        if leaving and not self.check_mode:
            if places - {origin["address"] for origin in old}:
                self.account.change(POOL, current, {"origins": [*wanted, *leaving]})
            if self.wishes.wait_healthy:
                self.guards.wait_healthy([dict(current, origins=wanted)], self.wishes.wait_healthy)
        self.guards.pool_keeps_enough(current, after)
        if leaving and not self.check_mode:
            resting = [dict(origin, enabled=False) for origin in leaving]
            self.account.change(POOL, current, {"origins": [*wanted, *resting]})
            self.guards.sleep(self.wishes.drain_seconds)

    def _wait_healthy(self) -> None:
        """Before users are sent there: new pools, every pool of a new balancer, and those that are known to be sick."""
        if self.check_mode or not self.wishes.wait_healthy or not self.wishes.load_balancers:
            return
        found = [self.account.find(POOL, one["name"]) for one in self.wishes.pools]
        pools = [pool for pool in found if pool is not None and pool.get("monitor")]
        new = {pool["id"] for pool in self._fresh_pools}
        if any(self.account.find(BALANCER, one["name"]) is None for one in self.wishes.load_balancers):
            new = {pool["id"] for pool in pools}
        watched = [pool for pool in pools if pool["id"] in new or pool.get("healthy") is False]
        if not watched:
            return
        sick = self.guards.wait_healthy(watched, self.wishes.wait_healthy)
        names = ", ".join(pool["name"] for pool in sick)
        if new and len(sick) == len(self.wishes.pools) and not self.wishes.force:
            raise RefusedError(
                f"none of the pools ({names}) became healthy within wait_healthy ({self.wishes.wait_healthy:.0f} s): "
                "look at cloudflare_load_balancing_info with health, or set force"
            )
        if sick:
            self.warn(f"not healthy after {self.wishes.wait_healthy:.0f} s: {names}")

    def _balancer(self, wanted: Record) -> None:
        name = wanted["name"]
        current, found = self._compared(BALANCER, name, wanted, LOAD_BALANCER)
        if current is None:
            for option in ("default_pools", "fallback_pool"):
                if not wanted.get(option):
                    raise CloudflareError(f"load_balancers[{name}].{option} is needed: it does not exist yet")
            self._ensure(BALANCER, name, wanted, LOAD_BALANCER)
            return
        if found.needed:
            before = self.shown(BALANCER, current)
            self.guards.balancer_keeps_one(name, pools_of(before), pools_of(dict(before, **found.send)))
        self._apply(BALANCER, name, current, found)

    def _surplus(self) -> list[tuple[str, Record]]:
        """What carries the owner's mark and is not wanted, in the order of deletion."""
        wanted = (
            (BALANCER, self.wishes.load_balancers if self.account.zone else None),
            (POOL, self.wishes.pools),
            (MONITOR, self.wishes.monitors),
        )
        return [
            (kind, record)
            for kind, objects in wanted
            if objects is not None
            for record in self.account.all(kind)
            if owner_of(record) == self.wishes.owner
            and identity(kind, record, self.wishes.owner) not in {one["name"] for one in objects}
        ]

    def _rest(self, surplus: list[tuple[str, Record]]) -> None:
        """Take pools that will be deleted out of service, and let what they serve come to its end."""
        balancers = {record["id"] for kind, record in surplus if kind == BALANCER}
        resting = []
        for kind, record in surplus:
            if kind != POOL or not record.get("enabled", True):
                continue
            users = [user for user in self.guards.users_of(record) if user["resource_id"] not in balancers]
            if not users:
                continue
            self._check_unused(record, users)
            self.guards.pool_may_rest(record)
            resting.append(record)
        if resting and not self.check_mode:
            for record in resting:
                self.account.change(POOL, record, {"enabled": False})
            self.guards.sleep(self.wishes.drain_seconds)

    def _check_unused(self, pool: Record, users: list[Record]) -> None:
        changed = {str(balancer["name"]): balancer for balancer in self.wishes.load_balancers}
        keeping = [
            str(user["resource_name"])
            for user in users
            if user["resource_name"] not in changed
            or pool["name"] in pools_of(self._after(changed[str(user["resource_name"])]))
        ]
        if keeping and not self.wishes.force:
            raise RefusedError(
                f"pool {pool['name']} is used by load balancer {', '.join(keeping)}: take it out there first, "
                "or set force to have it taken out"
            )

    def _after(self, wanted: Record) -> Record:
        current = self.account.find(BALANCER, wanted["name"])
        before = self.shown(BALANCER, current) if current else {}
        return dict(before, **renamed(wanted, lambda pool: self.account.name_of(POOL, pool)))

    def _remove(self, records: list[tuple[str, Record]]) -> None:
        for kind, record in records:
            name = identity(kind, record, self.wishes.owner) or str(record["id"])
            view = self.shown(kind, record)
            if not self.check_mode:
                self._free(kind, record, name)
                self.account.delete(kind, record)
            elif kind != BALANCER:
                self._check_free(kind, record, name, records)
            self.report.note(kind, name, "delete", Difference({}, view, {}))

    def _check_free(self, kind: str, record: Record, name: str, records: list[tuple[str, Record]]) -> None:
        going = {entry[1]["id"] for entry in records}
        changed = {balancer["name"] for balancer in self.wishes.load_balancers}
        left = [
            user
            for user in self.account.referrers(kind, record)
            if user["resource_id"] not in going and user["resource_name"] not in changed
        ]
        self._refuse(kind, name, left)

    def _refuse(self, kind: str, name: str, users: list[Record]) -> None:
        if users and not self.wishes.force:
            text = ", ".join(f"{user['resource_type'].replace('_', ' ')} {user['resource_name']}" for user in users)
            raise RefusedError(
                f"{TITLES[kind]} {name} is used by {text}: change that first, or set force to have it taken out there"
            )

    def _free(self, kind: str, record: Record, name: str) -> None:
        """Ask who still uses a pool or monitor; refuse, or with force take it out there."""
        users = [] if kind == BALANCER else self.account.referrers(kind, record)
        self._refuse(kind, name, users)
        for user in users:
            self._detach(kind, record, user)

    def _detach(self, kind: str, record: Record, user: Record) -> None:
        if kind == MONITOR:
            pool = next(one for one in self.account.all(POOL) if one["id"] == user["resource_id"])
            self.account.change(POOL, pool, {"monitor": ""})
            return
        balancers = self.account.all(BALANCER) if self.account.zone else []
        balancer = next((one for one in balancers if one["id"] == user["resource_id"]), None)
        fields = without_pool(balancer, record["id"]) if balancer else {}
        if balancer is None or fields.get("default_pools") == [] or fields.get("fallback_pool") == "":
            raise RefusedError(
                f"pool {record['name']} cannot be taken out of load balancer {user['resource_name']}: "
                + ("it is the only one there" if balancer else "it is in another zone, give that zone")
            )
        before = self.shown(BALANCER, balancer)
        changed = self.account.change(BALANCER, balancer, fields)
        self.report.note(
            BALANCER, balancer["name"], "update", Difference(fields, before, self.shown(BALANCER, changed))
        )
