"""The checks' own runner: lanes side by side, a count that is right, and nothing left when it is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]
# The runner with phases of the test's own: the first lane shown, the second beside it.
RUNNER = """
import sys
sys.path.insert(0, sys.argv[1])
import lanes, run, signal, steps
from pathlib import Path
here = Path(sys.argv[2])
steps.RESULTS = run.RESULTS = here
run.Children = lambda: lanes.Children({signal.SIGINT: 1.0, signal.SIGTERM: 1.0, signal.SIGKILL: 60.0})
shell = lambda name, text: steps.Step("all", name, (sys.argv[5], "-c", text))
run.phases = lambda: [
    ([shell(f"shown {n}", text) for n, text in enumerate(sys.argv[3].split("|"))],
     [shell(f"kept {n}", text) for n, text in enumerate(sys.argv[4].split("|"))]),
]
sys.exit(run.main([]))
"""


def start(folder: Path, shown: str, kept: str, program: str = "bash") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RUNNER, str(TESTS), str(folder), shown, kept, program]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for(*files: Path) -> None:
    deadline = time.monotonic() + 60
    while not all(file.exists() and file.read_text().endswith("\n") for file in files):
        assert time.monotonic() < deadline, files
        time.sleep(0.05)


def alive(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_ran_beside_is_shown_in_one_piece_and_counted(tmp_path: Path) -> None:
    shown = f"echo a1; until [ -e {tmp_path}/beside ]; do sleep 0.05; done; echo a2|echo a3"
    kept = f"echo b1; echo b2 >&2; touch {tmp_path}/beside; exit 3|echo b3"
    runner = start(tmp_path, shown, kept)
    output, _ = runner.communicate(timeout=120)
    lines = output.splitlines()
    assert lines[lines.index("b1") + 1] == "b2", output
    assert lines[lines.index("a1") : lines.index("a2")].count("b1") == 0, output
    assert "=== beside this, kept 0: FAILED in 0 s" in lines
    assert lines[-2:] == ["failed: all: kept 0", "3 passed, 1 failed, 0 skipped"], output
    assert runner.returncode == 1


def test_a_command_that_is_not_there_fails_and_the_others_go_on(tmp_path: Path) -> None:
    runner = start(tmp_path, "echo a", "echo b|echo c", program=str(tmp_path / "none"))
    output, _ = runner.communicate(timeout=120)
    assert output.splitlines()[-1] == "0 passed, 3 failed, 0 skipped", output
    assert output.count(f"No such file or directory: '{tmp_path}/none'") == 1, output
    assert runner.returncode == 1


def test_an_end_ends_all_lanes_and_what_their_commands_started(tmp_path: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        folder = tmp_path / number.name
        folder.mkdir()
        # One that goes politely, and one that has a child of its own that is deaf.
        shown = f"echo $$ > {folder}/shown; sleep 600; true|echo never > {folder}/never"
        kept = f"(trap '' INT TERM; echo $BASHPID > {folder}/kept; sleep 600; sleep 600)"
        runner = start(folder, shown, kept)
        wait_for(folder / "shown", folder / "kept")
        numbers = [int((folder / name).read_text()) for name in ("shown", "kept")]
        os.kill(runner.pid, number)
        output, _ = runner.communicate(timeout=120)
        assert runner.returncode == 130, output
        assert output.splitlines()[-1].endswith("skipped, interrupted"), output
        assert not [number for number in numbers if alive(number)]
        assert not (folder / "never").exists()
