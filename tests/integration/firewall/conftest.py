# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine that the firewall's tests work on, and the module's core let loose on it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from firewall_machine import Machine
from firewall_places import Places, places


@pytest.fixture(scope="session")
def world() -> Iterator[Places]:
    """Give the places; skips without root, except in CI."""
    if os.geteuid() != 0 and not os.environ.get("CI"):
        pytest.skip("network namespaces need root")
    with places() as made:
        yield made


@pytest.fixture
def machine(world: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """Give a machine without a firewall, and with systemd's part played by a stand-in."""
    made = Machine(world, tmp_path, monkeypatch)
    yield made
    made.node().remove()
