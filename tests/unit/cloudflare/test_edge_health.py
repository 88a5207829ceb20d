# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A place that is down has no voice in what is healthy."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "lab"))

from geokube_lab.edge import health as module
from geokube_lab.edge.health import Health
from geokube_lab.edge.places import from_topology, is_down
from geokube_lab.edge.probe import Outcome

PLACES = {place.name: place for place in from_topology()}
ORIGIN = {"name": "o", "address": "192.0.2.1", "port": 0, "enabled": True}
POOL: dict[str, Any] = {"id": "p", "enabled": True, "minimum_origins": 1, "monitor": "m", "origins": [ORIGIN]}
MONITOR = {"type": "tcp", "interval": 0.01, "consecutive_up": 0, "consecutive_down": 0}


def test_only_places_that_stand_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three of four places are down and see nothing: the fourth decides."""
    down = {"ru", "sg", "br"}

    asked: Counter[str] = Counter()

    async def probe(upstream: Any, *others: Any) -> Outcome:
        asked[upstream.name] += 1
        return Outcome("timeout" if upstream.name in down else None, 0, 10.0)

    monkeypatch.setattr(module, "probe", probe)
    store: Any = {"pools": {"p": POOL}, "monitors": {"m": MONITOR}}
    upstreams: Any = {place: SimpleNamespace(name=name) for name, place in PLACES.items()}

    async def look(silent: bool) -> tuple[bool | None, set[str]]:
        health = Health(store, upstreams, [], lambda place: silent and place.name in down)
        asked.clear()
        health.reconcile()
        async with asyncio.timeout(30):
            while len(asked) < len(PLACES) or min(asked.values()) < 3:
                await asyncio.sleep(0.01)
        found = health.origin_healthy(POOL, ORIGIN), set(health.report(POOL)["pop_health"])
        await health.close()
        return found

    assert asyncio.run(look(silent=True)) == (True, {PLACES["au"].label})
    assert asyncio.run(look(silent=False))[0] is False


def test_the_lab_says_which_places_are_down(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from geokube_lab import paths, seas, topology

    monkeypatch.setattr(paths, "WAN_STATE", tmp_path / "wan.json")
    assert not is_down(PLACES["au"])
    state = seas.fresh(topology.load())
    state.withdrawn.add("au")
    paths.WAN_STATE.write_text(state.dump())
    assert is_down(PLACES["au"])
    assert not is_down(PLACES["sg"])
    (elsewhere,) = from_topology({"au": "127.0.0.1"})
    assert not is_down(elsewhere)
