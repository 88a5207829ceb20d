"""Progress on the terminal: one line a step, with the time that it took."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Progress:
    """Steps of one command; `detail` overwrites itself on a terminal and is rare in a log."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._last_detail = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since the command began."""
        return time.monotonic() - self.began

    def line(self, text: str) -> None:
        """A finished step."""
        print(f"{self._clear()}[{self.elapsed:6.1f} s] {text}", file=sys.stderr, flush=True)

    def detail(self, text: str) -> None:
        """What a long step is doing."""
        now = time.monotonic()
        if self._terminal:
            print(f"{self._clear()}           {text[:100]}", end="", file=sys.stderr, flush=True)
        elif now - self._last_detail >= 10:
            self._last_detail = now
            print(f"           {text}", file=sys.stderr, flush=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """A step and its own time."""
        began = time.monotonic()
        if self._terminal:
            self.detail(f"{text} ...")
        yield
        self.line(f"{text} ({time.monotonic() - began:.1f} s)")

    def _clear(self) -> str:
        return "\r\033[K" if self._terminal else ""
