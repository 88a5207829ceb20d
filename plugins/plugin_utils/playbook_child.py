# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-playbook of another environment as a child process and follow its progress."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


@dataclass
class Progress:
    """What is known of a run from the events it has told."""

    plays: int = 0
    play: int = 0
    play_name: str = ""
    tasks: int = 0
    number: int = 0
    task_name: str = ""
    task_since: float = 0.0
    waiting: set[str] = field(default_factory=set)
    failures: list[dict[str, str]] = field(default_factory=list)
    stats: dict[str, dict[str, int]] = field(default_factory=dict)
    stages: list[dict[str, Any]] = field(default_factory=list)

    def take(self, event: Mapping[str, Any], now: float) -> None:
        """Take one event in; an unknown one changes nothing."""
        kind = event.get("event")
        if kind == "start":
            self.plays, self.tasks = event["plays"], event["tasks"]
        elif kind == "play":
            self.play, self.play_name, self.task_name = self.play + 1, event["name"], ""
            self.waiting = set()
            self.stages.append({"name": event["name"], "started": now, "seconds": 0.0})
        elif kind == "task":
            self.task_name, self.task_since, self.number = event["name"], now, event["number"]
            self.waiting = set()
        elif kind == "begin":
            self.waiting.add(event["host"])
        elif kind in ("end", "failed"):
            self.waiting.discard(event["host"])
            if kind == "failed":
                self.failures.append({key: event[key] for key in ("host", "task", "message")})
        elif kind == "stats":
            self.stats = event["hosts"]
        if self.stages:
            self.stages[-1]["seconds"] = round(now - self.stages[-1]["started"], 1)

    def line(self, label: str, elapsed: float, now: float) -> str:
        """Give the line that a user reads: where the run is, what it waits for, and how long it has taken."""
        parts = [label, f"play {self.play}/{self.plays} {self.play_name}"]
        if self.task_name:
            parts.append(f"task {self.number}/{self.tasks} {self.task_name}")
        if self.waiting:
            parts.append(", ".join(sorted(self.waiting)))
        held = now - self.task_since
        since = f", this task {clock(held)}" if self.task_name and held >= 10 else ""
        return " | ".join([*parts, clock(elapsed) + since])


@dataclass(frozen=True)
class Outcome:
    """How a run ended: exit status, seconds, and what it told."""

    status: int
    seconds: float
    progress: Progress


def clock(seconds: float) -> str:
    """Give seconds as 1m02s, or 1h02m03s."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m{rest:02}s" if hours else f"{minutes}m{rest:02}s"


def child_environment(config: str, descriptor: int) -> dict[str, str]:
    """Give the environment of the child: this one without what steers this Ansible and this Python."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ANSIBLE_", "PYTHON")) and name != "VIRTUAL_ENV"
    }
    return {
        **kept,
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CONFIG": config,
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "kubespray_callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "geokube_progress",
        "GEOKUBE_PROGRESS_FD": str(descriptor),
        "PYTHONUNBUFFERED": "1",
    }


def _lines(buffer: bytearray) -> list[Mapping[str, Any]]:
    """Take the complete lines out of the buffer and give those that are events."""
    events: list[Mapping[str, Any]] = []
    while (end := buffer.find(b"\n")) >= 0:
        line = bytes(buffer[:end])
        del buffer[: end + 1]
        try:
            events.append(json.loads(line))
        except ValueError:
            continue
    return events


def run(
    argv: Sequence[str],
    *,
    config: str,
    folder: str,
    log: str,
    label: str,
    say: Callable[[str], None],
    interval: float,
    heartbeat: float,
) -> Outcome:
    """Run `argv` in `folder`, its output appended to `log`, and give how it ended.

    A line is said at each play, at most every `interval` seconds while tasks go by, and every `heartbeat` seconds
    while one task takes long. When the caller ends, the child and all it started end too.
    """
    read_end, write_end = os.pipe()
    parent = os.getpid()
    started = said = time.monotonic()
    progress, buffer, spoken = Progress(), bytearray(), (0, "")
    with open(log, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as output:
        process = subprocess.Popen(
            [sys.executable, str(HERE / "supervisor.py"), str(parent), *argv],
            cwd=folder,
            env=child_environment(config, write_end),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(write_end,),
        )
    os.close(write_end)
    try:
        outer = os.getppid()
        while True:
            ready = select.select([read_end], [], [], 0.5)[0]
            chunk = os.read(read_end, 65536) if ready else b""
            buffer += chunk
            now = time.monotonic()
            for event in _lines(buffer):
                progress.take(event, now)
                if event.get("event") == "failed":
                    message = " / ".join(event["message"].splitlines())
                    say(f"{label} | FAILED on {event['host']} | {event['task']} | {message}")
            here = (progress.play, progress.task_name)
            wait = heartbeat if here == spoken else interval
            if progress.play and (progress.play != spoken[0] or now - said >= wait):
                say(progress.line(label, now - started, now))
                said, spoken = now, here
            if not chunk and process.poll() is not None:
                return Outcome(process.returncode, round(now - started, 1), progress)
            if os.getppid() != outer:
                raise SystemExit(1)
    finally:
        os.close(read_end)
        if process.poll() is None:
            process.terminate()
            process.wait()
