#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the load balancing of a Cloudflare account."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudflare_load_balancing_info
short_description: Read the load balancing of a Cloudflare account
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Gives the monitors and pools of an account, and the load balancers of a zone, as the API shows them.
  - With O(health=true) every pool also says how each place of Cloudflare finds its origins.
extends_documentation_fragment:
  - meridian.geokube.cloudflare
  - meridian.geokube.cloudflare.account
attributes:
  check_mode:
    support: full
    description: Only reads.
  diff_mode:
    support: none
    description: Only reads.
options:
  zone:
    description:
      - Zone whose load balancers to read, by name or identifier. Left out, none are read.
    type: str
  owner:
    description:
      - Give only what carries this owner's mark.
    type: str
  names:
    description:
      - Give only pools and load balancers with these names.
    type: list
    elements: str
  health:
    description:
      - Whether to ask for the health of each pool, one request each.
    type: bool
    default: false
seealso:
  - module: meridian.geokube.cloudflare_traffic
"""

EXAMPLES = r"""
- name: Where do users go, and is it healthy
  meridian.geokube.cloudflare_load_balancing_info:
    account_id: 0123456789abcdef0123456789abcdef
    zone: example.com
    owner: devfest
    health: true
  register: traffic

- name: Pools without a healthy origin
  ansible.builtin.debug:
    msg: "{{ traffic.pools | rejectattr('health.healthy') | map(attribute='name') }}"
"""

RETURN = r"""
monitors:
  description: The monitors.
  returned: success
  type: list
  elements: dict
  sample: [{id: f1aba936b94213e5b8dca0c0dbf1f9cc, type: https, path: /readyz}]
pools:
  description:
    - The pools. With O(health=true) each has C(health) with C(healthy), what most places find, C(origins), the same for
      each address, and C(places), what the API tells of each place. An origin that no place has probed yet is left out.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 17b5962d775c646f3f9725cbc7a53df4
      name: devfest-au
      health: {healthy: true, origins: {192.0.2.10: true}, places: {}}
load_balancers:
  description: The load balancers of the zone.
  returned: success
  type: list
  elements: dict
  sample: [{id: 699d98642c564d2e855e9661899b7252, name: style.example.com}]
requests:
  description: How many requests were sent to the API.
  returned: always
  type: int
  sample: 4
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
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_account import (
    BALANCER,
    MONITOR,
    POOL,
    Account,
    healthy_addresses,
)
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_client import Client
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_guards import addresses, needed
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_names import owner_of


def argument_spec() -> dict[str, Any]:
    """The module's options."""
    return dict(
        common.common_options(),
        **common.account_option(),
        zone={"type": "str"},
        owner={"type": "str"},
        names={"type": "list", "elements": "str"},
        health={"type": "bool", "default": False},
    )


def with_health(account: Account, pool: dict[str, Any]) -> dict[str, Any]:
    """A pool with what the places find of it."""
    places = account.health_report(pool)
    origins = healthy_addresses(places)
    count = sum(origins.get(address, False) for address in addresses(pool))
    healthy = bool(pool.get("enabled", True)) and count >= needed(pool)
    return dict(pool, health={"healthy": healthy, "origins": origins, "places": places})


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec(), supports_check_mode=True)
    params = module.params

    def wanted(record: dict[str, Any]) -> bool:
        if params["owner"] and owner_of(record) != params["owner"]:
            return False
        return not params["names"] or "name" not in record or record["name"] in params["names"]

    def work(client: Client) -> dict[str, Any]:
        account = Account(client, params["account_id"], params["zone"])
        pools = [pool for pool in account.all(POOL) if wanted(pool)]
        return {
            "changed": False,
            "monitors": [monitor for monitor in account.all(MONITOR) if wanted(monitor)],
            "pools": [with_health(account, pool) for pool in pools] if params["health"] else pools,
            "load_balancers": [one for one in account.all(BALANCER) if wanted(one)] if params["zone"] else [],
            "requests": client.requests,
        }

    common.guarded(module, work)


if __name__ == "__main__":
    main()
