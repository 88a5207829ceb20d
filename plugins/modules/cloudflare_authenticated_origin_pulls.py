#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have Cloudflare show a client certificate to the zone's origins."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudflare_authenticated_origin_pulls
short_description: Have Cloudflare show a client certificate to the zone's origins
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Switches authenticated origin pulls of a zone on or off, with a client certificate of one's own.
  - With Cloudflare's global certificate any account can reach an origin; with one's own only this zone's traffic can.
      Origins must ask for a client certificate of the authority that signed it.
extends_documentation_fragment:
  - meridian.geokube.cloudflare
attributes:
  check_mode:
    support: full
    description: Reads what is there and tells what would be done; changes nothing.
  diff_mode:
    support: full
    description: Shows whether it is on, and the certificates' dates and issuers.
options:
  zone:
    description:
      - The zone, by name or identifier.
    type: str
    required: true
  certificate:
    description:
      - Client certificate, PEM. Left out, the certificates that are there are left alone.
    type: str
  private_key:
    description:
      - Its private key, PEM. Needed with O(certificate) as long as it is not uploaded.
    type: str
  enabled:
    description:
      - Whether the edge shows the certificate.
    type: bool
    default: true
  exclusive:
    description:
      - Whether to delete other client certificates of the zone. They go last.
    type: bool
    default: false
  keep_foreign:
    description:
      - Whether client certificates of other issuers than that of O(certificate) are somebody else's. Then they are not
        deleted, and an active one is an error, as the edge shows the zone's origins only one. Needs the Python package
        cryptography.
    type: bool
    default: false
  wait:
    description:
      - How many seconds Cloudflare gets to bring O(certificate) to all its places before the edge is switched on and
        others are deleted. Nothing is waited for when it is there already.
    type: int
    default: 120
seealso:
  - module: meridian.geokube.cloudflare_origin_certificate
"""

EXAMPLES = r"""
- name: Only this zone's traffic reaches the origins
  meridian.geokube.cloudflare_authenticated_origin_pulls:
    zone: example.com
    certificate: "{{ lookup('ansible.builtin.file', 'pulls.crt') }}"
    private_key: "{{ lookup('ansible.builtin.file', 'pulls.key') }}"

- name: Off again
  meridian.geokube.cloudflare_authenticated_origin_pulls:
    zone: example.com
    enabled: false
"""

RETURN = r"""
enabled:
  description: Whether it is on.
  returned: success
  type: bool
  sample: true
certificates:
  description: The zone's client certificates, without their keys.
  returned: success
  type: list
  elements: dict
  sample: [{id: 2458ce5a0c35c7f99b6c12ad9a3ff10d, status: active}]
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
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_origin_pulls import OriginPulls


def argument_spec() -> dict[str, Any]:
    """The module's options."""
    return dict(
        common.common_options(),
        zone={"type": "str", "required": True},
        certificate={"type": "str"},
        private_key={"type": "str", "no_log": True},
        enabled={"type": "bool", "default": True},
        exclusive={"type": "bool", "default": False},
        keep_foreign={"type": "bool", "default": False},
        wait={"type": "int", "default": 120},
    )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec(),
        supports_check_mode=True,
        required_by={"private_key": ("certificate",)},
    )
    params = module.params

    def work(client: Client) -> dict[str, Any]:
        pulls = OriginPulls(Account(client, "", params["zone"]), module.check_mode)
        names = ("enabled", "certificate", "private_key", "exclusive", "wait", "keep_foreign")
        result = pulls.ensure(**{name: params[name] for name in names})
        return dict(result, requests=client.requests, rate_limit_waited=client.waited)

    common.guarded(module, work)


if __name__ == "__main__":
    main()
