# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: the four clouds with a small made-up fleet, healed before each test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

for folder in (Path(__file__).parents[3] / "lab", Path(__file__).parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from geokube_lab.clouds import Clouds  # noqa: E402
from geokube_lab.clouds.fleets import fleet  # noqa: E402

MACHINES = fleet(40)


@pytest.fixture(scope="session")
def shared_clouds() -> Iterator[Clouds]:
    """The clouds, started once."""
    with Clouds(MACHINES, projects=["empty-project"], folders=["empty-folder"]) as clouds:
        yield clouds


@pytest.fixture
def clouds(shared_clouds: Clouds) -> Clouds:
    """The clouds with 40 machines, ten in each, without faults and with counts at 0."""
    if any(len(emulator.machines) != 10 for emulator in shared_clouds.emulators.values()):
        shared_clouds.load(MACHINES)
    shared_clouds.heal()
    return shared_clouds
