#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage one owner's cache rules of a Cloudflare zone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudflare_cache_ruleset
short_description: Manage one owner's cache rules of a Cloudflare zone
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Brings the cache rules of one owner in a zone to what is wanted. Rules of others keep their place.
  - The owner's rules stand after those of others, in the order given. Where several match, the last one counts.
extends_documentation_fragment:
  - meridian.geokube.cloudflare
attributes:
  check_mode:
    support: full
    description: Reads what is there and tells what would be done; changes nothing.
  diff_mode:
    support: full
    description: Shows the zone's cache rules before and after.
options:
  zone:
    description:
      - The zone, by name or identifier.
    type: str
    required: true
  owner:
    description:
      - Whose rules these are. It is written at the end of their descriptions, C([geokube:owner/name]).
    type: str
    required: true
  rules:
    description:
      - All rules of this owner. An empty list, the default, removes them.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - Name of the rule, by which it is recognised.
        type: str
        required: true
      expression:
        description:
          - For which requests the rule counts, in Cloudflare's rules language.
        type: str
        required: true
      enabled:
        description:
          - Whether the rule counts.
        type: bool
        default: true
      action_parameters:
        description:
          - The cache settings, as the API takes them, such as C(cache), C(edge_ttl) and C(browser_ttl).
        type: dict
        required: true
seealso:
  - module: meridian.geokube.cloudflare_traffic
"""

EXAMPLES = r"""
- name: Keep results, which never change, at the edge
  meridian.geokube.cloudflare_cache_ruleset:
    zone: example.com
    owner: devfest
    rules:
      - name: results
        expression: >-
          http.host eq "style.example.com" and starts_with(http.request.uri.path, "/results/")
        action_parameters:
          cache: true
          edge_ttl:
            mode: override_origin
            default: 2592000

- name: Remove the owner's rules
  meridian.geokube.cloudflare_cache_ruleset:
    zone: example.com
    owner: devfest
"""

RETURN = r"""
rules:
  description: All cache rules of the zone as the API shows them, also those of others.
  returned: success
  type: list
  elements: dict
  sample: [{id: 3a03d665bac047339bb530ecb439a90d, action: set_cache_settings, enabled: true}]
requests:
  description: How many requests were sent to the API.
  returned: always
  type: int
  sample: 2
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
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_account import Account, checked_owner
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_cache import CacheRules
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_client import Client


def argument_spec() -> dict[str, Any]:
    """The module's options."""
    rule = {
        "name": {"type": "str", "required": True},
        "expression": {"type": "str", "required": True},
        "enabled": {"type": "bool", "default": True},
        "action_parameters": {"type": "dict", "required": True},
    }
    return dict(
        common.common_options(),
        zone={"type": "str", "required": True},
        owner={"type": "str", "required": True},
        rules={"type": "list", "elements": "dict", "default": [], "options": rule},
    )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec(), supports_check_mode=True)
    params = module.params

    def work(client: Client) -> dict[str, Any]:
        owner = str(checked_owner(params["owner"]))
        result = CacheRules(Account(client, "", params["zone"]), owner, module.check_mode).ensure(params["rules"])
        return dict(result, requests=client.requests, rate_limit_waited=client.waited)

    common.guarded(module, work)


if __name__ == "__main__":
    main()
