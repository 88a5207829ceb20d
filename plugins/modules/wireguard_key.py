#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make sure that this machine has a WireGuard key."""

from __future__ import annotations

DOCUMENTATION = r"""
module: wireguard_key
short_description: Make sure that a machine has a WireGuard private key
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Makes a private key on the machine, mode 0600, unless there is one, and gives its public key.
  - The private key never leaves the machine.
  - Where WireGuard's tools are missing it makes no key and names the packages that bring them.
  - Tells which addresses the interface has now, so that nobody is given another one.
attributes:
  check_mode:
    support: full
    description: Tells whether a key would be made.
  diff_mode:
    support: full
    description: Shows whether the key exists, never the key.
  platform:
    support: full
    platforms: linux
    description: Runs on Linux.
options:
  interface:
    description: The name of the interface that the key is for.
    type: str
    default: wg0
  directory:
    description: The folder of the key, of mode 0700.
    type: path
    default: /etc/wireguard
seealso:
  - module: meridian.geokube.wireguard_mesh
"""

EXAMPLES = r"""
- name: Make sure that there is a key
  meridian.geokube.wireguard_key:
  become: true
  register: key
"""

RETURN = r"""
public_key:
  description: The public key; null while there is none, in check mode or for want of packages.
  returned: success
  type: str
  sample: 7Hh2jWQUv0yOBVpyW2JxMBm4HQFN3BLBIv4aB8mS0Vw=
addresses:
  description: The addresses that the interface has now, with their prefix lengths; empty where it does not run.
  returned: success
  type: list
  elements: str
  sample: [10.255.0.1/24]
missing_packages:
  description: Debian packages that must be installed before.
  returned: success
  type: list
  elements: str
  sample: [wireguard-tools]
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.meridian.geokube.plugins.module_utils.node_commands import NodeError, must
from ansible_collections.meridian.geokube.plugins.module_utils.wireguard_host import (
    has_interface,
    live_addresses,
    missing_packages,
    public_key,
    secured,
    write_secret,
)


def ensure(folder: Path, interface: str, check_mode: bool) -> dict[str, Any]:
    """Make folder and key as they should be and give the module's result."""
    missing = missing_packages()
    key_file = folder / f"{interface}.key"
    existed = key_file.exists()
    result: dict[str, Any] = {
        "changed": not existed,
        "public_key": None,
        "missing_packages": missing,
        "addresses": live_addresses(interface) if has_interface(interface) else [],
        "diff": {"before": "", "after": ""},
    }
    if not existed:
        result["diff"] = {"before": "", "after": f"{key_file}: a private key, made here\n"}
    if missing or (check_mode and not existed):
        return result
    if not existed:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_secret(key_file, must(["wg", "genkey"]), replace=False)
    loose = [str(path) for path, mode in ((folder, 0o700), (key_file, 0o600)) if secured(path, mode, not check_mode)]
    if loose:
        result["changed"] = True
        result["diff"]["before"] += "".join(f"{path}: owner or mode too open\n" for path in loose)
        result["diff"]["after"] += "".join(f"{path}: root only\n" for path in loose)
    result["public_key"] = public_key(key_file)
    return result


def main() -> None:
    """Ensure the key and report."""
    module = AnsibleModule(
        argument_spec={
            "interface": {"type": "str", "default": "wg0"},
            "directory": {"type": "path", "default": "/etc/wireguard"},
        },
        supports_check_mode=True,
    )
    try:
        result = ensure(Path(module.params["directory"]), module.params["interface"], module.check_mode)
    except (NodeError, OSError) as error:
        module.fail_json(msg=f"no WireGuard key can be had for {module.params['interface']}: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
