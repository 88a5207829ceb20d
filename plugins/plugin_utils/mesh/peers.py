# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is whose peer: a full mesh."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .endpoints import reached_at, with_port


def peers_of(
    facts: Mapping[str, Mapping[str, Any]], addresses: Mapping[str, str], keys: Mapping[str, str], port: int
) -> dict[str, list[dict[str, Any]]]:
    """Give for each machine its peers as M(meridian.geokube.wireguard_mesh) takes them.

    A machine whose key is not known yet is nobody's peer.
    """
    return {
        name: [
            {
                "name": other,
                "public_key": keys[other],
                "endpoint": with_port(reached_at(facts[name], facts[other], other), port),
                "allowed_ips": [f"{addresses[other]}/32"],
            }
            for other in sorted(facts)
            if other != name and other in keys
        ]
        for name in facts
    }
