# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State files: whole or not at all, and for their owner only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.meridian.geokube.plugins.plugin_utils.run_once import keep
from ansible_collections.meridian.geokube.plugins.plugin_utils.state_file import StateError, read_json, write_json


def mode(path: Path) -> int:
    """Give the permission bits."""
    return path.stat().st_mode & 0o777


def test_a_file_is_written_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "plan.json"
    write_json(path, {"é": 1})
    assert read_json(path) == {"é": 1}
    assert (mode(path), mode(path.parent), mode(path.parent.parent)) == (0o600, 0o700, 0o700)
    assert [one.name for one in path.parent.iterdir()] == ["plan.json"]


def test_keeping_the_same_changes_nothing_but_closes_an_open_file(tmp_path: Path) -> None:
    path = tmp_path / "state" / "plan.json"
    first = keep(path, {"a": 1}, check_mode=False)
    assert first["changed"] and first["diff"]["before"] == ""
    assert keep(path, {"a": 1}, check_mode=False) == {"changed": False, "diff": {}}
    path.chmod(0o644)
    assert keep(path, {"a": 1}, check_mode=False)["changed"]
    assert mode(path) == 0o600


def test_check_mode_tells_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    assert keep(path, {"a": 1}, check_mode=True)["changed"]
    assert not path.exists()


@pytest.mark.parametrize(("text", "told"), [("{", "does not hold JSON"), ("[]", "holds a list")])
def test_a_torn_file_is_named(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(StateError, match=told):
        read_json(tmp_path / "plan.json")


def test_a_write_that_fails_keeps_the_earlier_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plan.json"
    write_json(path, {"a": 1})

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StateError, match=r"plan\.json cannot be written: No space left"):
        write_json(path, {"a": 2})
    assert read_json(path) == {"a": 1}
    assert [one.name for one in tmp_path.iterdir()] == ["plan.json"]
