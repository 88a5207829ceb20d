#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kubespray_playbook
short_description: Run one of Kubespray's playbooks as a child process
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Runs a playbook with the C(ansible-playbook) of another environment and shows where it is, which hosts it waits
    for and how long it has taken.
  - Failures that the playbook ignores or rescues are not shown as errors.
  - Nothing of the child outlives this task, however it ends.
attributes:
  action:
    description: Has an action plugin.
    support: full
  check_mode:
    description: Can run in check mode and say that it would run.
    support: full
  diff_mode:
    description: Shows differences.
    support: none
options:
  playbook:
    description: The playbook, relative to O(source).
    type: str
    required: true
  source:
    description: The folder of Kubespray.
    type: path
    required: true
  ansible_playbook:
    description: The C(ansible-playbook) to run.
    type: path
    required: true
  inventory:
    description: The inventory for it.
    type: path
    required: true
  config:
    description: The C(ansible.cfg) for it.
    type: path
    required: true
  log_dir:
    description: The folder in which its output is kept, a file a run.
    type: path
    required: true
  extra_vars_files:
    description: Files of variables that win over all others.
    type: list
    elements: path
    default: []
  extra_vars:
    description: Variables that win over all others; no secrets, as the list of processes shows them.
    type: dict
    default: {}
  interval:
    description: Seconds between two lines of progress while tasks go by.
    type: float
    default: 5.0
  heartbeat:
    description: Seconds between two lines of progress while one task runs.
    type: float
    default: 20.0
"""

EXAMPLES = r"""
- name: Form the cluster
  meridian.geokube.kubespray_playbook:
    playbook: cluster.yml
    source: /srv/kubespray
    ansible_playbook: /srv/kubespray-venv/bin/ansible-playbook
    inventory: /srv/state/inventory/hosts.yml
    config: /srv/state/ansible.cfg
    log_dir: /srv/state/logs
"""

RETURN = r"""
rc:
  description: The exit status of C(ansible-playbook).
  type: int
  returned: when it ran
log:
  description: The file with its output.
  type: str
  returned: when it ran
seconds:
  description: How long it took.
  type: float
  returned: when it ran
stages:
  description: Its plays with name and seconds.
  type: list
  elements: dict
  returned: when it ran
stats:
  description: The sums of each host.
  type: dict
  returned: when it ran to its end
failures:
  description: Host, task and message of each failure that was not ignored.
  type: list
  elements: dict
  returned: when it ran
"""
