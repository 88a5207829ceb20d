# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the emulated account holds, kept in one file that a restart reads again."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from geokube_lab.edge.errors import not_found

Record = dict[str, Any]
COLLECTIONS = (
    "monitors", "monitor_groups", "pools", "load_balancers", "dns_records",
    "certificates", "revoked_certificates", "zone_settings", "rulesets", "origin_pulls", "origin_pull_certificates",
)  # fmt: skip


def now() -> str:
    """The time as the API writes it, UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def new_id() -> str:
    """An identifier as the API makes them: 32 hexadecimal digits."""
    return secrets.token_hex(16)


class Store:
    """Collections of records by identifier; every change is written before it is answered."""

    def __init__(self, path: Path | None, seed: dict[str, dict[str, Record]]) -> None:
        """Read `path` if it exists; `seed` gives accounts, zones and tokens, which always win over the file."""
        self.path = path
        self.data: dict[str, dict[str, Record]] = {name: {} for name in COLLECTIONS}
        if path and path.exists():
            self.data.update(json.loads(path.read_text()))
        self.data.update(seed)
        self.listeners: list[Callable[[], None]] = []

    def __getitem__(self, collection: str) -> dict[str, Record]:
        return self.data[collection]

    def get(self, collection: str, identifier: str) -> Record:
        """Give a record, or raise ApiError 1001."""
        try:
            return self.data[collection][identifier]
        except KeyError:
            raise not_found(collection.rstrip("s").replace("_", " "), identifier) from None

    def put(self, collection: str, record: Record, identifier: str = "") -> Record:
        """Store a record under its `id` (made when it has none), stamp it, and write the file."""
        if not identifier:
            identifier = record.setdefault("id", new_id())
        record.setdefault("created_on", now())
        record["modified_on"] = now()
        self.data[collection][identifier] = record
        self.save()
        return record

    def delete(self, collection: str, identifier: str) -> None:
        """Remove a record, or raise ApiError 1001."""
        self.get(collection, identifier)
        del self.data[collection][identifier]
        self.save()

    def save(self) -> None:
        """Write the file in one step, so that a kill leaves the old or the new one, and tell the listeners."""
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self.path.with_suffix(".new")
            temporary.write_text(json.dumps({name: self.data[name] for name in COLLECTIONS}, indent=1))
            temporary.chmod(0o600)
            temporary.replace(self.path)
        for listener in self.listeners:
            listener()
