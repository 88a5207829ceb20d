#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudflare_ranges
short_description: Keep the networks that Cloudflare calls origins from
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Asks Cloudflare's API for the networks of its edge, which needs no token, and keeps them in
    C(cloudflare_ranges.json) of the state folder.
  - When the API cannot be asked, gives what was kept before, with a warning.
  - Refuses what cannot be meant, such as an empty list, too few networks or C(0.0.0.0/0), and then changes nothing.
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
  base_url:
    description: Address of the API. An address with C(http) is taken for the loopback only.
    type: str
    default: https://api.cloudflare.com/client/v4
  minimum:
    description: How many networks there are at least. An answer with fewer is refused.
    type: int
    default: 10
  timeout:
    description: Seconds that one request may take. There are three at most.
    type: int
    default: 10
"""

EXAMPLES = r"""
- name: Learn from where the edge calls
  meridian.geokube.cloudflare_ranges:
    state_dir: "{{ geokube_state_dir }}"
  run_once: true
  register: edge
"""

RETURN = r"""
ranges:
  description: The networks, those of IPv4 first.
  returned: success
  type: list
  elements: str
  sample: [192.0.2.0/24, "2001:db8::/32"]
ipv4:
  description: The IPv4 networks.
  returned: success
  type: list
  elements: str
ipv6:
  description: The IPv6 networks.
  returned: success
  type: list
  elements: str
stale:
  description: Whether they are those that were kept before, as the API could not be asked.
  returned: success
  type: bool
"""
