#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a machine's origin key, its certificate, and whom its Traefik takes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: origin_tls
short_description: Keep an origin's key and certificate on its machine, and whom its Traefik takes
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Makes a private key and a certificate signing request on the machine, unless they are there. The key never leaves
    the machine.
  - Gives a certificate for that key to the machine's Traefik by files of its dynamic configuration, which it watches,
    so that nothing restarts.
  - Has Traefik refuse clients without a certificate of O(client_authority), or take anybody when that is empty.
  - Asks the machine's own listener whether all this holds, and waits for it. Traefik takes some seconds.
  - With O(certificate) and O(client_authority) both empty it makes nothing and takes away what Traefik reads.
  - Else it needs openssl on the machine.
attributes:
  check_mode:
    support: full
    description: Tells what would be written; asks the listener only when nothing would be.
  diff_mode:
    support: full
    description: Shows the files before and after, never the key.
  platform:
    support: full
    platforms: linux
    description: Runs on Linux.
options:
  hostnames:
    description: The DNS names of the certificate.
    type: list
    elements: str
    required: true
  certificate:
    description:
      - The certificate, PEM, with its chain if it has one. One for another key is an error.
      - Left out, the one that is there stays as long as it belongs to the key. Empty, there is none.
    type: str
  client_authority:
    description:
      - The authority, PEM, that signed the certificates of the clients that are taken; several one after the other.
      - Left out, it stays as it is. Empty, anybody is taken.
    type: str
  minimum_tls_version:
    description: The oldest TLS that is accepted, once clients are asked for certificates.
    type: str
    choices: ["1.2", "1.3"]
    default: "1.2"
  directory:
    description: The folder on the machine, of mode 0755.
    type: path
    default: /etc/geokube/ingress
  mount:
    description: The same folder as Traefik sees it.
    type: str
    default: /etc/traefik/dynamic
  user:
    description: The number of the user that Traefik runs as, to whom the key (0600) belongs.
    type: int
    default: 65532
  address:
    description: An address of the machine at which its Traefik listens; its own towards the world when left out.
    type: str
  port:
    description: The port of HTTPS.
    type: int
    default: 443
  wait:
    description: How many seconds Traefik gets to take over what is there.
    type: int
    default: 30
seealso:
  - module: meridian.geokube.cloudflare_origin_certificate
  - module: meridian.geokube.cloudflare_authenticated_origin_pulls
"""

EXAMPLES = r"""
- name: Make sure that the origin has a key, and learn its request
  meridian.geokube.origin_tls:
    hostnames: [example.com]
  become: true
  register: origin

- name: Have it signed, from where the API token is
  meridian.geokube.cloudflare_origin_certificate:
    zone: example.com
    csr: "{{ origin.csr }}"
    hostnames: [example.com]
  delegate_to: localhost
  register: signed

- name: Show the certificate, and take nobody but the edge
  meridian.geokube.origin_tls:
    hostnames: [example.com]
    certificate: "{{ signed.certificate }}"
    client_authority: "{{ lookup('ansible.builtin.file', 'pulls-ca.crt') }}"
  become: true
"""

RETURN = r"""
csr:
  description: The certificate signing request, PEM; empty when check mode would make it.
  returned: success
  type: str
  sample: "-----BEGIN CERTIFICATE REQUEST-----..."
certificate:
  description: The certificate that Traefik has for the key, PEM; empty when there is none.
  returned: success
  type: str
  sample: "-----BEGIN CERTIFICATE-----..."
client_authority:
  description: The authority whose clients are taken, PEM; empty when anybody is.
  returned: success
  type: str
  sample: "-----BEGIN CERTIFICATE-----..."
ready:
  description: Whether there is a certificate, the listener shows it, and takes whom it shall; false in check mode when
    something would change.
  returned: success
  type: bool
  sample: true
reason:
  description: What is missing when it is not ready.
  returned: success
  type: str
  sample: 198.51.100.10:443 takes clients without a certificate
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.meridian.geokube.plugins.module_utils import origin_listener, origin_tls
from ansible_collections.meridian.geokube.plugins.module_utils.node_commands import NodeError
from ansible_collections.meridian.geokube.plugins.module_utils.origin_folder import Folder

NO_CERTIFICATE = "it has no certificate yet"


def ensure(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Bring the folder and the listener to what is wanted; give the module's result."""
    folder = Folder(Path(params["directory"]), check_mode)
    if params["certificate"] == "" and params["client_authority"] == "":
        return _nothing(folder, params)
    origin_tls.need_openssl()
    given, authority = (_pem(params, name) for name in ("certificate", "client_authority"))
    folder.make()
    key = origin_tls.own_key(folder, params["user"])
    if given and key and origin_tls.public_key("x509", given) != key:
        raise NodeError("certificate: it is for another key: have the request that this module gives signed")
    request = origin_tls.own_request(folder, key, params["hostnames"])
    kept = folder.text(origin_tls.CERTIFICATE)
    certificate = given if given is not None else kept if key and origin_tls.public_key("x509", kept) == key else ""
    demanded = authority if authority is not None else folder.text(origin_tls.AUTHORITY)
    origin_tls.show(folder, certificate, params["mount"])
    origin_tls.demand(folder, demanded, params["minimum_tls_version"])
    reason = _reason(params, check_mode and folder.changed, certificate, bool(demanded))
    return _told(folder, request, certificate, demanded, reason)


def _nothing(folder: Folder, params: dict[str, Any]) -> dict[str, Any]:
    """Take away what Traefik reads, where it is; the key stays for another time, and none is made."""
    origin_tls.show(folder, "", params["mount"])
    origin_tls.demand(folder, "", params["minimum_tls_version"])
    return _told(folder, folder.text(origin_tls.REQUEST), "", "", NO_CERTIFICATE)


def _told(folder: Folder, request: str, certificate: str, authority: str, reason: str) -> dict[str, Any]:
    return {
        "changed": folder.changed,
        "csr": request,
        "certificate": certificate,
        "client_authority": authority,
        "ready": not reason,
        "reason": reason,
        "diff": {"before": _text(folder.before), "after": _text(folder.after)},
    }


def _pem(params: dict[str, Any], name: str) -> str | None:
    try:
        return None if params[name] is None else origin_tls.pem(params[name])
    except NodeError as error:
        raise NodeError(f"{name}: {error}") from error


def _reason(params: dict[str, Any], would_change: bool, certificate: str, closed: bool) -> str:
    if would_change:
        return "something would change"
    address = params["address"] or origin_listener.own_address()
    name = params["hostnames"][0].replace("*.", "", 1)
    found = origin_listener.wait_until_right(address, params["port"], name, certificate, closed, params["wait"])
    return found or ("" if certificate else NO_CERTIFICATE)


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "hostnames": {"type": "list", "elements": "str", "required": True},
            "certificate": {"type": "str"},
            "client_authority": {"type": "str"},
            "minimum_tls_version": {"type": "str", "choices": ["1.2", "1.3"], "default": "1.2"},
            "directory": {"type": "path", "default": "/etc/geokube/ingress"},
            "mount": {"type": "str", "default": "/etc/traefik/dynamic"},
            "user": {"type": "int", "default": 65532},
            "address": {"type": "str"},
            "port": {"type": "int", "default": 443},
            "wait": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    if not module.params["hostnames"]:
        module.fail_json(msg="hostnames is empty: name at least the domain that users ask for")
    try:
        result = ensure(module.params, module.check_mode)
    except (NodeError, OSError) as error:
        module.fail_json(msg=f"the origin's TLS in {module.params['directory']}: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
