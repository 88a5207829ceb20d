# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted of an account's load balancing, checked before anything is asked or changed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_account import checked_owner
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_errors import CloudflareError
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_shapes import REGIONS
from ansible_collections.meridian.geokube.plugins.module_utils.ensure import given

if TYPE_CHECKING:
    Record = dict[str, Any]

POOL_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass
class Wishes:
    """Objects as the options give them, without what was left out; times in seconds."""

    owner: str | None = None
    monitors: list[Record] = field(default_factory=list)
    pools: list[Record] = field(default_factory=list)
    load_balancers: list[Record] = field(default_factory=list)
    prune: bool = False
    force: bool = False
    drain_seconds: float = 15.0
    wait_healthy: float = 0.0

    def __post_init__(self) -> None:
        """Raises CloudflareError that names the option and the object."""
        checked_owner(self.owner)
        self.monitors = [given(monitor) for monitor in self.monitors]
        self.pools = [given(pool) for pool in self.pools]
        self.load_balancers = [_automatic(given(balancer)) for balancer in self.load_balancers]
        for option, objects in (
            ("monitors", self.monitors),
            ("pools", self.pools),
            ("load_balancers", self.load_balancers),
        ):
            _once(option, [str(one["name"]) for one in objects])
        if (self.monitors or self.prune) and not self.owner:
            raise CloudflareError("owner is needed: monitors are recognised and objects are pruned by it")
        for monitor in self.monitors:
            _check_monitor(monitor)
        for pool in self.pools:
            _check_pool(pool)
        for balancer in self.load_balancers:
            _check_balancer(balancer)


def _automatic(balancer: Record) -> Record:
    # An empty policy leaves the choice to Cloudflare, so there is nothing to compare.
    if balancer.get("steering_policy") == "":
        del balancer["steering_policy"]
    balancer["name"] = str(balancer["name"]).lower().rstrip(".")
    if balancer.get("rules"):
        balancer["rules"] = _as_the_server_completes_them(balancer["rules"])
    return balancer


def _as_the_server_completes_them(rules: list[Record]) -> list[Record]:
    # A fixed response ends the evaluation, and without any priority the order in the list gives it.
    completed = [dict(rule, terminates=True) if rule.get("fixed_response") else dict(rule) for rule in rules]
    if not any("priority" in rule for rule in rules):
        completed = [dict(rule, priority=number) for number, rule in enumerate(completed)]
    return completed


def _once(option: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CloudflareError(f"{option}: {', '.join(twice)} is given more than once")


def _check_monitor(monitor: Record) -> None:
    if not re.fullmatch(r"[^\[\]\s](?:[^\[\]]*[^\[\]\s])?", monitor["name"]):
        raise CloudflareError(f"monitors[{monitor['name']}].name must not be empty nor hold square brackets")
    if monitor.get("type") == "tcp" and not monitor.get("port"):
        raise CloudflareError(f"monitors[{monitor['name']}].port is needed for type tcp")


def _check_pool(pool: Record) -> None:
    where = f"pools[{pool['name']}]"
    if not POOL_NAME.fullmatch(pool["name"]):
        raise CloudflareError(f"{where}.name may hold only letters, digits, dash and underscore")
    if ("latitude" in pool) != ("longitude" in pool):
        raise CloudflareError(f"{where}: latitude and longitude must be given together")
    if "origins" not in pool:
        return
    if not pool["origins"]:
        raise CloudflareError(f"{where}.origins: a pool needs at least one origin")
    for key in ("name", "address"):
        _once(f"{where}.origins.{key}", [str(origin[key]) for origin in pool["origins"]])
    for origin in pool["origins"]:
        weight = origin.get("weight", 1)
        if not 0 <= weight <= 1 or abs(weight * 100 - round(weight * 100)) > 1e-9:
            raise CloudflareError(f"{where}.origins[{origin['name']}].weight is not a hundredth between 0 and 1")


def _check_balancer(balancer: Record) -> None:
    where = f"load_balancers[{balancer['name']}]"
    if "default_pools" in balancer and not balancer["default_pools"]:
        raise CloudflareError(f"{where}.default_pools: at least one pool is needed")
    if balancer.get("proxied") and balancer.get("ttl"):
        raise CloudflareError(f"{where}.ttl applies only when proxied is false")
    for code in balancer.get("region_pools", {}):
        if code not in REGIONS:
            raise CloudflareError(f"{where}.region_pools: {code!r} is no region; the regions are {', '.join(REGIONS)}")
    for code in balancer.get("country_pools", {}):
        if not re.fullmatch(r"[A-Z]{2}", code):
            raise CloudflareError(f"{where}.country_pools: {code!r} is no country code such as AU")
    for table in ("region_pools", "country_pools", "pop_pools"):
        for code, pools in balancer.get(table, {}).items():
            if not isinstance(pools, list) or not pools or not all(isinstance(pool, str) for pool in pools):
                raise CloudflareError(f"{where}.{table}.{code}: a list of pools is needed, leave the key out for none")
