# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command so that nothing of it outlives the process that asked for it.

Usage: python supervisor.py PARENT_PID COMMAND [ARGUMENT...]

When the parent ends, by whatever signal, or this process is told to end, every descendant is ended with it, those
included that made sessions of their own. After a normal end what the command left running on purpose is left alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
GRACE_SECONDS = 10.0


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _parents() -> Iterator[tuple[int, int]]:
    """Give (process id, parent's id) of all processes that are not zombies."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if fields[0] != "Z":
                yield int(folder.name), int(fields[1])


def descendants(process: int) -> list[int]:
    """Give the ids of all living descendants of a process; empty where there is no /proc."""
    children: dict[int, list[int]] = {}
    for child, parent in _parents():
        children.setdefault(parent, []).append(child)
    found: list[int] = []
    waiting = [process]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def _signal_all(processes: list[int], number: int) -> None:
    for process in processes:
        with contextlib.suppress(OSError):
            os.kill(process, number)


def _childless() -> bool:
    """Reap what has ended; give whether this process has no children any more, living or dead."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def end_descendants(command: subprocess.Popen[bytes]) -> None:
    """End every descendant of this process, at first kindly; where there is no /proc, the command's session.

    /proc is no snapshot: a process whose parent ends while it is read may be missing from it. Orphans come to this
    process, so that nothing of the command lives once this process has no children; what cannot be ended is left.
    """
    started = time.monotonic()
    while not _childless() and (passed := time.monotonic() - started) < 2 * GRACE_SECONDS:
        number, pause = (signal.SIGTERM, 0.2) if passed < GRACE_SECONDS else (signal.SIGKILL, 0.05)
        if command.poll() is None:
            with contextlib.suppress(OSError):
                os.killpg(command.pid, number)
        _signal_all(descendants(os.getpid()), number)
        time.sleep(pause)


def main(parent: int, argv: list[str]) -> int:
    """Run the command and give its exit status; 143 when told to end or left alone."""
    told: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        # Raising here could strike anywhere, also where nothing would end the descendants any more.
        told.append(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, note)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    command = subprocess.Popen(argv, start_new_session=True, close_fds=False)
    while not told and os.getppid() == parent:
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = command.wait(timeout=0.2)
            # A command that fails because its caller went away is not a normal end.
            if not told and os.getppid() == parent:
                return status
    end_descendants(command)
    return 143


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
