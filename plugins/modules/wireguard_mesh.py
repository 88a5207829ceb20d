#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring this machine's side of the mesh to what is wanted."""

from __future__ import annotations

DOCUMENTATION = r"""
module: wireguard_mesh
short_description: A machine's side of a WireGuard mesh
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Keeps C(<interface>.conf), the enabled service C(wg-quick@<interface>) and the running interface as wanted.
  - Changes of peers, MTU and port are made on the running interface, so that no other peer notices.
  - Starts the service afresh only when there is no interface.
  - C(wg-quick) takes the kernel's WireGuard where there is one, else C(wireguard-go).
  - Needs the key of M(meridian.geokube.wireguard_key).
attributes:
  check_mode:
    support: full
    description: Tells what would be changed.
  diff_mode:
    support: full
    description: Shows the file, which holds no secret, and the changes to the running interface.
  platform:
    support: full
    platforms: linux
    description: Runs on Linux with systemd.
options:
  interface:
    description: The name of the interface.
    type: str
    default: wg0
  directory:
    description: The folder of the file and of the key.
    type: path
    default: /etc/wireguard
  address:
    description:
      - The mesh address of this machine with the prefix length of the mesh network.
      - A running interface that has another address makes the module fail, as a changed address breaks etcd.
    type: str
    required: true
  listen_port:
    description: The UDP port to listen on.
    type: int
    default: 51820
  mtu:
    description: The MTU of the interface in bytes.
    type: int
    required: true
  persistent_keepalive:
    description: Seconds between packets that keep the way through NATs and firewalls open. 0 sends none.
    type: int
    default: 25
  peers:
    description: The other machines. Peers that are not named are removed.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name of the machine.
        type: str
        required: true
      public_key:
        description: Its public key.
        type: str
        required: true
      endpoint:
        description: Where it listens, as C(address:port).
        type: str
        required: true
      allowed_ips:
        description: The addresses that are reached through it.
        type: list
        elements: str
        required: true
seealso:
  - module: meridian.geokube.wireguard_key
"""

EXAMPLES = r"""
- name: Join the mesh
  meridian.geokube.wireguard_mesh:
    address: 10.255.0.1/24
    mtu: 1420
    peers:
      - name: devfest-au-01
        public_key: 7Hh2jWQUv0yOBVpyW2JxMBm4HQFN3BLBIv4aB8mS0Vw=
        endpoint: 198.51.100.10:51820
        allowed_ips: [10.255.0.2/32]
  become: true
"""

RETURN = r"""
changes:
  description: What was changed, in words.
  returned: success
  type: list
  elements: str
  sample: ["peer devfest-au-01 added"]
silent:
  description: Peers with which the interface, as it was found, had made no handshake for three minutes.
  returned: success
  type: list
  elements: str
  sample: []
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.meridian.geokube.plugins.module_utils.node_commands import NodeError
from ansible_collections.meridian.geokube.plugins.module_utils.wireguard import Interface, Peer, is_key
from ansible_collections.meridian.geokube.plugins.module_utils.wireguard_node import Node


def read_peers(module: AnsibleModule) -> list[Peer]:
    """Give the peers of the options; ends the module when a key is none."""
    peers = []
    for one in module.params["peers"]:
        if not is_key(one["public_key"]) and not module.check_mode:
            module.fail_json(msg=f"the public key of {one['name']} is {one['public_key']!r}, which is no WireGuard key")
        peers.append(
            Peer(
                name=one["name"],
                public_key=one["public_key"],
                endpoint=one["endpoint"],
                allowed_ips=tuple(one["allowed_ips"]),
                keepalive=module.params["persistent_keepalive"],
            )
        )
    return peers


def ensure(module: AnsibleModule) -> dict[str, Any]:
    """Bring file, service and interface to what is wanted and give the module's result."""
    options = module.params
    folder = Path(options["directory"])
    interface = Interface(
        name=options["interface"],
        address=options["address"],
        listen_port=options["listen_port"],
        mtu=options["mtu"],
        key_file=str(folder / f"{options['interface']}.key"),
    )
    node = Node(folder, interface, read_peers(module), module.check_mode)
    before, after = node.ensure()
    diff = [{"before_header": str(node.file), "after_header": str(node.file), "before": before, "after": after}]
    if node.changes:
        running = {"before_header": f"{interface.name} running", "after_header": f"{interface.name} running"}
        diff.append({**running, "before": "", "after": "".join(f"{one}\n" for one in node.changes)})
    return {
        "changed": before != after or bool(node.changes),
        "changes": node.changes,
        "silent": node.silent,
        "diff": diff,
    }


def main() -> None:
    """Ensure this side of the mesh and report."""
    text = {"type": "str", "required": True}
    peer = {
        "name": text,
        "public_key": {"type": "str", "required": True, "no_log": False},
        "endpoint": text,
        "allowed_ips": {"type": "list", "elements": "str", "required": True},
    }
    module = AnsibleModule(
        argument_spec={
            "interface": {"type": "str", "default": "wg0"},
            "directory": {"type": "path", "default": "/etc/wireguard"},
            "address": text,
            "listen_port": {"type": "int", "default": 51820},
            "mtu": {"type": "int", "required": True},
            "persistent_keepalive": {"type": "int", "default": 25},
            "peers": {"type": "list", "elements": "dict", "required": True, "options": peer},
        },
        supports_check_mode=True,
    )
    try:
        result = ensure(module)
    except (NodeError, OSError) as error:
        module.fail_json(msg=f"{module.params['interface']} cannot be brought up: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
