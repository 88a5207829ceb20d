"""Run the checks of the project one after the other and close on a plain count.

Each step is a command. pytest steps count their tests, every other step counts as one.
`python tests/run.py` runs all steps, `python tests/run.py lint unit` only those named.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "tests" / "output" / "results"
ANSIBLE_CODE = ("site.yml", "playbooks", "roles", "molecule", "galaxy.yml", "meta", "inventories/lab/group_vars")
SIDE_BY_SIDE = ("--numprocesses=2", "--dist=loadfile")
# Much of their time is waiting for servers that hang on purpose.
WAITING = ("--numprocesses=4", "--dist=worksteal")
PROGRAMS = ("kubernetes", "traefik")
VENV = ROOT / ".venv" / "bin"


@dataclass(frozen=True)
class Step:
    """A command of one group of checks; `pytest` says that it writes a JUnit file of its own."""

    group: str
    name: str
    argv: tuple[str, ...]
    pytest: bool = False


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


def python_tests(group: str, name: str, *arguments: str, interpreter: Path | None = None) -> Step:
    """Give a pytest step over the given files or folders."""
    python = str(interpreter or VENV / "python")
    return Step(group, name, (python, "-m", "pytest", "--durations=10", *arguments), pytest=True)


def tool(group: str, name: str, command: str, *arguments: str) -> Step:
    """Give a step that runs a command of the project's virtual environment."""
    return Step(group, name, (str(VENV / command), *arguments))


def script(group: str, name: str, *arguments: str) -> Step:
    """Give a step that runs one of the shell scripts in tests/checks."""
    return Step(group, name, ("bash", *arguments))


def steps() -> list[Step]:
    """Give every step in the order in which they run."""
    return [
        tool("lint", "ruff check", "ruff", "check", "."),
        tool("lint", "ruff format", "ruff", "format", "--check", "."),
        script("lint", "mypy --strict", "tests/checks/types.sh"),
        tool("lint", "yamllint", "yamllint", "--strict", "."),
        tool("lint", "ansible-lint", "ansible-lint", "--offline", "--profile", "production", *ANSIBLE_CODE),
        script("lint", "ansible-lint of the stand-in", "tests/checks/standins.sh"),
        script("lint", "shellcheck", "tests/checks/shell.sh"),
        tool("lint", "changelog", "antsibull-changelog", "lint"),
        tool("lint", "documentation", "antsibull-docs", "lint-collection-docs", "--plugin-docs", "."),
        script("lint", "collection builds and installs", "tests/checks/collection.sh"),
        python_tests("unit", "unit tests, core 2.19", *SIDE_BY_SIDE, "tests/unit"),
        python_tests(
            "unit",
            "unit tests, core 2.18",
            *SIDE_BY_SIDE,
            *("tests/unit/inventory", "tests/unit/plan", "tests/unit/cloudflare", "tests/unit/kubespray"),
            interpreter=ROOT / ".venv-2.18" / "bin" / "python",
        ),
        script("sanity", "ansible-test sanity", "tests/checks/sanity.sh"),
        # By name: a lab with the real Kubespray compiles none for itself.
        tool("integration", "programs are compiled", "python", "-m", "geokube_lab.binaries", "build", *PROGRAMS),
        python_tests("integration", "integration tests", *WAITING, "tests/integration"),
        script("app", "the service's tests", "tests/checks/app.sh"),
        script("lab", "the road in the lab", "tests/checks/lab.sh"),
        python_tests("lab", "end to end", "tests/lab"),
        script("molecule", "molecule scenarios", "tests/checks/molecule.sh"),
    ]


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


def run(step: Step) -> Count:
    """Run one step with its output shown; give its count."""
    report = RESULTS / (re.sub(r"[^a-z0-9]+", "-", f"{step.group} {step.name}".lower()) + ".xml")
    report.unlink(missing_ok=True)
    extra = (f"--junit-xml={report}",) if step.pytest else ()
    print(f"\n=== {step.group}: {step.name}", flush=True)
    started = time.monotonic()
    environment = {
        **os.environ,
        "PATH": f"{VENV}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "lab"),
        "GEOKUBE_TEST_REPORT": str(report),
    }
    code = subprocess.run((*step.argv, *extra), cwd=ROOT, env=environment, check=False).returncode
    if step.pytest or report.exists():
        count = junit_count(report)
        if code not in (0, 1, 5) or (code and not count.failed and code != 5):
            count.failed += 1
    else:
        count = Count(passed=1) if code == 0 else Count(failed=1)
    print(
        f"--- {step.name}: {'ok' if not count.failed else 'FAILED'} in {time.monotonic() - started:.0f} s", flush=True
    )
    return count


def main(groups: list[str]) -> int:
    """Run the steps of the named groups, or all; give the exit code."""
    known = list(dict.fromkeys(step.group for step in steps()))
    unknown = [group for group in groups if group not in known]
    if unknown:
        print(f"no such group: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    RESULTS.mkdir(parents=True, exist_ok=True)
    total = Count()
    failed: list[str] = []
    for step in steps():
        if groups and step.group not in groups:
            continue
        count = run(step)
        total.add(count)
        if count.failed:
            failed.append(f"{step.group}: {step.name}")
    print()
    for name in failed:
        print(f"failed: {name}")
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
