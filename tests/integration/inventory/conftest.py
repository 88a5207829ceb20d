# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""The four emulated clouds, and ansible-inventory to run against them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[2] / "lab")]

from geokube_lab.clouds import Clouds  # noqa: E402
from geokube_lab.clouds.fleets import fleet  # noqa: E402
from inventory_runner import RUNNERS, Runner  # noqa: E402


@pytest.fixture(scope="package")
def all_clouds() -> Iterator[Clouds]:
    """Serve the four clouds for all tests of this folder."""
    with Clouds(fleet(40), folders=["f0", "f1"], projects=["p1"]) as clouds:
        yield clouds


@pytest.fixture
def clouds(all_clouds: Clouds) -> Iterator[Clouds]:
    """Give the clouds, healed and with the usual machines afterwards."""
    all_clouds.heal()
    machines = [machine for emulator in all_clouds.emulators.values() for machine in emulator.machines]
    yield all_clouds
    all_clouds.heal()
    if [machine for emulator in all_clouds.emulators.values() for machine in emulator.machines] != machines:
        all_clouds.load(machines)


@pytest.fixture(scope="package", params=list(RUNNERS))
def any_runner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """Start ansible-inventory of one release."""
    venv, setting = RUNNERS[request.param]
    if not venv.exists():
        pytest.skip(f"{venv.name} is not installed")
    runner = Runner(venv, setting, tmp_path_factory.mktemp("inventory"))
    yield runner
    runner.close()


@pytest.fixture
def runner(any_runner: Runner, clouds: Clouds) -> Runner:
    """Give ansible-inventory, its files pointing at the clouds."""
    any_runner.clouds = clouds
    return any_runner


@pytest.fixture(params=[venv for venv, _setting in RUNNERS.values()], ids=list(RUNNERS))
def venv(request: pytest.FixtureRequest) -> Path:
    """Give the environment of one release."""
    path: Path = request.param
    if not path.exists():
        pytest.skip(f"{path.name} is not installed")
    return path
