"""A background process is never mistaken for another one with its number."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from geokube_lab import processes
from geokube_lab.errors import LabError
from geokube_lab.processes import Process


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process to be stopped."""
    with subprocess.Popen(["sleep", "60"]) as child:
        yield child
        child.kill()


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records and logs in a folder of the test's own."""
    monkeypatch.setattr(processes, "PIDS", tmp_path / "pids")
    monkeypatch.setattr(processes, "LOGS", tmp_path / "logs")
    monkeypatch.setattr("geokube_lab.cgroups.enter_services", lambda: None)


def test_a_recorded_process_is_found_until_it_ends(sleeper: subprocess.Popen[bytes]) -> None:
    processes.record("sleeper", sleeper.pid)
    assert processes.recorded("sleeper") is not None
    sleeper.kill()
    sleeper.wait()
    assert processes.recorded("sleeper") is None


def test_a_number_used_again_is_another_process(sleeper: subprocess.Popen[bytes]) -> None:
    started = processes.start_time(sleeper.pid)
    assert started is not None
    stranger = Process(sleeper.pid, started - 1)
    assert not stranger.alive
    stranger.signal(signal.SIGKILL)
    stranger.stop()
    assert sleeper.poll() is None
    assert Process(sleeper.pid, started).alive


def test_a_zombie_does_not_run(sleeper: subprocess.Popen[bytes]) -> None:
    started = processes.start_time(sleeper.pid)
    assert started is not None
    sleeper.kill()
    assert processes.wait_for(lambda: not Process(sleeper.pid, started).alive, 5)


def test_stop_uses_force_when_asking_does_not_help(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    with subprocess.Popen(["sh", "-c", f"trap '' TERM; : > {ready}; while :; do sleep 0.1; done"]) as child:
        assert processes.wait_for(ready.exists, 5)
        processes.record("stubborn", child.pid).stop(patience=0.2)
        assert child.wait(5) == -signal.SIGKILL


def test_a_torn_record_is_no_process(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    (tmp_path / "pids" / "torn").write_text("12")
    assert processes.recorded("torn") is None


def test_a_background_process_writes_its_log() -> None:
    processes.background("talker", ["sh", "-c", "echo hello; sleep 0.5"])
    assert processes.wait_for(lambda: processes.last_lines("talker") == "hello", 5)


def test_a_failed_command_says_what_it_said() -> None:
    with pytest.raises(LabError, match=r"`sh -c echo no >&2; exit 3` ended with 3: no"):
        processes.run("sh", "-c", "echo no >&2; exit 3")
    with pytest.raises(LabError, match="nosuchcommand: No such file"):
        processes.run("nosuchcommand")
