#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage a health monitor of Cloudflare load balancing."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudflare_load_balancer_monitor
short_description: Manage a health monitor of Cloudflare load balancing
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Creates, changes or deletes a monitor.
  - The API gives monitors no name, so the module keeps owner and name at the end of the description and finds the
      monitor by them.
  - A monitor that a pool uses is deleted only with O(force=true), which takes it out of the pool.
  - What is left out keeps the value that it has; what is given empty is cleared.
extends_documentation_fragment:
  - meridian.geokube.cloudflare
  - meridian.geokube.cloudflare.account
  - meridian.geokube.cloudflare.change
attributes:
  check_mode:
    support: full
    description: Reads what is there and tells what would be done; changes nothing.
  diff_mode:
    support: full
    description: Shows each touched object before and after, with pools and monitors by their names.
options:
  owner:
    description:
      - Whose objects these are. It is written at the end of their descriptions, C([geokube:owner/name]).
      - An object of another owner is not touched, unless O(force=true).
    type: str
    required: true
  name:
    description:
      - >-
          Name of the monitor within its owner's. The API knows no names: it is kept in the description.
    type: str
    required: true
  allow_insecure:
    description:
      - Whether the origin's certificate goes unchecked when V(https) is probed.
    type: bool
  consecutive_down:
    description:
      - How many failed probes in a row make an origin unhealthy, 0 by default.
    type: int
  consecutive_up:
    description:
      - How many good probes in a row make an origin healthy, 0 by default.
    type: int
  description:
    description:
      - Text about the object. The owner's mark is added to it.
    type: str
  expected_body:
    description:
      - Text that must be in the answer's body.
    type: str
  expected_codes:
    description:
      - Status codes of a good answer, such as V(200) or V(2xx).
    type: str
  follow_redirects:
    description:
      - Whether a probe follows redirections.
    type: bool
  header:
    description:
      - >-
          Headers of a probe, each a list of values, C({Host: [style.example.com]}). The whole map is replaced.
    type: dict
  interval:
    description:
      - Seconds between probes, 60 by default. Plans below Enterprise allow 15 at least.
    type: int
  method:
    description:
      - HTTP method of a probe, V(GET) by default; V(connection_established) for V(tcp).
    type: str
  path:
    description:
      - Path that a probe asks for, V(/) by default.
    type: str
  port:
    description:
      - Port to probe. V(0) means the origin's own port, or that of the type. Needed for V(tcp).
    type: int
  probe_zone:
    description:
      - Zone whose settings a probe uses.
    type: str
  retries:
    description:
      - How often a probe that timed out is repeated at once, 2 by default.
    type: int
  timeout:
    description:
      - Seconds until a probe has failed, 5 by default.
    type: int
  type:
    description:
      - What a probe is. The API's default is V(http).
    type: str
    choices: [http, https, tcp, udp_icmp, icmp_ping, smtp]
seealso:
  - module: meridian.geokube.cloudflare_traffic
  - module: meridian.geokube.cloudflare_load_balancing_info
"""

EXAMPLES = r"""
- name: Probe /readyz over HTTPS every 15 seconds
  meridian.geokube.cloudflare_load_balancer_monitor:
    account_id: 0123456789abcdef0123456789abcdef
    owner: devfest
    name: devfest-https
    type: https
    path: /readyz
    interval: 15
    retries: 1
    expected_codes: "200"
    header:
      Host: [style.example.com]

- name: Delete the monitor
  meridian.geokube.cloudflare_load_balancer_monitor:
    account_id: 0123456789abcdef0123456789abcdef
    owner: devfest
    name: devfest-https
    state: absent
"""

RETURN = r"""
actions:
  description: What was done, or would be in check mode, in order.
  returned: success
  type: list
  elements: dict
  sample: [{kind: pool, name: devfest-au, action: update, fields: [origins]}]
monitor:
  description: The monitor as the API shows it.
  returned: success, except in check mode for an object that does not exist
  type: dict
  sample: {id: f1aba936b94213e5b8dca0c0dbf1f9cc, type: https, path: /readyz}
requests:
  description: How many requests were sent to the API.
  returned: always
  type: int
  sample: 4
rate_limit_waited:
  description: How many seconds were spent waiting for the API's rate limit.
  returned: success
  type: float
  sample: 0.0
status:
  description: HTTP status of the answer that made the module fail; 0 when there was none.
  returned: failure
  type: int
  sample: 403
codes:
  description: Cloudflare's codes in that answer.
  returned: failure
  type: list
  elements: int
  sample: [10000]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.meridian.geokube.plugins.module_utils import cloudflare_module as common
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_account import MONITOR
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_client import Client
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_options import MONITOR as OBJECT_OPTIONS
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_wishes import Wishes


def argument_spec() -> dict[str, Any]:
    """The module's options."""
    return dict(
        common.common_options(),
        **common.account_option(),
        **common.change_options(),
        owner={"type": "str", "required": True},
        **OBJECT_OPTIONS,
    )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec(), supports_check_mode=True)
    params = module.params

    def work(client: Client) -> dict[str, Any]:
        wishes = Wishes(
            owner=params["owner"],
            monitors=[{option: params[option] for option in OBJECT_OPTIONS}],
            force=params["force"],
        )
        account, result = common.reconcile(module, client, wishes)
        found = account.find(MONITOR, wishes.monitors[0]["name"], params["owner"])
        if found is not None:
            result["monitor"] = found
        return result

    common.guarded(module, work)


if __name__ == "__main__":
    main()
