# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""The four clouds' APIs on loopback, listing exactly the machines they are given."""

from geokube_lab.clouds.faults import Call, Fault, Faults
from geokube_lab.clouds.machine import Machine
from geokube_lab.clouds.world import Clouds, Ports

__all__ = ["Call", "Clouds", "Fault", "Faults", "Machine", "Ports"]
