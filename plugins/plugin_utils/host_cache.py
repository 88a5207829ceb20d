# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory keeps between runs: finished machine records under a key that tells who asked for what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from ansible_collections.meridian.geokube.plugins.plugin_utils.hosts import Host
from ansible_collections.meridian.geokube.plugins.plugin_utils.inventory_settings import Settings
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_registry import Provider

#: Raised whenever the fields of a record or the meaning of one change.
RECORD_VERSION = 1

_FIELDS = tuple(field.name for field in fields(Host))


def cache_key(settings: Settings, providers: Sequence[Provider]) -> str:
    """Give the key of one question by one identity: a digest, from which no secret can be read."""
    question = (
        RECORD_VERSION,
        settings.cluster,
        settings.cluster_label,
        sorted((settings.regions or {}).items()),
        [(provider.name, repr(provider.config), provider.identity()) for provider in providers],
    )
    return f"geokube_{hashlib.sha256(repr(question).encode()).hexdigest()}"


def pack(machines: Sequence[Host]) -> dict[str, Any]:
    """Give what is cached. The records are one text, so that a cache plugin does not walk through all of them."""
    rows = [[getattr(machine, name) for name in _FIELDS] for machine in machines]
    return {"version": RECORD_VERSION, "count": len(rows), "records": json.dumps(rows, separators=(",", ":"))}


def unpack(cached: Any) -> list[Host] | None:
    """Give the machines of a cached value, None when it is not one that this version wrote whole."""
    try:
        if cached["version"] != RECORD_VERSION:
            return None
        machines = [Host(*row) for row in json.loads(cached["records"])]
        return machines if len(machines) == cached["count"] and all(map(_sound, machines)) else None
    except (KeyError, TypeError, ValueError):
        return None


def _sound(machine: Host) -> bool:
    return isinstance(machine.running, bool) and isinstance(machine.labels, dict)
