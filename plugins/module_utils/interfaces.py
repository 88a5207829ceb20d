# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses of this machine's interfaces."""

from __future__ import annotations

import json

from .round_trips import ProbeError, Run


def interface_addresses(run: Run, ip: str) -> dict[str, list[str]]:
    """Give the global addresses of each interface, with their prefix lengths. Raises ProbeError when C(ip) fails."""
    code, out, err = run([ip, "-json", "address", "show"], 10)
    if code != 0:
        raise ProbeError(f"ip address show ended with {code}: {err.strip()[-200:]}")
    try:
        return {
            entry["ifname"]: [
                f"{one['local']}/{one['prefixlen']}" for one in entry["addr_info"] if one.get("scope") == "global"
            ]
            for entry in json.loads(out)
        }
    except (KeyError, TypeError, ValueError) as error:
        raise ProbeError(f"ip address show printed something unexpected: {error!r}") from error
