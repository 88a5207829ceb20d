"""The one exception that the lab shows to its user."""

from __future__ import annotations


class LabError(Exception):
    """What went wrong and what to do about it, as one message for the terminal."""
