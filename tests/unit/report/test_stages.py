# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is remembered of the stages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.meridian.geokube.plugins.plugin_utils.stages.memory import Stage, remember

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
PLAYBOOK = """
- name: Report from a try
  hosts: localhost
  connection: local
  gather_facts: false
  roles: [meridian.geokube.report]
"""


def stage(name: str, seconds: float, **counts: int) -> Stage:
    """Give one run of a stage."""
    made = Stage(name, ("meridian.geokube.mesh",), NOW, NOW + timedelta(seconds=seconds))
    made.counts.update(counts)
    return made


def seconds(content: dict[str, object], which: str) -> dict[str, float]:
    """Give the times of the stages by name."""
    return {one["name"]: one[which]["seconds"] for one in content["stages"]}  # type: ignore[attr-defined]


def test_a_run_that_finds_everything_in_place_does_not_hide_the_work() -> None:
    first = remember(None, [stage("Mesh", 80, changed=4), stage("Cluster", 600, changed=9)])
    second = remember(first, [stage("Mesh", 5), stage("Cluster", 3)])
    assert seconds(second, "work") == {"Mesh": 80, "Cluster": 600}
    assert seconds(second, "last") == {"Mesh": 5, "Cluster": 3}


def test_a_run_of_one_stage_keeps_the_others_and_their_order() -> None:
    first = remember(None, [stage("Mesh", 80, changed=4), stage("Cluster", 600, changed=9)])
    assert seconds(remember(first, [stage("Mesh", 20, changed=1)]), "work") == {"Mesh": 20, "Cluster": 600}


@pytest.mark.parametrize("kind", ["failed", "unreachable"])
def test_a_failed_run_is_replaced_by_a_good_one(kind: str) -> None:
    failed = remember(None, [stage("Mesh", 80, changed=2, **{kind: 1})])
    assert seconds(remember(failed, [stage("Mesh", 9)]), "work") == {"Mesh": 9}


@pytest.mark.parametrize("known", [{"version": 9, "stages": []}, {"version": 1}, {"version": 1, "stages": ["x"]}])
def test_an_unknown_file_is_started_afresh(known: dict[str, object]) -> None:
    assert seconds(remember(known, [stage("Mesh", 1)]), "last") == {"Mesh": 1}


@pytest.mark.parametrize(("folder_exists", "recorded"), [(True, True), (False, False)])
def test_the_callback_records_a_play_and_never_ends_a_run(tmp_path: Path, folder_exists: bool, recorded: bool) -> None:
    state = tmp_path / "state"
    if folder_exists:
        state.mkdir()
    (tmp_path / "try.yml").write_text(PLAYBOOK)
    (tmp_path / "ansible.cfg").write_text("[defaults]\n")
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "try.yml",
            "-e", f"geokube_state_dir={state}", "-e", f"ansible_python_interpreter={sys.executable}",
        ],
        cwd=tmp_path,
        env={**os.environ, "ANSIBLE_CALLBACKS_ENABLED": "meridian.geokube.stages", "ANSIBLE_CONFIG": "ansible.cfg"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert "run the role survey first" in done.stdout + done.stderr
    assert done.returncode == 2
    assert (state / "stages.json").exists() is recorded
    if recorded:
        entry = json.loads((state / "stages.json").read_text())["stages"][0]
        assert (entry["name"], entry["roles"]) == ("Report from a try", ["meridian.geokube.report"])
        assert entry["last"]["failed"] == 1
