# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the lab's package on the path."""

from __future__ import annotations

import sys
from pathlib import Path

LAB = str(Path(__file__).parents[3] / "lab")
if LAB not in sys.path:
    sys.path.insert(0, LAB)
