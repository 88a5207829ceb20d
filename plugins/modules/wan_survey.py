#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: wan_survey
short_description: Keep what was measured
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Merges the measurements of the machines into C(survey.json) of the state folder.
  - Fails, naming the links, when a link between two machines has never been measured.
  - Runs on the controller. Use C(run_once).
attributes:
  action:
    support: full
    description: Has a corresponding action plugin, so some parts run on the controller.
  check_mode:
    support: full
    description: Tells what would be kept.
  diff_mode:
    support: full
    description: Shows the differences of the file.
options:
  state_dir:
    description: The state folder.
    type: path
    required: true
  hosts:
    description: All machines.
    type: list
    elements: str
    required: true
  probes:
    description: The results of M(meridian.geokube.wan_probe) by machine; those without links are passed over.
    type: dict
    required: true
  refresh:
    description: Forget what was measured before.
    type: bool
    default: false
seealso:
  - module: meridian.geokube.wan_probe
  - module: meridian.geokube.wan_plan
"""

EXAMPLES = r"""
- name: Keep what was measured
  meridian.geokube.wan_survey:
    state_dir: "{{ geokube_state_dir }}"
    hosts: "{{ groups['all'] }}"
    probes: "{{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'probe'))) }}"
  run_once: true
"""

RETURN = r"""
survey:
  description: The whole survey, as the file holds it.
  returned: success
  type: dict
"""
