# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A callback for the child process: tells its parent what it does, as JSON lines on an inherited descriptor.

It runs in Kubespray's own environment, so it may import nothing of this collection.
"""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: geokube_progress
type: notification
short_description: Tells the parent process about progress
version_added: 0.1.0
description:
  - Writes one JSON object a line to the file descriptor named by E(GEOKUBE_PROGRESS_FD); does nothing without it.
"""


class CallbackModule(CallbackBase):
    """Writes an event for each play, task, host result and for the end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "geokube_progress"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        descriptor = os.environ.get("GEOKUBE_PROGRESS_FD", "")
        self._descriptor = int(descriptor) if descriptor.isdigit() else -1
        self._order: dict[str, int] = {}
        self._at = 0

    def _tell(self, event: str, **values: Any) -> None:
        if self._descriptor < 0:
            return
        try:
            os.write(self._descriptor, (json.dumps({"event": event, **values}) + "\n").encode())
        except OSError:
            self._descriptor = -1

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Count the plays and the tasks that are known before they run."""
        plays = playbook.get_plays()
        number = 0
        for play in plays:
            for task in _tasks(play.compile()):
                number += 1
                self._order.setdefault(f"{play.get_name()}:{task._uuid}", number)
        self._tell("start", plays=len(plays), tasks=number)

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Tell the play's name."""
        self._play = play.get_name()
        self._tell("play", name=self._play.strip())

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """Tell the task's name and its number; a task that was included keeps the number of the one before it."""
        self._at = max(self._at, self._order.get(f"{self._play}:{task._uuid}", 0))
        self._tell("task", name=task.get_name().strip(), number=self._at)

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        """Tell a handler's name."""
        self._tell("task", name=task.get_name().strip(), number=self._at)

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        """Tell that a host is at work."""
        self._tell("begin", host=host.get_name())

    def v2_runner_on_ok(self, result: Any) -> None:
        """Tell that a host is done."""
        self._tell("end", host=result._host.get_name(), changed=bool(result._result.get("changed")))

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Tell that a host had nothing to do."""
        self._tell("end", host=result._host.get_name(), changed=False)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Tell what failed; a failure that is ignored, or rescued by its block, is only an end."""
        host = result._host.get_name()
        if ignore_errors or _has_rescue(result._task):
            self._tell("end", host=host, changed=False)
            return
        self._tell("failed", host=host, task=result._task.get_name().strip(), message=_message(result._result))

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Tell that a host cannot be reached."""
        task = result._task.get_name().strip()
        message = "unreachable: " + _message(result._result)
        self._tell("failed", host=result._host.get_name(), task=task, message=message)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Tell the sums of all hosts."""
        self._tell("stats", hosts={host: stats.summarize(host) for host in sorted(stats.processed)})


def _tasks(blocks: list[Any]) -> list[Any]:
    found: list[Any] = []
    for block in blocks:
        for part in (block.block, block.rescue, block.always):
            for item in part:
                found += _tasks([item]) if hasattr(item, "block") and hasattr(item, "rescue") else [item]
    return [task for task in found if getattr(task, "action", None) != "meta"]


def _has_rescue(task: Any) -> bool:
    block = getattr(task, "_parent", None)
    while block is not None:
        if getattr(block, "rescue", None):
            return True
        block = getattr(block, "_parent", None)
    return False


def _message(result: dict[str, Any]) -> str:
    """Give the part of a result that says what went wrong, at most 1000 characters of it."""
    parts = [str(result[key]).strip() for key in ("msg", "stderr", "module_stderr", "stdout") if result.get(key)]
    items = [item for item in result.get("results") or () if isinstance(item, dict)]
    bad = [item for item in items if item.get("failed") or item.get("unreachable")]
    parts += [f"{item.get('item')}: {_message(item)}" for item in bad]
    text = "; ".join(dict.fromkeys(parts)) or "no message"
    return text if len(text) <= 1000 else text[:500] + " ... " + text[-495:]
