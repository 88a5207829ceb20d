"""Run named stages side by side in the order their needs allow, and say what is going on.

Uses the standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

HEARTBEAT_SECONDS = 15.0


@dataclass(frozen=True)
class Stage:
    """One command with a name; it starts when the stages it needs have ended well."""

    name: str
    argv: tuple[str, ...]
    needs: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    shown: bool = False
    """Whether the command's own output goes to the terminal as well as to its log."""


@dataclass
class Outcome:
    """How a stage ended: seconds of wall time, exit code, and where its log is."""

    stage: Stage
    seconds: float
    code: int
    log: Path


class StageFailed(Exception):
    """A stage ended with another code than 0."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(f"{outcome.stage.name} failed with exit code {outcome.code}")
        self.outcome = outcome


def clock(seconds: float) -> str:
    """Write seconds as minutes and seconds, 0:07."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def last_line(log: Path) -> str:
    """Give the last line of a log that says anything, cut to fit a terminal."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - 4096))
            lines = stream.read().decode(errors="replace").replace("\r", "\n").splitlines()
    except OSError:
        return ""
    return next((line.strip()[:100] for line in reversed(lines) if line.strip()), "")


class Runner:
    """Runs stages; prints a line when one starts and ends, and a heartbeat while any is running."""

    def __init__(self, stages: Sequence[Stage], logs: Path, output: IO[str] | None = None) -> None:
        names = {stage.name for stage in stages}
        for stage in stages:
            missing = [need for need in stage.needs if need not in names]
            if missing:
                raise ValueError(f"stage {stage.name} needs {', '.join(missing)}: no such stage")
        self.stages = list(stages)
        self.logs = logs
        self.output = output or sys.stdout
        self.started = time.monotonic()
        self.outcomes: dict[str, Outcome] = {}
        self.running: dict[str, tuple[float, Path, subprocess.Popen[bytes]]] = {}
        self.changed = threading.Condition()
        self.speaking = threading.Lock()

    def elapsed(self) -> float:
        """Give the seconds since the start."""
        return time.monotonic() - self.started

    def say(self, text: str) -> None:
        """Print a line with the time since the start before it."""
        with self.speaking:
            print(f"[{clock(self.elapsed())}] {text}", file=self.output, flush=True)

    def run(self) -> list[Outcome]:
        """Run every stage; raise StageFailed at the first that fails, after ending the others."""
        self.logs.mkdir(parents=True, exist_ok=True)
        waiting = list(self.stages)
        spoken = time.monotonic()
        try:
            while waiting or self.running:
                ready = [s for s in waiting if all(need in self.outcomes for need in s.needs)]
                for stage in ready:
                    waiting.remove(stage)
                    self._start(stage)
                with self.changed:
                    self.changed.wait(timeout=1.0)
                failed = next((o for o in self.outcomes.values() if o.code != 0), None)
                if failed is not None:
                    raise StageFailed(failed)
                if time.monotonic() - spoken >= HEARTBEAT_SECONDS:
                    spoken = time.monotonic()
                    self._heartbeat()
        finally:
            self._end_all()
        return [self.outcomes[stage.name] for stage in self.stages]

    def _start(self, stage: Stage) -> None:
        log = self.logs / f"{stage.name}.log"
        self.say(f"{stage.name}: started")
        with log.open("wb") as stream:
            process = subprocess.Popen(
                stage.argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if stage.shown else stream,
                stderr=subprocess.STDOUT,
                env={**os.environ, **stage.env},
                start_new_session=True,
            )
        self.running[stage.name] = (time.monotonic(), log, process)
        threading.Thread(target=self._watch, args=(stage, log, process), daemon=True).start()

    def _watch(self, stage: Stage, log: Path, process: subprocess.Popen[bytes]) -> None:
        begun = time.monotonic()
        if process.stdout is not None:
            with log.open("ab") as stream:
                for line in process.stdout:
                    stream.write(line)
                    self.output.write(line.decode(errors="replace"))
                    self.output.flush()
        code = process.wait()
        seconds = time.monotonic() - begun
        with self.changed:
            self.running.pop(stage.name, None)
            self.outcomes[stage.name] = Outcome(stage, seconds, code, log)
            self.changed.notify()
        self.say(f"{stage.name}: {'done' if code == 0 else f'failed ({code})'} in {clock(seconds)}")

    def _heartbeat(self) -> None:
        for name, (begun, log, _) in sorted(self.running.items()):
            stage = next(s for s in self.stages if s.name == name)
            if not stage.shown:
                self.say(f"{name}: {clock(time.monotonic() - begun)} … {last_line(log)}")

    def _end_all(self) -> None:
        processes = [process for _, _, process in list(self.running.values())]
        for process in processes:
            end_group(process)
        for process in processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ask a stage's process, and the children in its session, to end."""
    try:
        os.killpg(process.pid, 15)
    except ProcessLookupError:
        return


def save_times(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Keep the seconds of each stage as JSON: {"stages": [{"name", "seconds"}]}."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stages = [{"name": o.stage.name, "seconds": round(o.seconds, 1)} for o in outcomes]
    path.write_text(json.dumps({"stages": stages}, indent=1) + "\n")
