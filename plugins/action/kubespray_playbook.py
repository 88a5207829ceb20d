# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one of Kubespray's playbooks as a child process and show its progress."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.meridian.geokube.plugins.plugin_utils import playbook_child

_ARGUMENTS = {
    "playbook": {"type": "str", "required": True},
    "source": {"type": "path", "required": True},
    "ansible_playbook": {"type": "path", "required": True},
    "inventory": {"type": "path", "required": True},
    "config": {"type": "path", "required": True},
    "log_dir": {"type": "path", "required": True},
    "extra_vars_files": {"type": "list", "elements": "path", "default": []},
    "extra_vars": {"type": "dict", "default": {}},
    "interval": {"type": "float", "default": 5.0},
    "heartbeat": {"type": "float", "default": 20.0},
}


def _argv(arguments: Mapping[str, Any]) -> list[str]:
    argv = [arguments["ansible_playbook"], "-i", arguments["inventory"]]
    for path in arguments["extra_vars_files"]:
        argv += ["-e", f"@{path}"]
    if arguments["extra_vars"]:
        argv += ["-e", json.dumps(arguments["extra_vars"], sort_keys=True)]
    return [*argv, arguments["playbook"]]


def _failure(outcome: playbook_child.Outcome, playbook: str, log: str) -> str:
    if outcome.progress.failures:
        first = outcome.progress.failures[0]
        more = len(outcome.progress.failures) - 1
        rest = f" (and {more} more)" if more else ""
        return f"{playbook}: {first['host']}: {first['task']}: {first['message']}{rest}. Its log: {log}"
    lines = Path(log).read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:]
    return f"{playbook} ended with status {outcome.status}: {' / '.join(lines) or 'no output'}. Its log: {log}"


class ActionModule(ActionBase):
    """The action behind meridian.geokube.kubespray_playbook."""

    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def run(self, tmp: Any = None, task_vars: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Run the playbook; in check mode only say that it would run."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = self.validate_argument_spec(argument_spec=_ARGUMENTS)[1]
        playbook = arguments["playbook"]
        for name in ("source", "ansible_playbook", "inventory", "config"):
            if not Path(arguments[name]).exists():
                raise AnsibleActionFail(f"{name}: there is no {arguments[name]}")
        if not (Path(arguments["source"]) / playbook).is_file():
            raise AnsibleActionFail(f"source: {arguments['source']} has no {playbook}: it is no Kubespray tree")
        if self._task.check_mode:
            return {**result, "changed": True, "skipped": False, "msg": f"{playbook} would run"}
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        log = str(Path(arguments["log_dir"]) / f"kubespray-{Path(playbook).stem}-{stamp}.log")
        self._display.display(f"kubespray {playbook} | starts, its log: {log}")
        outcome = playbook_child.run(
            _argv(arguments),
            config=arguments["config"],
            folder=arguments["source"],
            log=log,
            label=f"kubespray {playbook}",
            say=self._display.display,
            interval=arguments["interval"],
            heartbeat=arguments["heartbeat"],
        )
        progress = outcome.progress
        told = {"rc": outcome.status, "log": log, "seconds": outcome.seconds, "failures": progress.failures}
        if outcome.status != 0:
            return {**result, **told, "changed": True, "failed": True, "msg": _failure(outcome, playbook, log)}
        told["stages"] = [{"name": stage["name"], "seconds": stage["seconds"]} for stage in progress.stages]
        told["stats"] = progress.stats
        told["changed"] = any(host["changed"] for host in progress.stats.values())
        self._display.display(f"kubespray {playbook} | done in {playbook_child.clock(outcome.seconds)}")
        return {**result, **told}
