# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is remembered of the stages: for each the last run that did work, and the last run. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

VERSION = 1


@dataclass
class Stage:
    """One play of one run: when it began and ended, and how many task results were of each kind."""

    name: str
    roles: tuple[str, ...]
    start: datetime
    end: datetime
    counts: dict[str, int] = field(default_factory=lambda: {"ok": 0, "changed": 0, "failed": 0, "unreachable": 0})

    def record(self) -> dict[str, Any]:
        """Give the stage's run as the file holds it, the time in seconds."""
        seconds = (self.end - self.start).total_seconds()
        return {"start": self.start.isoformat(timespec="seconds"), "seconds": round(seconds, 1), **self.counts}


def remember(known: Mapping[str, Any] | None, stages: Iterable[Stage]) -> dict[str, Any]:
    """Give the file's content after a run.

    C(last) is always the run at hand. C(work) stays the earlier one while nothing was changed, unless that one failed:
    a run that found everything in place does not hide how long the work took.
    """
    kept: dict[tuple[str, ...], dict[str, Any]] = {}
    if known is not None and known.get("version") == VERSION:
        for one in known.get("stages") or []:
            if isinstance(one, dict) and "name" in one:
                kept[str(one["name"]), *map(str, one.get("roles") or [])] = one
    for stage in stages:
        record = stage.record()
        key = (stage.name, *stage.roles)
        work = kept.get(key, {}).get("work")
        if work is None or record["changed"] > 0 or work.get("failed") or work.get("unreachable"):
            work = record
        kept[key] = {"name": stage.name, "roles": list(stage.roles), "work": work, "last": record}
    return {"version": VERSION, "stages": list(kept.values())}
