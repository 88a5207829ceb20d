# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the run_once actions of this collection share: state folder, host variables, errors as results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail

from .state_file import difference, is_open, read_json, write_json

FACTS = (
    "ansible_host",
    "geokube_public_ip",
    "geokube_private_ip",
    "geokube_private_network",
    "geokube_region",
    "geokube_zone",
    "geokube_provider",
    "geokube_roles",
)


def facts_of(hosts: Sequence[str], task_vars: Mapping[str, Any], templar: Any) -> dict[str, dict[str, Any]]:
    """Give the variables of each host that this collection goes by, templated.

    Raises AnsibleActionFail for a host that the inventory does not know.
    """
    hostvars = task_vars["hostvars"]
    found = {}
    for name in hosts:
        if name not in hostvars:
            raise AnsibleActionFail(f"the inventory has no host {name!r}")
        found[name] = {key: templar.template(hostvars[name][key]) for key in FACTS if key in hostvars[name]}
    return found


def keep(path: Path, content: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Write a state file where it differs or is open to others; give C(changed) and C(diff).

    Raises StateError when the file cannot be read or written.
    """
    before = read_json(path)
    changed = before != content or is_open(path)
    if changed and not check_mode:
        write_json(path, content)
    return {"changed": changed, "diff": difference(path, before, content) if changed else {}}
