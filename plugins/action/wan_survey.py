# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep what was measured."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.meridian.geokube.plugins.plugin_utils.mesh.addresses import MeshError
from ansible_collections.meridian.geokube.plugins.plugin_utils.run_once import facts_of, keep
from ansible_collections.meridian.geokube.plugins.plugin_utils.state_file import StateError, read_json
from ansible_collections.meridian.geokube.plugins.plugin_utils.survey.links import SurveyError, merge


class ActionModule(ActionBase):
    """Merges the machines' measurements into survey.json; on the controller only."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Write survey.json where something was measured or a machine is gone."""
        super().run(tmp, task_vars)
        _result, options = self.validate_argument_spec(
            {
                "state_dir": {"type": "path", "required": True},
                "hosts": {"type": "list", "elements": "str", "required": True},
                "probes": {"type": "dict", "required": True},
                "refresh": {"type": "bool", "default": False},
            }
        )
        path = Path(options["state_dir"]) / "survey.json"
        probes = {name: probe for name, probe in options["probes"].items() if (probe or {}).get("links") is not None}
        try:
            facts = facts_of(options["hosts"], task_vars or {}, self._templar)
            survey = merge(facts, None if options["refresh"] else read_json(path), probes, datetime.now(UTC))
            return {"survey": survey, **keep(path, survey, self._task.check_mode)}
        except (MeshError, StateError, SurveyError) as error:
            raise AnsibleActionFail(str(error)) from error
