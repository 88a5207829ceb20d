# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record how long each stage took and what it changed."""

from __future__ import annotations

DOCUMENTATION = r"""
name: stages
type: aggregate
short_description: Record how long each stage took
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Records each play that has a role of this collection in C(stages.json) of the state folder, for the report.
  - Keeps of each stage the last run that changed something and the last run.
  - Does nothing where the state folder is not known or does not exist, and in check mode.
requirements:
  - enable in configuration
options:
  record:
    description: Whether to record at all.
    type: bool
    default: true
    env:
      - name: GEOKUBE_STAGES_RECORD
    ini:
      - section: callback_stages
        key: record
"""

EXAMPLES = r"""
# In ansible.cfg
# [defaults]
# callbacks_enabled = meridian.geokube.stages
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible.template import Templar
from ansible_collections.meridian.geokube.plugins.plugin_utils.stages.memory import Stage, remember
from ansible_collections.meridian.geokube.plugins.plugin_utils.state_file import StateError, read_json, write_json

COLLECTION = "meridian.geokube."


class CallbackModule(CallbackBase):
    """Counts task results play by play; a fault of its own never ends the run."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "meridian.geokube.stages"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._folder: Path | None = None
        self._play: Any = None
        self._stage: Stage | None = None
        self._stages: list[Stage] = []

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Close the stage before and open the next."""
        self._close()
        self._play = play
        roles = tuple(name for name in (role.get_name() for role in play.get_roles()) if name.startswith(COLLECTION))
        if roles:
            now = datetime.now(UTC)
            self._stage = Stage(play.get_name().strip(), roles, now, now)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Close the last stage."""
        self._close()

    def v2_runner_on_ok(self, result: Any) -> None:
        """Count a result that is well."""
        self._count(result, "changed" if result.is_changed() else "ok")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Count a failure that was not ignored."""
        self._count(result, "ok" if ignore_errors else "failed")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Count a machine that could not be reached."""
        self._count(result, "unreachable")

    def _count(self, result: Any, kind: str) -> None:
        if self._stage is None:
            return
        self._stage.counts[kind] += 1
        if self._folder is None:
            self._folder = self._find_folder(result)

    def _find_folder(self, result: Any) -> Path | None:
        """Resolve geokube_state_dir as the task that just ended saw it."""
        try:
            host, task = getattr(result, "host", None) or result._host, getattr(result, "task", None) or result._task
            variables = self._play.get_variable_manager().get_vars(play=self._play, host=host, task=task)
            if "geokube_state_dir" not in variables:
                return None
            folder = Templar(self._play.get_loader(), variables=variables).template(variables["geokube_state_dir"])
            return Path(str(folder))
        except Exception as error:
            self._display.vvv(f"stages: the state folder is not known: {error}")
            return None

    def _close(self) -> None:
        if self._stage is None:
            return
        self._stage.end = datetime.now(UTC)
        self._stages.append(self._stage)
        self._stage = None
        if self._folder is None or not self._folder.is_dir():
            return
        if context.CLIARGS.get("check") or not self.get_option("record"):
            return
        path = self._folder / "stages.json"
        try:
            write_json(path, remember(read_json(path), self._stages))
        except StateError as error:
            self._display.warning(f"the times of the stages were not kept: {error}")
