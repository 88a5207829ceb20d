"""Commands side by side: one at the terminal, the others with their output kept until it can be shown in one piece."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

# How long a signal may take to end a command before a stronger one follows.
PATIENCE = {signal.SIGINT: 20.0, signal.SIGTERM: 5.0, signal.SIGKILL: 5.0}


class Ended(Exception):
    """No further command is started: the run is being ended."""


class Children:
    """The commands that run now, each in a process group of its own, so that all of them can be ended."""

    def __init__(self, patience: Mapping[signal.Signals, float] = PATIENCE) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._ended = False

    def run(self, argv: Sequence[str], *, folder: Path, environment: Mapping[str, str], output: Path | None) -> int:
        """Run a command to its end and give its exit code; `output` takes what it prints, else the terminal does."""
        with contextlib.ExitStack() as stack:
            stream = None if output is None else stack.enter_context(output.open("wb"))
            with self._lock:
                if self._ended:
                    raise Ended
                process = subprocess.Popen(
                    argv,
                    cwd=folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=None if stream is None else subprocess.STDOUT,
                    start_new_session=True,
                )
                self._running.add(process)
            code = process.wait()
            with self._lock:
                self._running.discard(process)
            return code

    def end(self) -> None:
        """End every command and what it left in its group: politely, then by force. Nothing is started any more."""
        with self._lock:
            self._ended = True
            running = list(self._running)
        for number, seconds in self._patience.items():
            for process in running:
                if process.poll() is None:
                    _signal_group(process.pid, number)
            deadline = time.monotonic() + seconds
            while any(process.poll() is None for process in running) and time.monotonic() < deadline:
                time.sleep(0.05)
        for process in running:
            _signal_group(process.pid, signal.SIGKILL)


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
