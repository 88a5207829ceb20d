"""The steps of the checks: commands, in the order in which they run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "tests" / "output" / "results"
ANSIBLE_CODE = ("site.yml", "playbooks", "roles", "molecule", "galaxy.yml", "meta", "inventories/lab/group_vars")
SIDE_BY_SIDE = ("--numprocesses=2", "--dist=loadfile")
# Much of their time is waiting for servers that hang on purpose; the folder's conftest.py puts the longest files first.
WAITING = ("--numprocesses=4", "--dist=loadfile", "--no-loadscope-reorder")
PROGRAMS = ("kubernetes", "traefik")
VENV = ROOT / ".venv" / "bin"
# One compares times of the network, the other tells which stages ran of late.
ALONE = ("survey", "report")


@dataclass(frozen=True)
class Step:
    """A command of one group of checks; `pytest` says that it writes a JUnit file of its own."""

    group: str
    name: str
    argv: tuple[str, ...]
    pytest: bool = False

    @property
    def title(self) -> str:
        """What it is called in the output."""
        return f"{self.group}: {self.name}"

    @property
    def results(self) -> Path:
        """Where its files are, less their suffix."""
        return RESULTS / re.sub(r"[^a-z0-9]+", "-", f"{self.group} {self.name}".lower()).strip("-")


Lane = list[Step]


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


def phases() -> list[tuple[Lane, ...]]:
    """Give every step: phases run one after the other, their lanes side by side, the steps of a lane in order."""
    scenarios = sorted(path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml"))
    molecule = {name: script("molecule", f"scenario {name}", "tests/checks/molecule.sh", name) for name in scenarios}
    alone = [molecule.pop(name) for name in ALONE if name in molecule]
    in_pairs = list(molecule.values())
    return [
        (
            [
                tool("lint", "ruff check", "ruff", "check", "."),
                tool("lint", "ruff format", "ruff", "format", "--check", "."),
                script("lint", "mypy --strict", "tests/checks/types.sh"),
                tool("lint", "yamllint", "yamllint", "--strict", "."),
                script("lint", "shellcheck", "tests/checks/shell.sh"),
                tool("lint", "changelog", "antsibull-changelog", "lint"),
                script("lint", "collection builds and installs", "tests/checks/collection.sh"),
                python_tests("unit", "unit tests, core 2.19", *SIDE_BY_SIDE, "tests/unit"),
                python_tests(
                    "unit",
                    "unit tests, core 2.18",
                    *SIDE_BY_SIDE,
                    *("tests/unit/inventory", "tests/unit/plan", "tests/unit/cloudflare", "tests/unit/kubespray"),
                    interpreter=ROOT / ".venv-2.18" / "bin" / "python",
                ),
                # By name: a lab with the real Kubespray compiles none for itself.
                tool(
                    "integration", "programs are compiled", "python", "-m", "geokube_lab.binaries", "build", *PROGRAMS
                ),
                python_tests("integration", "integration tests", *WAITING, "tests/integration"),
                script("app", "the service's tests", "tests/checks/app.sh"),
            ],
        ),
        # The road waits for the network between continents most of the time; these use one processor each.
        (
            [script("lab", "the road in the lab", "tests/checks/lab.sh")],
            [
                tool("lint", "ansible-lint", "ansible-lint", "--offline", "--profile", "production", *ANSIBLE_CODE),
                script("lint", "ansible-lint of the stand-in", "tests/checks/standins.sh"),
                tool("lint", "documentation", "antsibull-docs", "lint-collection-docs", "--plugin-docs", "."),
                script("sanity", "ansible-test sanity", "tests/checks/sanity.sh"),
            ],
        ),
        ([python_tests("lab", "end to end", "tests/lab")],),
        (in_pairs[::2], in_pairs[1::2]),
        (alone,),
    ]
