# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep who is who in the mesh."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.meridian.geokube.plugins.plugin_utils.mesh.addresses import (
    MeshError,
    adopt,
    allocate,
    read_network,
)
from ansible_collections.meridian.geokube.plugins.plugin_utils.mesh.peers import peers_of
from ansible_collections.meridian.geokube.plugins.plugin_utils.run_once import facts_of, keep
from ansible_collections.meridian.geokube.plugins.plugin_utils.state_file import StateError, read_json


class ActionModule(ActionBase):
    """Allocates addresses, remembers public keys and gives every machine its peers; all on the controller."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Keep mesh.json and mesh_keys.json and give addresses and peers."""
        super().run(tmp, task_vars)
        _result, options = self.validate_argument_spec(
            {
                "state_dir": {"type": "path", "required": True},
                "hosts": {"type": "list", "elements": "str", "required": True},
                "network": {"type": "str", "default": "10.255.0.0/24"},
                "listen_port": {"type": "int", "default": 51820},
                "public_keys": {"type": "dict", "default": {}},
                "live_addresses": {"type": "dict", "default": {}},
            }
        )
        try:
            return self._keep(options, facts_of(options["hosts"], task_vars or {}, self._templar))
        except (MeshError, StateError) as error:
            raise AnsibleActionFail(str(error)) from error

    def _keep(self, options: dict[str, Any], facts: dict[str, dict[str, Any]]) -> dict[str, Any]:
        folder = Path(options["state_dir"])
        network = read_network(options["network"])
        taken = [
            str(one.get(key) or "") for one in facts.values() for key in ("geokube_public_ip", "geokube_private_ip")
        ]
        live = {name: found or [] for name, found in options["live_addresses"].items()}
        known_addresses = adopt(read_json(folder / "mesh.json") or {}, live, network)
        addresses = allocate(options["hosts"], known_addresses, network, taken)
        known = read_json(folder / "mesh_keys.json") or {}
        keys = {**known, **{name: key for name, key in options["public_keys"].items() if key}}
        results = [keep(folder / "mesh.json", addresses, self._task.check_mode)]
        if keys != known:
            results.append(keep(folder / "mesh_keys.json", keys, self._task.check_mode))
        return {
            "changed": any(one["changed"] for one in results),
            "diff": [one["diff"] for one in results if one["diff"]],
            "addresses": {name: addresses[name] for name in options["hosts"]},
            "prefix_length": network.prefixlen,
            "peers": peers_of(facts, addresses, keys, options["listen_port"]),
            "without_key": [name for name in options["hosts"] if name not in keys],
        }
