# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute the plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.meridian.geokube.plugins.plugin_utils.plan.model import Basis, PlanError, Wishes
from ansible_collections.meridian.geokube.plugins.plugin_utils.plan.plan_file import basis_of, to_json
from ansible_collections.meridian.geokube.plugins.plugin_utils.plan.planner import plan
from ansible_collections.meridian.geokube.plugins.plugin_utils.run_once import facts_of, keep
from ansible_collections.meridian.geokube.plugins.plugin_utils.state_file import StateError, read_json
from ansible_collections.meridian.geokube.plugins.plugin_utils.survey.links import SurveyError
from ansible_collections.meridian.geokube.plugins.plugin_utils.survey.plan_inputs import links_of, machines_of


class ActionModule(ActionBase):
    """Computes the plan from survey and inventory and keeps it in plan.json; on the controller only."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Write plan.json where it differs."""
        super().run(tmp, task_vars)
        _result, options = self.validate_argument_spec(
            {
                "state_dir": {"type": "path", "required": True},
                "cluster": {"type": "str", "required": True},
                "hosts": {"type": "list", "elements": "str", "required": True},
                "survey": {"type": "dict", "required": True},
                "mesh_addresses": {"type": "dict", "default": {}},
                "home_region": {"type": "str"},
                "accept_slow_quorum": {"type": "bool", "default": False},
                "cockroachdb_primary_region": {"type": "str"},
            }
        )
        try:
            return self._plan(options, task_vars or {})
        except (PlanError, StateError, SurveyError) as error:
            raise AnsibleActionFail(str(error)) from error

    def _plan(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        path = Path(options["state_dir"]) / "plan.json"
        facts = facts_of(options["hosts"], task_vars, self._templar)
        earlier = read_json(path)
        wishes = Wishes(
            cluster=options["cluster"],
            home_region=options["home_region"] or None,
            accept_slow_quorum=options["accept_slow_quorum"],
            cockroachdb_primary_region=options["cockroachdb_primary_region"] or None,
            basis=Basis() if earlier is None else basis_of(earlier),
        )
        machines = machines_of(facts, options["survey"], options["mesh_addresses"])
        content = to_json(plan(machines, links_of(options["survey"]), wishes))
        return {"plan": content, "warnings": content["warnings"], **keep(path, content, self._task.check_mode)}
