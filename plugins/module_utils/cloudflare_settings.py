# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a zone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_errors import CloudflareError

if TYPE_CHECKING:
    from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_account import Account

    Record = dict[str, Any]


class ZoneSettings:
    """The settings of a zone, asked for one by one."""

    def __init__(self, account: Account, check_mode: bool) -> None:
        self.account, self.check_mode = account, check_mode
        self.path = f"/zones/{account.zone_id}/settings"

    def ensure(self, wanted: Record) -> Record:
        """Bring the settings named to their values; all are read before the first is written."""
        if not wanted:
            raise CloudflareError("settings is empty: name at least one setting with its value, such as ssl: strict")
        strange = sorted(name for name in wanted if not re.fullmatch("[0-9a-z_]+", name))
        if strange:
            raise CloudflareError(f"settings: {', '.join(strange)} is no name of a setting")
        empty = sorted(name for name in wanted if wanted[name] is None)
        if empty:
            raise CloudflareError(f"settings: {', '.join(empty)} has no value: give one or leave it out")
        found = {name: self.account.client.get(f"{self.path}/{name}") or {} for name in sorted(wanted)}
        before = {name: one.get("value") for name, one in found.items()}
        after = {name: _as(before[name], wanted[name]) for name in before}
        changes = [name for name in before if before[name] != after[name]]
        fixed = [name for name in changes if found[name].get("editable") is False]
        if fixed:
            raise CloudflareError(f"settings: {', '.join(fixed)} cannot be changed on this zone's plan: leave it out")
        for name in [] if self.check_mode else changes:
            self.account.client.request("PATCH", f"{self.path}/{name}", {"value": after[name]})
        told = {"settings": after, "previous": before, "diff": {"before": before, "after": after}}
        return {"changed": bool(changes), **told}


def _as(known: Any, wanted: Any) -> Any:
    """The wanted value in the type of the known one: templates give texts for numbers, YAML gives true for on.

    What a value of several parts does not name of them stays.
    """
    if isinstance(wanted, dict) and isinstance(known, dict):
        return {**known, **{name: _as(known.get(name), part) for name, part in wanted.items()}}
    if isinstance(wanted, bool) and isinstance(known, str):
        return "on" if wanted else "off"
    if isinstance(known, int) and isinstance(wanted, str) and re.fullmatch("-?[0-9]+", wanted):
        return int(wanted)
    if isinstance(known, str) and isinstance(wanted, (int, float)):
        return str(wanted)
    return wanted
