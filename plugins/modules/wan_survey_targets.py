#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: wan_survey_targets
short_description: Tell which links are still to be measured
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Compares the machines with the survey in the state folder and gives for each machine the targets it is to measure.
  - A link that was measured to the same address is not measured again, so a run with nothing new costs nothing.
  - Runs on the controller. Use C(run_once).
attributes:
  action:
    support: full
    description: Has a corresponding action plugin, so some parts run on the controller.
  check_mode:
    support: full
    description: Never changes anything.
  diff_mode:
    support: none
    description: Never changes anything.
options:
  state_dir:
    description: The state folder, which holds C(survey.json).
    type: path
    required: true
  hosts:
    description: All machines.
    type: list
    elements: str
    required: true
  refresh:
    description: Measure everything again.
    type: bool
    default: false
  max_age:
    description: Measure links again that were measured longer ago than this many seconds. 0 sets no limit.
    type: int
    default: 0
seealso:
  - module: meridian.geokube.wan_probe
  - module: meridian.geokube.wan_survey
"""

EXAMPLES = r"""
- name: See which links are still to be measured
  meridian.geokube.wan_survey_targets:
    state_dir: "{{ geokube_state_dir }}"
    hosts: "{{ groups['all'] }}"
  run_once: true
  register: survey
"""

RETURN = r"""
targets:
  description: For each machine its targets, as M(meridian.geokube.wan_probe) takes them.
  returned: success
  type: dict
  sample: {devfest-ru-01: [{name: devfest-au-01, address: 198.51.100.10}]}
pending:
  description: How many links are still to be measured.
  returned: success
  type: int
  sample: 12
"""
