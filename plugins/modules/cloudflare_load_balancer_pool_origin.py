#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage one origin of a Cloudflare pool."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudflare_load_balancer_pool_origin
short_description: Manage one origin of a Cloudflare pool
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Adds, changes or removes one origin and leaves the pool's others alone. This is what a node does when it joins.
  - The API offers no compare-and-swap, so two hosts that register at the same moment could undo each other. The
      module looks again after it wrote and repeats what got lost; C(throttle) set to 1 avoids it altogether.
  - An origin that is taken away from a pool in use is disabled first, then, after O(drain_seconds), removed. That
      never leaves fewer healthy origins than the pool needs, unless O(force=true).
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
  pool:
    description:
      - The pool, by name or identifier. It must be there.
    type: str
    required: true
  zone:
    description:
      - Zone of the load balancers that use the pool, by name or identifier.
    type: str
  drain_seconds:
    description:
      - For how many seconds an origin that is taken away stays disabled before it goes.
    type: int
    default: 15
  name:
    description:
      - Name of the origin, by which it is recognised.
    type: str
    required: true
  address:
    description:
      - IP address or host name of the origin. An address may occur once in a pool.
      - Required if O(state=present).
    type: str
  enabled:
    description:
      - Whether the origin takes part.
    type: bool
  flatten_cname:
    description:
      - Whether a CNAME address is resolved by Cloudflare.
    type: bool
  header:
    description:
      - Headers that requests to this origin carry.
    type: dict
    suboptions:
      Host:
        description:
          - Host header, one value.
        type: list
        elements: str
  port:
    description:
      - Port to connect to. V(0) means that of the request's scheme.
    type: int
  virtual_network_id:
    description:
      - Virtual network in which the address is reached.
    type: str
  weight:
    description:
      - Share among the pool's origins, 0 to 1 in hundredths, 1 by default.
    type: float
seealso:
  - module: meridian.geokube.cloudflare_load_balancer_pool
  - module: meridian.geokube.cloudflare_traffic
"""

EXAMPLES = r"""
- name: Register the node in its region's pool
  meridian.geokube.cloudflare_load_balancer_pool_origin:
    account_id: 0123456789abcdef0123456789abcdef
    pool: devfest-au
    name: "{{ inventory_hostname }}"
    address: "{{ geokube_public_ip }}"
  delegate_to: localhost
  throttle: 1

- name: Take the node out before its maintenance
  meridian.geokube.cloudflare_load_balancer_pool_origin:
    account_id: 0123456789abcdef0123456789abcdef
    pool: devfest-au
    name: "{{ inventory_hostname }}"
    state: absent
    drain_seconds: 30
  delegate_to: localhost
"""

RETURN = r"""
pool:
  description: The pool as the API shows it.
  returned: success
  type: dict
  sample: {id: 17b5962d775c646f3f9725cbc7a53df4, name: devfest-au}
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
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_account import Account
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_client import Client
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_guards import Guards
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_options import ORIGIN
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_origin import PoolOrigin


def argument_spec() -> dict[str, Any]:
    """The module's options."""
    return dict(
        common.common_options(),
        **common.account_option(),
        **common.change_options(),
        **dict(ORIGIN, address={"type": "str"}),
        pool={"type": "str", "required": True},
        zone={"type": "str"},
        drain_seconds={"type": "int", "default": 15},
    )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec(), supports_check_mode=True, required_if=[("state", "present", ("address",))])
    params = module.params

    def work(client: Client) -> dict[str, Any]:
        account = Account(client, params["account_id"], params["zone"])
        guards = Guards(account, params["force"], module.check_mode)
        origin = PoolOrigin(account, guards, params["pool"], params["drain_seconds"])
        if params["state"] == "present":
            found = origin.present({option: params[option] for option in ORIGIN})
        else:
            found = origin.absent(params["name"])
        return {
            "changed": found.needed,
            "diff": {"before": found.before, "after": found.after},
            "pool": origin.pool(),
            "requests": client.requests,
            "rate_limit_waited": client.waited,
        }

    common.guarded(module, work)


if __name__ == "__main__":
    main()
