# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which region takes over from which: by RTT, the nearest first."""

from __future__ import annotations

from .links import LinkTable
from .model import Fallback


def fallbacks(table: LinkTable) -> dict[str, Fallback]:
    """Give each region's other regions in the order of the RTT to them, equal ones by name."""
    found = {}
    for region in table.regions:
        others = sorted(
            (other for other in table.regions if other != region),
            key=lambda other: (table.between_regions(region, other), other),
        )
        found[region] = Fallback(tuple(others), tuple(table.between_regions(region, other) for other in others))
    return found
