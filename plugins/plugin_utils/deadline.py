# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One clock for all the work of one run."""

from __future__ import annotations

import time


class DeadlinePassed(Exception):
    """The time for the whole run is over."""


class Deadline:
    """A moment C(seconds) from now, on the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Give the seconds that are left, never less than 0."""
        return max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """Raise DeadlinePassed when no time is left."""
        if self.remaining() <= 0:
            raise DeadlinePassed
