# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook as a child process: its progress, its failures, and that nothing outlives the one who asked for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from ansible_collections.meridian.geokube.plugins.plugin_utils import playbook_child

PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")

TASKS = """
- hosts: localhost
  gather_facts: false
  name: First
  tasks:
    - name: Ignored
      ansible.builtin.command: "false"
      ignore_errors: true
    - block:
        - name: Rescued
          ansible.builtin.command: "false"
      rescue:
        - name: Saves
          ansible.builtin.debug: {msg: saved}
    - name: Done
      ansible.builtin.command: "true"
- hosts: localhost
  gather_facts: false
  name: Second
  tasks:
    - name: Breaks
      ansible.builtin.fail: {msg: the disk is full}
      when: breaks | default(false)
"""


def start(folder: Path, text: str, *more: str) -> tuple[playbook_child.Outcome, list[str]]:
    (folder / "play.yml").write_text(text)
    (folder / "ansible.cfg").write_text("[defaults]\n")
    said: list[str] = []
    outcome = playbook_child.run(
        [
            str(PLAYBOOK),
            "-i",
            "localhost,",
            "-c",
            "local",
            "-e",
            f"ansible_python_interpreter={sys.executable}",
            *more,
            "play.yml",
        ],
        config=str(folder / "ansible.cfg"),
        folder=str(folder),
        log=str(folder / "log"),
        label="test",
        say=said.append,
        interval=0.2,
        heartbeat=0.5,
    )
    return outcome, said


def test_ignored_and_rescued_failures_are_no_errors(tmp_path: Path) -> None:
    outcome, said = start(tmp_path, TASKS)
    assert outcome.status == 0
    assert outcome.progress.failures == []
    assert not any("FAILED" in line for line in said)
    assert any("play 1/2 First" in line for line in said)
    assert any("play 2/2 Second" in line for line in said)
    assert (outcome.progress.number, outcome.progress.tasks) == (5, 5)
    assert outcome.progress.stats["localhost"]["changed"] == 2
    assert "Ignored" in (tmp_path / "log").read_text()
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_a_failure_is_told_with_host_task_and_message(tmp_path: Path) -> None:
    outcome, said = start(tmp_path, TASKS, "-e", '{"breaks": true}')
    assert outcome.status != 0
    assert outcome.progress.failures == [{"host": "localhost", "task": "Breaks", "message": "the disk is full"}]
    assert "test | FAILED on localhost | Breaks | the disk is full" in said


def test_a_long_task_is_told_again(tmp_path: Path) -> None:
    play = [{"hosts": "localhost", "gather_facts": False, "tasks": [{"name": "Long", "command": "sleep 3"}]}]
    outcome, said = start(tmp_path, yaml.safe_dump(play))
    assert outcome.status == 0
    assert len([line for line in said if "Long | localhost" in line]) >= 3


def sleepers(mark: str) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if mark.encode() in arguments and arguments[0].endswith(b"sleep"):
            found.append(int(folder.name))
    return found


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return condition()


def test_a_process_that_a_listing_missed_is_ended_too(tmp_path: Path) -> None:
    mark = f"{os.getpid() % 90000 + 10000}.7"
    program = (
        "import os, subprocess\n"
        "from ansible_collections.meridian.geokube.plugins.plugin_utils import supervisor\n"
        "supervisor._prctl(supervisor._PR_SET_CHILD_SUBREAPER, 1)\n"
        "listings, listed = [[], []], supervisor.descendants\n"
        "supervisor.descendants = lambda process: listings.pop() if listings else listed(process)\n"
        f"script = 'setsid sh -c \"echo; exec sleep {mark}\" & sleep {mark}'\n"
        "command = subprocess.Popen(['sh', '-c', script], start_new_session=True, stdout=subprocess.PIPE)\n"
        "command.stdout.readline()\n"
        "supervisor.end_descendants(command)\n"
        "print(len(listings))\n"
    )
    try:
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
        assert (ended.returncode, ended.stdout) == (0, "0\n"), ended.stderr
        assert not sleepers(mark)
    finally:
        for process in sleepers(mark):
            os.kill(process, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_the_caller(tmp_path: Path, number: signal.Signals) -> None:
    mark = f"{os.getpid() % 90000 + 10000}.{number.value}"
    # The second sleeper has a session of its own, as ssh's masters have.
    command = f"setsid sleep {mark} & sleep {mark}"
    play = [{"hosts": "localhost", "gather_facts": False, "tasks": [{"name": "Long", "shell": command}]}]
    (tmp_path / "play.yml").write_text(yaml.safe_dump(play))
    (tmp_path / "ansible.cfg").write_text("[defaults]\n")
    argv = [str(PLAYBOOK), "-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}"]
    program = (
        "from ansible_collections.meridian.geokube.plugins.plugin_utils import playbook_child\n"
        f"playbook_child.run({[*argv, 'play.yml']!r}, config='ansible.cfg', folder='.', log='log', label='test', "
        "say=print, interval=1, heartbeat=1)\n"
    )
    caller = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, stdout=subprocess.DEVNULL)
    try:
        assert wait_for(lambda: len(sleepers(mark)) == 2, 30), (tmp_path / "log").read_text()
        assert caller.poll() is None, (tmp_path / "log").read_text()
        caller.send_signal(number)
        caller.wait(timeout=30)
        assert wait_for(lambda: not sleepers(mark), 60), (tmp_path / "log").read_text()
    finally:
        for process in sleepers(mark):
            os.kill(process, signal.SIGKILL)
