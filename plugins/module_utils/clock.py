# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How wrong a machine's clock may be, as chrony knows it."""

from __future__ import annotations

from .round_trips import ProbeError, Run


def parse_tracking(text: str) -> float | None:
    """Read C(chronyc -c tracking) and give the bound of the clock's error in ms; None when not synchronised.

    The bound is chrony's own: |system time| + root dispersion + half the root delay.
    """
    fields = text.strip().split(",")
    if len(fields) < 14 or fields[13] == "Not synchronised":
        return None
    try:
        offset, delay, dispersion = float(fields[4]), float(fields[10]), float(fields[11])
    except ValueError:
        return None
    return round(1000 * (abs(offset) + dispersion + delay / 2), 3)


def clock_error(run: Run, chronyc: str | None) -> float | None:
    """Give the bound of this machine's clock error in ms; None where nothing tells it."""
    if chronyc is None:
        return None
    try:
        code, out, _err = run([chronyc, "-c", "tracking"], 10)
    except ProbeError:
        return None
    return parse_tracking(out) if code == 0 else None
