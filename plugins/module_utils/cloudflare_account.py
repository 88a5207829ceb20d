# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load-balancing objects of one account and zone, read once and found by identity."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_errors import (
    AmbiguousError,
    CloudflareError,
)
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_names import IDENTIFIER, split

if TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_client import Client

    Record = dict[str, Any]

MONITOR, POOL, BALANCER = "monitor", "pool", "load_balancer"
TITLES = {MONITOR: "monitor", POOL: "pool", BALANCER: "load balancer"}
POST_TRIES = 3
# Before looking whether a POST without an answer had worked, seconds.
LOOK_PAUSE = 1.0


class Account:
    """Reads lists when first asked for, keeps them true while it writes."""

    def __init__(
        self, client: Client, account_id: str, zone: str | None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """`zone` is a name or an identifier. Raises CloudflareError for an account_id that is none."""
        if account_id and not IDENTIFIER.fullmatch(account_id):
            raise CloudflareError(f"account_id {account_id!r} is not an identifier of 32 hexadecimal digits")
        self.client = client
        self.account_id = account_id
        self.zone = zone
        self._zone_id = zone if zone and IDENTIFIER.fullmatch(zone) else None
        self._lists: dict[str, list[Record]] = {}
        self._sleep = sleep

    def path(self, kind: str) -> str:
        """The collection's path."""
        if kind == BALANCER:
            return f"/zones/{self.zone_id}/load_balancers"
        return f"/accounts/{self.account_id}/load_balancers/{kind}s"

    @property
    def zone_id(self) -> str:
        """The zone's identifier, looked up by name when needed."""
        if self._zone_id is None:
            if not self.zone:
                raise CloudflareError("zone is needed for load balancers: give the zone's name or identifier")
            query = {"name": self.zone}
            if self.account_id:
                query["account.id"] = self.account_id
            zones = self.client.get("/zones", **query)
            if not zones:
                raise CloudflareError(
                    f"zone {self.zone!r} is not in account {self.account_id}, or the token may not see it "
                    "(permission 'Zone > Zone: Read'): give the zone's identifier, or widen the token"
                )
            self._zone_id = str(zones[0]["id"])
        return self._zone_id

    def all(self, kind: str) -> list[Record]:
        """Every object of a kind."""
        if kind not in self._lists:
            self._lists[kind] = list(self.client.get(self.path(kind)) or [])
        return self._lists[kind]

    def forget(self, kind: str) -> None:
        """Read this kind's list again when it is next asked for."""
        self._lists.pop(kind, None)

    def find(self, kind: str, name: str, owner: str | None = None) -> Record | None:
        """The object of that name: a monitor by the mark in its description. Raises CloudflareError for twins."""
        found = [record for record in self.all(kind) if identity(kind, record, owner) == name]
        if len(found) > 1:
            ids = ", ".join(str(record["id"]) for record in found)
            raise CloudflareError(
                f"there are {len(found)} {TITLES[kind]}s called {name!r}: {ids}. "
                "Which one is meant cannot be told: delete all but one"
            )
        return found[0] if found else None

    def name_of(self, kind: str, identifier: str, owner: str | None = None) -> str:
        """The name of the object with that identifier; the identifier when it has none."""
        for record in self.all(kind):
            if record["id"] == identifier:
                return identity(kind, record, owner) or identifier
        return identifier

    def create(self, kind: str, body: Record, name: str, owner: str | None) -> Record:
        """POST an object; when it is not known whether that worked, look before posting again."""
        tries = 0
        while True:
            tries += 1
            try:
                record: Record = self.client.request("POST", self.path(kind), body)
            except AmbiguousError:
                self._sleep(LOOK_PAUSE)
                self.forget(kind)
                found = self.find(kind, name, owner)
                if found is not None:
                    return found
                if tries >= POST_TRIES:
                    raise
                continue
            self.all(kind).append(record)
            return record

    def change(self, kind: str, record: Record, fields: Record) -> Record:
        """PATCH some fields of an object."""
        path = f"{self.path(kind)}/{record['id']}"
        changed: Record = self.client.request("PATCH", path, fields)
        records = self.all(kind)
        records[:] = [changed if other["id"] == record["id"] else other for other in records]
        return changed

    def delete(self, kind: str, record: Record) -> None:
        """DELETE an object; one that is gone already counts as deleted."""
        try:
            self.client.request("DELETE", f"{self.path(kind)}/{record['id']}")
        except CloudflareError as error:
            if error.status != 404:
                raise
        records = self.all(kind)
        records[:] = [other for other in records if other["id"] != record["id"]]

    def referrers(self, kind: str, record: Record) -> list[Record]:
        """What uses a pool or monitor: records with resource_type, resource_id and resource_name."""
        found = self.client.get(f"{self.path(kind)}/{record['id']}/references") or []
        return [entry for entry in found if entry.get("reference_type") in ("referrer", "*")]

    def health_report(self, pool: Record) -> Record:
        """What each place finds of a pool's origins, by the places' names."""
        report = self.client.get(f"{self.path(POOL)}/{pool['id']}/health") or {}
        places: Record = report.get("pop_health") or {}
        return places

    def health(self, pool: Record) -> dict[str, bool]:
        """Of each origin's address whether most places that probe it find it healthy; unknown ones are left out."""
        return healthy_addresses(self.health_report(pool))


def healthy_addresses(places: Record) -> dict[str, bool]:
    """The majority of the places' findings about each address."""
    votes: dict[str, list[bool]] = {}
    for place in places.values():
        for entry in place.get("origins") or []:
            for address, details in entry.items():
                votes.setdefault(address, []).append(bool(details.get("healthy")))
    return {address: sum(given) * 2 > len(given) for address, given in votes.items()}


def identity(kind: str, record: Record, owner: str | None) -> str | None:
    """An object's name; a monitor has one only in its owner's mark."""
    if kind != MONITOR:
        return str(record["name"])
    tag = split(record.get("description"))[1]
    return tag.name if tag is not None and tag.owner == owner else None


def checked_owner(owner: str | None) -> str | None:
    """The owner, or CloudflareError when it could not be written into a mark."""
    if owner is not None and not re.fullmatch(r"[A-Za-z0-9._-]+", owner):
        raise CloudflareError(f"owner {owner!r} may hold only letters, digits, dot, dash and underscore")
    return owner
