"""Commands and background processes; a process is known by its number and its start time together."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from geokube_lab import cgroups, storage
from geokube_lab.errors import LabError
from geokube_lab.paths import LOGS, PIDS


def run(*argv: str, text: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command to its end. Raises LabError with the command and what it said, when it fails."""
    try:
        done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    except OSError as error:
        raise LabError(f"{argv[0]}: {error.strerror}") from error
    if check and done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise LabError(f"`{' '.join(argv)}` ended with {done.returncode}: {said or 'no message'}")
    return done


@dataclass(frozen=True)
class Process:
    """A process that cannot be mistaken for a later one with the same number."""

    pid: int
    started: int

    @property
    def alive(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        return start_time(self.pid) == self.started

    def signal(self, number: int) -> None:
        """Send a signal, to this very process or to none."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except OSError:
            return
        try:
            if self.alive:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)

    def stop(self, patience: float = 5.0) -> None:
        """End it: politely first, by force after `patience` seconds."""
        for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 2.0)):
            self.signal(number)
            if wait_for(lambda: not self.alive, seconds, 0.01):
                return


def start_time(pid: int) -> int | None:
    """When a process began, in clock ticks since boot; None when it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def wait_for(condition: Callable[[], bool], seconds: float, interval: float = 0.05) -> bool:
    """Poll until the condition holds; False when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(interval)
    return True


def recorded(name: str) -> Process | None:
    """The background process of that name if it runs."""
    try:
        pid, started = map(int, (PIDS / name).read_text().split())
    except (OSError, ValueError):
        return None
    process = Process(pid, started)
    return process if process.alive else None


def record(name: str, pid: int) -> Process:
    """Remember a background process under a name."""
    started = start_time(pid)
    if started is None:
        raise LabError(f"{name} ended at once; its log is {LOGS / name}.log")
    storage.replace(PIDS / name, f"{pid} {started}\n")
    return Process(pid, started)


def forget(name: str) -> None:
    """Remove the record of a background process."""
    (PIDS / name).unlink(missing_ok=True)


def background(name: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> Process:
    """Start a process that outlives this one, its output in the logs, and record it."""
    LOGS.mkdir(parents=True, exist_ok=True)

    def prepare() -> None:
        cgroups.enter_services()
        # By itself and before it is itself: whoever is killed meanwhile leaves no process that nobody knows.
        record(name, os.getpid())

    with (LOGS / f"{name}.log").open("ab") as log:
        try:
            child = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                cwd="/",
                start_new_session=True,
                preexec_fn=prepare,
            )
        except OSError as error:
            raise LabError(f"{name}: {argv[0]}: {error.strerror}") from error
        except subprocess.SubprocessError as error:
            raise LabError(f"{name} could not be recorded below {PIDS}: {error}") from error
    return record(name, child.pid)


def last_lines(name: str, count: int = 8) -> str:
    """The end of a background process's log, for error messages."""
    try:
        with (LOGS / f"{name}.log").open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - 8192))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-count:])
    except OSError:
        return ""
