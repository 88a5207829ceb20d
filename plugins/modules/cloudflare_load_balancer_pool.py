#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage an origin pool of Cloudflare load balancing."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudflare_load_balancer_pool
short_description: Manage an origin pool of Cloudflare load balancing
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Creates, changes or deletes a pool with all of its origins.
  - To add one origin to a pool that others manage, use M(meridian.geokube.cloudflare_load_balancer_pool_origin).
  - An origin that is taken away from a pool in use is disabled first, then, after O(drain_seconds), removed. That
      never leaves fewer healthy origins than O(minimum_origins), nor a load balancer without a healthy pool, unless
      O(force=true).
  - A pool that a load balancer uses is deleted only with O(force=true), which takes it out of the load balancer.
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
  zone:
    description:
      - Zone of the load balancers that use the pool, by name or identifier. Needed only to take the pool out of them,
        or to disable a pool that they use.
    type: str
  owner:
    description:
      - Whose objects these are. It is written at the end of their descriptions, C([geokube:owner/name]).
      - An object of another owner is not touched, unless O(force=true).
    type: str
  drain_seconds:
    description:
      - For how many seconds an origin or pool that is taken away stays disabled before it goes.
    type: int
    default: 15
  wait_healthy:
    description:
      - For how many seconds to wait until new origins are healthy before users are sent there, and before others are
        taken away. V(0) does not wait.
    type: int
    default: 0
  name:
    description:
      - Name of the pool, by which it is recognised.
    type: str
    required: true
  check_regions:
    description:
      - Regions from which the origins are probed. An empty list means all that the plan has.
    type: list
    elements: str
    choices: [WNAM, ENAM, WEU, EEU, NSAM, SSAM, OC, ME, NAF, SAF, SAS, SEAS, NEAS, CHINA, ALL_REGIONS]
  description:
    description:
      - Text about the object. The owner's mark is added to it.
    type: str
  enabled:
    description:
      - Whether the pool takes part.
    type: bool
  health_sources:
    description:
      - Which places' findings count.
    type: list
    elements: str
    choices: [local, regional, global]
  latitude:
    description:
      - Latitude of the pool in degrees, for steering by proximity. Goes with O(longitude).
    type: float
  load_shedding:
    description:
      - Which part of the traffic the pool turns away.
    type: dict
    suboptions:
      default_percent:
        description:
          - Part of the requests without a session, per cent.
        type: float
      default_policy:
        description:
          - How those requests are chosen.
        type: str
        choices: [random, hash]
      session_percent:
        description:
          - Part of the requests within a session, per cent.
        type: float
      session_policy:
        description:
          - How those requests are chosen.
        type: str
        choices: [hash]
  longitude:
    description:
      - Longitude of the pool in degrees. Goes with O(latitude).
    type: float
  minimum_origins:
    description:
      - How many healthy origins the pool needs to serve, 1 by default.
    type: int
  monitor:
    description:
      - Monitor of the pool's origins, by its name or identifier. An empty string takes it away.
    type: str
  monitor_group:
    description:
      - Identifier of a monitor group (Enterprise).
    type: str
  notification_email:
    description:
      - Address told of changes. Deprecated by Cloudflare in favour of its notifications.
    type: str
  notification_filter:
    description:
      - Which changes of health are told.
    type: dict
    suboptions:
      origin:
        description:
          - Which changes of origins are told.
        type: dict
        suboptions:
          disable:
            description:
              - Whether none are told.
            type: bool
          healthy:
            description:
              - Tell only those to healthy (V(true)) or to unhealthy (V(false)).
            type: bool
      pool:
        description:
          - Which changes of the pool are told.
        type: dict
        suboptions:
          disable:
            description:
              - Whether none are told.
            type: bool
          healthy:
            description:
              - Tell only those to healthy (V(true)) or to unhealthy (V(false)).
            type: bool
  origin_steering:
    description:
      - How requests are spread over the origins.
    type: dict
    suboptions:
      policy:
        description:
          - The way, V(random) by default.
        type: str
        choices: [random, hash, least_outstanding_requests, least_connections]
  origins:
    description:
      - >-
          The pool's origins, all of them: one that is not listed is drained and removed. Their order is irrelevant.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the origin, by which it is recognised.
        type: str
        required: true
      address:
        description:
          - IP address or host name of the origin. An address may occur once in a pool.
        type: str
        required: true
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
  - module: meridian.geokube.cloudflare_traffic
  - module: meridian.geokube.cloudflare_load_balancing_info
"""

EXAMPLES = r"""
- name: Two origins in Sydney
  meridian.geokube.cloudflare_load_balancer_pool:
    account_id: 0123456789abcdef0123456789abcdef
    name: devfest-au
    latitude: -33.87
    longitude: 151.21
    check_regions: [OC, SEAS]
    origins:
      - name: devfest-au-01
        address: 192.0.2.10
      - name: devfest-au-02
        address: 192.0.2.11
        weight: 0.5

- name: Delete the pool, also where a load balancer uses it
  meridian.geokube.cloudflare_load_balancer_pool:
    account_id: 0123456789abcdef0123456789abcdef
    zone: example.com
    name: devfest-au
    state: absent
    force: true
"""

RETURN = r"""
actions:
  description: What was done, or would be in check mode, in order.
  returned: success
  type: list
  elements: dict
  sample: [{kind: pool, name: devfest-au, action: update, fields: [origins]}]
pool:
  description: The pool as the API shows it.
  returned: success, except in check mode for an object that does not exist
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
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_account import POOL
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_client import Client
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_options import POOL as OBJECT_OPTIONS
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_wishes import Wishes


def argument_spec() -> dict[str, Any]:
    """The module's options."""
    return dict(
        common.common_options(),
        **common.account_option(),
        **common.change_options(),
        **common.drain_options(),
        owner={"type": "str"},
        zone={"type": "str"},
        **OBJECT_OPTIONS,
    )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec(), supports_check_mode=True)
    params = module.params

    def work(client: Client) -> dict[str, Any]:
        wishes = Wishes(
            owner=params["owner"],
            pools=[{option: params[option] for option in OBJECT_OPTIONS}],
            force=params["force"],
            drain_seconds=params["drain_seconds"],
            wait_healthy=params["wait_healthy"],
        )
        account, result = common.reconcile(module, client, wishes)
        found = account.find(POOL, wishes.pools[0]["name"], params["owner"])
        if found is not None:
            result["pool"] = found
        return result

    common.guarded(module, work)


if __name__ == "__main__":
    main()
