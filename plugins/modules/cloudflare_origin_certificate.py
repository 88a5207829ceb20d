#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have an origin certificate signed by Cloudflare."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudflare_origin_certificate
short_description: Have an origin certificate signed by Cloudflare
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Has a certificate signing request signed by Cloudflare's Origin CA, which Cloudflare's edge trusts and browsers do
      not.
  - Takes only the request, so the private key can stay on the node where it was made.
  - A certificate that was signed for the same request and names, and that is still good for O(renew_before) days, is
      given again.
  - With O(state=absent), every certificate signed for the request is revoked.
extends_documentation_fragment:
  - meridian.geokube.cloudflare
attributes:
  check_mode:
    support: full
    description: Reads what is there and tells what would be done; changes nothing.
  diff_mode:
    support: full
    description: Shows names and dates of the certificate before and after.
options:
  zone:
    description:
      - The zone, by name or identifier.
    type: str
    required: true
  csr:
    description:
      - The certificate signing request, PEM.
    type: str
    required: true
  hostnames:
    description:
      - Host names of the certificate, in the zone. Wildcards are allowed. Required if O(state=present).
    type: list
    elements: str
  request_type:
    description:
      - Kind of the key.
    type: str
    choices: [origin-rsa, origin-ecc]
    default: origin-ecc
  requested_validity:
    description:
      - For how many days the certificate is good.
    type: int
    choices: [7, 30, 90, 365, 730, 1095, 5475]
    default: 365
  renew_before:
    description:
      - How many days before its end a certificate is replaced. It must be less than O(requested_validity).
    type: int
    default: 30
  revoke_replaced:
    description:
      - Whether the other certificates that were signed for the request are revoked, once there is a good one. A node
        that shows one of them must have the good one by then, so run without it first.
    type: bool
    default: false
  state:
    description:
      - Whether a good certificate shall be there.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: community.crypto.openssl_csr_pipe
  - module: meridian.geokube.cloudflare_authenticated_origin_pulls
"""

EXAMPLES = r"""
- name: Make the key on the node
  community.crypto.openssl_privatekey:
    path: /etc/ssl/private/origin.key
    type: ECC
    curve: secp256r1
    mode: "0600"

- name: Ask for a certificate with it
  community.crypto.openssl_csr:
    path: /etc/ssl/origin.csr
    privatekey_path: /etc/ssl/private/origin.key
    common_name: style.example.com

- name: Read the request
  ansible.builtin.slurp:
    src: /etc/ssl/origin.csr
  register: request

- name: Have it signed, from where the API token is
  meridian.geokube.cloudflare_origin_certificate:
    zone: example.com
    csr: "{{ request.content | b64decode }}"
    hostnames: [style.example.com]
  delegate_to: localhost
  register: origin

- name: Bring the certificate to the node
  ansible.builtin.copy:
    content: "{{ origin.certificate }}"
    dest: /etc/ssl/origin.crt
    mode: "0644"
"""

RETURN = r"""
certificate:
  description: The certificate, PEM.
  returned: success, if O(state=present) and not when check mode would sign
  type: str
  sample: "-----BEGIN CERTIFICATE-----..."
certificate_id:
  description: Its identifier.
  returned: success, if O(state=present) and not when check mode would sign
  type: str
  sample: "328578533902268680212849205732770752308931942346"
expires_on:
  description: When it ends, UTC.
  returned: success, if O(state=present) and not when check mode would sign
  type: str
  sample: "2027-01-01T05:20:00Z"
replaced:
  description: Identifiers of other certificates for the request that are not revoked.
  returned: success, if O(state=present)
  type: list
  elements: str
  sample: []
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
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_certificates import OriginCertificates
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_client import Client
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_errors import CloudflareError


def argument_spec() -> dict[str, Any]:
    """The module's options."""
    return dict(
        common.common_options(),
        zone={"type": "str", "required": True},
        csr={"type": "str", "required": True},
        hostnames={"type": "list", "elements": "str"},
        request_type={"type": "str", "choices": ["origin-rsa", "origin-ecc"], "default": "origin-ecc"},
        requested_validity={"type": "int", "choices": [7, 30, 90, 365, 730, 1095, 5475], "default": 365},
        renew_before={"type": "int", "default": 30},
        revoke_replaced={"type": "bool", "default": False},
        state={"type": "str", "choices": ["present", "absent"], "default": "present"},
    )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec(), supports_check_mode=True, required_if=[("state", "present", ("hostnames",))]
    )
    params = module.params

    def work(client: Client) -> dict[str, Any]:
        if params["renew_before"] >= params["requested_validity"]:
            raise CloudflareError(
                "renew_before must be less than requested_validity: it would be replaced at every run"
            )
        account = Account(client, "", params["zone"])
        certificates = OriginCertificates(account, params["csr"], module.check_mode)
        if params["state"] == "present":
            result = certificates.present(
                params["hostnames"],
                params["request_type"],
                params["requested_validity"],
                params["renew_before"],
                params["revoke_replaced"],
            )
        else:
            result = certificates.absent()
        return dict(result, requests=client.requests, rate_limit_waited=client.waited)

    common.guarded(module, work)


if __name__ == "__main__":
    main()
