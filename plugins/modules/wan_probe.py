#!/usr/bin/python
# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the links from this machine."""

from __future__ import annotations

DOCUMENTATION = r"""
module: wan_probe
short_description: Measure the links from a machine to others
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Measures round trips, loss and path MTU from the machine it runs on to all targets at the same time.
  - Uses C(fping) where it is installed, else C(ping) from iputils, which it needs in any case for the path MTU.
  - Measures in check mode too, since it changes nothing.
requirements:
  - ping of iputils, on the machine
attributes:
  check_mode:
    support: full
    description: Runs in check mode without changing anything, which it never does.
  diff_mode:
    support: none
    description: Changes nothing.
  platform:
    support: full
    platforms: linux
    description: Runs on Linux.
options:
  source:
    description: The name of the machine it runs on, for results and messages.
    type: str
    required: true
  targets:
    description: The machines to measure. Without any, only the clock is looked at.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name of the machine.
        type: str
        required: true
      address:
        description: Its IP address.
        type: str
        required: true
  samples:
    description: How many round trips to measure to each target.
    type: int
    default: 20
  interval:
    description: Milliseconds between two round trips to the same target.
    type: int
    default: 100
  wait:
    description: Seconds that a target which does not answer at first is given before measuring. Needs C(fping).
    type: int
    default: 0
  largest_mtu:
    description:
      - The largest packet in bytes to try, headers included.
      - Without it the MTU of the interface towards the target.
    type: int
  required_mtu:
    description: Fail when a path carries less than this many bytes.
    type: int
    default: 576
seealso:
  - module: meridian.geokube.wan_survey
"""

EXAMPLES = r"""
- name: Measure the links to two machines
  meridian.geokube.wan_probe:
    source: devfest-ru-01
    targets:
      - {name: devfest-au-01, address: 198.51.100.10}
      - {name: devfest-sg-01, address: 192.0.2.138}
  register: probe
"""

RETURN = r"""
links:
  description: One entry a target.
  returned: success
  type: list
  elements: dict
  sample:
    - from: devfest-ru-01
      to: devfest-au-01
      address: 198.51.100.10
      rtt_ms: {min: 360.1, median: 360.7, p95: 364.0, max: 366.2}
      loss: 0.0
      samples: 20
      path_mtu: 1500
addresses:
  description: The addresses of each interface of this machine, with their prefix lengths.
  returned: success
  type: dict
  sample: {eth0: [192.0.2.10/26], wg0: [10.255.0.1/24]}
clock_error_ms:
  description: The bound of the error of this machine's clock as chrony knows it, or null.
  returned: success
  type: float
  sample: 3.2
"""

import ipaddress
import subprocess
from collections.abc import Sequence
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.meridian.geokube.plugins.module_utils.clock import clock_error
from ansible_collections.meridian.geokube.plugins.module_utils.interfaces import interface_addresses
from ansible_collections.meridian.geokube.plugins.module_utils.path_mtu import path_mtus
from ansible_collections.meridian.geokube.plugins.module_utils.round_trips import (
    ProbeError,
    measure,
    wait_for_answers,
)

LEAST_SAMPLES = 3


def run(argv: Sequence[str], seconds: float) -> tuple[int, str, str]:
    """Run a tool; give its exit code and what it printed. Raises ProbeError when it hangs or cannot start."""
    try:
        done = subprocess.run(
            list(argv),
            capture_output=True,
            check=False,
            timeout=seconds,
            env={"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise ProbeError(f"{argv[0]} did not end within {seconds:.0f} s") from error
    except OSError as error:
        raise ProbeError(f"{argv[0]} cannot run: {error.strerror}") from error
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def check(module: AnsibleModule) -> None:
    """End with a clear message when an option makes no sense."""
    if module.params["samples"] < LEAST_SAMPLES:
        module.fail_json(msg=f"samples is {module.params['samples']}: at least {LEAST_SAMPLES} make a median")
    if module.params["interval"] < 1:
        module.fail_json(msg=f"interval is {module.params['interval']} ms: give at least 1")
    for target in module.params["targets"]:
        try:
            ipaddress.ip_address(target["address"])
        except ValueError:
            module.fail_json(msg=f"the address of {target['name']} is {target['address']!r}, which is no IP address")


def probe(module: AnsibleModule) -> list[dict[str, Any]]:
    """Measure every target. Raises ProbeError when a tool fails, ends the module when a link does."""
    source, targets = module.params["source"], module.params["targets"]
    addresses = sorted({target["address"] for target in targets})
    fping, ping = module.get_bin_path("fping"), module.get_bin_path("ping", required=True)
    wait_for_answers(run, addresses, module.params["wait"], fping)
    samples = measure(run, addresses, module.params["samples"], module.params["interval"], fping, ping)
    answering = [address for address in addresses if samples[address].replies]
    mtus = path_mtus(run, ping, module.get_bin_path("ip", required=True), answering, module.params["largest_mtu"])
    links, faults = [], []
    for target in targets:
        sample, mtu = samples[target["address"]], mtus.get(target["address"])
        where = f"{source} -> {target['name']} ({target['address']})"
        if not sample.replies:
            faults.append(f"{where}: no answer to {sample.sent} pings; is ICMP let through, is the machine up?")
        elif not isinstance(mtu, int):
            faults.append(f"{where}: {mtu}")
        elif mtu < module.params["required_mtu"]:
            faults.append(f"{where}: carries {mtu} bytes, not the {module.params['required_mtu']} it must")
        else:
            links.append(
                {
                    "from": source,
                    "to": target["name"],
                    "address": target["address"],
                    "rtt_ms": sample.summary(),
                    "loss": sample.loss,
                    "samples": sample.sent,
                    "path_mtu": mtu,
                }
            )
    if faults:
        module.fail_json(msg=f"{len(faults)} link(s) failed: " + "; ".join(faults), links=links)
    return links


def main() -> None:
    """Measure and report."""
    target = {"name": {"type": "str", "required": True}, "address": {"type": "str", "required": True}}
    module = AnsibleModule(
        argument_spec={
            "source": {"type": "str", "required": True},
            "targets": {"type": "list", "elements": "dict", "required": True, "options": target},
            "samples": {"type": "int", "default": 20},
            "interval": {"type": "int", "default": 100},
            "wait": {"type": "int", "default": 0},
            "largest_mtu": {"type": "int"},
            "required_mtu": {"type": "int", "default": 576},
        },
        supports_check_mode=True,
    )
    check(module)
    try:
        links = probe(module)
        addresses = interface_addresses(run, module.get_bin_path("ip", required=True))
    except ProbeError as error:
        module.fail_json(msg=f"measuring from {module.params['source']} failed: {error}")
    clock = clock_error(run, module.get_bin_path("chronyc"))
    module.exit_json(changed=False, links=links, clock_error_ms=clock, addresses=addresses)


if __name__ == "__main__":
    main()
