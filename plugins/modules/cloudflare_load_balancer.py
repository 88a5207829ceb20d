#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage a Cloudflare load balancer."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudflare_load_balancer
short_description: Manage a Cloudflare load balancer
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Creates, changes or deletes a load balancer.
  - Pools are given by name or identifier. A pool that serves users is not taken out when no healthy one would be
      left, unless O(force=true).
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
      - Zone of the load balancer, by name or identifier.
    type: str
    required: true
  owner:
    description:
      - Whose objects these are. It is written at the end of their descriptions, C([geokube:owner/name]).
      - An object of another owner is not touched, unless O(force=true).
    type: str
  name:
    description:
      - Host name of the load balancer, by which it is recognised.
    type: str
    required: true
  adaptive_routing:
    description:
      - What happens when an origin cannot be reached between two probes.
    type: dict
    suboptions:
      failover_across_pools:
        description:
          - Whether the one retry may go to another pool.
        type: bool
  country_pools:
    description:
      - Pools by country code, in order. The whole map is replaced; an empty one clears it.
    type: dict
  default_pools:
    description:
      - Pools in the order of failover, by name or identifier.
    type: list
    elements: str
  description:
    description:
      - Text about the object. The owner's mark is added to it.
    type: str
  enabled:
    description:
      - Whether the load balancer answers.
    type: bool
  fallback_pool:
    description:
      - Pool that serves when no other is healthy, by name or identifier.
    type: str
  location_strategy:
    description:
      - What counts as a user's place when the load balancer is not proxied.
    type: dict
    suboptions:
      mode:
        description:
          - The place of the point of presence or of the resolver.
        type: str
        choices: [pop, resolver_ip]
      prefer_ecs:
        description:
          - Whether the resolver's client subnet goes before that.
        type: str
        choices: [always, never, proximity, geo]
  pool_sets:
    description:
      - Sets of pools for some places (Enterprise). The whole list is replaced.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the set.
        type: str
      disabled:
        description:
          - Whether the set is off.
        type: bool
      fixed_response:
        description:
          - Answer given in place of an origin's.
        type: dict
        suboptions:
          content_type:
            description:
              - Its content type.
            type: str
          location:
            description:
              - Its Location header.
            type: str
          message_body:
            description:
              - Its body.
            type: str
          status_code:
            description:
              - Its status code.
            type: int
      match:
        description:
          - For which places.
        type: dict
        suboptions:
          default:
            description:
              - Whether for all that no other set matches.
            type: bool
          topology:
            description:
              - Places by location.
            type: dict
            suboptions:
              countries:
                description:
                  - Country codes.
                type: list
                elements: str
              pops:
                description:
                  - Points of presence.
                type: list
                elements: str
              regions:
                description:
                  - Region codes.
                type: list
                elements: str
      overrides:
        description:
          - What is different for these places.
        type: dict
        suboptions:
          fallback_pool:
            description:
              - Pool that serves when no other is healthy.
            type: str
          pool_default_weight:
            description:
              - Weight of pools that are not listed.
            type: float
          pool_weights:
            description:
              - Weights by pool.
            type: dict
          pools:
            description:
              - Pools in order.
            type: list
            elements: str
          steering_policy:
            description:
              - How pools are chosen.
            type: str
            choices: ["off", geo, random, dynamic_latency, proximity, least_outstanding_requests, least_connections, ""]
  pop_pools:
    description:
      - Pools by point of presence, in order (Enterprise). The whole map is replaced; an empty one clears it.
    type: dict
  proxied:
    description:
      - Whether requests go through Cloudflare's edge.
    type: bool
  random_steering:
    description:
      - Weights of the policy V(random).
    type: dict
    suboptions:
      default_weight:
        description:
          - Weight of pools that are not listed, 0 to 1.
        type: float
      pool_weights:
        description:
          - Weights by pool.
        type: dict
  region_pools:
    description:
      - Pools by region code, in order. A region fails over only to pools of its own list, then to the fallback pool.
          The whole map is replaced; an empty one clears it.
    type: dict
  rules:
    description:
      - Rules that change the above for some requests. The whole list is replaced; an empty one clears it.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the rule.
        type: str
        required: true
      condition:
        description:
          - Expression that says for which requests.
        type: str
      disabled:
        description:
          - Whether the rule is off.
        type: bool
      fixed_response:
        description:
          - Answer given in place of an origin's.
        type: dict
        suboptions:
          content_type:
            description:
              - Its content type.
            type: str
          location:
            description:
              - Its Location header.
            type: str
          message_body:
            description:
              - Its body.
            type: str
          status_code:
            description:
              - Its status code.
            type: int
      overrides:
        description:
          - What is different for these requests.
        type: dict
        suboptions:
          adaptive_routing:
            description:
              - What happens when an origin cannot be reached between two probes.
            type: dict
            suboptions:
              failover_across_pools:
                description:
                  - Whether the one retry may go to another pool.
                type: bool
          country_pools:
            description:
              - Pools by country code, in order. The whole map is replaced; an empty one clears it.
            type: dict
          default_pools:
            description:
              - Pools in the order of failover, by name or identifier.
            type: list
            elements: str
          fallback_pool:
            description:
              - Pool that serves when no other is healthy, by name or identifier.
            type: str
          location_strategy:
            description:
              - What counts as a user's place when the load balancer is not proxied.
            type: dict
            suboptions:
              mode:
                description:
                  - The place of the point of presence or of the resolver.
                type: str
                choices: [pop, resolver_ip]
              prefer_ecs:
                description:
                  - Whether the resolver's client subnet goes before that.
                type: str
                choices: [always, never, proximity, geo]
          pop_pools:
            description:
              - Pools by point of presence, in order (Enterprise). The whole map is replaced; an empty one clears it.
            type: dict
          random_steering:
            description:
              - Weights of the policy V(random).
            type: dict
            suboptions:
              default_weight:
                description:
                  - Weight of pools that are not listed, 0 to 1.
                type: float
              pool_weights:
                description:
                  - Weights by pool.
                type: dict
          region_pools:
            description:
              - Pools by region code, in order. A region fails over only to pools of its own list, then to the
                  fallback pool. The whole map is replaced; an empty one clears it.
            type: dict
          session_affinity:
            description:
              - Whether a user stays with an origin.
            type: str
            choices: [none, cookie, ip_cookie, header, ""]
          session_affinity_attributes:
            description:
              - Details of session affinity.
            type: dict
            suboptions:
              drain_duration:
                description:
                  - Seconds for which sessions go on to an origin that was disabled.
                type: float
              headers:
                description:
                  - Headers that make up a session for V(header).
                type: list
                elements: str
              require_all_headers:
                description:
                  - Whether all of them must be there.
                type: bool
              samesite:
                description:
                  - SameSite attribute of the cookie.
                type: str
                choices: [Auto, Lax, None, Strict]
              secure:
                description:
                  - Secure attribute of the cookie.
                type: str
                choices: [Auto, Always, Never]
              zero_downtime_failover:
                description:
                  - What happens to a session when its origin cannot be reached.
                type: str
                choices: [none, temporary, sticky]
          session_affinity_ttl:
            description:
              - Seconds for which a session is kept.
            type: float
          steering_policy:
            description:
              - How pools are chosen. An empty string leaves the choice to Cloudflare. All but V(off) and V(random)
                  need the Traffic Steering add-on.
            type: str
            choices: ["off", geo, random, dynamic_latency, proximity, least_outstanding_requests, least_connections, ""]
          ttl:
            description:
              - Time to live of the DNS answer in seconds; only when not proxied.
            type: float
      priority:
        description:
          - Place in the order of rules, the lowest first.
        type: int
      terminates:
        description:
          - Whether no rule after it counts.
        type: bool
  session_affinity:
    description:
      - Whether a user stays with an origin.
    type: str
    choices: [none, cookie, ip_cookie, header, ""]
  session_affinity_attributes:
    description:
      - Details of session affinity.
    type: dict
    suboptions:
      drain_duration:
        description:
          - Seconds for which sessions go on to an origin that was disabled.
        type: float
      headers:
        description:
          - Headers that make up a session for V(header).
        type: list
        elements: str
      require_all_headers:
        description:
          - Whether all of them must be there.
        type: bool
      samesite:
        description:
          - SameSite attribute of the cookie.
        type: str
        choices: [Auto, Lax, None, Strict]
      secure:
        description:
          - Secure attribute of the cookie.
        type: str
        choices: [Auto, Always, Never]
      zero_downtime_failover:
        description:
          - What happens to a session when its origin cannot be reached.
        type: str
        choices: [none, temporary, sticky]
  session_affinity_ttl:
    description:
      - Seconds for which a session is kept.
    type: float
  steering_policy:
    description:
      - How pools are chosen. An empty string leaves the choice to Cloudflare. All but V(off) and V(random) need the
          Traffic Steering add-on.
    type: str
    choices: ["off", geo, random, dynamic_latency, proximity, least_outstanding_requests, least_connections, ""]
  ttl:
    description:
      - Time to live of the DNS answer in seconds; only when not proxied.
    type: float
seealso:
  - module: meridian.geokube.cloudflare_traffic
  - module: meridian.geokube.cloudflare_load_balancing_info
"""

EXAMPLES = r"""
- name: Steer by geography between two pools
  meridian.geokube.cloudflare_load_balancer:
    account_id: 0123456789abcdef0123456789abcdef
    zone: example.com
    name: style.example.com
    default_pools: [devfest-ru, devfest-au]
    fallback_pool: devfest-ru
    region_pools:
      OC: [devfest-au, devfest-ru]
    steering_policy: geo
    proxied: true

- name: Delete the load balancer
  meridian.geokube.cloudflare_load_balancer:
    account_id: 0123456789abcdef0123456789abcdef
    zone: example.com
    name: style.example.com
    state: absent
"""

RETURN = r"""
actions:
  description: What was done, or would be in check mode, in order.
  returned: success
  type: list
  elements: dict
  sample: [{kind: pool, name: devfest-au, action: update, fields: [origins]}]
load_balancer:
  description: The load balancer as the API shows it.
  returned: success, except in check mode for an object that does not exist
  type: dict
  sample: {id: 699d98642c564d2e855e9661899b7252, name: style.example.com}
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
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_account import BALANCER
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_client import Client
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_options import LOAD_BALANCER as OBJECT_OPTIONS
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_wishes import Wishes


def argument_spec() -> dict[str, Any]:
    """The module's options."""
    return dict(
        common.common_options(),
        **common.account_option(),
        **common.change_options(),
        owner={"type": "str"},
        zone={"type": "str", "required": True},
        **OBJECT_OPTIONS,
    )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec(), supports_check_mode=True)
    params = module.params

    def work(client: Client) -> dict[str, Any]:
        wishes = Wishes(
            owner=params["owner"],
            load_balancers=[{option: params[option] for option in OBJECT_OPTIONS}],
            force=params["force"],
        )
        account, result = common.reconcile(module, client, wishes)
        found = account.find(BALANCER, wishes.load_balancers[0]["name"], params["owner"])
        if found is not None:
            result["load_balancer"] = found
        return result

    common.guarded(module, work)


if __name__ == "__main__":
    main()
