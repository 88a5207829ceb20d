# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a provider fails: what was asked, what came back and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """One thing that went wrong with one provider.

    C(place) names the account, project or folder and the region; C(status) is the HTTP status, or what stands for it.
    """

    provider: str
    place: str
    message: str
    advice: str
    status: int | None = None

    def text(self) -> str:
        """Give the failure as one line."""
        place = f"{self.provider}, {self.place}" if self.place else self.provider
        status = f"HTTP {self.status}: " if self.status else ""
        message = self.message.rstrip(". ")
        return f"{place}: {status}{message}. {self.advice}".rstrip()


class ProviderError(Exception):
    """A provider did not answer, or not in full."""

    def __init__(self, failures: Sequence[Failure]) -> None:
        self.failures = tuple(failures)
        super().__init__("\n".join(failure.text() for failure in self.failures))


class AttemptFailed(Exception):
    """One try of one request failed.

    C(retry) says whether trying again can help, C(retry_after) the seconds that the server asked to wait.
    """

    def __init__(
        self, message: str, *, status: int | None = None, retry: bool = False, retry_after: float | None = None
    ) -> None:
        self.message = message
        self.status = status
        self.retry = retry
        self.retry_after = retry_after
        super().__init__(message)
