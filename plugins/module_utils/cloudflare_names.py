# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who owns an object, and pools called by name where the API wants identifiers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Record = dict[str, Any]

IDENTIFIER = re.compile(r"[0-9a-f]{32}")
OWNER = re.compile(r"[A-Za-z0-9._-]+")
_TAG = re.compile(r"\s*\[geokube:(?P<owner>[A-Za-z0-9._-]+)/(?P<name>[^\]]+)\]\s*$")
_MAPS = ("region_pools", "country_pools", "pop_pools")


@dataclass(frozen=True)
class Tag:
    """The mark at the end of a description: whose object it is, and its name where the API knows none."""

    owner: str
    name: str

    def on(self, text: str) -> str:
        """A description with this mark."""
        return f"{text} [geokube:{self.owner}/{self.name}]".strip()


def split(description: str | None) -> tuple[str, Tag | None]:
    """The text of a description without its mark, and the mark."""
    found = _TAG.search(description or "")
    if not found:
        return description or "", None
    return (description or "")[: found.start()], Tag(found["owner"], found["name"])


def owner_of(record: Record) -> str | None:
    """The owner that an object's description names."""
    tag = split(record.get("description"))[1]
    return tag.owner if tag else None


def renamed(balancer: Record, rename: Callable[[str], str]) -> Record:
    """A copy of a load balancer in which every reference to a pool went through `rename`."""
    result = _renamed_part(balancer, rename)
    if balancer.get("rules"):
        result["rules"] = [
            dict(rule, overrides=_renamed_part(rule.get("overrides") or {}, rename)) for rule in balancer["rules"]
        ]
    if balancer.get("pool_sets"):
        result["pool_sets"] = [_renamed_set(entry, rename) for entry in balancer["pool_sets"]]
    return result


def _renamed_part(part: Record, rename: Callable[[str], str]) -> Record:
    result = dict(part)
    if part.get("default_pools"):
        result["default_pools"] = [rename(pool) for pool in part["default_pools"]]
    if part.get("fallback_pool"):
        result["fallback_pool"] = rename(part["fallback_pool"])
    for name in _MAPS:
        if part.get(name):
            result[name] = {code: [rename(pool) for pool in pools] for code, pools in part[name].items()}
    steering = part.get("random_steering") or {}
    if steering.get("pool_weights"):
        weights = {rename(pool): weight for pool, weight in steering["pool_weights"].items()}
        result["random_steering"] = dict(steering, pool_weights=weights)
    return result


def _renamed_set(entry: Record, rename: Callable[[str], str]) -> Record:
    overrides = dict(entry.get("overrides") or {})
    if overrides.get("pools"):
        overrides["pools"] = [rename(pool) for pool in overrides["pools"]]
    if overrides.get("fallback_pool"):
        overrides["fallback_pool"] = rename(overrides["fallback_pool"])
    if overrides.get("pool_weights"):
        overrides["pool_weights"] = {rename(pool): weight for pool, weight in overrides["pool_weights"].items()}
    return dict(entry, overrides=overrides)


def pools_of(balancer: Record) -> Iterator[str]:
    """Every pool that a load balancer names, each once, in order of appearance."""
    found: list[str] = []

    def note(pool: str) -> str:
        found.append(pool)
        return pool

    renamed(balancer, note)
    yield from dict.fromkeys(found)


def without_pool(balancer: Record, pool: str) -> Record:
    """The fields of a load balancer that change when a pool is taken out of it."""
    changed: Record = {}
    rest = [other for other in balancer["default_pools"] if other != pool]
    if rest != balancer["default_pools"]:
        changed["default_pools"] = rest
    if balancer["fallback_pool"] == pool:
        changed["fallback_pool"] = next(iter(rest), "")
    for name in _MAPS:
        table = {
            code: [other for other in pools if other != pool] for code, pools in (balancer.get(name) or {}).items()
        }
        if table != (balancer.get(name) or {}):
            changed[name] = {code: pools for code, pools in table.items() if pools}
    steering = balancer.get("random_steering") or {}
    if pool in (steering.get("pool_weights") or {}):
        weights = {other: weight for other, weight in steering["pool_weights"].items() if other != pool}
        changed["random_steering"] = dict(steering, pool_weights=weights)
    return changed
