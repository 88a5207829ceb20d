# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let into a machine only what is named, and keep that only if a new connection still gets in."""

from __future__ import annotations

import time
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

MODULE = "meridian.geokube.nftables_firewall"
# Between two tries to get in, seconds.
PAUSE = 1.0


class ActionModule(ActionBase):
    """Runs the module; where it changed the rules, connects anew and confirms them."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Give the module's result, with the confirmation's in it."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        started = time.monotonic()
        result.update(self._execute_module(module_name=MODULE, module_args=self._task.args, task_vars=task_vars))
        if result.get("failed") or not result.get("unconfirmed"):
            return result
        confirmed = self._confirm(task_vars, started + int(self._task.args.get("confirm_within", 60)))
        if confirmed.get("failed"):
            return {**result, "failed": True, "msg": confirmed["msg"]}
        return {**result, "unconfirmed": False, "changes": [*result["changes"], *confirmed["changes"]]}

    def _confirm(self, task_vars: dict[str, Any] | None, deadline: float) -> dict[str, Any]:
        """Connect anew until that works or the earlier rules are back, and confirm the new ones."""
        arguments = {**self._task.args, "state": "confirmed"}
        while True:
            try:
                self._connection.reset()
                return self._confirmation(arguments, task_vars)
            except AnsibleConnectionFailure as error:
                if time.monotonic() + PAUSE > deadline:
                    return {"failed": True, "msg": self._locked_out(error)}
                time.sleep(PAUSE)

    def _confirmation(self, arguments: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        done: dict[str, Any] = self._execute_module(module_name=MODULE, module_args=arguments, task_vars=task_vars)
        return done

    def _locked_out(self, error: Exception) -> str:
        ssh = [one["sources"] for one in self._task.args.get("openings", []) if one.get("name") == "ssh"]
        sources = f" Its sources of ssh are {', '.join(ssh[0])}." if ssh and isinstance(ssh[0], list) else ""
        return (
            "no new connection gets in by the new rules, so the machine puts the earlier ones back by itself: check "
            f"that openings let in the address that Ansible connects from.{sources} The last try said: {error}"
        )
