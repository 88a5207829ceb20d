#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kube_api_forward
short_description: Keep a port forward to an API server that listens on a private address
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Starts C(ssh) in the background with a local forward to the API server, unless it is already there, and asks the
    API server whether it is ready.
  - Never reports a change, as nothing lasting is changed.
attributes:
  check_mode:
    description: Does the same in check mode, since others need the forward to look.
    support: full
  diff_mode:
    description: Shows differences.
    support: none
options:
  destination:
    description: Where to go by C(ssh), as C(user@host) or C(host).
    type: str
    required: true
  port:
    description: The port of the C(ssh) server.
    type: int
  private_key_file:
    description: The private key for C(ssh).
    type: path
  ssh_args:
    description: Further arguments for C(ssh), in one text.
    type: str
    default: ""
  executable:
    description: The C(ssh) to use.
    type: str
    default: ssh
  socket:
    description: The control socket, at most 90 characters.
    type: path
    required: true
  local_port:
    description: The port on 127.0.0.1.
    type: int
    required: true
  remote_address:
    description: The address of the API server as seen from O(destination).
    type: str
    required: true
  remote_port:
    description: The port of the API server.
    type: int
    default: 6443
  certificate_authority:
    description: The CA certificate of the cluster, base64 of PEM as in a kubeconfig. Without it nothing is asked.
    type: str
  tls_server_name:
    description: The name to check in the API server's certificate.
    type: str
    default: kubernetes
  log:
    description: The file for what C(ssh) says.
    type: path
    required: true
  timeout:
    description: Seconds to connect, and for the API server to answer.
    type: int
    default: 20
"""

EXAMPLES = r"""
- name: Reach the API server over the first control plane node
  meridian.geokube.kube_api_forward:
    destination: debian@192.0.2.10
    socket: /srv/state/api.sock
    local_port: 5616
    remote_address: 10.255.0.1
    log: /srv/state/logs/api-forward.log
"""

RETURN = r"""
answers:
  description: Whether the API server is ready; false when it was not asked.
  type: bool
  returned: always
reason:
  description: Why it is not.
  type: str
  returned: always
started:
  description: Whether C(ssh) was started now.
  type: bool
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.meridian.geokube.plugins.module_utils.kube_api_forward import Forward, ForwardError, unready


def main() -> None:
    """Make sure of the forward and ask the API server."""
    module = AnsibleModule(
        argument_spec={
            "destination": {"type": "str", "required": True},
            "port": {"type": "int"},
            "private_key_file": {"type": "path", "no_log": False},
            "ssh_args": {"type": "str", "default": ""},
            "executable": {"type": "str", "default": "ssh"},
            "socket": {"type": "path", "required": True},
            "local_port": {"type": "int", "required": True},
            "remote_address": {"type": "str", "required": True},
            "remote_port": {"type": "int", "default": 6443},
            "certificate_authority": {"type": "str"},
            "tls_server_name": {"type": "str", "default": "kubernetes"},
            "log": {"type": "path", "required": True},
            "timeout": {"type": "int", "default": 20},
        },
        supports_check_mode=True,
    )
    given = module.params
    forward = Forward(
        executable=given["executable"],
        destination=given["destination"],
        port=given["port"],
        key=given["private_key_file"],
        arguments=given["ssh_args"],
        socket_path=given["socket"],
        local_port=given["local_port"],
        remote_address=given["remote_address"],
        remote_port=given["remote_port"],
        log=given["log"],
        timeout=given["timeout"],
    )
    started = False
    try:
        if not forward.alive():
            forward.start()
            started = True
    except ForwardError as error:
        module.exit_json(changed=False, answers=False, started=False, reason=str(error))
    if not given["certificate_authority"]:
        module.exit_json(changed=False, answers=False, started=started, reason="no CA certificate was given")
    reason = unready(
        given["local_port"], given["tls_server_name"], given["certificate_authority"], float(given["timeout"])
    )
    module.exit_json(changed=False, answers=not reason, started=started, reason=reason)


if __name__ == "__main__":
    main()
