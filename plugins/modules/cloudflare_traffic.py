#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reconcile Cloudflare monitors, pools and load balancers in one run."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudflare_traffic
short_description: Reconcile Cloudflare monitors, pools and load balancers in one run
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Brings monitors, origin pools and load balancers to what is wanted, over one connection and in the order that
      keeps users served.
  - Only what is given is compared, after the API's defaults; what is left out keeps the value that it has.
      What is given empty is cleared.
  - Ten requests create a monitor, four pools and a load balancer; four find that nothing has to be done.
  - Refuses to take away the last healthy pool of a load balancer or more healthy origins than a pool can miss.
      Unknown health counts as unhealthy. O(force=true) overrides.
  - With O(state=absent), everything that is named is deleted, load balancers first.
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
  zone:
    description:
      - Zone of the load balancers, by name or identifier.
    type: str
  monitors:
    description:
      - Monitors that shall be there.
    type: list
    elements: dict
    default: []
    suboptions:
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
  pools:
    description:
      - Pools that shall be there.
    type: list
    elements: dict
    default: []
    suboptions:
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
          - Latitude of the pool in degrees, for steering by proximity. Goes with O(pools[].longitude).
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
          - Longitude of the pool in degrees. Goes with O(pools[].latitude).
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
              The pool's origins, all of them: one that is not listed is drained and removed. Their order is
              irrelevant.
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
  load_balancers:
    description:
      - Load balancers that shall be there. They need O(zone).
    type: list
    elements: dict
    default: []
    suboptions:
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
                choices:
                  ["off", geo, random, dynamic_latency, proximity, least_outstanding_requests, least_connections, ""]
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
          - Pools by region code, in order. A region fails over only to pools of its own list, then to the fallback
              pool. The whole map is replaced; an empty one clears it.
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
                  - Pools by point of presence, in order (Enterprise). The whole map is replaced; an empty one clears
                      it.
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
                  - How pools are chosen. An empty string leaves the choice to Cloudflare. All but V(off) and
                      V(random) need the Traffic Steering add-on.
                type: str
                choices:
                  ["off", geo, random, dynamic_latency, proximity, least_outstanding_requests, least_connections, ""]
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
          - How pools are chosen. An empty string leaves the choice to Cloudflare. All but V(off) and V(random) need
              the Traffic Steering add-on.
        type: str
        choices: ["off", geo, random, dynamic_latency, proximity, least_outstanding_requests, least_connections, ""]
      ttl:
        description:
          - Time to live of the DNS answer in seconds; only when not proxied.
        type: float
  prune:
    description:
      - Whether to delete whatever else carries the owner's mark.
      - A pool that goes is disabled first, then the load balancers change, then it is deleted.
    type: bool
    default: false
  drain_seconds:
    description:
      - For how many seconds an origin or pool that is taken away stays disabled before it goes.
    type: int
    default: 15
  wait_healthy:
    description:
      - For how many seconds to wait until new origins are healthy before users are sent there, and before others are
        taken away. V(0) does not wait.
      - Pools that were there before and are not healthy are waited for, too; a warning names those that stay sick.
    type: int
    default: 0
seealso:
  - module: meridian.geokube.cloudflare_load_balancing_info
  - module: meridian.geokube.cloudflare_load_balancer_pool_origin
"""

EXAMPLES = r"""
- name: Send every user to the nearest healthy region
  meridian.geokube.cloudflare_traffic:
    account_id: 0123456789abcdef0123456789abcdef
    zone: example.com
    owner: devfest
    monitors:
      - name: devfest-https
        type: https
        path: /readyz
        interval: 15
        expected_codes: "200"
        header:
          Host: [style.example.com]
    pools:
      - name: devfest-au
        monitor: devfest-https
        latitude: -33.87
        longitude: 151.21
        origins:
          - name: devfest-au-01
            address: 192.0.2.10
      - name: devfest-sg
        monitor: devfest-https
        latitude: 1.35
        longitude: 103.82
        origins:
          - name: devfest-sg-01
            address: 192.0.2.20
    load_balancers:
      - name: style.example.com
        default_pools: [devfest-sg, devfest-au]
        fallback_pool: devfest-sg
        region_pools:
          OC: [devfest-au, devfest-sg]
          SEAS: [devfest-sg, devfest-au]
        steering_policy: geo
        proxied: true
        adaptive_routing:
          failover_across_pools: true

- name: Take the region au out, without a failed request
  meridian.geokube.cloudflare_traffic:
    account_id: 0123456789abcdef0123456789abcdef
    zone: example.com
    owner: devfest
    monitors:
      - name: devfest-https
        type: https
    pools:
      - name: devfest-sg
        monitor: devfest-https
    load_balancers:
      - name: style.example.com
        default_pools: [devfest-sg]
        fallback_pool: devfest-sg
        region_pools: {}
        steering_policy: "off"
    prune: true
    drain_seconds: 5

- name: Remove all of it
  meridian.geokube.cloudflare_traffic:
    account_id: 0123456789abcdef0123456789abcdef
    zone: example.com
    owner: devfest
    monitors: [{name: devfest-https}]
    pools: [{name: devfest-sg}]
    load_balancers: [{name: style.example.com}]
    state: absent
"""

RETURN = r"""
actions:
  description: What was done, or would be in check mode, in order.
  returned: success
  type: list
  elements: dict
  sample: [{kind: pool, name: devfest-au, action: update, fields: [origins]}]
monitors:
  description: The named monitors as the API shows them.
  returned: success
  type: list
  elements: dict
  sample: [{id: f1aba936b94213e5b8dca0c0dbf1f9cc, type: https, path: /readyz}]
pools:
  description: The named pools as the API shows them.
  returned: success
  type: list
  elements: dict
  sample: [{id: 17b5962d775c646f3f9725cbc7a53df4, name: devfest-au}]
load_balancers:
  description: The named load balancers as the API shows them.
  returned: success
  type: list
  elements: dict
  sample: [{id: 699d98642c564d2e855e9661899b7252, name: style.example.com}]
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
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_account import BALANCER, MONITOR, POOL
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_client import Client
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_options import (
    LOAD_BALANCER as LOAD_BALANCER_OPTIONS,
)
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_options import MONITOR as MONITOR_OPTIONS
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_options import POOL as POOL_OPTIONS
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_wishes import Wishes


def argument_spec() -> dict[str, Any]:
    """The module's options."""
    return dict(
        common.common_options(),
        **common.account_option(),
        **common.change_options(),
        **common.drain_options(),
        owner={"type": "str", "required": True},
        zone={"type": "str"},
        monitors={"type": "list", "elements": "dict", "default": [], "options": MONITOR_OPTIONS},
        pools={"type": "list", "elements": "dict", "default": [], "options": POOL_OPTIONS},
        load_balancers={"type": "list", "elements": "dict", "default": [], "options": LOAD_BALANCER_OPTIONS},
        prune={"type": "bool", "default": False},
    )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec(), supports_check_mode=True)
    params = module.params
    named = ((MONITOR, "monitors"), (POOL, "pools"), (BALANCER, "load_balancers"))

    def work(client: Client) -> dict[str, Any]:
        wishes = Wishes(
            owner=params["owner"],
            monitors=params["monitors"],
            pools=params["pools"],
            load_balancers=params["load_balancers"],
            prune=params["prune"],
            force=params["force"],
            drain_seconds=params["drain_seconds"],
            wait_healthy=params["wait_healthy"],
        )
        account, result = common.reconcile(module, client, wishes)
        for kind, option in named:
            found = [account.find(kind, one["name"], params["owner"]) for one in getattr(wishes, option)]
            result[option] = [record for record in found if record is not None]
        return result

    common.guarded(module, work)


if __name__ == "__main__":
    main()
