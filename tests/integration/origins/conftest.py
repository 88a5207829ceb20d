"""Fixtures of the origins' tests."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from origin_machine import authority, origin, served

__all__ = ["authority", "origin", "served"]
