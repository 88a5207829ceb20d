#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage settings of a Cloudflare zone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudflare_zone_settings
short_description: Manage settings of a Cloudflare zone
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Brings settings of a zone to the values that are wanted. Settings that are not named are left alone.
  - A zone's settings count for all its names, also for those that somebody else serves.
  - The token needs the permission Zone, Zone Settings, Edit.
extends_documentation_fragment:
  - meridian.geokube.cloudflare
attributes:
  check_mode:
    support: full
    description: Reads what is there and tells what would be done; changes nothing.
  diff_mode:
    support: full
    description: Shows the settings named before and after.
options:
  zone:
    description:
      - The zone, by name or identifier.
    type: str
    required: true
  settings:
    description:
      - Names and values as the API has them, such as C(ssl), C(min_tls_version) and C(always_use_https).
      - For C(on) and C(off), true and false will do.
      - Of a value of several parts, such as C(security_header), those that are not named stay.
    type: dict
    required: true
seealso:
  - module: meridian.geokube.cloudflare_origin_certificate
  - module: meridian.geokube.cloudflare_authenticated_origin_pulls
"""

EXAMPLES = r"""
- name: Take only origins with a certificate that the edge trusts
  meridian.geokube.cloudflare_zone_settings:
    zone: example.com
    settings:
      ssl: strict
      min_tls_version: "1.2"
"""

RETURN = r"""
settings:
  description: The settings named, with the values that they have now.
  returned: success
  type: dict
  sample: {ssl: strict, min_tls_version: "1.2"}
previous:
  description: The values that they had before.
  returned: success
  type: dict
  sample: {ssl: full, min_tls_version: "1.2"}
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
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_account import Account
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_client import Client
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_settings import ZoneSettings


def argument_spec() -> dict[str, Any]:
    """The module's options."""
    return dict(
        common.common_options(),
        zone={"type": "str", "required": True},
        settings={"type": "dict", "required": True},
    )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec(), supports_check_mode=True)
    params = module.params

    def work(client: Client) -> dict[str, Any]:
        result = ZoneSettings(Account(client, "", params["zone"]), module.check_mode).ensure(params["settings"])
        return dict(result, requests=client.requests, rate_limit_waited=client.waited)

    common.guarded(module, work)


if __name__ == "__main__":
    main()
