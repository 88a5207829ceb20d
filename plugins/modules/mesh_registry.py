#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mesh_registry
short_description: Keep who is who in the mesh
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Gives every machine a mesh address once and keeps it for good in C(mesh.json) of the state folder.
  - A machine that has a mesh address already keeps it, even when C(mesh.json) is lost; one that runs with another
    address than C(mesh.json) says is refused before anything is changed.
  - Remembers the machines' public keys in C(mesh_keys.json), so that a run on some machines knows the others.
  - Gives for every machine the peers that M(meridian.geokube.wireguard_mesh) takes.
  - Runs on the controller. Use C(run_once).
  - A peer is reached at its C(geokube_public_ip), or at its C(geokube_private_ip) by a machine that has the same
    C(geokube_private_network).
attributes:
  action:
    support: full
    description: Has a corresponding action plugin, so some parts run on the controller.
  check_mode:
    support: full
    description: Tells what would be kept.
  diff_mode:
    support: full
    description: Shows the differences of the files; they hold no secret.
options:
  state_dir:
    description: The state folder.
    type: path
    required: true
  hosts:
    description: All machines of the mesh, in the order in which new ones get their addresses.
    type: list
    elements: str
    required: true
  network:
    description: The mesh network, a private IPv4 one.
    type: str
    default: 10.255.0.0/24
  listen_port:
    description: The UDP port at which the peers listen.
    type: int
    default: 51820
  public_keys:
    description: The public keys that are known now, by the machines' names.
    type: dict
    default: {}
  live_addresses:
    description: The addresses that the machines' mesh interfaces have now, by the machines' names.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Keep who is who in the mesh
  meridian.geokube.mesh_registry:
    state_dir: "{{ geokube_state_dir }}"
    hosts: "{{ groups['all'] }}"
  run_once: true
  register: registry
"""

RETURN = r"""
addresses:
  description: The mesh address of each machine.
  returned: success
  type: dict
  sample: {devfest-ru-01: 10.255.0.1}
prefix_length:
  description: The prefix length of the mesh network.
  returned: success
  type: int
  sample: 24
peers:
  description: For each machine its peers.
  returned: success
  type: dict
without_key:
  description: Machines whose public key is not known yet.
  returned: success
  type: list
  elements: str
"""
