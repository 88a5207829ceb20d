# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell which links are still to be measured."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.meridian.geokube.plugins.plugin_utils.mesh.addresses import MeshError
from ansible_collections.meridian.geokube.plugins.plugin_utils.run_once import facts_of
from ansible_collections.meridian.geokube.plugins.plugin_utils.state_file import StateError, read_json
from ansible_collections.meridian.geokube.plugins.plugin_utils.survey.links import SurveyError, pending


class ActionModule(ActionBase):
    """Compares the machines with the survey that is there; on the controller only."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Give for each machine its targets."""
        super().run(tmp, task_vars)
        _result, options = self.validate_argument_spec(
            {
                "state_dir": {"type": "path", "required": True},
                "hosts": {"type": "list", "elements": "str", "required": True},
                "refresh": {"type": "bool", "default": False},
                "max_age": {"type": "int", "default": 0},
            }
        )
        try:
            facts = facts_of(options["hosts"], task_vars or {}, self._templar)
            survey = None if options["refresh"] else read_json(Path(options["state_dir"]) / "survey.json")
            targets = pending(facts, survey, datetime.now(UTC), options["max_age"])
        except (MeshError, StateError, SurveyError) as error:
            raise AnsibleActionFail(str(error)) from error
        return {"changed": False, "targets": targets, "pending": sum(len(one) for one in targets.values())}
