# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cache rules of one owner among those of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_errors import CloudflareError
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_names import Tag, owner_of, split
from ansible_collections.meridian.geokube.plugins.module_utils.ensure import canonical

if TYPE_CHECKING:
    from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_account import Account

    Record = dict[str, Any]

PHASE = "http_request_cache_settings"
_COMPARED = ("description", "expression", "enabled", "action", "action_parameters")
_KEPT = (*_COMPARED, "id", "ref")


class CacheRules:
    """The cache phase of a zone."""

    def __init__(self, account: Account, owner: str, check_mode: bool) -> None:
        self.account, self.owner, self.check_mode = account, owner, check_mode
        self.path = f"/zones/{account.zone_id}/rulesets/phases/{PHASE}/entrypoint"

    def all(self) -> list[Record]:
        """Every rule of the phase; none as long as nobody made one."""
        try:
            found = self.account.client.get(self.path) or {}
        except CloudflareError as error:
            if error.status != 404:
                raise
            found = {}
        return list(found.get("rules") or [])

    def ensure(self, wanted: list[Record]) -> Record:
        """Make the owner's rules these, in this order, after those of others."""
        names = [rule["name"] for rule in wanted]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise CloudflareError(f"rules: {', '.join(twice)} is given more than once")
        current = self.all()
        others = [rule for rule in current if owner_of(rule) != self.owner]
        known = {self._name(rule): rule for rule in current if owner_of(rule) == self.owner}
        after = [*others, *(self._rule(rule, known.get(rule["name"])) for rule in wanted)]
        changed = [_shown(rule) for rule in current] != [_shown(rule) for rule in after]
        result = current
        if changed:
            result = after
            if not self.check_mode:
                body = {"rules": [{key: rule[key] for key in _KEPT if key in rule} for rule in after]}
                result = list((self.account.client.request("PUT", self.path, body) or {}).get("rules") or [])
        diff = {"before": {"rules": [_shown(rule) for rule in current]}, "after": {"rules": [_shown(r) for r in after]}}
        return {"changed": changed, "rules": result, "diff": diff}

    @staticmethod
    def _name(rule: Record) -> str:
        tag = split(rule.get("description"))[1]
        return tag.name if tag else ""

    def _rule(self, wanted: Record, current: Record | None) -> Record:
        made = {
            "action": "set_cache_settings",
            "expression": " ".join(wanted["expression"].split()),
            "enabled": wanted["enabled"],
            "action_parameters": wanted["action_parameters"],
            "description": Tag(self.owner, wanted["name"]).on(""),
        }
        if current is not None:
            made.update({key: current[key] for key in ("id", "ref") if key in current})
        return made


def _shown(rule: Record) -> Any:
    return canonical({key: rule.get(key) for key in _COMPARED})
