# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the networks that Cloudflare calls origins from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.meridian.geokube.plugins.plugin_utils.cloudflare_ranges import (
    FetchError,
    Ranges,
    RangesError,
    fetch,
    read,
)
from ansible_collections.meridian.geokube.plugins.plugin_utils.run_once import keep
from ansible_collections.meridian.geokube.plugins.plugin_utils.state_file import StateError, read_json

FILE = "cloudflare_ranges.json"


class ActionModule(ActionBase):
    """Asks for the published networks, checks them and keeps them; all on the controller."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Give the networks; those kept before when none can be had now."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _result, options = self.validate_argument_spec(
            {
                "state_dir": {"type": "path", "required": True},
                "base_url": {"type": "str", "default": "https://api.cloudflare.com/client/v4"},
                "minimum": {"type": "int", "default": 10},
                "timeout": {"type": "int", "default": 10},
            }
        )
        path = Path(options["state_dir"], FILE)
        try:
            ranges, warnings = self._ranges(options, path)
            kept = keep(path, ranges.as_dict(), self._task.check_mode)
        except RangesError as error:
            raise AnsibleActionFail(
                f"what {options['base_url']}/ips publishes is refused, and nothing was changed: {error}"
            ) from error
        except (FetchError, StateError) as error:
            raise AnsibleActionFail(str(error)) from error
        return {**result, **kept, **_shown(ranges), "stale": bool(warnings), "warnings": warnings}

    def _ranges(self, options: dict[str, Any], path: Path) -> tuple[Ranges, list[str]]:
        try:
            return read(fetch(options["base_url"], options["timeout"]), options["minimum"]), []
        except FetchError as error:
            before = read_json(path)
            if before is None:
                raise FetchError(f"{error}; and none were kept from an earlier run in {path}") from error
            kept = read({f"{name}_cidrs": before.get(name) for name in ("ipv4", "ipv6")}, options["minimum"])
            text = f"{error}; going on with the networks that an earlier run kept"
            return Ranges(kept.ipv4, kept.ipv6, str(before.get("etag") or "")), [text]


def _shown(ranges: Ranges) -> dict[str, Any]:
    return {"ipv4": list(ranges.ipv4), "ipv6": list(ranges.ipv6), "ranges": [*ranges.ipv4, *ranges.ipv6]}
