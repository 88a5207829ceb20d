# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers and times as people read them."""

from __future__ import annotations

from datetime import datetime


def milliseconds(value: float) -> str:
    """Give an RTT without needless digits: 360, 12.5, 0.4."""
    return f"{value:.0f}" if value >= 20 or value == 0 else f"{value:.1f}"


def percent(share: float) -> str:
    """Give a share as per cent: 0%, 0.5%, 12%."""
    return f"{100 * share:.2g}%" if share else "0%"


def duration(seconds: float) -> str:
    """Give a time span: 4.9 s, 1 min 20 s, 2 h 3 min."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def moment(stamp: str) -> str:
    """Give a point in time as the files hold it (ISO 8601): 25 November 2026, 12:03 UTC; any other text as it is."""
    try:
        when = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    return f"{when.day} {when:%B %Y, %H:%M} {when.tzname() or ''}".strip()


def setting(value: str | float, unit: str) -> str:
    """Give a plan's value with its unit; durations carry theirs already."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if unit in ("", "duration") else f"{value} {unit}"
