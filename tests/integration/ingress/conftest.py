"""A real API server for the role, if its program is compiled."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "lab"))

from geokube_lab.binaries import program, target
from geokube_lab.control_plane import ControlPlane
from geokube_lab.errors import LabError


@pytest.fixture(scope="module")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """etcd, API server, controller manager and scheduler on loopback, without nodes."""
    try:
        program(target("kubernetes"))
    except LabError as error:
        pytest.skip(str(error))
    plane = ControlPlane(tmp_path_factory.mktemp("plane") / "control-plane")
    plane.up()
    yield plane
    plane.down()
