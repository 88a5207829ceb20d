"""Run the checks of the project and close on a plain count.

Each step is a command. pytest steps count their tests, every other step counts as one. Steps of one phase may run side
by side: those of its first lane at the terminal, those of the others with their output shown when it is whole.
`python tests/run.py` runs all steps, `python tests/run.py lint unit` only those named.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from lanes import Children, Ended
from steps import RESULTS, ROOT, VENV, Lane, Step, phases


@dataclass
class Count:
    """Numbers of passed, failed and skipped checks."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: Count) -> None:
        """Add another count to this one."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


def junit_count(report: Path) -> Count:
    """Read the numbers out of a JUnit file; a missing or torn one counts as one failure."""
    try:
        suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    except (OSError, ElementTree.ParseError):
        return Count(failed=1)
    count = Count()
    for suite in suites:
        failed = int(suite.get("failures", "0")) + int(suite.get("errors", "0"))
        skipped = int(suite.get("skipped", "0"))
        count.add(Count(int(suite.get("tests", "0")) - failed - skipped, failed, skipped))
    return count


@dataclass(frozen=True)
class Outcome:
    """How a step ended; `output` is where its output is kept, unless it went to the terminal."""

    step: Step
    count: Count
    seconds: float
    output: Path | None

    @property
    def line(self) -> str:
        """Say it in a line."""
        return f"{self.step.name}: {'FAILED' if self.count.failed else 'ok'} in {self.seconds:.0f} s"


def run(step: Step, children: Children, *, beside: bool = False) -> Outcome:
    """Run one step: with its output shown, or beside another, with its output kept and the other going first."""
    report, output = step.results.with_suffix(".xml"), step.results.with_suffix(".log") if beside else None
    report.unlink(missing_ok=True)
    extra = (f"--junit-xml={report}",) if step.pytest else ()
    gentle = ("nice", "-n", "10") if beside else ()
    environment = {
        **os.environ,
        "PATH": f"{VENV}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "lab"),
        "GEOKUBE_TEST_REPORT": str(report),
    }
    started = time.monotonic()
    try:
        code = children.run((*gentle, *step.argv, *extra), folder=ROOT, environment=environment, output=output)
    except OSError as error:
        print(f"{step.title}: {error}", file=sys.stderr, flush=True)
        code = 127
    if step.pytest or report.exists():
        count = junit_count(report)
        if code not in (0, 1, 5) or (code and not count.failed and code != 5):
            count.failed += 1
    else:
        count = Count(passed=1) if code == 0 else Count(failed=1)
    return Outcome(step, count, time.monotonic() - started, output)


class Run:
    """The steps of the named groups, or all, and what came of them."""

    def __init__(self, groups: list[str]) -> None:
        self.groups = groups
        self.children = Children()
        self.outcomes: list[Outcome] = []
        self._kept: queue.Queue[Outcome] = queue.Queue()

    def all(self) -> None:
        """Run phase after phase."""
        for phase in phases():
            lanes = [[step for step in lane if not self.groups or step.group in self.groups] for lane in phase]
            lanes = [lane for lane in lanes if lane]
            if lanes:
                self._phase(lanes[0], lanes[1:])

    def _phase(self, shown: Lane, kept: list[Lane]) -> None:
        threads = [threading.Thread(target=self._beside, args=(lane,), daemon=True) for lane in kept]
        for thread in threads:
            thread.start()
        others = [step.title for lane in kept for step in lane]
        if others:
            print(f"\n=== side by side from here, shown when they are done: {'; '.join(others)}", flush=True)
        for step in shown:
            print(f"\n=== {step.title}", flush=True)
            outcome = run(step, self.children)
            self.outcomes.append(outcome)
            print(f"--- {outcome.line}", flush=True)
            self._show_kept()
        while any(thread.is_alive() for thread in threads):
            threads[0].join(0.2)
            self._show_kept()
        self._show_kept()

    def _beside(self, lane: Lane) -> None:
        for step in lane:
            try:
                outcome = run(step, self.children, beside=True)
            except Ended:
                return
            print(f"=== beside this, {outcome.line}", flush=True)
            self._kept.put(outcome)

    def _show_kept(self) -> None:
        while not self._kept.empty():
            outcome = self._kept.get()
            self.outcomes.append(outcome)
            print(f"\n=== {outcome.step.title}", flush=True)
            if outcome.output is not None:
                sys.stdout.buffer.write(outcome.output.read_bytes())
            print(f"--- {outcome.line}", flush=True)


def interrupt(number: int, _frame: object) -> None:
    """Take a request to end for what Ctrl-C is."""
    raise KeyboardInterrupt(number)


def main(groups: list[str]) -> int:
    """Run the steps of the named groups, or all; give the exit code."""
    known = list(dict.fromkeys(step.group for phase in phases() for lane in phase for step in lane))
    unknown = [group for group in groups if group not in known]
    if unknown:
        print(f"no such group: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    RESULTS.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, interrupt)
    checks = Run(groups)
    interrupted = False
    try:
        checks.all()
    except KeyboardInterrupt:
        interrupted = True
        print("\ninterrupted: ending what runs", flush=True)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        checks.children.end()
    total = Count()
    print()
    for outcome in checks.outcomes:
        total.add(outcome.count)
        if outcome.count.failed:
            print(f"failed: {outcome.step.title}")
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped{', interrupted' * interrupted}")
    return 130 if interrupted else 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
