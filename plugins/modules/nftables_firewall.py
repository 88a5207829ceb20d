#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let into this machine from outside only what is named."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nftables_firewall
short_description: Let into a machine from outside only what is named
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Keeps one table of nftables that looks at packets which come in by the public interfaces, before any address is
    translated, and drops all but what O(openings) name, answers to what the machine itself asked for, and the ICMP that
    path MTU, pings and IPv6 need. So it also guards the ports that Kubernetes and containers forward.
  - Other tables, such as those of kube-proxy and of network plugins, are left alone, and so are all other interfaces.
  - A change takes effect as a whole. Where only sources change, new ones are added before old ones are removed.
  - A change is kept only if a new connection to the machine confirms it. The action plugin of this name makes one;
    until then a timer on the machine waits to put the earlier rules back.
  - The rules are loaded at boot, before there is a network.
attributes:
  action:
    support: full
    description: Has a corresponding action plugin, which makes the new connection.
  check_mode:
    support: full
    description: Tells what would be changed.
  diff_mode:
    support: full
    description: Shows the table before and after, as C(nft) lists it.
  platform:
    support: full
    platforms: linux
    description: Runs on Linux with systemd and C(nft).
options:
  state:
    description:
      - V(present) brings the rules to what is wanted.
      - V(confirmed) keeps for good what V(present) has applied; the action plugin does that by itself.
      - V(absent) removes the table and all that was kept for it.
    type: str
    choices: [present, confirmed, absent]
    default: present
  table:
    description: The name of the table, of the family C(inet). It is this module's alone.
    type: str
    default: geokube
  interfaces:
    description:
      - The interfaces that the world is behind. Empty, they are those of the default routes and those that have one of
        O(public_addresses).
    type: list
    elements: str
    default: []
  public_addresses:
    description: Addresses by which the world knows this machine. It need not have them itself.
    type: list
    elements: str
    default: []
  trusted_interfaces:
    description: Interfaces that are never shut, such as the mesh's.
    type: list
    elements: str
    default: [wg0]
  openings:
    description: What is let in.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What it is for, in small letters, digits and underscores. Names its sets of sources.
        type: str
        required: true
      protocol:
        description: The protocol of the ports.
        type: str
        choices: [tcp, udp]
        default: tcp
      ports:
        description: Ports and ranges of them like V(8000-8010), as they are before any address is translated.
        type: list
        elements: str
        required: true
      sources:
        description: Networks and addresses, IPv4 and IPv6. Without any, nobody is let in.
        type: list
        elements: str
        required: true
  confirm_within:
    description: Seconds after which the earlier rules come back unless a new connection has confirmed the new ones.
    type: int
    default: 60
"""

EXAMPLES = r"""
- name: Let in ssh from everywhere and HTTPS from one network
  meridian.geokube.nftables_firewall:
    openings:
      - name: ssh
        ports: [22]
        sources: [0.0.0.0/0, "::/0"]
      - name: https
        ports: [443]
        sources: [192.0.2.0/24, "2001:db8::/32"]
  become: true

- name: Let everything in again
  meridian.geokube.nftables_firewall:
    state: absent
  become: true
"""

RETURN = r"""
interfaces:
  description: The public interfaces.
  returned: when state is not absent and no package is missing
  type: list
  elements: str
  sample: [eth0]
changes:
  description: In words, what differed besides the rules.
  returned: success
  type: list
  elements: str
  sample: []
unconfirmed:
  description: Whether the rules hold only until the earlier ones come back.
  returned: success
  type: bool
  sample: false
missing_packages:
  description: Debian packages that must be installed before; nothing was done without them.
  returned: success
  type: list
  elements: str
  sample: []
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.meridian.geokube.plugins.module_utils.firewall_guard import Guard
from ansible_collections.meridian.geokube.plugins.module_utils.firewall_host import missing_packages
from ansible_collections.meridian.geokube.plugins.module_utils.firewall_node import Node, public_interfaces
from ansible_collections.meridian.geokube.plugins.module_utils.firewall_rules import (
    NAME,
    FirewallError,
    Wish,
    read_opening,
)
from ansible_collections.meridian.geokube.plugins.module_utils.node_commands import NodeError


def read_wish(options: dict[str, Any]) -> Wish:
    """Give what the options ask for on this machine. Raises FirewallError when they make no sense."""
    interfaces = public_interfaces(options["interfaces"], options["public_addresses"], options["trusted_interfaces"])
    openings = [read_opening(one["name"], one["protocol"], one["ports"], one["sources"]) for one in options["openings"]]
    return Wish(options["table"], tuple(interfaces), tuple(openings))


def ensure(module: AnsibleModule) -> dict[str, Any]:
    """Bring the firewall to what is wanted and give the module's result."""
    options = module.params
    if not NAME.fullmatch(options["table"]):
        raise FirewallError(
            f"table: {options['table']!r} is no name for a table: use small letters, digits, underscores"
        )
    if options["confirm_within"] < 5:
        raise FirewallError(f"confirm_within: {options['confirm_within']} s are too few to connect in: give 5 or more")
    result: dict[str, Any] = {"missing_packages": missing_packages(), "unconfirmed": False, "changes": []}
    if result["missing_packages"]:
        return {**result, "changed": options["state"] == "present"}
    node = Node(options["table"], Guard(options["table"], options["confirm_within"]), module.check_mode)
    if options["state"] == "absent":
        node.remove()
    else:
        wish = read_wish(options)
        result["interfaces"] = list(wish.interfaces)
        (node.ensure if options["state"] == "present" else node.confirm)(wish)
    for text in node.warnings:
        module.warn(text)
    header = f"table inet {options['table']}"
    diff = [{"before_header": header, "after_header": header, "before": node.before, "after": node.after}]
    if node.changes:
        diff.append({"before": "", "after": "".join(f"{one}\n" for one in node.changes)})
    return {
        **result,
        "changed": node.changed,
        "changes": node.changes,
        "unconfirmed": node.unconfirmed,
        "diff": diff,
    }


def main() -> None:
    """Ensure the firewall and report."""
    text = {"type": "str", "required": True}
    texts = {"type": "list", "elements": "str"}
    opening = {
        "name": text,
        "protocol": {"type": "str", "choices": ["tcp", "udp"], "default": "tcp"},
        "ports": {**texts, "required": True},
        "sources": {**texts, "required": True},
    }
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "confirmed", "absent"], "default": "present"},
            "table": {"type": "str", "default": "geokube"},
            "interfaces": {**texts, "default": []},
            "public_addresses": {**texts, "default": []},
            "trusted_interfaces": {**texts, "default": ["wg0"]},
            "openings": {"type": "list", "elements": "dict", "default": [], "options": opening},
            "confirm_within": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    try:
        result = ensure(module)
    except (NodeError, OSError) as error:
        module.fail_json(msg=f"the firewall is not as wanted: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
