"""The one exception that the lab shows to its user."""

from __future__ import annotations


class LabError(Exception):
    """What went wrong and what to do about it, as one message for the terminal.

    `exit_code` is what the lab's command ends with.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
