#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: wan_plan
short_description: Compute every setting that depends on the network
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Computes from the survey where the control plane and the database's home live, the timers of etcd, kubelet and the
    leader elections, the MTU of mesh and pods, and which region takes over from which, each with its reason.
  - Keeps the result in C(plan.json) of the state folder. Measurement noise does not move it, and a home region that
    was planned once stays until it is changed on purpose.
  - Refuses an even number of etcd members, and a quorum over links of more than 100 ms unless that is accepted.
  - Runs on the controller. Use C(run_once).
attributes:
  action:
    support: full
    description: Has a corresponding action plugin, so some parts run on the controller.
  check_mode:
    support: full
    description: Computes the plan without keeping it.
  diff_mode:
    support: full
    description: Shows the differences of the plan.
options:
  state_dir:
    description: The state folder.
    type: path
    required: true
  cluster:
    description: The name of the cluster.
    type: str
    required: true
  hosts:
    description: All machines. Their variables C(geokube_region) and C(geokube_roles) are read.
    type: list
    elements: str
    required: true
  survey:
    description: The survey, as M(meridian.geokube.wan_survey) gives it.
    type: dict
    required: true
  mesh_addresses:
    description: The mesh addresses by machine, as M(meridian.geokube.mesh_registry) gives them.
    type: dict
    default: {}
  home_region:
    description:
      - The region of the control plane.
      - Without it the machines with the role label C(control-plane) decide, else the lowest total RTT.
    type: str
  accept_slow_quorum:
    description: Accept etcd over links of more than 100 ms.
    type: bool
    default: false
  cockroachdb_primary_region:
    description: The database's primary region. Without it the one with the lowest total RTT.
    type: str
"""

EXAMPLES = r"""
- name: Compute the plan
  meridian.geokube.wan_plan:
    state_dir: "{{ geokube_state_dir }}"
    cluster: devfest
    hosts: "{{ groups['all'] }}"
    survey: "{{ survey.survey }}"
  run_once: true
  register: plan
"""

RETURN = r"""
plan:
  description: The plan, as the file holds it.
  returned: success
  type: dict
  contains:
    home_region:
      description: The region of the control plane.
      type: str
      returned: always
    control_plane:
      description: Its machines, etcd's members, the candidates and what a spread would cost.
      type: dict
      returned: always
    regions:
      description: For each region the nearest one and the order in which the others take over.
      type: dict
      returned: always
    values:
      description: The settings by name, each with C(value), C(unit), C(why) and C(consumer).
      type: dict
      returned: always
"""
