# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of the report."""

from __future__ import annotations

DOCUMENTATION = r"""
name: report_view
version_added: 0.1.0
author: Meridian (@meridian)
short_description: The content of a cluster's report
description:
  - Reads C(survey.json), C(plan.json) and, where they exist, C(stages.json) and C(traffic.json) of a state folder, and
    gives what the report of the role P(meridian.geokube.report#role) shows.
options:
  _terms:
    description: The state folder, one.
    type: list
    elements: path
    required: true
  sources_file:
    description: A JSON file that names the stand-ins that were used, if there is one.
    type: path
"""

EXAMPLES = r"""
- name: Show the warnings of the plan
  ansible.builtin.debug:
    msg: "{{ lookup('meridian.geokube.report_view', geokube_state_dir).warnings }}"
"""

RETURN = r"""
_raw:
  description: The content, one dictionary.
  type: list
  elements: dict
"""

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.meridian.geokube.plugins.plugin_utils.report.view import view
from ansible_collections.meridian.geokube.plugins.plugin_utils.state_file import StateError, read_json


class LookupModule(LookupBase):
    """Reads the files and gives the view."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Give the content of the report for the one folder in terms."""
        self.set_options(var_options=variables, direct=kwargs)
        if len(terms) != 1:
            raise AnsibleLookupError("report_view takes one state folder")
        folder, sources = Path(terms[0]), self.get_option("sources_file")
        try:
            survey, plan = read_json(folder / "survey.json"), read_json(folder / "plan.json")
            if survey is None or plan is None:
                raise AnsibleLookupError(f"{folder} has no survey.json and plan.json yet: run the role survey first")
            stages, traffic = read_json(folder / "stages.json"), read_json(folder / "traffic.json")
            return [view(survey, plan, stages, traffic, read_json(Path(sources)) if sources else None)]
        except StateError as error:
            raise AnsibleLookupError(str(error)) from error
        except (AttributeError, KeyError, TypeError) as error:
            raise AnsibleLookupError(
                f"a file in {folder} lacks what the report shows ({error!r}): run the role survey again"
            ) from error
