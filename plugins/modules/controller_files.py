#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: controller_files
short_description: Keep directories and files on the controller
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Makes directories and writes files on the controller, all in one task and without a process for each.
  - A file is written whole or not at all.
attributes:
  action:
    description: Has an action plugin.
    support: full
  check_mode:
    description: Can run in check mode and say what would change.
    support: full
  diff_mode:
    description: Shows differences, but not of secret files.
    support: full
options:
  directories:
    description: The directories to have.
    type: list
    elements: path
    default: []
  absent:
    description: The files not to have; they are removed after O(files) are written.
    type: list
    elements: path
    default: []
  directory_mode:
    description: The mode of directories that are made.
    type: str
    default: "0700"
  files:
    description: The files to have.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: The path of the file.
        type: path
        required: true
      content:
        description: Its content.
        type: str
        required: true
      mode:
        description: Its mode.
        type: str
        default: "0600"
      secret:
        description: Whether its content may not be shown.
        type: bool
        default: false
"""

EXAMPLES = r"""
- name: Keep what was measured
  meridian.geokube.controller_files:
    directories: [/srv/state]
    files:
      - path: /srv/state/links.json
        content: "{{ links | to_nice_json }}"
"""

RETURN = r"""
paths:
  description: What was made, written or removed, or would be.
  type: list
  elements: str
  returned: always
"""
